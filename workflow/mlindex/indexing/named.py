"""Lines that a cell leaves, recognized: of common substances, or of other lines of the tube.

Positions decide, and roughly the order of the intensities. A substance with a few lines fits some
leftover by chance; so it is named only where its lines are expected by chance, over all substances
tried, in fewer than one list of a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_at_wavelength, two_theta_from_q2
from mlindex.crystal.phase import Phase
from mlindex.crystal.strengths import intensity
from mlindex.crystal.substances import substances
from mlindex.crystal.wavelengths import OTHER_LINES, tube_of
from mlindex.patterns.peaklist import ERROR_WAVELENGTH_A, PeakList

#: A line is where it should be within so many degrees of 2theta, as far as the zero shift is known.
WINDOW_DEG = 0.05
#: Relative changes of a cell that are tried: temperature, composition. They count as so many
#: independent trials, since neighbours fit the same lines.
_STRAINS, _TRIALS = np.linspace(-0.003, 0.003, 13), 6
#: Lines are asked for so far, degrees, beyond the first and the last one.
_BEYOND_DEG = 0.5
#: Lines weaker than this, over the strongest, are not asked for; nor more than so many.
_WEAKEST, _MOST_ASKED = 0.05, 12
#: A line may be so many times as strong as it should be, or so much weaker: texture.
_TEXTURE = 6.0
#: Lines that a substance must show, and that other lines of the tube must.
_FEWEST, _FEWEST_OF_TUBE = 3, 2
#: Share of the lines asked for that must be there.
_LEAST_MET = 0.6
#: How often lines may be named by chance: see the figure in :func:`recognized`.
BY_CHANCE = 0.001
#: Degrees over which lines are counted to say how many there are by chance.
_AROUND_DEG = 20.0
#: Other lines of the tube are looked for beside so many of the strongest lines, of at least this
#: share of the strongest, and are at most so strong beside them, without a filter.
_AMONG = (3, 5, 8)
_STRONG, _MOST_OF_ALPHA = 0.2, 0.3


@dataclass(frozen=True, eq=False)
class Named:
    """Lines that were recognized: what they are of, and their positions (m,) in the list.

    ``chance`` is the number of such findings to be expected by chance in a list like this.
    """

    name: str
    lines: np.ndarray
    chance: float
    phase: Phase | None = None


def recognized(peaks: PeakList, left: np.ndarray, shift_deg: float) -> tuple[Named, ...]:
    """What the lines left are, the surest first; each line has one name.

    Of 600 lists with 3 to 40 lines left at random angles and intensities none had a name; of 84
    with one of the substances (angles off by 0.01 degrees, intensities by 40 %) 75 had it, 6 more
    were silver or gold, and the others diamond, of which two lines are in the range.

    Args:
        peaks: the whole list.
        left: which lines (n,) no phase explains.
        shift_deg: zero shift of the list.
    """
    lines = Lines.of(peaks, np.asarray(left, dtype=bool), shift_deg)
    if lines is None:
        return ()
    found = sorted(
        [*_substances(lines), *_of_tube(lines, peaks)], key=lambda one: (one.chance, one.name)
    )
    kept: list[Named] = []
    for one in found:
        other = next((k for k in kept if np.isin(one.lines, k.lines).any()), None)
        if other is None:
            kept.append(one)
        elif np.array_equal(one.lines, other.lines):
            # Silver and gold have the same lines, as far as anybody can tell.
            kept[kept.index(other)] = replace(other, name=f"{other.name} or {one.name}")
    return tuple(kept)


@dataclass(frozen=True)
class Lines:
    """Lines of a list (n,) at 2theta without the zero shift, degrees, which of them are left, and
    intensities over the strongest; None where there are none."""

    two_theta_deg: np.ndarray
    left: np.ndarray
    intensity: np.ndarray | None
    wavelength_A: float

    @staticmethod
    def of(peaks: PeakList, left: np.ndarray, shift_deg: float) -> Lines | None:
        """The lines of a list; None where too few are left, or out of reach of the wavelength."""
        wavelength = peaks.wavelength_A or ERROR_WAVELENGTH_A
        angles = two_theta_from_q2(peaks.q2_inv_A2, wavelength) - shift_deg
        if left.sum() < _FEWEST_OF_TUBE or not np.all(np.isfinite(angles)):
            return None
        strong = peaks.intensity
        if strong is not None and strong.max() > 0:
            return Lines(angles, left, strong / strong.max(), wavelength)
        return Lines(angles, left, None, wavelength)

    def chance(self, at_deg: np.ndarray) -> np.ndarray:
        """Probability (m,) that one of the lines left is where a line is expected."""
        rest = self.two_theta_deg[self.left]
        near = (np.abs(rest - at_deg[:, None]) < _AROUND_DEG / 2).sum(axis=1) / _AROUND_DEG
        span = self.two_theta_deg[-1] - self.two_theta_deg[0]
        density = np.maximum(near, len(rest) / max(span, 1.0))
        return -np.expm1(-2 * WINDOW_DEG * density)


def _substances(lines: Lines) -> Iterator[Named]:
    every = substances()
    for phase in every:
        fits = [found for found in _fits(lines, phase) if found is not None]
        number, chance = min(fits, key=lambda found: found[1], default=(None, np.inf))
        if chance * len(every) * _TRIALS < BY_CHANCE:
            yield Named(phase.name, number, chance * len(every) * _TRIALS, phase)


def _fits(lines: Lines, phase: Phase) -> Iterator[tuple[np.ndarray, float] | None]:
    """For each small change of its cell, the lines that a substance explains and the probability
    that so many of those asked for are there by chance."""
    first, last = lines.two_theta_deg[[0, -1]] + (-_BEYOND_DEG, _BEYOND_DEG)
    q2 = phase.lines(float(q2_from_two_theta(min(last, 180.0), lines.wavelength_A)))
    at = two_theta_from_q2(q2, lines.wavelength_A)
    q2, at = q2[at > first], at[at > first]
    if len(q2) < _FEWEST:
        return
    strength = np.nan_to_num(intensity(phase, q2, np.radians(at) / 2))
    order = np.argsort(-strength, kind="stable")[:_MOST_ASKED]
    order = order[strength[order] >= _WEAKEST * strength[order[0]]]
    for strain in _STRAINS:
        moved = two_theta_from_q2(q2[order] * (1 - 2 * strain), lines.wavelength_A)
        yield _counted(lines, moved, strength[order] / strength[order[0]])


def _counted(lines: Lines, at: np.ndarray, strength: np.ndarray) -> tuple[np.ndarray, float] | None:
    """See :func:`_fits`: of lines (m,) expected at these angles, the strongest first."""
    distance = np.abs(lines.two_theta_deg - at[:, None])
    among_left = np.where(lines.left, distance, np.inf)
    nearest = among_left.argmin(axis=1)
    met = among_left[np.arange(len(at)), nearest] < WINDOW_DEG
    # What another phase's line covers says nothing.
    covered = ~met & (np.where(lines.left, np.inf, distance).min(axis=1) < 2 * WINDOW_DEG)
    if met.sum() < _FEWEST:
        return None
    asked = ~covered
    if lines.intensity is not None:
        ratio = lines.intensity[nearest] / strength
        scale = float(np.median(ratio[met]))
        met &= (ratio < _TEXTURE * scale) & (ratio > scale / _TEXTURE)
        # Lines too weak to be in the list are not missed.
        asked &= met | (strength * scale > 2 * lines.intensity.min())
    enough = met.sum() >= max(_FEWEST, _LEAST_MET * asked.sum())
    if not enough or not met[asked][: _FEWEST - 1].all():
        return None
    return np.unique(nearest[met]), tail(lines.chance(at[asked]), int(met.sum()))


def tail(chances: np.ndarray, least: int) -> float:
    """Probability that at least so many of independent events (m,) happen."""
    of_number = np.zeros(len(chances) + 1)
    of_number[0] = 1.0
    for chance in chances:
        of_number[1:] = of_number[1:] * (1 - chance) + of_number[:-1] * chance
        of_number[0] *= 1 - chance
    return float(of_number[least:].sum())


def _of_tube(lines: Lines, peaks: PeakList) -> Iterator[Named]:
    tube = None if peaks.wavelength_A is None else tube_of(peaks.wavelength_A)
    if tube is None or lines.intensity is None:
        return
    kinds = OTHER_LINES.get(tube, ())
    order = np.argsort(-lines.intensity, kind="stable")
    strong = order[lines.intensity[order] >= _STRONG][: _AMONG[-1]]
    for name, wavelength in kinds:
        at = two_theta_at_wavelength(lines.two_theta_deg[strong], lines.wavelength_A, wavelength)
        distance = np.where(lines.left, np.abs(lines.two_theta_deg - at[:, None]), np.inf)
        nearest = distance.argmin(axis=1)
        share = lines.intensity[nearest] / lines.intensity[strong]
        met = (distance.min(axis=1) < WINDOW_DEG) & (share < _MOST_OF_ALPHA)
        best = None
        for most in _AMONG:
            own = met & (np.arange(len(strong)) < most)
            if own.sum() < _FEWEST_OF_TUBE or share[own].max() > _TEXTURE * share[own].min():
                continue
            asked = (at > lines.two_theta_deg[0] - _BEYOND_DEG)[:most]
            expected = tail(lines.chance(at[:most][asked]), int(own.sum()))
            chance = expected * len(kinds) * len(_AMONG)
            if chance < (BY_CHANCE if best is None else best.chance):
                best = Named(f"{name} of the tube", np.unique(nearest[own]), chance)
        if best is not None:
            yield best


def said(found: Iterable[Named], peaks: PeakList) -> tuple[str, ...]:
    """What to say of lines recognized."""
    return tuple(
        f"lines {_numbers(one.lines)} are those of {one.name} "
        f"(expected by chance in {_share(one.chance)} of such lists)"
        for one in found
    )


def _numbers(lines: np.ndarray) -> str:
    *first, last = (str(line + 1) for line in lines)
    return f"{', '.join(first)} and {last}" if first else last


def _share(chance: float) -> str:
    return f"{chance:.1g}" if chance >= 1e-6 else "less than one in a million"
