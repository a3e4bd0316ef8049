"""Training and validation examples of a lattice system: its entries and augmented ones.

An augmented peak keeps the Miller indices of the reflection it is: q² is always calculated from
the indices and the perturbed cell, and both are put in the new order together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlindex.augmentation import Perturbation, allocate, reindexed_cells
from mlindex.axes import hkl_to_standard
from mlindex.cell import reciprocal_from_cell
from mlindex.errors import MlindexError
from mlindex.histograms import compare
from mlindex.lattice import LatticeSystem, quadratic_terms
from mlindex.reference import labels
from mlindex.resampling import (
    Acceptance,
    PeakLists,
    Resolution,
    fit_acceptance,
    fit_first_peak,
    resample,
)
from mlindex.scaling import Scaling, reindexed_free
from mlindex.schema import stack
from mlindex.settings.data import Augmentation, Peaks, Simulation
from mlindex.tables.columns import cell_names
from mlindex.tables.training import EXAMPLES

#: Draws of cell and peaks until an augmented entry has enough peaks; then it is given up.
LIST_ATTEMPTS = 5
#: Relative q² difference between indices and cell that only a mix-up of settings can make.
SETTING_TOLERANCE = 0.05
_BLOCK = 5000
_SIDES = ("train", "validation")
_INHERITED = ["side", "bravais_lattice", "hm_symbol", "unique_axis", "group"]


@dataclass(frozen=True)
class Augmented:
    """Examples (table EXAMPLES) and the tables that document how they were made.

    ``given_up`` counts augmented entries that were wanted but never had a valid cell with
    enough peaks.
    """

    examples: pd.DataFrame
    first_peak: pd.DataFrame
    acceptance: pd.DataFrame
    histograms: pd.DataFrame
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
            q2, self.first_peak, self.acceptance, self.resolution, self.system.n_peaks, rng
        )
        good = valid & (filled == self.system.n_peaks)
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


def make_examples(
    dataset: pd.DataFrame,
    reference: pd.DataFrame,
    scaling: Scaling,
    system: LatticeSystem,
    settings: Augmentation,
    peaks: Peaks,
    simulation: Simulation,
    rng: np.random.Generator,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Augmented:
    """Examples of one lattice system: usable entries as they are, then augmented ones.

    Everything fitted (perturbation, first peak, eq. 19) is fitted on training entries. Each side
    gets ``settings.fraction`` augmented entries for each of its own, and a child stays on its
    parent's side. Without training entries nothing is augmented.

    Args:
        dataset: the table DATASET of this lattice system.
        reference: the table REFERENCE, its last row (0 0 0).
        scaling: fitted on the training entries.
        progress: wraps the loop over blocks of augmented entries.

    Raises:
        MlindexError: an entry's Miller indices and cell are not of one setting.
    """
    usable = dataset[dataset["usable"].to_numpy(dtype=bool)].reset_index(drop=True)
    lists = PeakLists.from_frame(usable)
    _check_setting(usable, lists)
    train = np.flatnonzero(usable["side"] == "train")
    resolution = Resolution.from_settings(peaks, simulation)
    first_peak = fit_first_peak(lists.take(train))
    acceptance, table = fit_acceptance(
        lists.take(train), system, settings.separation_bins, resolution
    )
    frames, wanted = [_originals(usable, reference, system)], 0
    if len(train):
        axes = usable["unique_axis"].to_numpy(dtype=str)
        free = reindexed_free(usable, system)
        perturbation = Perturbation.fit(free[train], system, scaling, settings.perturbation_scale)
        augmenter = Augmenter(system, perturbation, first_peak, acceptance, resolution)
        parent = _planned(usable, settings, rng)
        wanted = len(parent)
        children = _augment(augmenter, _Parents(free, axes, lists), parent, rng, progress)
        frames.append(_augmented(usable, children, reference, system))
    examples = pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)
    given_up = wanted - int(examples["augmented"].sum())
    histograms = compare(examples, lists, scaling, system)
    return Augmented(examples, first_peak, table, histograms, given_up)


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
    parents: _Parents,
    parent: np.ndarray,
    rng: np.random.Generator,
    progress: Callable[[Iterable], Iterable],
) -> _Children:
    found = []
    for start in progress(range(0, len(parent), _BLOCK)):
        pending = parent[start : start + _BLOCK]
        for _ in range(LIST_ATTEMPTS):
            block = _Parents(
                parents.free[pending], parents.unique_axes[pending], parents.lists.take(pending)
            )
            children, good = augmenter.draw(block, rng)
            found.append(
                _Children(
                    pending[children.parent], children.cells, children.q2_inv_A2, children.hkl
                )
            )
            pending = pending[~good]
            if not len(pending):
                break
    return _joined(found, augmenter.system.n_peaks)


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
    n = system.n_peaks
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
    usable: pd.DataFrame, children: _Children, reference: pd.DataFrame, system: LatticeSystem
) -> pd.DataFrame:
    head = usable[_INHERITED].iloc[children.parent].reset_index(drop=True)
    head["parent_id"] = usable["entry_id"].to_numpy()[children.parent]
    number = head.groupby("parent_id").cumcount() + 1
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
