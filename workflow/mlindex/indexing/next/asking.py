"""What to measure next as a function, :func:`mlindex.next_regions`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.cell import cell_volume
from mlindex.crystal.equivalence import lattice_of
from mlindex.indexing.next.alike import groups_of
from mlindex.indexing.next.information import entropy_bits
from mlindex.indexing.next.measured import first_scan
from mlindex.indexing.next.offer import DECIDED, LONGEST_TIME, USUAL_RANGE_DEG, Offer, interval
from mlindex.indexing.next.predicted import hypotheses_of
from mlindex.indexing.next.question import Question
from mlindex.indexing.next.regions import Region
from mlindex.indexing.next.rivals import Rival, rivals_of
from mlindex.indexing.result import IndexingResult

if TYPE_CHECKING:
    from mlindex.patterns.measured import MeasuredPattern

#: Lines are predicted as far as the largest cell has about so many reflections, or as far as was
#: measured: beyond, they overlap.
_MOST_REFLECTIONS = 2000
#: Resolution where the list does not tell it, and its limits where the nearest two lines do,
#: degrees; step of a scan over the resolution.
_RESOLUTION_DEG, _LEAST_DEG, _MOST_DEG = 0.1, 0.04, 0.15
_STEPS = 5


@dataclass(frozen=True, eq=False)
class NextRegions:
    """What to measure next, to tell the candidates of a result apart.

    ``question`` holds the cells, their probabilities and what is known; ``regions`` are in the
    order in which to measure them. Cells of one group have all lines in common: no position tells
    them apart.
    """

    name: str
    wavelength_A: float | None
    question: Question
    regions: tuple[Region, ...]

    @property
    def rivals(self) -> tuple[Rival, ...]:
        """The cells in question, the most probable first."""
        return self.question.rivals

    @property
    def entropy_bits(self) -> float:
        """What is not known: the entropy of which cell, or group of cells, is right."""
        return entropy_bits(self.question.prior.of_answers)

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Numbers, from 0, of the cells of each group."""
        number = self.question.groups
        return tuple(tuple(np.flatnonzero(number == g).tolist()) for g in np.unique(number))

    @property
    def decided(self) -> bool:
        """Whether one cell, or one group of cells, is as probable as was asked for already."""
        shares = self.question.prior.of_answers
        return bool(shares[:-1].max(initial=0.0) >= self.question.offer.decided)

    @property
    def step_deg(self) -> float:
        """Step of a scan that resolves what lines allow: a fifth of the resolution."""
        return max(0.001, float(f"{self.question.resolution_deg / _STEPS:.1g}"))

    def __repr__(self) -> str:
        n, m = len(self.rivals), len(self.regions)
        return (
            f"NextRegions({self.name!r}, {n} cell{'s' * (n != 1)}, {self.entropy_bits:.2f} bits "
            f"open; {m} region{'s' * (m != 1)})"
        )


def next_regions(
    result: IndexingResult,
    *,
    pattern: MeasuredPattern | None = None,
    measured_deg: tuple[float, float] | None = None,
    wavelengths_A: Sequence[float | str] = (),
    range_deg: tuple[float, float] = USUAL_RANGE_DEG,
    longest_time: float = LONGEST_TIME,
    resolution_deg: float | None = None,
    decided: float = DECIDED,
    most: int = 5,
) -> NextRegions:
    """Which regions of 2theta to measure next, and how long, to tell the candidate cells apart.

    Each candidate predicts lines that others do not. How probable it is that they show follows from
    how many of its lines were seen so far. The regions are those that are expected to tell most for
    their degrees times counting time.

    Args:
        result: what indexing found.
        pattern: the pattern that was indexed, if it was one: its range is known then.
        measured_deg: first and last 2theta measured so far; if None, those of the pattern, or from
            the beginning of ``range_deg`` to the last line.
        wavelengths_A: on offer, in A or as tubes such as ``Mo``; that of the list if none is given.
        range_deg: first and last 2theta that the diffractometer reaches.
        longest_time: longest counting time, in multiples of that of the scan that there is.
        resolution_deg: lines nearer than this are one; as the list implies if None.
        decided: a cell is decided from this probability on.
        most: regions at most.

    Raises:
        MlindexError: there is no candidate, no wavelength, or a value that can't be right.
    """
    offer = Offer(tuple(_several(wavelengths_A)), range_deg, longest_time, resolution_deg, decided)
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise MlindexError(f"regions {most}: give a whole number, 1 or more")
    question = question_of(result, offer, _ends(measured_deg, pattern))
    found = () if len(question.rivals) == 0 else question.regions(most)
    return NextRegions(result.peaks.name, result.peaks.wavelength_A, question, found)


def _several(given: Sequence[float | str] | float | str) -> Sequence[float | str]:
    return given if isinstance(given, (tuple, list)) else (given,)


def _ends(
    measured_deg: tuple[float, float] | None, pattern: MeasuredPattern | None
) -> tuple[float, float] | None:
    if measured_deg is not None:
        return interval("range measured", measured_deg)
    if pattern is not None and len(pattern) > 1 and pattern.wavelength_A is not None:
        return float(pattern.two_theta_deg[0]), float(pattern.two_theta_deg[-1])
    return None


def question_of(
    result: IndexingResult, offer: Offer, measured_deg: tuple[float, float] | None = None
) -> Question:
    """The question which candidate of a result is right.

    Args:
        result: what indexing found.
        offer: what can be measured.
        measured_deg: first and last 2theta measured so far, where known.

    Raises:
        MlindexError: there is no candidate, or no wavelength.
    """
    name = result.peaks.name
    rivals = rivals_of(result)
    if not rivals:
        raise MlindexError(
            f"{name}: no cell is probable, so there is nothing to tell apart. {result.reason}"
        )
    waves = offer.wavelengths_A or tuple(filter(None, (result.peaks.wavelength_A,)))
    if not waves:
        raise MlindexError(
            f"{name}: the wavelength is not known; name the one that you measure with, such as "
            "--wavelength Cu, or those on offer"
        )
    from mlindex.indexing.search.observed import observe

    # Lists without a wavelength have no angles; the first one on offer stands for it.
    own = result.peaks.wavelength_A or waves[0]
    stated = result.options.get("two_theta_error_deg")
    observed = observe(result.peaks, len(result.peaks), stated)
    error_deg = float(np.median(observed.sigma / observed.slope))
    q2_ends = _measured_ends(observed.q2, own, offer, measured_deg)
    measured = first_scan(observed.q2, observed.sigma, own, q2_ends)
    reach = _reach(rivals, waves, offer, q2_ends[1])
    hypotheses = hypotheses_of(rivals, measured, own, reach[1])
    shares = np.array([one.probability for one in hypotheses])
    return Question(
        rivals,
        groups_of(rivals, waves, error_deg, reach),
        hypotheses,
        np.append(shares, max(1 - shares.sum(), 1e-6)) / max(shares.sum(), 1.0),
        measured,
        offer,
        waves,
        error_deg,
        offer.resolution_deg or _resolution_deg(result, own),
    )


def _resolution_deg(result: IndexingResult, wavelength_A: float) -> float:
    """How far apart lines must be to be two: their width, or as the nearest two of the list are."""
    peaks = result.peaks
    if peaks.fwhm_deg is not None and np.any(np.isfinite(peaks.fwhm_deg)):
        return float(np.nanmedian(peaks.fwhm_deg))
    angle = two_theta_from_q2(peaks.q2_inv_A2, wavelength_A)
    apart = np.diff(angle[np.isfinite(angle)])
    nearest = float(apart.min(initial=_RESOLUTION_DEG))
    return float(np.clip(nearest, _LEAST_DEG, _MOST_DEG))


def _measured_ends(
    q2: np.ndarray, wavelength_A: float, offer: Offer, measured_deg: tuple[float, float] | None
) -> tuple[float, float]:
    """Ends of the range measured as q²."""
    if measured_deg is None:
        first = float(q2_from_two_theta(offer.range_deg[0], wavelength_A))
        return min(first, float(q2[0])), float(q2[-1])
    first, last = q2_from_two_theta(np.array(measured_deg), wavelength_A).tolist()
    return min(first, float(q2[0])), max(last, float(q2[-1]))


def _reach(
    rivals: Sequence[Rival], waves: Sequence[float], offer: Offer, last: float
) -> tuple[float, float]:
    """First and last q² at which lines are predicted."""
    low, high = ([float(q2_from_two_theta(end, wave)) for wave in waves] for end in offer.range_deg)
    largest = max(float(cell_volume(lattice_of(r.cell, r.centring).reduced)) for r in rivals)
    many = (_MOST_REFLECTIONS / (2 / 3 * math.pi * largest)) ** (2 / 3)
    return min(low), min(max(high), max(many, last))
