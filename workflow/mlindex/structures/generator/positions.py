"""General and special positions of a setting, derived from its symmetry operations.

A special position is the set of points that a site-symmetry group leaves where they are: the
mean over that group, x -> A x + b, projects any point onto it. The positions are found by
projecting random points onto the elements of symmetry beside them, several times over, which
needs no table of Wyckoff positions and works in every setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import gemmi
import numpy as np

from mlindex.crystal.space_groups import Symmetry

_POINTS = 40
_ROUNDS = 3
_PROJECTED = 120
#: Projections kept for each multiplicity: enough to meet all its Wyckoff positions.
_KEPT = 12
_TOLERANCE = 1e-8
_GENERAL_BIAS = 4.0
_POWER = 3.0


@dataclass(frozen=True)
class Positions:
    """Operations and positions of one setting; multiplicities count a primitive cell's atoms.

    ``rotations`` (n, 3, 3) and ``translations`` (n, 3) leave out centring translations;
    ``projections`` (k, 3, 3), ``offsets`` (k, 3) and ``multiplicities`` (k,) are the positions,
    the general one first; ``weights`` (k,) is how readily an atom takes each.
    """

    rotations: np.ndarray
    translations: np.ndarray
    primitive: np.ndarray
    projections: np.ndarray
    offsets: np.ndarray
    multiplicities: np.ndarray
    weights: np.ndarray
    operations: tuple[str, ...]


@lru_cache(maxsize=600)
def positions_of(symbol: str) -> Positions:
    """Positions of a setting, by gemmi's extended Hermann-Mauguin symbol."""
    operations = gemmi.find_spacegroup_by_name(symbol).operations()
    symmetry = Symmetry(operations)
    rotations, translations = symmetry.rotations, symmetry.translations
    centring = symmetry.centrings
    found = _special(rotations, translations, centring)
    general = (np.eye(3), np.zeros(3), len(rotations))
    rows = [general, *found]
    multiplicities = np.array([row[2] for row in rows])
    return Positions(
        rotations,
        translations,
        _primitive_basis(centring),
        np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows]),
        multiplicities,
        _weights(multiplicities),
        tuple(op.triplet() for op in operations),
    )


def _weights(multiplicities: np.ndarray) -> np.ndarray:
    # Molecules and most atoms of large cells lie on general positions.
    alike = np.array([np.sum(multiplicities == m) for m in multiplicities])
    weights = (multiplicities / multiplicities[0]) ** _POWER / alike
    weights[0] *= _GENERAL_BIAS
    return weights


def _primitive_basis(centring: np.ndarray) -> np.ndarray:
    """Rows: three lattice vectors, in fractions of the cell, that span the centred lattice."""
    candidates = np.vstack([centring - np.round(centring), np.eye(3)])
    shifts = np.array([[i, j, k] for i in (0, -1) for j in (0, -1) for k in (0, -1)])
    candidates = np.unique(np.round(candidates[:, None] + shifts, 6).reshape(-1, 3), axis=0)
    goal = 1.0 / len(centring)
    for i in range(len(candidates)):
        for j in range(i):
            for k in range(j):
                basis = candidates[[i, j, k]]
                if abs(abs(np.linalg.det(basis)) - goal) < 1e-4:
                    return basis
    raise ValueError(f"no primitive basis for centring vectors {centring.tolist()}")


def _special(
    rotations: np.ndarray, translations: np.ndarray, centring: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """(A, b, multiplicity) of special positions, by decreasing multiplicity."""
    rng = np.random.default_rng(0)
    all_rotations = np.repeat(rotations, len(centring), axis=0)
    all_translations = (translations[:, None] + centring).reshape(-1, 3)
    points = rng.random((_POINTS, 3))
    found: dict[tuple, tuple[np.ndarray, np.ndarray, int]] = {}
    for _ in range(_ROUNDS):
        projected = _projected(points, all_rotations, all_translations)
        for point in projected[rng.permutation(len(projected))[:_PROJECTED]]:
            a, b, order = _projector(point, all_rotations, all_translations)
            _keep(found, a, b, len(rotations) // order, rotations, translations)
        points = np.array([a @ rng.random(3) + b for a, b, _ in found.values() for _ in "ab"])
        if not len(points):
            break
    return sorted(found.values(), key=lambda row: -row[2])


def _keep(
    found: dict, a: np.ndarray, b: np.ndarray, multiplicity: int, rotations, translations
) -> None:
    if np.trace(a) < 0.5:
        orbit = np.round((rotations @ b + translations) % 1.0, 5) % 1.0
        key = (multiplicity, 0, tuple(min(orbit.tolist())))
    else:
        flat = np.round(np.concatenate([a.ravel(), b % 1.0]), 5) % 1.0
        key = (multiplicity, round(np.trace(a)), tuple(flat.tolist()))
    alike = sum(known[:2] == key[:2] for known in found)
    if key not in found and alike < _KEPT:
        found[key] = (a, b, multiplicity)


def _projected(points: np.ndarray, rotations: np.ndarray, translations: np.ndarray) -> np.ndarray:
    """Points (n, 3) moved onto the nearest element of each operation that leaves points fixed."""
    images = np.einsum("oij,pj->poi", rotations, points) + translations
    shifts = translations + np.round(points[:, None] - images)
    total = np.zeros_like(images)
    current = np.broadcast_to(points[:, None], images.shape)
    # 12 is a multiple of every order a crystallographic rotation has.
    for _ in range(12):
        total = total + current
        current = np.einsum("oij,poj->poi", rotations, current) + shifts
    mean = total / 12
    drift = np.abs(np.einsum("oij,poj->poi", rotations, mean) + shifts - mean).max(axis=2)
    identity = np.all(rotations == np.eye(3), axis=(1, 2))
    return mean[(drift < _TOLERANCE) & ~identity]


def site_freedom(site: np.ndarray, positions: Positions, centring: np.ndarray) -> np.ndarray:
    """Projection (3, 3) of a shift of a site (3,), in fractions, onto what its symmetry allows.

    ``centring`` (c, 3) are the lattice points of the cell.
    """
    rotations = np.repeat(positions.rotations, len(centring), axis=0)
    translations = (positions.translations[:, None] + centring).reshape(-1, 3)
    return _projector(site, rotations, translations)[0]


def _projector(
    point: np.ndarray, rotations: np.ndarray, translations: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Mean A, b over the site-symmetry group of a point (3,), and the order of that group."""
    move = point - (rotations @ point + translations)
    whole = np.round(move)
    fixed = np.abs(move - whole).max(axis=1) < _TOLERANCE
    offset = (translations + whole)[fixed].mean(axis=0)
    return rotations[fixed].mean(axis=0), offset, int(fixed.sum())
