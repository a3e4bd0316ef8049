"""When two lines are one, and when two lattices are the same.

The values differ because they answer different questions, and each stays as it is, so that results
stay the same to the last bit. None was tuned on lists.

One line, as a relative difference of q²
    q² of the same line calculated in two ways differ by rounding, some 1e-15, and what a list
    states with seven digits is uncertain by 1e-7. Errors of measured q² are 1e-4 and more. The
    values lie between.

Same lattice, as relative differences of reduced lengths and differences of reduced angles
    A cell refined on 20 lines is uncertain by some 1e-4. Other lattices that explain the same lines
    differ from it by whole factors, such as 4/3, in a length.
"""

from __future__ import annotations

from typing import NamedTuple

#: Lines of one crystal in its calculated pattern: reflections on one line, as 333 and 511.
PATTERN_LINE_REL = 1e-9
#: Lines of a candidate lattice that has some equal by symmetry, though its cell is rounded or
#: refined. The merit, the number of possible lines and the ranking count lines by it.
LATTICE_LINE_REL = 1e-8
#: A reflection of list 1 that is the observed line of list 2: both were stored with 15 digits.
OBSERVED_LINE_REL = 1e-7
#: A misfit of q² smaller than this is rounding of the list's own digits: M would rise without end.
ROUNDED_MISFIT_REL = 1e-7
#: Lines of a list that give one q² twice, as files state it with seven digits or fewer.
LISTED_LINE_REL = 1e-6
#: A line that was seen belongs to the calculated line of this q²: shown or counted as present.
SHOWN_LINE_REL = 1e-6


class LatticeTolerance(NamedTuple):
    """How far two lattices may differ that count as the same.

    Attributes:
        length_rel: relative difference of the lengths of reduced cells.
        angle_deg: difference of their angles in degrees.
    """

    length_rel: float
    angle_deg: float


#: A cell found is the true one. Rates, validation and ranking examples are counted by it; settings
#: of these stages start from it.
FOUND_LATTICE = LatticeTolerance(0.01, 0.5)
#: Two candidates of one list are one: refined on the same lines they differ by their uncertainty.
ONE_CANDIDATE = LatticeTolerance(2e-3, 0.1)
#: Two partners with the lines of a candidate are one: calculated, not refined, so nearer.
ONE_PARTNER = LatticeTolerance(1e-3, 0.1)
