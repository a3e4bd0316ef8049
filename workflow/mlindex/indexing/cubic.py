"""A cubic lattice in few lines: what a search of a whole list needs more lines for.

One line gives the cell; the others are there by chance or not. So it is said only where the lines
are expected by chance, over all cells tried, in fewer than one list of a hundred.
"""

from __future__ import annotations

import numpy as np

from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.lines import distinct, reflections
from mlindex.crystal.phase import Phase
from mlindex.indexing.named import WINDOW_DEG, Lines, Named, tail
from mlindex.patterns.peaklist import PeakList

#: Lines left, from which a cell is tried; the reflections that each may be, the first so many.
_LINES, _FIRST = (3, 8), 6
#: Lines of at least this share of the strongest one left must all be explained.
_STRONG = 0.2
#: Share of the reflections up to the last one seen that must be there: orders of one spacing, as
#: layers have them, are no cubic lattice.
_LEAST_MET = 0.6
#: Shortest axes of cubic crystals, in A: 2.61 of CoBe and 2.62 of NiBe (P), 2.55 of beryllium near
#: its melting point (I), 3.52 of nickel (F). Lines that a poor fit left had cells of 2.3 to 2.4.
_SHORTEST_A = {"P": 2.6, "I": 2.5, "F": 3.4}
#: How often a lattice may be said by chance.
_BY_CHANCE = 0.01


def cubic_lattice(peaks: PeakList, left: np.ndarray, shift_deg: float) -> Named | None:
    """The cubic lattice that few lines are of, if they are hardly so by chance.

    Of 500 lists with 3 to 8 lines left at random none has one; of 300 with as many lines of
    tetragonal, hexagonal or orthorhombic crystals, 1 has.

    Args:
        peaks: the whole list, with intensities and the wavelength.
        left: which lines (n,) no phase explains.
        shift_deg: zero shift of the list.
    """
    number = int(np.sum(left))
    lines = Lines.of(peaks, np.asarray(left, dtype=bool), shift_deg)
    if lines is None or lines.intensity is None or not _LINES[0] <= number <= _LINES[1]:
        return None
    best = None
    for letter in "PIF":
        unit = reflections(np.array([1.0, 1.0, 1.0, 90.0, 90.0, 90.0]), letter, 60.0)
        sums = np.sum(unit**2, axis=1).astype(float)
        sums = sums[distinct(sums)]
        for line in np.flatnonzero(left):
            for first in sums[:_FIRST]:
                found = _tried(lines, letter, sums, int(line), float(first), 3 * number * _FIRST)
                if found is not None and (best is None or found.chance < best.chance):
                    best = found
    return best


def _tried(
    lines: Lines, letter: str, sums: np.ndarray, line: int, first: float, trials: int
) -> Named | None:
    """The lattice whose reflection of a sum h² + k² + l² a line is."""
    seen = np.sin(np.radians(lines.two_theta_deg / 2))
    a = lines.wavelength_A * np.sqrt(first) / (2 * seen[line])
    if a < _SHORTEST_A[letter]:
        return None
    at = two_theta_from_q2(sums / a**2, lines.wavelength_A)
    at = at[np.isfinite(at) & (at > lines.two_theta_deg[0] - WINDOW_DEG)]
    at = at[at < lines.two_theta_deg[-1] + WINDOW_DEG]
    if not len(at):
        return None
    distance = np.abs(lines.two_theta_deg - at[:, None])
    nearest = np.where(lines.left, distance, np.inf).argmin(axis=1)
    met = np.where(lines.left, distance, np.inf).min(axis=1) < WINDOW_DEG
    covered = ~met & (np.where(lines.left, np.inf, distance).min(axis=1) < 2 * WINDOW_DEG)
    if met.sum() < _LINES[0]:
        return None
    last = np.flatnonzero(met)[-1] + 1
    asked = ~covered[:last]
    own = np.unique(nearest[met])
    strong = lines.left & (lines.intensity >= _STRONG * lines.intensity[lines.left].max())
    if (
        met[:last].sum() < _LEAST_MET * asked.sum()
        or not np.isin(np.flatnonzero(strong), own).all()
    ):
        return None
    # The line that gave the cell says nothing.
    others = np.delete(lines.chance(at[:last]), int(np.argmin(distance[:last, line])))
    chance = trials * tail(others, len(own) - 1)
    if chance >= _BY_CHANCE:
        return None
    cell = np.array([a, a, a, 90.0, 90.0, 90.0])
    name = f"a cubic {letter} lattice with a = {a:.3f} A"
    return Named(name, own, chance, Phase(name, f"c{letter}", cell, letter))
