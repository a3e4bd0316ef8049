"""Peaks of an augmented entry: which reflections of list 1 would be observed (Moreau 2.1.5).

The first observed peak is drawn from the positions that training entries show. Every later
reflection is then observed by its distance from its neighbours alone:

    rho(dq², q²) = c(q²) (1 - r0^(-r1 dq²)),    c linear and at most 1    (eq. 19).

Only r1 ln(r0) can be determined from data, so r0 is fixed to e.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numba import njit
from scipy.optimize import least_squares

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.lattice import LatticeSystem
from mlindex.crystal.tolerances import OBSERVED_LINE_REL
from mlindex.method.lattices import defaults_of
from mlindex.method.tables import ACCEPTANCE, FIRST_PEAK
from mlindex.patterns.settings import Peaks, Simulation

#: With fewer reflections than this, eq. 19 is not fitted: see :func:`fit_acceptance`.
MIN_FIT_REFLECTIONS = 50
#: Rate r1, in A², and plateau c that stand in for a fit: a reflection 5e-4 1/A² from its
#: neighbours is observed with 63 % of the plateau.
FALLBACK_RATE_A2 = 2000.0
FALLBACK_PLATEAU = 0.9
_RATE_BOUNDS_A2 = (1.0, 1e7)
_Q2_BINS = 8


@dataclass(frozen=True)
class PeakLists:
    """Lists 1 and 2 of n entries as padded arrays.

    Attributes:
        hkl: Miller indices of list 1 in the reindexed setting, (n, length, 3), 0 beyond the end.
        q2_inv_A2: q² of list 1, (n, length), infinite beyond the end.
        count: reflections in list 1, (n,).
        observed: whether each of list 1 is in list 2, (n, length).
    """

    hkl: np.ndarray
    q2_inv_A2: np.ndarray
    count: np.ndarray
    observed: np.ndarray

    @classmethod
    def from_frame(cls, dataset: pd.DataFrame) -> PeakLists:
        """From rows of the table DATASET."""
        count = dataset["present_q2_inv_A2"].map(len).to_numpy(dtype=np.int64)
        q2 = _padded(dataset["present_q2_inv_A2"], np.inf, float)
        hkl = np.stack([_padded(dataset[f"present_{n}"], 0, np.int32) for n in "hkl"], axis=-1)
        observed = _padded(dataset["observed_q2_inv_A2"], np.inf, float)
        return cls(hkl, q2, count, _is_observed(q2, observed))

    @classmethod
    def joined(cls, parts: Sequence[PeakLists]) -> PeakLists:
        """Lists of all parts, padded to the longest."""
        length = max((p.q2_inv_A2.shape[1] for p in parts), default=1)

        def padded(name: str, fill: float, dtype: type) -> np.ndarray:
            wider = []
            for part in parts:
                array = getattr(part, name)
                widths = [(0, 0)] * array.ndim
                widths[1] = (0, length - array.shape[1])
                wider.append(np.pad(array, widths, constant_values=fill))
            shape = (0, length, 3) if name == "hkl" else (0, length)
            return np.concatenate([np.empty(shape, dtype), *wider])

        return cls(
            padded("hkl", 0, np.int32),
            padded("q2_inv_A2", np.inf, float),
            np.concatenate([np.empty(0, np.int64), *(p.count for p in parts)]),
            padded("observed", 0, bool),
        )

    def take(self, rows: np.ndarray) -> PeakLists:
        """The lists of some rows, which may repeat."""
        return PeakLists(*(a[rows] for a in (self.hkl, self.q2_inv_A2, self.count, self.observed)))


@dataclass(frozen=True)
class Resolution:
    """How close two peaks may be, and where the pattern ends."""

    wavelength_A: float
    min_separation_deg: float
    q2_max_inv_A2: float

    @classmethod
    def from_settings(cls, peaks: Peaks, simulation: Simulation) -> Resolution:
        """The resolution of the simulated patterns."""
        return cls(
            simulation.wavelength_A,
            peaks.min_separation_fwhm * simulation.fwhm_deg,
            float(q2_from_two_theta(simulation.two_theta_max_deg, simulation.wavelength_A)),
        )

    def two_theta_deg(self, q2_inv_A2: np.ndarray) -> np.ndarray:
        """2theta of q², 180 degrees where there is none."""
        return two_theta_from_q2(q2_inv_A2, self.wavelength_A, at_most_180=True)


@dataclass(frozen=True)
class Acceptance:
    """Eq. 19 with its parameters: c(q²) = c_intercept + c_slope q², r1 in A².

    ``fitted`` is False where the parameters are the stand-in for too few reflections.
    """

    r0: float
    r1_A2: float
    c_intercept: float
    c_slope_A2: float
    fitted: bool

    def probability(self, separation_inv_A2: np.ndarray, q2_inv_A2: np.ndarray) -> np.ndarray:
        """Probability that a reflection with that least separation is observed (eq. 19)."""
        plateau = np.clip(self.c_intercept + self.c_slope_A2 * np.asarray(q2_inv_A2), 0.0, 1.0)
        return plateau * (1 - self.r0 ** (-self.r1_A2 * np.asarray(separation_inv_A2)))


def fit_first_peak(lists: PeakLists) -> pd.DataFrame:
    """Share of entries whose first observed peak is at each position of list 1 (FIRST_PEAK).

    Args:
        lists: the training entries. Where none has an observed peak, it is position 0.
    """
    first = _first_observed(lists)
    first = first[first >= 0]
    if not len(first):
        first = np.zeros(1, dtype=np.int64)
    counts = np.bincount(first)
    return pd.DataFrame(
        {"position": np.arange(len(counts)), "probability": counts / counts.sum()}
    ).astype({"position": np.int32})[FIRST_PEAK.names]


def least_separations(q2_inv_A2: np.ndarray) -> np.ndarray:
    """Distance in q² of each reflection to the nearer neighbour; (n, length), rows ascending."""
    q2 = np.asarray(q2_inv_A2, dtype=float)
    finite = np.isfinite(q2)
    gaps = np.full((len(q2), q2.shape[1] + 1), np.inf)
    with np.errstate(invalid="ignore"):
        gaps[:, 1:-1] = np.where(finite[:, 1:] & finite[:, :-1], np.diff(q2, axis=1), np.inf)
    return np.minimum(gaps[:, :-1], gaps[:, 1:])


def fit_acceptance(
    lists: PeakLists, system: LatticeSystem, n_bins: int, resolution: Resolution
) -> tuple[Acceptance, pd.DataFrame]:
    """Fit eq. 19 to the share of reflections of list 1 that are in list 2.

    Counted are reflections after the first observed peak, within the pattern, and resolved from
    both neighbours: exactly those whose fate eq. 19 decides in :func:`resample`. They are binned
    by their least separation (``n_bins`` log-spaced bins over the range of the lattice table,
    and one bin below and above it) and by q².

    With fewer than ``MIN_FIT_REFLECTIONS`` of them, c is the share observed (or
    ``FALLBACK_PLATEAU`` without any) and r1 ``FALLBACK_RATE_A2``.

    Returns:
        The fit, and the table ACCEPTANCE with a row for each bin that holds reflections.
    """
    separation, q2, observed = _resolved(lists, resolution)
    edges = np.geomspace(*defaults_of(system).separation_bins_inv_A2, n_bins + 1)
    bins = np.searchsorted(edges, separation, side="right")
    if len(separation) < MIN_FIT_REFLECTIONS:
        share = float(observed.mean()) if len(observed) else FALLBACK_PLATEAU
        acceptance = Acceptance(float(np.e), FALLBACK_RATE_A2, share, 0.0, False)
    else:
        acceptance = _fit(bins, separation, q2, observed, resolution.q2_max_inv_A2)
    return acceptance, _acceptance_table(acceptance, edges, bins, separation, q2, observed)


def resample(
    q2_inv_A2: np.ndarray,
    first_peak: pd.DataFrame,
    acceptance: Acceptance,
    resolution: Resolution,
    n_peaks: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the observed peaks of entries from their list 1 (Moreau 2.1.5, three cases).

    Args:
        q2_inv_A2: list 1 of each entry, (n, length), ascending, infinite beyond the end.

    Returns:
        Columns of the first ``n_peaks`` observed peaks, (n, n_peaks), and how many there are,
        (n,): columns beyond that number are 0 and mean nothing.
    """
    n, length = q2_inv_A2.shape
    first = rng.choice(
        first_peak["position"].to_numpy(), size=n, p=first_peak["probability"].to_numpy()
    )
    within = np.count_nonzero(q2_inv_A2 <= resolution.q2_max_inv_A2, axis=1)
    accept = acceptance.probability(
        least_separations(q2_inv_A2), np.where(np.isfinite(q2_inv_A2), q2_inv_A2, 0.0)
    )
    return _select(
        resolution.two_theta_deg(q2_inv_A2),
        accept,
        within,
        first.astype(np.int64),
        rng.random((n, length)),
        resolution.min_separation_deg,
        n_peaks,
    )


def _padded(values: pd.Series, fill: float, dtype: type) -> np.ndarray:
    rows = [np.asarray(v) for v in values]
    lengths = np.array([len(v) for v in rows], dtype=np.int64)
    padded = np.full((len(rows), int(lengths.max(initial=1))), fill, dtype=dtype)
    if lengths.sum():
        padded[np.arange(padded.shape[1]) < lengths[:, None]] = np.concatenate(rows)
    return padded


@njit(cache=True)
def _is_observed(present: np.ndarray, observed: np.ndarray) -> np.ndarray:
    flags = np.zeros(present.shape, dtype=np.bool_)
    for row in range(present.shape[0]):
        j = 0
        for i in range(present.shape[1]):
            q2 = present[row, i]
            if not np.isfinite(q2):
                break
            while j < observed.shape[1] and observed[row, j] < q2 * (1 - OBSERVED_LINE_REL):
                j += 1
            last = q2 * (1 + OBSERVED_LINE_REL)
            flags[row, i] = j < observed.shape[1] and observed[row, j] <= last
    return flags


@njit(cache=True)
def _select(two_theta, accept, within, first, uniform, limit, n_peaks):
    n = two_theta.shape[0]
    columns = np.zeros((n, n_peaks), dtype=np.int64)
    filled = np.zeros(n, dtype=np.int64)
    for row in range(n):
        end = within[row]
        last = first[row]
        if last >= end:
            continue
        columns[row, 0] = last
        count = 1
        i = last + 1
        while i < end and count < n_peaks:
            here = two_theta[row, i]
            taken = -1
            if here - two_theta[row, last] >= limit:
                if i + 1 < end and two_theta[row, i + 1] - here < limit:
                    # Of two peaks that overlap one is seen, whichever it is.
                    taken = i if uniform[row, i] < 0.5 else i + 1
                elif uniform[row, i] < accept[row, i]:
                    taken = i
            if taken >= 0:
                columns[row, count] = taken
                count += 1
                last = i = taken
            i += 1
        filled[row] = count
    return columns, filled


def _first_observed(lists: PeakLists) -> np.ndarray:
    return np.where(lists.observed.any(axis=1), lists.observed.argmax(axis=1), -1)


def _resolved(
    lists: PeakLists, resolution: Resolution
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    first = _first_observed(lists)
    two_theta = resolution.two_theta_deg(lists.q2_inv_A2)
    apart = least_separations(two_theta) >= resolution.min_separation_deg
    later = (first[:, None] >= 0) & (np.arange(lists.q2_inv_A2.shape[1]) > first[:, None])
    separation = least_separations(lists.q2_inv_A2)
    counted = (
        apart & later & (lists.q2_inv_A2 <= resolution.q2_max_inv_A2) & np.isfinite(separation)
    )
    return separation[counted], lists.q2_inv_A2[counted], lists.observed[counted]


def _fit(
    bins: np.ndarray, separation: np.ndarray, q2: np.ndarray, observed: np.ndarray, q2_max: float
) -> Acceptance:
    # c is linear in q², so its values at both ends of the pattern bound it in between.
    inner = np.quantile(q2, np.linspace(0, 1, _Q2_BINS + 1)[1:-1])
    cells = pd.DataFrame(
        {
            "cell": bins * _Q2_BINS + np.searchsorted(inner, q2),
            "separation": separation,
            "q2": q2,
            "observed": observed.astype(float),
        }
    ).groupby("cell")
    mean, weight = cells.mean(), np.sqrt(cells.size().to_numpy())
    x, y = mean["separation"].to_numpy(), mean["q2"].to_numpy() / q2_max
    share = mean["observed"].to_numpy()

    def residuals(p: np.ndarray) -> np.ndarray:
        model = (p[0] + (p[1] - p[0]) * y) * -np.expm1(-np.exp(p[2]) * x)
        return weight * (model - share)

    low, high = np.log(_RATE_BOUNDS_A2)
    best = least_squares(
        residuals,
        [FALLBACK_PLATEAU, FALLBACK_PLATEAU, np.log(FALLBACK_RATE_A2)],
        bounds=([0.0, 0.0, low], [1.0, 1.0, high]),
    ).x
    slope = (best[1] - best[0]) / q2_max
    return Acceptance(float(np.e), float(np.exp(best[2])), float(best[0]), float(slope), True)


def _acceptance_table(
    acceptance: Acceptance,
    edges: np.ndarray,
    bins: np.ndarray,
    separation: np.ndarray,
    q2: np.ndarray,
    observed: np.ndarray,
) -> pd.DataFrame:
    frame = pd.DataFrame({"bin": bins, "separation": separation, "q2": q2, "observed": observed})
    grouped = frame.astype({"observed": float}).groupby("bin")
    mean = grouped.mean()
    number = mean.index.to_numpy()
    inside = (number > 0) & (number < len(edges))
    middle = np.sqrt(
        edges[np.clip(number - 1, 0, len(edges) - 2)] * edges[np.clip(number, 1, len(edges) - 1)]
    )
    # The bins below and above the range have no middle: their mean stands for it.
    position = np.where(inside, middle, mean["separation"].to_numpy())
    table = pd.DataFrame(
        {
            "separation_inv_A2": position,
            "peaks": grouped.size().to_numpy().astype(np.int32),
            "observed": mean["observed"].to_numpy(),
            "fitted": acceptance.probability(position, mean["q2"].to_numpy()),
        }
    )
    table["r0"] = acceptance.r0
    table["r1"] = acceptance.r1_A2
    table["c_intercept"] = acceptance.c_intercept
    table["c_slope"] = acceptance.c_slope_A2
    return table[ACCEPTANCE.names]
