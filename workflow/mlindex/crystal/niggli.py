"""Niggli reduction, by gemmi (Grosse-Kunstleve, Sauter & Adams 2004, Acta Cryst. A60, 1).

Epsilon is the difference of two squares of lengths (A²) below which they count as equal. Near the
border of two types of reduced cell it decides which one is taken, so that another epsilon gives
other cells in tables that exist. None of the three was tuned: each is far above rounding (1e-12 of
the squares) and far below any error of measurement, and each stays as it is so that results stay
the same to the last bit.

================  =============================  ==================================================
epsilon           value                          used for
================  =============================  ==================================================
relative_epsilon  1e-9 (abc)^(2/3)               lattices compared and recognized, cells that the
                                                 optimizer has moved: any size of cell
FIXED_EPSILON_A2  1e-9 A², gemmi's own default   the cells of entries, generated cells
coarse_epsilon    1e-5 V^(1/3), as the paper     quality control, where cells are as files state
                  states it (its unit is not A²) them, with four decimals or fewer
================  =============================  ==================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gemmi
import numpy as np

from mlindex.crystal.cell import cell_volume

#: Absolute epsilon in A², see the table above.
FIXED_EPSILON_A2 = 1e-9
#: Steps after which a reduction is given up: gemmi's default. A reduction takes some ten.
USUAL_STEPS = 100


def relative_epsilon(cell: Sequence[float] | np.ndarray) -> float:
    """Epsilon in A² that grows with the cell (6,), see the table above."""
    return 1e-9 * float(np.prod(cell[:3])) ** (2 / 3)


def coarse_epsilon(cell: Sequence[float] | np.ndarray) -> float:
    """Epsilon for cells (6,) that are stated with few decimals, see the table above."""
    return 1e-5 * float(cell_volume(cell)) ** (1 / 3)


@dataclass(frozen=True)
class NiggliReduction:
    """The outcome of a Niggli reduction.

    Attributes:
        cell: the reduced primitive cell (6,), A and degrees.
        change: P, integers (3, 3), with reduced axes = primitive axes @ P; None if not asked for.
            gemmi chooses the primitive axes where the given cell is centred.
        steps: steps taken; as many as were allowed where the reduction does not end.
    """

    cell: np.ndarray
    change: np.ndarray | None
    steps: int


def niggli_reduction(
    cell: Sequence[float] | np.ndarray,
    centring: str | gemmi.SpaceGroup = "P",
    *,
    epsilon: float,
    most_steps: int = USUAL_STEPS,
    with_change: bool = False,
) -> NiggliReduction:
    """Reduce the primitive cell of a lattice.

    Args:
        cell: six cell parameters (A, degrees).
        centring: its centring letter, or the space group that has it.
        epsilon: one of this module's, for this cell.
        most_steps: steps after which the reduction is given up.
        with_change: also return the change of basis.

    Raises:
        RuntimeError, ValueError: the cell is none, as gemmi says.
    """
    vector = gemmi.GruberVector(gemmi.UnitCell(*cell), centring, with_change)
    steps = vector.niggli_reduce(epsilon, most_steps)
    change = np.array(vector.change_of_basis.rot) // gemmi.Op.DEN if with_change else None
    return NiggliReduction(np.array(vector.cell_parameters()), change, steps)
