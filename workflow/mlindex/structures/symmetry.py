"""Space-group settings: their lattice, their operations, and structures in another setting.

Settings are those of gemmi's table (International Tables B, table A1.4.2.7, after Hall and
Grosse-Kunstleve); a Hall symbol of it fixes the operations, origin included. Structures in a
setting outside the table are rewritten in the standard one of their group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import gemmi
import numpy as np
import spglib

from mlindex.crystal.cell import cell_from_metric, metric_tensor
from mlindex.crystal.space_groups import Operations, group_of, operations_of
from mlindex.structures.cif import EntryError, Sites

_SITE_TOLERANCE_A = 0.1
_IMAGES_AT_ONCE = 500_000
#: Points of no symmetry, to stand for atoms where only the operations are known.
_GENERAL_POINTS = np.array(
    [[0.1137, 0.2719, 0.3853], [0.0523, 0.1371, 0.4417], [0.3061, 0.0787, 0.2309]]
)
_REWRITE_TOLERANCE_A = 0.02
_CELL_DECIMALS = 10


@dataclass(frozen=True)
class Crystal:
    """A cell (6,) in A and degrees, a tabulated setting and the sites of its asymmetric unit."""

    cell: np.ndarray
    group: gemmi.SpaceGroup
    sites: Sites
    #: Volume of this cell divided by that of the cell it was rewritten from.
    volume_ratio: float = 1.0


def multiplicities(xyz: np.ndarray, cell: np.ndarray, hall: str) -> np.ndarray:
    """Atoms in the cell (n,) that each site (n, 3) stands for under a Hall symbol's operations."""
    operations = operations_of(hall)
    rotations, translations = operations.rotations, operations.translations
    metric = metric_tensor(cell)
    step = max(1, _IMAGES_AT_ONCE // len(rotations))
    counts = [np.empty(0)]
    for start in range(0, len(xyz), step):
        part = xyz[start : start + step]
        shift = part @ rotations.transpose(0, 2, 1) + translations[:, None] - part
        shift -= np.round(shift)
        distance2 = np.einsum("mni,mni->mn", shift @ metric, shift)
        counts.append(len(rotations) / np.sum(distance2 < _SITE_TOLERANCE_A**2, axis=0))
    return np.concatenate(counts)


def in_standard_setting(cell: np.ndarray, operations: Operations, sites: Sites) -> Crystal:
    """A structure whose setting is not tabulated, rewritten in its group's standard setting.

    Raises:
        EntryError: with rule 3, where the operations form no space group; with rule 4, where
            the cell does not obey them.
    """
    rotations, translations = operations.rotations, operations.translations
    points = _GENERAL_POINTS @ rotations.transpose(0, 2, 1) + translations[:, None]
    types = np.tile(np.arange(1, len(_GENERAL_POINTS) + 1), len(rotations))
    atoms = (_basis(cell), points.reshape(-1, 3), types)
    dataset = spglib.get_symmetry_dataset(atoms, symprec=_REWRITE_TOLERANCE_A)
    if dataset is None:
        raise EntryError(3, f"{len(rotations)} operations", "the operations form no space group")
    if len(dataset.rotations) != len(rotations):
        raise EntryError(4, _cell_text(cell), "the cell does not obey the symmetry operations")
    matrix, shift = dataset.transformation_matrix, dataset.origin_shift
    inverse = np.linalg.inv(matrix)
    rewritten = np.round(cell_from_metric(inverse.T @ metric_tensor(cell) @ inverse), 10)
    xyz = sites.xyz @ matrix.T + shift
    ratio = float(abs(np.linalg.det(inverse)))
    return Crystal(rewritten, group_of(dataset.hall), replace(sites, xyz=xyz), ratio)


def find_symmetry(crystal: Crystal, tolerance_A: float) -> Crystal:
    """The crystal in the standard conventional setting of the symmetry that its atoms have.

    Symmetry is found by spglib; sites that share a place (mixed occupancy) count as one kind of
    atom. Returned are the idealized cell and one site for each orbit.

    Raises:
        EntryError: with rule 3, where there are no atoms or spglib finds no symmetry.
    """
    if not len(crystal.sites):
        raise EntryError(3, "no atoms", "symmetry can't be found without atom sites")
    places, members = _places(crystal.sites)
    kinds = _kinds(crystal.sites, members)
    xyz, origin = _expanded(places, crystal.cell, crystal.group.hall)
    atoms = (_basis(crystal.cell), xyz, kinds[origin])
    dataset = spglib.get_symmetry_dataset(atoms, symprec=tolerance_A)
    if dataset is None:
        raise EntryError(3, f"{len(xyz)} atoms", "spglib finds no symmetry: atoms too close?")
    _, first = np.unique(dataset.crystallographic_orbits, return_index=True)
    standard = {p: row for row, p in reversed(list(enumerate(dataset.std_mapping_to_primitive)))}
    rows, xyz_std = [], []
    for atom in first:
        for site in members[origin[atom]]:
            rows.append(site)
            xyz_std.append(dataset.std_positions[standard[dataset.mapping_to_primitive[atom]]])
    lattice = dataset.std_lattice
    cell = np.round(cell_from_metric(lattice @ lattice.T), _CELL_DECIMALS)
    ratio = float(1 / abs(np.linalg.det(dataset.transformation_matrix)))
    sites = _selected(crystal.sites, rows, np.array(xyz_std))
    return Crystal(cell, group_of(dataset.hall), sites, crystal.volume_ratio * ratio)


def _selected(sites: Sites, rows: list[int], xyz: np.ndarray) -> Sites:
    elements = tuple(sites.elements[row] for row in rows)
    return Sites(elements, xyz % 1.0, sites.occupancy[rows], sites.u_iso_A2[rows])


def _places(sites: Sites) -> tuple[np.ndarray, list[list[int]]]:
    members: dict[tuple[float, ...], list[int]] = {}
    for row, key in enumerate(np.round(sites.xyz % 1.0, 3) % 1.0):
        members.setdefault(tuple(key), []).append(row)
    rows = list(members.values())
    return sites.xyz[[group[0] for group in rows]], rows


def _kinds(sites: Sites, members: list[list[int]]) -> np.ndarray:
    names = [
        tuple(sorted((sites.elements[r], round(float(sites.occupancy[r]), 3)) for r in rows))
        for rows in members
    ]
    index = {name: number for number, name in enumerate(dict.fromkeys(names), start=1)}
    return np.array([index[name] for name in names])


def _expanded(xyz: np.ndarray, cell: np.ndarray, hall: str) -> tuple[np.ndarray, np.ndarray]:
    """All atoms of the cell (m, 3) and the row of the site that each comes from (m,)."""
    operations = operations_of(hall)
    metric = metric_tensor(cell)
    atoms = []
    for site in xyz:
        images = operations.rotations @ site + operations.translations
        shift = images[:, None] - images
        shift -= np.round(shift)
        near = np.einsum("ijk,ijk->ij", shift @ metric, shift) < _SITE_TOLERANCE_A**2
        atoms.append(images[np.argmax(near, axis=1) == np.arange(len(images))] % 1.0)
    origin = np.repeat(np.arange(len(xyz)), [len(part) for part in atoms])
    return np.concatenate(atoms), origin


def _basis(cell: np.ndarray) -> np.ndarray:
    return np.linalg.cholesky(metric_tensor(cell))


def _cell_text(cell: np.ndarray) -> str:
    return " ".join(f"{value:g}" for value in cell)
