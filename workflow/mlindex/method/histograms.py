"""Original against augmented entries as binned counts (Moreau, figures 1, 2, 3, 4 and 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.base.schema import stack
from mlindex.crystal.lattice import ANGLES, LatticeSystem
from mlindex.learning.rows import reindexed_free
from mlindex.method.lattices import defaults_of
from mlindex.method.resampling import PeakLists, least_separations
from mlindex.method.scaling import Scaling
from mlindex.method.tables import HISTOGRAM_KINDS, HISTOGRAMS

BINS = 80
#: Labels are counted in this many bins of equal width.
LABEL_BINS = 50
#: Columns of EXAMPLES that are needed.
COLUMNS = (
    *("augmented", "unique_axis", "bravais_lattice"),
    *cell_names(""),
    *("q2_inv_A2", "label"),
)
_FIGURES = ("cell", "cell_scaled", "peaks", "peaks_scaled", "separations", "labels")

#: Figure and panel.
Panel = tuple[str, str]
_LIST_1: Panel = ("separations", "list 1")


def compare(
    examples: Callable[[], Iterable[pd.DataFrame]],
    list_1: np.ndarray,
    scaling: Scaling,
    system: LatticeSystem,
) -> pd.DataFrame:
    """The table HISTOGRAMS of one lattice system, both sides together.

    Figures: ``cell`` and ``cell_scaled`` (free parameters), ``peaks`` (all of them and the
    first, middle and last one) and ``peaks_scaled``, ``separations`` (of the model's peaks, and
    of list 1 of the original entries), ``labels`` (a panel for each Bravais lattice and peak).

    Args:
        examples: gives the table EXAMPLES from its start, in blocks, at least :data:`COLUMNS`.
        list_1: :func:`count_list_1` of the original entries.
    """
    ranges: dict[Panel, tuple[float, float]] = {}
    for block in examples():
        for panel, values, _ in _values(block, scaling, system):
            low, high = ranges.get(panel, (np.inf, -np.inf))
            ranges[panel] = min(low, values.min()), max(high, values.max())
    if not ranges:
        return HISTOGRAMS.empty()
    edges = {panel: _edges(panel, limits, system) for panel, limits in ranges.items()}
    counts = {panel: np.zeros((len(HISTOGRAM_KINDS), len(e) - 1)) for panel, e in edges.items()}
    for block in examples():
        for panel, values, augmented in _values(block, scaling, system):
            counts[panel] += [
                _count(values[rows], edges[panel]) for rows in (~augmented, augmented)
            ]
    parts = [
        _table(panel, kind, edges[panel], counts[panel][number])
        for panel in sorted(counts, key=_place)
        for number, kind in enumerate(HISTOGRAM_KINDS)
    ]
    parts.append(_table(_LIST_1, HISTOGRAM_KINDS[0], _separation_edges(system), list_1))
    return pd.concat(parts, ignore_index=True)[HISTOGRAMS.names]


def count_list_1(lists: PeakLists | None, system: LatticeSystem) -> np.ndarray:
    """Counts of the separations in list 1 of some entries; zeros without any."""
    edges = _separation_edges(system)
    if lists is None:
        return np.zeros(len(edges) - 1)
    separations = least_separations(lists.q2_inv_A2)
    return _count(separations[np.isfinite(lists.q2_inv_A2) & np.isfinite(separations)], edges)


def _values(
    examples: pd.DataFrame, scaling: Scaling, system: LatticeSystem
) -> Iterator[tuple[Panel, np.ndarray, np.ndarray]]:
    """Each panel with its values, a row for an example, and which of these are augmented."""
    if not len(examples):
        return
    augmented = examples["augmented"].to_numpy(dtype=bool)
    free, q2 = reindexed_free(examples, system), stack(examples["q2_inv_A2"])
    scaled = scaling.free(free, system)
    for column, name in enumerate(system.free_parameters):
        unit = "deg" if name in ANGLES else "A"
        yield ("cell", f"{name}_{unit}"), free[:, column], augmented
        yield ("cell_scaled", name), scaled[:, column], augmented
    yield ("peaks", "all"), q2, augmented
    for peak in (1, q2.shape[1] // 2, q2.shape[1]):
        yield ("peaks", f"peak {peak}"), q2[:, peak - 1], augmented
    yield ("peaks_scaled", "all"), scaling.q2(q2), augmented
    yield ("separations", "model's peaks"), np.diff(q2, axis=1), augmented
    labels = stack(examples["label"], dtype=np.int64)
    bravais = examples["bravais_lattice"].to_numpy(dtype=str)
    for symbol in np.unique(bravais):
        rows = bravais == symbol
        for peak in range(labels.shape[1]):
            yield ("labels", f"{symbol} peak {peak + 1}"), labels[rows, peak], augmented[rows]


def _place(panel: Panel) -> tuple:
    """Figures in the order of :data:`_FIGURES`; labels by Bravais lattice and peak."""
    symbol, _, peak = panel[1].partition(" peak ")
    return _FIGURES.index(panel[0]), (symbol, int(peak)) if panel[0] == "labels" else ()


def _edges(panel: Panel, limits: tuple[float, float], system: LatticeSystem) -> np.ndarray:
    if panel[0] == "labels":
        return np.linspace(-0.5, defaults_of(system).n_reference - 0.5, LABEL_BINS + 1)
    if panel[0] == "separations":
        return _separation_edges(system)
    return np.histogram_bin_edges(np.array(limits), bins=BINS)


def _separation_edges(system: LatticeSystem) -> np.ndarray:
    low, high = defaults_of(system).separation_bins_inv_A2
    return np.geomspace(low / 10, high * 10, BINS + 1)


def _count(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Counts in bins; values beyond the first or last edge go to that bin."""
    return np.histogram(np.clip(values.ravel(), edges[0], edges[-1]), edges)[0].astype(float)


def _table(panel: Panel, kind: str, edges: np.ndarray, counts: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "figure": panel[0],
            "panel": panel[1],
            "kind": kind,
            "left": edges[:-1],
            "right": edges[1:],
            "count": counts,
        }
    )
