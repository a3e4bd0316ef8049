"""Figures of merit of an indexed powder pattern.

Definitions used here, as programs differ:

- M_N of de Wolff (1968, J. Appl. Cryst. 1, 108): M = q²_N / (2 <|Δq²|> N_calc). N is the number of
  observed lines given (20 for M20), q²_N the last of them, N_calc the number of different
  calculated lines up to it, and the mean runs over all N lines, each against the nearest
  calculated line.
- F_N of Smith and Snyder (1979, J. Appl. Cryst. 12, 60): F = (1 / <|Δ2θ|>) (N / N_poss), with
  N_poss the same number of different calculated lines.
- M_N^Rev of Oishi-Tomiyasu (2013, J. Appl. Cryst. 46, 1277), M with observed and calculated lines
  in each other's place: M^Rev = (q²_N - q²_1) / (2 <|Δq²|>_calc N). The mean runs over the
  different calculated lines from the one nearest to q²_1 to the one nearest to q²_N, each against
  the nearest observed line. Lines that are predicted and not seen lower it, impurity lines don't.
- M_N^Sym of the same paper, the product of M^Rev and of M over the same range of calculated
  lines: M = (q²_calc,last - q²_calc,first) / (2 <|Δq²|> N_calc), N_calc the number in that range.

The last two are as the author's program Conograph computes them, but for one thing: it counts a
line once for each set of equivalent reflections in it (333 and 511), here it counts once.

Lines are different where their q² differ. Absences by centring count, those by glide planes and
screw axes do not, since the space group is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import CENTRING_TRANSLATIONS, quadratic_terms
from mlindex.crystal.lines import distinct, nearest_index, reflections

#: The same where many cells are compared.
MOST_FOR_MANY = 20_000


@dataclass(frozen=True)
class Merit:
    """How well a cell explains a list of lines.

    ``hkl`` (n, 3) and ``q2_calculated_inv_A2`` (n,) are of the nearest calculated line of each
    observed one. ``m`` is de Wolff's M_N.
    """

    m: float
    n_calculated: int
    hkl: np.ndarray
    q2_calculated_inv_A2: np.ndarray


@dataclass(frozen=True)
class Figures:
    """Figures of merit of ``c`` cells, each (c,); all 0 where the parameters give no cell."""

    m: np.ndarray
    m_reversed: np.ndarray
    m_symmetric: np.ndarray
    n_calculated: np.ndarray


def merit(
    q2_observed_inv_A2: np.ndarray, cell: np.ndarray, centring: str, floor_q2_inv_A2: float = 0.0
) -> Merit:
    """de Wolff's figure of merit of a cell.

    Args:
        q2_observed_inv_A2: rising q² of the lines (n,), 1/A².
        cell: six cell parameters (A, degrees).
        centring: centring letter in this setting.
        floor_q2_inv_A2: added to the mean discrepancy, so that exact data give a finite figure
            and cells that fit to rounding are ranked by their number of calculated lines.

    Raises:
        ValueError: if the cell is too large.
    """
    observed = np.asarray(q2_observed_inv_A2, dtype=float)
    # A little beyond the last line, which may lie below the reflection that it belongs to.
    hkl = reflections(cell, centring, observed[-1] * 1.05)
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    first = distinct(q2)
    if not len(first):
        nothing = np.zeros((len(observed), 3), dtype=int)
        return Merit(0.0, 0, nothing, np.zeros(len(observed)))
    lines = q2[first]
    nearest = nearest_index(observed, lines)
    calculated = lines[nearest]
    n_calculated = int(np.searchsorted(lines, max(observed[-1], calculated[-1]), side="right"))
    mean = np.mean(np.abs(observed - calculated)) + floor_q2_inv_A2
    with np.errstate(divide="ignore"):
        m = float(np.divide(observed[-1], 2 * mean * n_calculated))
    return Merit(m, n_calculated, hkl[first[nearest]], calculated)


def figures_of_many(
    q2_observed_inv_A2: np.ndarray,
    x_inv_A2: np.ndarray,
    centring: str,
    floor_q2_inv_A2: float = 0.0,
) -> Figures:
    """M, reversed and symmetric M of many cells, a few microseconds each.

    Args:
        q2_observed_inv_A2: rising q² of the lines (n,), 1/A².
        x_inv_A2: six reciprocal parameters of each cell (c, 6), 1/A².
        centring: centring letter of all of them.
        floor_q2_inv_A2: added to every mean discrepancy, see :func:`merit`.

    A cell with more than 20,000 reflections up to the last line gets 0.
    """
    # numba takes half a second to import, and most users of this module don't come here.
    from mlindex.indexing.merit_kernels import figures_of_each

    observed = np.ascontiguousarray(q2_observed_inv_A2, dtype=float)
    cells = np.ascontiguousarray(np.atleast_2d(x_inv_A2), dtype=float)
    shifts = 12 * np.array(CENTRING_TRANSLATIONS[centring], dtype=np.int64).reshape(-1, 3)
    rotations = np.tile(np.eye(3, dtype=np.int64), (len(shifts), 1, 1))
    floor = float(floor_q2_inv_A2)
    rows = figures_of_each(observed, cells, rotations, shifts, floor, MOST_FOR_MANY)
    return Figures(rows[:, 0], rows[:, 1], rows[:, 1] * rows[:, 2], rows[:, 3].astype(int))


def f_n(
    q2_observed_inv_A2: np.ndarray,
    q2_calculated_inv_A2: np.ndarray,
    n_calculated: int,
    wavelength_A: float,
) -> float:
    """Smith and Snyder's F_N of lines against their calculated ones; 2theta in degrees."""
    observed = two_theta_from_q2(q2_observed_inv_A2, wavelength_A)
    difference = np.abs(observed - two_theta_from_q2(q2_calculated_inv_A2, wavelength_A))
    with np.errstate(divide="ignore"):
        return float(np.divide(len(observed), np.mean(difference) * n_calculated))
