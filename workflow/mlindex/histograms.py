"""Original against augmented entries as binned counts (Moreau, figures 1, 2, 3, 4 and 5)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mlindex.lattice import ANGLES, LatticeSystem
from mlindex.resampling import PeakLists, least_separations
from mlindex.scaling import Scaling, reindexed_free
from mlindex.schema import stack
from mlindex.tables.training import HISTOGRAMS

BINS = 80
#: Labels are counted in this many bins of equal width.
LABEL_BINS = 50
KINDS = ("original", "augmented")


def compare(
    examples: pd.DataFrame, lists: PeakLists, scaling: Scaling, system: LatticeSystem
) -> pd.DataFrame:
    """The table HISTOGRAMS of one lattice system, both sides together.

    Figures: ``cell`` and ``cell_scaled`` (free parameters), ``peaks`` (all of them and the
    first, middle and last one) and ``peaks_scaled``, ``separations`` (of the model's peaks, and
    of list 1 of the original entries), ``labels`` (a panel for each Bravais lattice and peak).

    Args:
        examples: the table EXAMPLES.
        lists: peak lists of the original entries.
    """
    if not len(examples):
        return HISTOGRAMS.empty()
    augmented = examples["augmented"].to_numpy(dtype=bool)
    q2 = stack(examples["q2_inv_A2"])
    parts = [
        *_cells(examples, augmented, scaling, system),
        *_peaks(q2, augmented, scaling),
        *_separations(q2, augmented, lists, system),
        *_labels(examples, augmented, system),
    ]
    return pd.concat(parts, ignore_index=True)[HISTOGRAMS.names]


def _cells(
    examples: pd.DataFrame, augmented: np.ndarray, scaling: Scaling, system: LatticeSystem
) -> Iterator[pd.DataFrame]:
    free = reindexed_free(examples, system)
    scaled = scaling.free(free, system)
    for column, name in enumerate(system.free_parameters):
        unit = "deg" if name in ANGLES else "A"
        yield _both("cell", f"{name}_{unit}", free[:, column], augmented)
        yield _both("cell_scaled", name, scaled[:, column], augmented)


def _peaks(q2: np.ndarray, augmented: np.ndarray, scaling: Scaling) -> Iterator[pd.DataFrame]:
    n_peaks = q2.shape[1]
    yield _both("peaks", "all", q2, augmented)
    for peak in (1, n_peaks // 2, n_peaks):
        yield _both("peaks", f"peak {peak}", q2[:, peak - 1], augmented)
    yield _both("peaks_scaled", "all", scaling.q2(q2), augmented)


def _separations(
    q2: np.ndarray, augmented: np.ndarray, lists: PeakLists, system: LatticeSystem
) -> Iterator[pd.DataFrame]:
    low, high = system.separation_bins_inv_A2
    edges = np.geomspace(low / 10, high * 10, BINS + 1)
    yield _both("separations", "model's peaks", np.diff(q2, axis=1), augmented, edges)
    separations = least_separations(lists.q2_inv_A2)
    listed = separations[np.isfinite(lists.q2_inv_A2) & np.isfinite(separations)]
    yield _counted("separations", "list 1", KINDS[0], listed, edges)


def _labels(
    examples: pd.DataFrame, augmented: np.ndarray, system: LatticeSystem
) -> Iterator[pd.DataFrame]:
    labels = stack(examples["label"], dtype=np.int64)
    edges = np.linspace(-0.5, system.n_reference - 0.5, LABEL_BINS + 1)
    bravais = examples["bravais_lattice"].to_numpy(dtype=str)
    for symbol in np.unique(bravais):
        rows = bravais == symbol
        for peak in range(labels.shape[1]):
            panel = f"{symbol} peak {peak + 1}"
            yield _both("labels", panel, labels[rows, peak], augmented[rows], edges)


def _both(
    figure: str,
    panel: str,
    values: np.ndarray,
    augmented: np.ndarray,
    edges: np.ndarray | None = None,
) -> pd.DataFrame:
    if edges is None:
        edges = np.histogram_bin_edges(values, bins=BINS)
    kinds = zip(KINDS, (values[~augmented], values[augmented]), strict=True)
    return pd.concat([_counted(figure, panel, kind, v, edges) for kind, v in kinds])


def _counted(
    figure: str, panel: str, kind: str, values: np.ndarray, edges: np.ndarray
) -> pd.DataFrame:
    """Counts in bins; values beyond the first or last edge go to that bin."""
    clipped = np.clip(values.ravel(), edges[0], edges[-1])
    return pd.DataFrame(
        {
            "figure": figure,
            "panel": panel,
            "kind": kind,
            "left": edges[:-1],
            "right": edges[1:],
            "count": np.histogram(clipped, edges)[0].astype(float),
        }
    )
