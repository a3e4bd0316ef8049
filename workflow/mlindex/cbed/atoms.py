"""All atoms of a cell, as the simulation of electron diffraction needs them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.cell import cell_volume, metric_tensor
from mlindex.crystal.space_groups import operations_of

#: Images of a site nearer than this are one atom.
_SAME_ATOM_A = 0.1
#: Operations change a metric by no more than this share of it: cells are given to some digits.
_SAME_METRIC = 0.01
#: Volume of an atom at least, in A³: carbon has 5.7 in diamond, hydrogen 2 at 100 GPa; sites that
#: are split may be counted in full.
_LEAST_A3 = 1.0
#: Atoms in a cell at most: patterns of more would take hours.
MOST_ATOMS = 4000


@dataclass(frozen=True)
class Atoms:
    """The content of a cell: ``cell`` (6,) in A and degrees, and n atoms.

    ``xyz`` (n, 3) is fractional, ``occupancy`` and ``u_iso_A2`` are (n,). ``centre`` is an
    inversion centre of the crystal, or None.
    """

    cell: np.ndarray
    elements: tuple[str, ...]
    xyz: np.ndarray
    occupancy: np.ndarray
    u_iso_A2: np.ndarray
    space_group: int
    hall_symbol: str
    centre: np.ndarray | None

    def __len__(self) -> int:
        return len(self.elements)

    @property
    def volume_A3(self) -> float:
        """Volume of the cell in A³."""
        return float(cell_volume(self.cell))

    @property
    def basis_A(self) -> np.ndarray:
        """The axes a, b, c as rows, shape (3, 3), in A: a along x, b in the plane of x and y."""
        return np.linalg.cholesky(metric_tensor(self.cell))

    @property
    def formula(self) -> str:
        """Elements and their numbers in the cell, such as 'Na4 Cl4'."""
        counts: dict[str, float] = {}
        for element, share in zip(self.elements, self.occupancy, strict=True):
            counts[element] = counts.get(element, 0.0) + float(share)
        return " ".join(f"{element}{round(n, 2):g}" for element, n in counts.items())


def atoms_of(
    cell: np.ndarray,
    hall_symbol: str,
    space_group: int,
    elements: tuple[str, ...],
    xyz: np.ndarray,
    occupancy: np.ndarray,
    u_iso_A2: np.ndarray,
) -> Atoms:
    """The whole content of a cell from the sites of its asymmetric unit.

    Args:
        cell: lengths in A and angles in degrees, shape (6,).
        hall_symbol: the setting; its operations are applied.
        space_group: its number.
        elements, xyz, occupancy, u_iso_A2: the n sites; fractional coordinates (n, 3), the others
            (n,).

    Raises:
        MlindexError: there are no sites, or too many atoms, or the cell has no room for them or
            contradicts the setting.
    """
    if not len(elements):
        raise MlindexError("no atom site has coordinates; give a structure with atoms")
    operations = operations_of(hall_symbol)
    metric = metric_tensor(cell)
    moved = np.swapaxes(operations.rotations, 1, 2) @ metric @ operations.rotations
    if np.abs(moved - metric).max() > _SAME_METRIC * np.abs(metric).max():
        raise MlindexError(
            f"the cell {_shown(cell)} contradicts space group no. {space_group}: its operations "
            "change the axes; see which of them is right"
        )
    places, rows = [], []
    for row, site in enumerate(np.asarray(xyz, dtype=float)):
        images = _distinct(operations.rotations @ site + operations.translations, metric)
        places.append(images)
        rows += [row] * len(images)
        if len(rows) > MOST_ATOMS:
            raise MlindexError(f"more than {MOST_ATOMS} atoms in the cell; give a smaller one")
    volume = float(cell_volume(np.asarray(cell, dtype=float)))
    if volume < _LEAST_A3 * float(np.asarray(occupancy, dtype=float)[rows].sum()):
        raise MlindexError(
            f"the cell {_shown(cell)} of {volume:.3g} A³ has no room for its {len(rows)} atoms; "
            "are its lengths in A?"
        )
    return Atoms(
        cell=np.asarray(cell, dtype=float),
        elements=tuple(elements[row] for row in rows),
        xyz=np.concatenate(places) % 1.0,
        occupancy=np.asarray(occupancy, dtype=float)[rows],
        u_iso_A2=np.asarray(u_iso_A2, dtype=float)[rows],
        space_group=space_group,
        hall_symbol=hall_symbol,
        centre=_inversion_centre(operations.rotations, operations.translations),
    )


def _shown(cell: np.ndarray) -> str:
    return " ".join(f"{value:.6g}" for value in cell)


def _distinct(images: np.ndarray, metric_A2: np.ndarray) -> np.ndarray:
    """One place of each atom: images that nearly fall together are averaged."""
    step = images[:, None] - images
    step -= np.rint(step)
    near = np.einsum("ijk,kl,ijl->ij", step, metric_A2, step) < _SAME_ATOM_A**2
    first = np.argmax(near, axis=1) == np.arange(len(images))
    # The mean of the images lies exactly on the symmetry element.
    mean = images - np.einsum("ij,ijk->ik", near, step) / near.sum(axis=1)[:, None]
    return mean[first]


def _inversion_centre(rotations: np.ndarray, translations: np.ndarray) -> np.ndarray | None:
    inversion = np.all(np.abs(rotations + np.eye(3)) < 0.5, axis=(1, 2))
    return translations[inversion][0] / 2 if inversion.any() else None
