"""Candidates weighed by their fits to the whole profile of their pattern.

How fits change the odds of their candidates stands in :mod:`mlindex.wholepattern.odds`. What the
first cell leaves may be lines of a superlattice of it (:mod:`mlindex.wholepattern.superlattice`),
and its widths may ask for a lower symmetry (:mod:`mlindex.wholepattern.lower`): such a cell is
weighed with the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlindex.crystal.equivalence import Lattice, lattice_of, same
from mlindex.crystal.tolerances import FOUND_LATTICE, ONE_CANDIDATE
from mlindex.indexing.looks import Describe, Open
from mlindex.indexing.profile import CandidateProfile
from mlindex.indexing.result import CONVINCING_PROBABILITY, Candidate
from mlindex.indexing.shift import LineShift
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import FoundPeaks
from mlindex.wholepattern.absences import symbols_by_profile
from mlindex.wholepattern.candidates import CellToFit, fit_candidates
from mlindex.wholepattern.data import wavelength_of
from mlindex.wholepattern.known import own_share
from mlindex.wholepattern.lower import bent_in_vain, lower_cell
from mlindex.wholepattern.odds import log_factors, reweighed
from mlindex.wholepattern.result import ProfileFit, ProfileFits, Shift
from mlindex.wholepattern.sift import best_of
from mlindex.wholepattern.superlattice import Listed, Seen, superlattice

#: Probabilities below this are 0.
_NEVER = 1e-300
#: A cubic lattice may be bent so often: tetragonal, orthorhombic, monoclinic, triclinic.
_LOWERED = 4
#: As many candidates get extinction symbols by their fits; further ones are shown without any.
_WITH_SYMBOLS = 3
#: Share of the first candidate's probability that goes to a trial with which the lines leave it
#: open.
_EQUAL = 0.5


def with_profiles(
    pattern: MeasuredPattern,
    found: Sequence[Candidate],
    peaks: FoundPeaks,
    workers: int | None = None,
    shift_deg: float = 0.0,
    known_deg: np.ndarray | None = None,
    describe: Describe | None = None,
    still_open: Open = tuple,
    over: Callable[[], bool] = lambda: False,
) -> tuple[Candidate, ...]:
    """Candidates with their fits to the whole profile, the most probable first.

    Args:
        pattern: the pattern.
        found: candidates with their probabilities by lines alone.
        peaks: all peaks of the pattern.
        workers: threads; if None, one for each core that may be used, up to 4.
        shift_deg: the zero shift of all lines beside those of the candidates.
        known_deg: where lines of known phases are observed (k,), if there are any: what they have
            of the intensity is nobody's.
        describe: makes a candidate of a cell. If given, the first one gives way to a cell of lower
            symmetry where the profile asks for that.
        still_open: gives the trials that the lines leave open.
        over: asked before each fit; from the first True on, what was fitted is given.
    """
    whole = _Whole(pattern, peaks, workers, shift_deg, known_deg, over)
    weighed, fits, fit = whole.weighed(found)
    if describe and fits is not None and fit is not None:
        weighed = _with_superlattice(whole, weighed, fits, fit, describe)
        weighed = _with_open(whole, weighed, describe, still_open)
    for _ in range(_LOWERED if describe and weighed else 0):
        first = weighed[0]
        lower = first.profile and lower_cell(pattern, whole.to_fit(first), peaks, workers, over)
        child = lower and describe(lower.bravais, lower.centring, lower.cell, first)
        if not child:
            break
        again, *_ = whole.weighed(_instead(child, first, weighed), child.cell)
        if over():
            break
        weighed, higher = again, first.profile.higher or first.bravais
        weighed = tuple(_bent_from(c, higher) if c.cell is child.cell else c for c in weighed)
    return weighed


def _with_superlattice(
    whole: _Whole,
    weighed: tuple[Candidate, ...],
    fits: ProfileFits,
    fit: ProfileFit,
    describe: Describe,
) -> tuple[Candidate, ...]:
    """The candidates with a superlattice of the first, if what the fit of that one leaves is at the
    lines of the superlattice."""
    first = weighed[0]
    larger = superlattice(whole.to_fit(first), fit, whole.seen(fits), _listed(weighed))
    if larger is None or larger.log_odds < 0:
        return weighed
    child = describe(larger.bravais, larger.centring, larger.cell, first)
    if child is None:
        return weighed
    share = float(1 / (1 + np.exp(-larger.log_odds_before)))
    again, *_ = whole.weighed(_instead(child, first, weighed, share))
    if whole.over():
        return weighed
    of = replace(again[0].profile, parent=first.bravais) if again[0].profile else None
    found = again[0].cell is child.cell and of is not None
    return (replace(again[0], profile=of), *again[1:]) if found else again


def _listed(weighed: Sequence[Candidate]) -> list[Listed]:
    """The candidates after the first that were fitted, with their odds."""
    first = weighed[0]
    return [
        Listed(
            lattice_of(c.cell, c.centring),
            _log_ratio(c.probability, first.probability),
            _log_ratio(c.profile.probability_before, first.profile.probability_before),
        )
        for c in weighed[1:]
        if c.profile is not None
    ]


def _log_ratio(one: float, other: float) -> float:
    return float(np.log(max(one, _NEVER)) - np.log(max(other, _NEVER)))


def _with_open(
    whole: _Whole, weighed: tuple[Candidate, ...], describe: Describe, still_open: Open
) -> tuple[Candidate, ...]:
    """The candidates with that of the trials which the lines leave open that the profile prefers to
    the first, if it is not probable; by lines alone, both are as probable."""
    first = weighed[0]
    if first.profile is None or first.probability >= CONVINCING_PROBABILITY:
        return weighed
    best = best_of(
        whole.pattern, still_open(), whole.to_fit(first), whole.peaks, whole.workers, whole.over
    )
    child = best and describe(best.bravais, best.centring, best.cell, first)
    if not child or whole.over():
        return weighed
    again, *_ = whole.weighed(_instead(child, first, weighed, _EQUAL))
    lattices = (lattice_of(c.cell, c.centring) for c in (again[0], child))
    return again if not whole.over() and same(*lattices, *FOUND_LATTICE) else weighed


def _bent_from(candidate: Candidate, higher: str) -> Candidate:
    """The candidate as one that was bent out of a higher symmetry."""
    if candidate.profile is None:
        return candidate
    return replace(candidate, profile=replace(candidate.profile, higher=higher))


def _once(
    found: Sequence[Candidate], fits: Sequence[ProfileFit | None]
) -> tuple[list[Candidate], list[ProfileFit | None]]:
    """The candidates that have these fits, those fitted to one cell taken as one.

    Poor lines leave several cells where the profile has one. The nearest to that one stands for
    all, for it has found its lines.
    """
    kept: list[Candidate] = []
    own: list[ProfileFit | None] = []
    lattices: list[Lattice | None] = []
    for candidate, fit in zip(found, fits, strict=False):
        lattice = fit and lattice_of(fit.cell, candidate.centring)
        for i, other in enumerate(lattices):
            alike = other and lattice and kept[i].bravais == candidate.bravais
            if alike and same(other, lattice, *ONE_CANDIDATE):
                more = kept[i].probability + candidate.probability
                if _moved(candidate, fit) < _moved(kept[i], own[i]):
                    kept[i], own[i] = candidate, fit
                kept[i] = replace(kept[i], probability=more)
                break
        else:
            kept.append(candidate)
            own.append(fit)
            lattices.append(lattice)
    return kept, own


def _moved(candidate: Candidate, fit: ProfileFit) -> float:
    """By what share of itself a fit has changed the cell of its candidate most."""
    return float(np.abs(fit.cell / candidate.cell - 1).max())


def _instead(
    child: Candidate, parent: Candidate, weighed: Sequence[Candidate], share: float = 1.0
) -> tuple[Candidate, ...]:
    """The candidates by lines alone, with another cell that has this share of the probability of
    the first one, ``parent``, and that of candidates which it stands for."""
    lattice = lattice_of(child.cell, child.centring)
    others, own_probability = [], share * parent.profile.probability_before
    for candidate in weighed:
        profile, before = candidate.profile, candidate.probability
        before = before if profile is None else profile.probability_before
        own = lattice_of(candidate.cell, candidate.centring)
        if candidate is parent:
            others.append(replace(candidate, probability=(1 - share) * before))
        elif candidate.bravais != child.bravais or not same(own, lattice, *FOUND_LATTICE):
            others.append(replace(candidate, probability=before))
        else:
            own_probability += before
    return replace(child, probability=own_probability), *others


@dataclass(frozen=True)
class _Whole:
    """A pattern that candidates are weighed by; see :func:`with_profiles`."""

    pattern: MeasuredPattern
    peaks: FoundPeaks
    workers: int | None
    shift_deg: float
    known_deg: np.ndarray | None
    over: Callable[[], bool]

    def to_fit(self, candidate: Candidate, near: bool = False) -> CellToFit:
        """What a fit needs of a candidate."""
        shift = candidate.shift.plus(LineShift(self.shift_deg))
        return CellToFit(candidate.bravais, candidate.centring, candidate.cell, shift, near)

    def seen(self, fits: ProfileFits) -> Seen:
        """The pattern as it was fitted."""
        known_deg = np.empty(0) if self.known_deg is None else np.sort(self.known_deg)
        return Seen(
            wavelength_of(self.pattern, self.peaks),
            fits.two_theta_deg,
            fits.observed,
            fits.noise,
            fits.misfit,
            self.peaks.calibration.widths,
            known_deg,
        )

    def weighed(
        self, found: Sequence[Candidate], near: np.ndarray | None = None
    ) -> tuple[tuple[Candidate, ...], ProfileFits | None, ProfileFit | None]:
        """Candidates with their fits, the most probable first, all fits, and that of the first one;
        the cell ``near`` is fitted without wide peaks, which make it symmetric again."""
        cells = [self.to_fit(candidate, candidate.cell is near) for candidate in found]
        fits = fit_candidates(self.pattern, cells, self.peaks, self.workers, self.over)
        if fits is None or not fits.ranked:
            return tuple(found), None, None
        own, known_deg = fits.fits, self.known_deg
        if known_deg is not None and len(known_deg):
            width = float(np.median(self.peaks.fwhm_deg))
            own = tuple(fit and _without_known(fit, known_deg, width) for fit in own)
        rest = found[len(own) :]
        fitted, own = self._without_bent(*_once(found, own), near)
        before = np.array([candidate.probability for candidate in fitted])
        after = reweighed(before, log_factors(fitted, own))
        weighed = [
            replace(
                candidate,
                probability=float(probability),
                probability_with_partners=float(probability),
                profile=None if fit is None else _profile(fits, fit, candidate.probability),
            )
            for candidate, probability, fit in zip(fitted, after, own, strict=True)
        ]
        ranks = np.argsort([-c.probability for c in weighed], kind="stable")
        for i in ranks[:_WITH_SYMBOLS]:
            weighed[i] = _with_symbols(weighed[i], own[i], fits)
        order = sorted((*weighed, *rest), key=lambda c: -c.probability)
        of_first = [fit for c, fit in zip(weighed, own, strict=True) if c is order[0]]
        return tuple(order), fits, next(iter(of_first), None)

    def _without_bent(
        self,
        found: list[Candidate],
        fits: list[ProfileFit | None],
        asked_for: np.ndarray | None,
    ) -> tuple[list[Candidate], list[ProfileFit | None]]:
        """The candidates without those that are bent in vain; the best cell of the higher symmetry
        has their probability. One cell is known to be asked for."""
        order = [i for i, fit in enumerate(fits) if fit is not None]
        order.sort(key=lambda i: fits[i].evidence.total)
        cells = [self.to_fit(candidate) for candidate in found]
        own = np.arange(len(found))
        for i in order:
            for j in order if found[i].cell is not asked_for else ():
                if bent_in_vain(cells[i], fits[i], cells[j], fits[j]):
                    own[own == i] = own[j]
                    break
        total = np.bincount(own, [candidate.probability for candidate in found], len(found))
        kept = np.unique(own).tolist()
        out = [replace(found[i], probability=float(total[i])) for i in kept]
        return out, [fits[i] for i in kept]


def _with_symbols(candidate: Candidate, fit: ProfileFit | None, fits: ProfileFits) -> Candidate:
    """The candidate with its extinction symbols by the whole profile."""
    if fit is None:
        return candidate
    ends = float(fits.two_theta_deg[0]), float(fits.two_theta_deg[-1])
    symbols = symbols_by_profile(candidate.bravais, candidate.centring, fit, ends)
    return replace(candidate, extinctions=symbols)


def _without_known(fit: ProfileFit, known_deg: np.ndarray, within_deg: float) -> ProfileFit:
    """The fit with the share that it explains of what known phases leave."""
    own = float(fit.lines.fitted.sum())
    others = fit.stray_two_theta_deg, fit.stray_intensity
    return replace(fit, explained=own_share(own, *others, known_deg, within_deg))


def _profile(fits: ProfileFits, fit: ProfileFit, probability: float) -> CandidateProfile:
    return CandidateProfile(
        r_wp=fit.r_wp,
        goodness=fit.goodness,
        explained=fit.explained,
        n_lines=len(fit.lines),
        n_other_peaks=len(fit.stray_intensity),
        zero_shift_deg=_used(fit.zero_shift),
        displacement_deg=_used(fit.displacement),
        log_evidence=-fit.evidence.total / 2,
        probability_before=probability,
        two_theta_deg=fits.two_theta_deg,
        observed=fits.observed,
        calculated=fit.calculated - fit.strays,
    )


def _used(shift: Shift) -> float:
    return shift.deg if shift.used else 0.0
