"""The lines of a cell that a pattern can tell apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import LatticeSystem
from mlindex.crystal.lines import reflections

#: Lines nearer than this share of a width are fitted as one.
CLOSEST_FWHM = 0.12


@dataclass(frozen=True)
class CellLines:
    """Different lines (k,) of a cell by rising q².

    Attributes:
        design: (k, p) of q² = design · x with the free reciprocal parameters x (p,).
        hkl: indices of one reflection of each line (k, 3).
        multiplicity: reflections on it (k,), hkl and -h-k-l counted both.
        members: how many lines of the lattice were taken together (k,).
    """

    design: np.ndarray
    hkl: np.ndarray
    multiplicity: np.ndarray
    members: np.ndarray

    def __len__(self) -> int:
        return len(self.hkl)

    def taken(self, which: np.ndarray) -> CellLines:
        """Some of the lines, in that order."""
        return CellLines(
            self.design[which], self.hkl[which], self.multiplicity[which], self.members[which]
        )


def cell_lines(
    cell: np.ndarray,
    centring: str,
    system: LatticeSystem,
    wavelength_A: float,
    two_theta_deg: tuple[float, float],
) -> CellLines:
    """All different lines of a lattice in a range of true 2theta.

    Args:
        cell: six parameters (A, degrees).
        centring: its centring letter.
        system: the lattice system whose constraints the cell obeys.
        wavelength_A: wavelength in A.
        two_theta_deg: the range in degrees.

    Raises:
        ValueError: the cell has too many.
    """
    low, high = (np.clip(angle, 0.0, 180.0) for angle in two_theta_deg)
    hkl = reflections(cell, centring, float(q2_from_two_theta(high, wavelength_A)))
    # Lines that symmetry makes equal have the same design, in whole numbers.
    design = np.rint(system.design_matrix(hkl))
    _, index, count = np.unique(design, axis=0, return_index=True, return_counts=True)
    order = np.argsort(index)
    index, count = index[order], count[order]
    from_cell = system_parameters(cell, system)
    angles = two_theta_from_q2(design[index] @ from_cell, wavelength_A, at_most_180=True)
    inside = angles >= low
    rising = np.argsort(angles[inside], kind="stable")
    index, count = index[inside][rising], count[inside][rising]
    return CellLines(design[index], hkl[index], 2 * count, np.ones(len(index), dtype=np.int64))


def system_parameters(cell: np.ndarray, system: LatticeSystem) -> np.ndarray:
    """The free reciprocal parameters (p,) of a cell in 1/A²."""
    return reciprocal_from_cell(cell)[list(system.pick)]


def together(lines: CellLines, two_theta_deg: np.ndarray, fwhm_deg: np.ndarray) -> CellLines:
    """Lines (k,) at rising positions, those taken as one that are too close to be told apart.

    The one of them that has the most reflections names it; q² is the mean over all reflections.
    """
    if not len(lines):
        return lines
    group = np.zeros(len(lines), dtype=np.int64)
    begin = 0
    for i in range(1, len(lines)):
        apart = two_theta_deg[i] - two_theta_deg[begin] > CLOSEST_FWHM * fwhm_deg[i]
        group[i] = group[i - 1] + apart
        begin = i if apart else begin
    size = group[-1] + 1
    weight = np.bincount(group, lines.multiplicity, size)
    design = np.stack(
        [np.bincount(group, lines.multiplicity * column, size) for column in lines.design.T], axis=1
    )
    most = np.lexsort((-lines.multiplicity, group))
    first = most[np.searchsorted(group[most], np.arange(size))]
    return CellLines(
        design / weight[:, None],
        lines.hkl[first],
        weight.astype(np.int64),
        np.bincount(group, lines.members, size).astype(np.int64),
    )
