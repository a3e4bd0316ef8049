"""Axes on which the cell of a lattice is given, and the indices that are usual on them.

The package computes with one setting of each lattice: rhombohedral axes for hR, the shortest axes
across the unique one for mC (whose centring letter is then A, C or I) and a < b < c for oC (A, B or
C). Readers expect hR on hexagonal axes, and the centring C as the standard one. What each lattice
is shown on, the usual axes first, is declared here once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import numpy as np

from mlindex.crystal.cell import (
    cell_change,
    cell_from_metric,
    cell_volume,
    metric_derivatives,
    metric_tensor,
)
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS, LatticeSystem

_UNIT = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
_CONVENTIONAL = "conventional axes"
#: A metric that a rotation changes by no more than this, relatively, has it.
_SAME_METRIC = 1e-9
#: Angles that symmetry fixes come out of the cosines with an error of rounding.
_ANGLE_DECIMALS = 9


@dataclass(frozen=True)
class Axes:
    """A choice of axes for a lattice.

    Attributes:
        name: in words, e.g. ``hexagonal axes``.
        centring: centring letter on these axes.
        basis: rows are these axes in terms of those that the package computes with, (3, 3).
        system: the lattice system whose constraints the cell obeys on these axes; that of hR is
            hexagonal on hexagonal axes.
        of: the lattice system of the lattice itself.
    """

    name: str
    centring: str
    basis: tuple[tuple[int, int, int], ...]
    system: LatticeSystem
    of: LatticeSystem

    @cached_property
    def matrix(self) -> np.ndarray:
        """``basis`` as integers (3, 3)."""
        return np.array(self.basis)

    @cached_property
    def rotations(self) -> np.ndarray:
        """Rotations of the holohedry on these axes, integers (n, 3, 3): x' = W x, h' = h W."""
        change = self.matrix.T
        moved = np.linalg.inv(change) @ _holohedry(self.of.name) @ change
        return np.rint(moved).astype(np.int64)

    def cell(self, cell: np.ndarray) -> np.ndarray:
        """Six cell parameters (A, degrees) on these axes."""
        if self.basis == _UNIT:
            return np.asarray(cell, dtype=float)
        found = cell_from_metric(self.matrix @ metric_tensor(cell) @ self.matrix.T)
        found[3:] = np.round(found[3:], _ANGLE_DECIMALS)
        return self.system.cell_from_free(self.system.free_from_cell(found))

    def hkl(self, hkl: np.ndarray) -> np.ndarray:
        """Miller indices (n, 3) on these axes, each the usual one of its equivalents."""
        given = np.asarray(hkl, dtype=np.int64).reshape(-1, 3)
        return usual_indices(given @ self.matrix.T, self.rotations)

    def covariance(self, cell: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Covariance (6, 6) of the cell on these axes, from that of ``cell`` (A, degrees)."""
        target = self.cell(cell)
        moved = self.matrix @ metric_derivatives(cell) @ self.matrix.T
        jacobian = np.array([cell_change(target, change) for change in moved]).T
        return jacobian @ covariance @ jacobian.T


@dataclass(frozen=True)
class CellOnAxes:
    """A cell on a choice of axes: six parameters (A, degrees) and their standard uncertainties, 0
    where symmetry fixes a parameter."""

    axes: Axes
    cell: np.ndarray
    cell_error: np.ndarray

    @property
    def volume_A3(self) -> float:
        """Volume of this cell in A³."""
        return float(cell_volume(self.cell))

    @property
    def centring(self) -> str:
        """Centring letter on these axes."""
        return self.axes.centring


@cache
def axes_of(bravais: str, centring: str) -> tuple[Axes, ...]:
    """The axes that a Bravais lattice is shown on, the usual ones first.

    Args:
        bravais: its symbol.
        centring: centring letter in the setting that the package computes with.
    """
    system = BRAVAIS[bravais].system
    choices = _CHOICES.get((bravais, centring), ((_CONVENTIONAL, centring, _UNIT, None),))
    return tuple(
        Axes(name, letter, basis, SYSTEMS[other] if other else system, system)
        for name, letter, basis, other in choices
    )


def own_axes(bravais: str, centring: str) -> Axes:
    """The axes that the package computes with."""
    return next(axes for axes in axes_of(bravais, centring) if axes.basis == _UNIT)


def on_axes(
    bravais: str,
    centring: str,
    cell: np.ndarray,
    cell_error: np.ndarray | None = None,
    covariance: np.ndarray | None = None,
) -> tuple[CellOnAxes, ...]:
    """A cell on all the axes that its lattice is shown on, the usual ones first.

    Args:
        bravais: symbol of its Bravais lattice.
        centring: centring letter in the setting that the package computes with.
        cell: six parameters (A, degrees) in that setting.
        cell_error: their standard uncertainties; 0 if None.
        covariance: covariance (6, 6) of the cell; free parameters count as independent if None.
    """
    system = BRAVAIS[bravais].system
    error = np.zeros(6) if cell_error is None else np.asarray(cell_error, dtype=float)
    if covariance is None:
        covariance = _of_independent(system, error)
    found = []
    for axes in axes_of(bravais, centring):
        if axes.basis == _UNIT:
            found.append(CellOnAxes(axes, np.asarray(cell, dtype=float), error))
            continue
        variance = np.diagonal(axes.covariance(cell, covariance))
        free = np.array([isinstance(entry, str) for entry in axes.system.template])
        found.append(
            CellOnAxes(
                axes, axes.cell(cell), np.where(free, np.sqrt(np.maximum(variance, 0.0)), 0.0)
            )
        )
    return tuple(found)


def _of_independent(system: LatticeSystem, error: np.ndarray) -> np.ndarray:
    """Covariance (6, 6) of a cell whose free parameters have these errors and no correlation."""
    spread = np.zeros((6, system.n_free))
    for position, entry in enumerate(system.template):
        if isinstance(entry, str):
            spread[position, system.free_parameters.index(entry)] = 1.0
    variance = np.nan_to_num(system.free_from_cell(error), posinf=0.0) ** 2
    return spread * variance @ spread.T


def usual_indices(hkl: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """The usual representative of each reflection's equivalents, integers (n, 3).

    Laue symmetry makes hkl and -h-k-l equivalent. Named is one with l >= 0, of these one with as
    few negative indices as can be, of these the one with the greatest h, then k: (3 1 1) of a cubic
    lattice, (1 0 4) and (0 1 2) of hR on hexagonal axes, (-1 1 1) of a monoclinic one.

    Args:
        hkl: Miller indices (n, 3); 0 0 0 stays.
        rotations: those of the holohedry (m, 3, 3).
    """
    hkl = np.asarray(hkl, dtype=np.int64).reshape(-1, 3)
    half = np.einsum("ni,mij->mnj", hkl, rotations)
    images = np.concatenate([half, -half])
    h, k, l = images[..., 0], images[..., 1], images[..., 2]
    rows = np.arange(len(hkl))
    # lexsort puts the most wanted last: its keys count from the last one.
    order = np.lexsort((k, h, -(images < 0).sum(axis=2), l >= 0), axis=0)
    return images[order[-1], rows] if len(hkl) else hkl


@cache
def _holohedry(system_name: str) -> np.ndarray:
    """Rotations (n, 3, 3) of a lattice system on the axes of the table, -W left out for W."""
    metric = metric_tensor(SYSTEMS[system_name].generic_cell())
    # On conventional axes no entry is beyond 1.
    every = np.array(list(product((-1, 0, 1), repeat=9))).reshape(-1, 3, 3)
    every = every[np.rint(np.linalg.det(every)) == 1]
    moved = np.swapaxes(every, 1, 2) @ metric @ every
    return every[np.abs(moved - metric).max(axis=(1, 2)) < _SAME_METRIC * metric.max()]


#: Name, centring letter and basis of the axes that a lattice is shown on where these are not simply
#: those that the package computes with, and the lattice system whose constraints the cell obeys
#: there if that is not the lattice's own. hR: obverse setting (International Tables A, 1.5.1).
_CHOICES: dict[tuple[str, str], tuple[tuple, ...]] = {
    ("hR", "P"): (
        (BRAVAIS["hR"].other_setting.name, "R", BRAVAIS["hR"].other_setting.basis, "hexagonal"),
        ("rhombohedral axes", "P", _UNIT, None),
    ),
    ("mC", "A"): (
        ("A-centred cell", "A", _UNIT, None),
        ("C-centred cell", "C", ((0, 0, 1), (0, -1, 0), (1, 0, 0)), None),
    ),
    # With a < c and an obtuse angle between the two shortest axes, these are the shortest as well.
    ("mC", "I"): (
        ("I-centred cell", "I", _UNIT, None),
        ("C-centred cell", "C", ((-1, 0, -1), (0, 1, 0), (1, 0, 0)), None),
    ),
    ("oC", "A"): (
        ("A-centred cell", "A", _UNIT, None),
        ("C-centred cell", "C", ((0, 1, 0), (0, 0, 1), (1, 0, 0)), None),
    ),
    ("oC", "B"): (
        ("B-centred cell", "B", _UNIT, None),
        ("C-centred cell", "C", ((1, 0, 0), (0, 0, 1), (0, -1, 0)), None),
    ),
}
