"""Candidates weighed by their fits to the whole profile of their pattern.

The ranking has judged the positions of the lines, and that a cell should predict few that are not
there; the evidence of the profile judges the latter again, so that the two can't be multiplied.
What the ranking has not seen is how well the lines fit the points, other peaks included, and how
much of the intensity a cell leaves to these. Both change the odds of the candidates:

    odds = odds before * (1 + behind / SCALE)^(-SCALE * MISFIT) * (left + FLOOR)^(-LEFT)

with ``behind``, by how much ln(likelihood) of the fit is behind that of the best candidate, what
free peaks cost in it, and ``left``, the share of the intensity that no line of the cell explains.
Supercells always fit better: therefore ``behind`` counts by its logarithm only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlindex.crystal.equivalence import Lattice, lattice_of, same
from mlindex.crystal.tolerances import FOUND_LATTICE, ONE_CANDIDATE
from mlindex.indexing.looks import Describe
from mlindex.indexing.profile import CandidateProfile
from mlindex.indexing.result import Candidate
from mlindex.indexing.shift import LineShift
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import FoundPeaks
from mlindex.wholepattern.candidates import CellToFit, fit_candidates
from mlindex.wholepattern.data import wavelength_of
from mlindex.wholepattern.known import own_share
from mlindex.wholepattern.lower import lower_cell
from mlindex.wholepattern.result import ProfileFit, ProfileFits, Shift
from mlindex.wholepattern.superlattice import Seen, superlattice

#: MISFIT was fitted (conditional logit) on simulated patterns of 51 real crystals with a second
#: phase of 0, 5, 10 and 20 % of the intensity in turn; LEFT, since fits keep cells near where they
#: were, lies between what these wanted (1.4) and what 83 measured patterns want (0.7): their
#: ln(probability of the true lattice) is -72.1 by lines alone, -66.0 with 1.4 and -64.0 with 1. The
#: evidence of the profile in place of both, multiplied or tempered, makes the measured ones worse.
MISFIT, SCALE, LEFT, FLOOR = 0.4, 3.0, 1.0, 0.01
#: A supercell gains no more than its parent unless it indexes so many lines more, as in the
#: verdict: its many lines take up noise, and those of other phases. On the patterns above this
#: costs 0.9 and 1.2 of ln(probability), and changes no first place; with a later ranking it kept
#: the parent first on a measured pattern with impurities (CdS).
_MORE_LINES = 2
#: A cubic lattice may be bent so often: tetragonal, orthorhombic, monoclinic, triclinic.
_LOWERED = 4


def with_profiles(
    pattern: MeasuredPattern,
    found: Sequence[Candidate],
    peaks: FoundPeaks,
    workers: int | None = None,
    shift_deg: float = 0.0,
    known_deg: np.ndarray | None = None,
    describe: Describe | None = None,
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
        over: asked before each fit; from the first True on, what was fitted is given.
    """
    whole = _Whole(pattern, peaks, workers, shift_deg, known_deg, over)
    weighed, fit = whole.weighed(found)
    if describe and fit is not None:
        weighed = _with_superlattice(whole, weighed, fit, describe)
    for _ in range(_LOWERED if describe and weighed else 0):
        first = weighed[0]
        lower = first.profile and lower_cell(pattern, whole.to_fit(first), peaks, workers, over)
        child = lower and describe(lower.bravais, lower.centring, lower.cell, first)
        if not child:
            break
        again, _ = whole.weighed(_instead(child, first, weighed), child.cell)
        if over():
            break
        weighed, higher = again, first.profile.higher or first.bravais
        weighed = tuple(_bent_from(c, higher) if c.cell is child.cell else c for c in weighed)
    return weighed


def _with_superlattice(
    whole: _Whole, weighed: tuple[Candidate, ...], fit: ProfileFit, describe: Describe
) -> tuple[Candidate, ...]:
    """The candidates with a superlattice of the first, if the peaks that the fit of that one leaves
    are the superlattice's."""
    first = weighed[0]
    larger = superlattice(whole.to_fit(first), fit, whole.seen(first.profile.two_theta_deg))
    if larger is None or larger.log_odds < 0:
        return weighed
    child = describe(larger.bravais, larger.centring, larger.cell, first)
    if child is None:
        return weighed
    share = float(1 / (1 + np.exp(-larger.log_odds)))
    again, _ = whole.weighed(_instead(child, first, weighed, share))
    if whole.over():
        return weighed
    of = replace(again[0].profile, parent=first.bravais) if again[0].profile else None
    found = again[0].cell is child.cell and of is not None
    return (replace(again[0], profile=of), *again[1:]) if found else again


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

    def seen(self, x: np.ndarray) -> Seen:
        """Where lines would be seen in a fit of points at 2theta x (n,) in degrees."""
        known_deg = np.empty(0) if self.known_deg is None else np.sort(self.known_deg)
        wavelength = wavelength_of(self.pattern, self.peaks)
        widths = self.peaks.calibration.widths
        return Seen(wavelength, (float(x[0]), float(x[-1])), widths, known_deg)

    def weighed(
        self, found: Sequence[Candidate], near: np.ndarray | None = None
    ) -> tuple[tuple[Candidate, ...], ProfileFit | None]:
        """Candidates with their fits, the most probable first, and the fit of that one; the cell
        ``near`` is fitted without wide peaks, which make it symmetric again."""
        cells = [self.to_fit(candidate, candidate.cell is near) for candidate in found]
        fits = fit_candidates(self.pattern, cells, self.peaks, self.workers, self.over)
        if fits is None or not fits.ranked:
            return tuple(found), None
        own, known_deg = fits.fits, self.known_deg
        if known_deg is not None and len(known_deg):
            width = float(np.median(self.peaks.fwhm_deg))
            own = tuple(fit and _without_known(fit, known_deg, width) for fit in own)
        rest = found[len(own) :]
        fitted, own = _once(found, own)
        before = np.array([candidate.probability for candidate in fitted])
        after = reweighed(before, parents_first(fitted, log_factors(own)))
        weighed = [
            replace(
                candidate,
                probability=float(probability),
                probability_with_partners=float(probability),
                profile=None if fit is None else _profile(fits, fit, candidate.probability),
            )
            for candidate, probability, fit in zip(fitted, after, own, strict=True)
        ]
        order = sorted((*weighed, *rest), key=lambda c: -c.probability)
        of_first = [fit for c, fit in zip(weighed, own, strict=True) if c is order[0]]
        return tuple(order), next(iter(of_first), None)


def _without_known(fit: ProfileFit, known_deg: np.ndarray, within_deg: float) -> ProfileFit:
    """The fit with the share that it explains of what known phases leave."""
    own = float(fit.lines.fitted.sum())
    others = fit.stray_two_theta_deg, fit.stray_intensity
    return replace(fit, explained=own_share(own, *others, known_deg, within_deg))


def log_factors(
    fits: Sequence[ProfileFit | None], misfit: float = MISFIT, left: float = LEFT
) -> np.ndarray:
    """Natural logarithm of what the fits (m,) change the odds of their candidates by, up to a
    constant, with these weights; candidates without a fit lose as much as those that lose most."""
    there = np.array([fit is not None for fit in fits])
    cost = np.array([fit.evidence.misfit + fit.evidence.strays for fit in fits if fit]) / 2
    share = np.array([1 - fit.explained for fit in fits if fit])
    behind = cost - cost.min()
    own = -misfit * SCALE * np.log1p(behind / SCALE) - left * np.log(share + FLOOR)
    out = np.full(len(fits), own.min())
    out[there] = own
    return out


def parents_first(found: Sequence[Candidate], log_factor: np.ndarray) -> np.ndarray:
    """The logarithms (m,) for these candidates, where no supercell gains more than a parent whose
    lines it has, unless it indexes more of them."""
    out = log_factor.copy()
    for i, cell in enumerate(found):
        for j, parent in enumerate(found):
            few = cell.n_indexed - parent.n_indexed < _MORE_LINES
            if few and cell.times(parent) > 1 and np.all(cell.indexed[parent.indexed]):
                out[i] = min(out[i], log_factor[j])
    return out


def reweighed(before: np.ndarray, log_factor: np.ndarray) -> np.ndarray:
    """Probabilities (m,) whose odds have been multiplied; their sum stays.

    What the sum lacks of 1 is for "none of them", of which the profile says nothing.
    """
    weighed = before * np.exp(log_factor - log_factor.max())
    total = weighed.sum()
    return weighed * (before.sum() / total) if total > 0 else before


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
