"""Training and validation examples of a lattice system: its entries and augmented ones.

An augmented peak keeps the Miller indices of the reflection it is: q² is always calculated from
the indices and the perturbed cell, and both are put in the new order together.

The dataset is read three times, in blocks: for cells and symbols (about 0.1 kB an entry, all that
is ever in memory of all entries), for the peak lists that everything is fitted to, and to augment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.base.errors import MlindexError
from mlindex.base.schema import stack
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import LatticeSystem, quadratic_terms
from mlindex.crystal.reindexed import hkl_to_standard
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.rows import reindexed_free
from mlindex.learning.sides import TRAIN, VALIDATION
from mlindex.learning.tables import DATASET
from mlindex.method.augmentation import Perturbation, allocate, reindexed_cells
from mlindex.method.histograms import count_list_1
from mlindex.method.reference import labels
from mlindex.method.resampling import (
    Acceptance,
    PeakLists,
    Resolution,
    fit_acceptance,
    fit_first_peak,
    resample,
)
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Augmentation
from mlindex.method.tables import EXAMPLES
from mlindex.patterns.settings import Peaks, Simulation

#: Draws of cell and peaks until an augmented entry has enough peaks; then it is given up.
LIST_ATTEMPTS = 5
#: Relative q² difference between indices and cell that only a mix-up of settings can make.
SETTING_TOLERANCE = 0.05
#: Training entries whose peak lists eq. 19 and the first peak are fitted to, at most: a million
#: reflections, and evenly chosen ones where there are more.
FIT_ENTRIES = 20_000
#: Augmented entries drawn at once, and parents that may be in memory for it.
_BLOCK, _PARENTS = 5000, 20_000
#: Columns of DATASET for the first look.
_HEAD_COLUMNS = ("usable", "side", "hm_symbol", "unique_axis", *cell_names(""))
_SIDES = (TRAIN, VALIDATION)
_INHERITED = ["side", "bravais_lattice", "hm_symbol", "unique_axis", "group"]
_COLUMNS = (
    *("entry_id", "usable", *_INHERITED, *cell_names("")),
    *(f"{kind}_{name}" for kind in ("present", "observed") for name in ("q2_inv_A2", *"hkl")),
)

#: Gives the table DATASET from the start each time, in blocks, at least with the columns asked for.
Blocks = Callable[[Sequence[str]], Iterable[pd.DataFrame]]


@dataclass(frozen=True)
class Made:
    """How examples were made: FIRST_PEAK, ACCEPTANCE, and what histograms need of the dataset.

    ``list_1`` is :func:`mlindex.method.histograms.count_list_1` of all entries; ``given_up`` counts
    augmented entries that were wanted but never had a valid cell with enough peaks.
    """

    first_peak: pd.DataFrame
    acceptance: pd.DataFrame
    list_1: np.ndarray
    given_up: int


@dataclass(frozen=True)
class _Parents:
    """Usable entries as arrays, row by row."""

    free: np.ndarray
    unique_axes: np.ndarray
    lists: PeakLists


@dataclass(frozen=True)
class _Children:
    """Augmented entries: row of the parent, reindexed cell, q² and indices of the peaks."""

    parent: np.ndarray
    cells: np.ndarray
    q2_inv_A2: np.ndarray
    hkl: np.ndarray


@dataclass(frozen=True)
class Augmenter:
    """All that training entries teach about augmenting entries of their lattice system."""

    system: LatticeSystem
    perturbation: Perturbation
    first_peak: pd.DataFrame
    acceptance: Acceptance
    resolution: Resolution

    def draw(self, parents: _Parents, rng: np.random.Generator) -> tuple[_Children, np.ndarray]:
        """One try for each parent: the children that came out, and which parents they are of."""
        free, valid = self.perturbation.draw(parents.free, rng)
        cells = reindexed_cells(free, parents.unique_axes, self.system)
        q2, hkl = reordered(parents.lists, cells)
        columns, filled = resample(
            q2, self.first_peak, self.acceptance, self.resolution, n_peaks_of(self.system), rng
        )
        good = valid & (filled == n_peaks_of(self.system))
        rows = np.flatnonzero(good)
        chosen = columns[rows]
        children = _Children(
            rows, cells[rows], q2[rows[:, None], chosen], hkl[rows[:, None], chosen]
        )
        return children, good


def reordered(lists: PeakLists, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List 1 of entries after their cells have changed.

    Returns:
        q² (n, length), ascending, infinite beyond the end, and the indices (n, length, 3) in the
        same order.
    """
    q2 = np.einsum("nlt,nt->nl", quadratic_terms(lists.hkl), reciprocal_from_cell(cells))
    q2[np.arange(q2.shape[1]) >= lists.count[:, None]] = np.inf
    order = np.argsort(q2, axis=1, kind="stable")
    return (
        np.take_along_axis(q2, order, axis=1),
        np.take_along_axis(lists.hkl, order[..., None], axis=1),
    )


def stream_examples(
    dataset: Blocks,
    reference: pd.DataFrame,
    scaling: Scaling,
    system: LatticeSystem,
    settings: Augmentation,
    peaks: Peaks,
    simulation: Simulation,
    rng: np.random.Generator,
    write: Callable[[pd.DataFrame], None],
    progress: Callable[[Iterable], Iterable] = iter,
) -> Made:
    """Examples of one lattice system: usable entries as they are, then augmented ones.

    Everything fitted (perturbation, first peak, eq. 19) is fitted on training entries. Each side
    gets ``settings.fraction`` augmented entries for each of its own, and a child stays on its
    parent's side. Without training entries nothing is augmented.

    Args:
        dataset: gives the table DATASET of this lattice system.
        reference: the table REFERENCE, its last row (0 0 0).
        scaling: fitted on the training entries.
        write: takes the rows of EXAMPLES, some at a time.
        progress: wraps the loop over blocks of augmented entries.

    Raises:
        MlindexError: an entry's Miller indices and cell are not of one setting.
    """
    heads = _heads(dataset)
    train = np.flatnonzero(heads["side"] == TRAIN)
    resolution = Resolution.from_settings(peaks, simulation)
    lists, list_1 = _write_originals(dataset, reference, system, train, write)
    first_peak = fit_first_peak(lists)
    acceptance, table = fit_acceptance(lists, system, settings.separation_bins, resolution)
    if not len(train):
        return Made(first_peak, table, list_1, 0)
    free = reindexed_free(heads, system)[train]
    perturbation = Perturbation.fit(free, system, scaling, settings.perturbation_scale)
    augmenter = Augmenter(system, perturbation, first_peak, acceptance, resolution)
    parent = _planned(heads, settings, rng)
    given_up = len(parent)
    for examples in _augment(augmenter, dataset, parent, reference, rng, progress):
        write(examples)
        given_up -= len(examples)
    return Made(first_peak, table, list_1, given_up)


def _heads(dataset: Blocks) -> pd.DataFrame:
    """What is kept of all usable entries."""
    empty = DATASET.empty()[list(_HEAD_COLUMNS)]
    return pd.concat([*_usable(dataset, _HEAD_COLUMNS)] or [empty], ignore_index=True)


def _usable(dataset: Blocks, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    for block in dataset(columns):
        yield block[block["usable"].to_numpy(dtype=bool)].reset_index(drop=True)


def _write_originals(
    dataset: Blocks,
    reference: pd.DataFrame,
    system: LatticeSystem,
    train: np.ndarray,
    write: Callable[[pd.DataFrame], None],
) -> tuple[PeakLists, np.ndarray]:
    """Write the entries as they are; peak lists to fit to, and the counts of list 1."""
    step = max(1, -(-len(train) // FIT_ENTRIES))
    chosen = train[::step]
    parts, counts, start = [], count_list_1(None, system), 0
    for block in _usable(dataset, _COLUMNS):
        lists = PeakLists.from_frame(block)
        _check_setting(block, lists)
        write(_originals(block, reference, system))
        counts += count_list_1(lists, system)
        here = chosen[(chosen >= start) & (chosen < start + len(block))]
        parts.append(lists.take(here - start))
        start += len(block)
    return PeakLists.joined(parts), counts


class _Window:
    """Usable entries that are asked for in rising order: only those at hand are in memory."""

    def __init__(self, blocks: Iterator[pd.DataFrame]):
        self._blocks = blocks
        self._first = 0
        self._frame = next(blocks)

    def between(self, low: int, high: int) -> pd.DataFrame:
        """Rows ``low`` to ``high``, both included; those before are forgotten."""
        parts, end = [self._frame], self._first + len(self._frame)
        while end <= high:
            parts.append(next(self._blocks))
            end += len(parts[-1])
        self._frame = pd.concat(parts, ignore_index=True).iloc[low - self._first :]
        self._first = low
        return self._frame.iloc[: high - low + 1].reset_index(drop=True)


def _check_setting(usable: pd.DataFrame, lists: PeakLists) -> None:
    # The bug to rule out: indices of one setting beside the cell of another.
    x = reciprocal_from_cell(usable[cell_names("")].to_numpy(dtype=float))
    q2 = np.einsum("nlt,nt->nl", quadratic_terms(lists.hkl), x)
    listed = np.isfinite(lists.q2_inv_A2)
    stated = np.where(listed, lists.q2_inv_A2, 1.0)
    off = np.where(listed, np.abs(q2 / stated - 1), 0.0).max(axis=1, initial=0.0)
    wrong = np.flatnonzero(~(off <= SETTING_TOLERANCE))
    if len(wrong):
        row = wrong[0]
        raise MlindexError(
            f"{len(wrong)} entries have Miller indices that do not fit their reindexed cell, "
            f"the first {usable['entry_id'].iloc[row]}: q² off by a factor of "
            f"{1 + off[row]:.3g}; make their peak lists and dataset again"
        )


def _planned(usable: pd.DataFrame, settings: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Row of the parent of each augmented entry wanted, both sides."""
    counts = np.zeros(len(usable), dtype=np.int64)
    for side in _SIDES:
        rows = np.flatnonzero(usable["side"] == side)
        total = round(settings.fraction * len(rows))
        symbols = usable["hm_symbol"].iloc[rows]
        counts[rows] = allocate(symbols, total, settings.max_per_parent, rng)
    return np.repeat(np.arange(len(usable)), counts)


def _augment(
    augmenter: Augmenter,
    dataset: Blocks,
    parent: np.ndarray,
    reference: pd.DataFrame,
    rng: np.random.Generator,
    progress: Callable[[Iterable], Iterable],
) -> Iterator[pd.DataFrame]:
    """The augmented examples of parents (rows in rising order, repeated), block by block."""
    window = _Window(_usable(dataset, _COLUMNS))
    last, number = "", 0
    for start, end in progress(_cut(parent)):
        low = parent[start]
        usable = window.between(low, parent[end - 1])
        children = _children(augmenter, usable, parent[start:end] - low, rng)
        examples = _augmented(usable, children, reference, augmenter.system, last, number)
        if len(examples):
            last = examples["parent_id"].iloc[-1]
            number = int(examples["example_id"].iloc[-1].rpartition("#")[2])
        yield examples


def _cut(parent: np.ndarray) -> list[tuple[int, int]]:
    """Ranges of at most so many children of not too many parents."""
    cuts, start = [], 0
    while start < len(parent):
        near = int(np.searchsorted(parent, parent[start] + _PARENTS))
        cuts.append((start, min(start + _BLOCK, near)))
        start = cuts[-1][1]
    return cuts


def _children(
    augmenter: Augmenter, usable: pd.DataFrame, pending: np.ndarray, rng: np.random.Generator
) -> _Children:
    """Children of these rows of ``usable``, tried several times."""
    free = reindexed_free(usable, augmenter.system)
    axes = usable["unique_axis"].to_numpy(dtype=str)
    lists = PeakLists.from_frame(usable)
    found = []
    for _ in range(LIST_ATTEMPTS):
        block = _Parents(free[pending], axes[pending], lists.take(pending))
        children, good = augmenter.draw(block, rng)
        found.append(
            _Children(pending[children.parent], children.cells, children.q2_inv_A2, children.hkl)
        )
        pending = pending[~good]
        if not len(pending):
            break
    return _joined(found, n_peaks_of(augmenter.system))


def _joined(parts: list[_Children], n_peaks: int) -> _Children:
    if not parts:
        empty = np.empty((0, n_peaks))
        return _Children(np.empty(0, int), np.empty((0, 6)), empty, np.empty((0, n_peaks, 3), int))
    parent = np.concatenate([p.parent for p in parts])
    order = np.argsort(parent, kind="stable")
    cells, q2, hkl = (
        np.concatenate([getattr(p, name) for p in parts])[order]
        for name in ("cells", "q2_inv_A2", "hkl")
    )
    return _Children(parent[order], cells, q2, hkl)


def _originals(
    usable: pd.DataFrame, reference: pd.DataFrame, system: LatticeSystem
) -> pd.DataFrame:
    n = n_peaks_of(system)
    q2 = stack(usable["observed_q2_inv_A2"].map(lambda v: v[:n])).reshape(-1, n)
    hkl = np.stack(
        [
            stack(usable[f"observed_{i}"].map(lambda v: v[:n]), dtype=np.int64).reshape(-1, n)
            for i in "hkl"
        ],
        axis=-1,
    )
    head = usable[_INHERITED].copy()
    head["example_id"] = head["parent_id"] = usable["entry_id"]
    head["augmented"] = False
    cells = usable[cell_names("")].to_numpy(dtype=float)
    return _frame(head, cells, q2, hkl, reference, system)


def _augmented(
    usable: pd.DataFrame,
    children: _Children,
    reference: pd.DataFrame,
    system: LatticeSystem,
    last: str,
    begun: int,
) -> pd.DataFrame:
    """Rows of EXAMPLES; ``last`` is the parent that has ``begun`` children in the block before."""
    head = usable[_INHERITED].iloc[children.parent].reset_index(drop=True)
    head["parent_id"] = usable["entry_id"].to_numpy()[children.parent]
    number = head.groupby("parent_id").cumcount() + 1 + begun * (head["parent_id"] == last)
    head["example_id"] = head["parent_id"] + "#" + number.astype(str)
    head["augmented"] = True
    return _frame(head, children.cells, children.q2_inv_A2, children.hkl, reference, system)


def _frame(
    head: pd.DataFrame,
    cells: np.ndarray,
    q2: np.ndarray,
    hkl: np.ndarray,
    reference: pd.DataFrame,
    system: LatticeSystem,
) -> pd.DataFrame:
    """Rows of EXAMPLES; ``hkl`` (n, n_peaks, 3) in the reindexed setting."""
    reference_hkl = reference[["h", "k", "l"]].to_numpy(dtype=np.int64)
    label = np.empty(q2.shape, dtype=np.int16)
    axes = head["unique_axis"].to_numpy(dtype=str)
    for axis in np.unique(axes):
        rows = axes == axis
        standard = hkl_to_standard(hkl[rows].astype(np.int64), system, str(axis))
        label[rows] = labels(standard, reference_hkl, system)
    columns = {name: head[name].to_numpy() for name in head.columns}
    columns |= {name: cells[:, i] for i, name in enumerate(cell_names(""))}
    lists = {"q2_inv_A2": q2, "label": label}
    lists |= {n: hkl[..., i].astype(np.int16) for i, n in enumerate("hkl")}
    columns |= {name: pd.Series(list(rows), dtype=object) for name, rows in lists.items()}
    return pd.DataFrame(columns)[EXAMPLES.names]
