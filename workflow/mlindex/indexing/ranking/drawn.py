"""Lists drawn at random from crystals: as calculated, spoiled, or as a peak search makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.lattice import LatticeSystem
from mlindex.indexing.ranking.settings import RankingExamples
from mlindex.indexing.search.find_and_weigh import SEARCH_LINES, WEIGHED_LINES
from mlindex.indexing.search.observed import DEFAULT_ERROR_DEG
from mlindex.learning.lattices import n_peaks_of
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.seen import Seen, between, peaks_seen
from mlindex.patterns.spoil import OF_LINES, WAVELENGTH_A, Spoil, spoiled

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class DrawnList:
    """A list, the error of 2theta that is given with it, and what was done to its lines."""

    peaks: PeakList
    error_deg: float | None
    how: Spoil
    second_share: float


def drawn_list(
    entry: Entry,
    second: Entry,
    system: LatticeSystem,
    settings: RankingExamples,
    rng: np.random.Generator,
) -> DrawnList:
    """A list of a crystal; with intensities, lines of a second one are among them.

    Args:
        entry, second: rows of DATASET.
        system: the lattice system of the first.
        settings: how often and how much lists are spoiled.
        rng: random generator.
    """
    if rng.random() < settings.intensity_share:
        return _sample(entry, second, settings, rng)
    q2, _ = _lines(entry)
    usual = SEARCH_LINES if rng.random() < settings.spoiled_share else n_peaks_of(system)
    n_lines = WEIGHED_LINES if rng.random() < settings.long_share else usual
    how, n_lines = _how(settings, min(n_lines, len(q2)), rng)
    lines = spoiled(q2, n_lines, how, rng)
    told = how.noise_deg if rng.random() < settings.spoiled_share else 0.0
    error_deg = told if told > DEFAULT_ERROR_DEG / 10 else None
    return DrawnList(PeakList(entry["entry_id"], lines, None, WAVELENGTH_A), error_deg, how, 0.0)


def _lines(entry: Entry) -> tuple[np.ndarray, np.ndarray]:
    """q² (n,) of the lines of an entry that can be measured, rising, and their intensities."""
    q2 = np.asarray(entry["observed_q2_inv_A2"], dtype=float)
    intensity = np.asarray(entry["observed_intensity"], dtype=float)
    order = np.argsort(q2, kind="stable")
    order = order[np.isfinite(two_theta_from_q2(q2[order], WAVELENGTH_A))]
    return q2[order], intensity[order]


def _sample(
    entry: Entry, second: Entry, settings: RankingExamples, rng: np.random.Generator
) -> DrawnList:
    """A list with intensities. Lines of which the second crystal has most are its impurities,
    lines of the main crystal that are too weak count as missing, both among the first 20."""
    how, _ = _how(settings, 0, rng)
    with_second = rng.random() < settings.spoiled_share
    seen = Seen(
        between(settings.second_share, rng) if with_second else 0.0,
        between(settings.resolution_deg, rng),
        between(settings.least_intensity, rng),
        how.shift_deg,
        how.noise_deg,
    )
    main = _lines(entry)
    lines = peaks_seen(main, _lines(second), seen, rng)
    errors = lines.two_theta_error_deg if rng.random() < settings.spoiled_share else None
    peaks = PeakList(
        entry["entry_id"], lines.q2_inv_A2, lines.intensity, WAVELENGTH_A, (), errors
    ).only(np.arange(min(len(lines.q2_inv_A2), settings.most_lines)))
    first = lines.second[:OF_LINES]
    strangers = int((first > 0.5).sum())
    reached = np.searchsorted(main[0], lines.q2_inv_A2[:OF_LINES][-1], side="right")
    missing = max(int(reached) - (len(first) - strangers), 0)
    spoil = Spoil(how.shift_deg, how.noise_deg, strangers, missing)
    return DrawnList(peaks, None, spoil, seen.second_share)


def _how(settings: RankingExamples, n_lines: int, rng: np.random.Generator) -> tuple[Spoil, int]:
    """How a list is spoiled, and how many lines it has."""
    if rng.random() < settings.exact_share:
        return Spoil(), n_lines
    noise = between(settings.noise_deg, rng)
    shifted, with_impurities, with_missing = rng.random(3) < settings.spoiled_share
    shift = np.clip(rng.normal(0, settings.shift_deg), *_around(settings.greatest_shift_deg))
    impurities = int(rng.integers(0, settings.impurities + 1))
    missing = int(rng.integers(0, settings.missing + 1))
    if rng.random() < settings.short_share:
        n_lines = int(rng.integers(min(settings.fewest_lines, n_lines), n_lines + 1))
    return Spoil(
        float(shift) if shifted else 0.0,
        noise,
        impurities if with_impurities else 0,
        missing if with_missing else 0,
    ), n_lines


def _around(size: float) -> tuple[float, float]:
    return -size, size
