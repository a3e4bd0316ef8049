"""Placing atoms in a cell so that none clash: the inner loop, compiled."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from mlindex.crystal.reduction_kernels import reduced_basis
from mlindex.structures.generator.positions import Positions

#: Uniform numbers that one trial uses: element, position, three coordinates.
NUMBERS = 5
_TRIES_PER_ELEMENT = 40


@dataclass(frozen=True)
class PlacedAtoms:
    """The atoms of the asymmetric unit.

    ``fractions`` (n, 3) in the conventional cell, ``elements`` (n,) positions in the list of
    elements, ``multiplicities`` (n,) atoms in the primitive cell.
    """

    fractions: np.ndarray
    elements: np.ndarray
    multiplicities: np.ndarray


def place_atoms(
    positions: Positions,
    lattice_A: np.ndarray,
    counts: np.ndarray,
    radii_A: np.ndarray,
    rng: np.random.Generator,
) -> PlacedAtoms:
    """Atoms at random general and special positions, as many as fit.

    Args:
        positions: operations and positions of the setting.
        lattice_A: conventional basis vectors in rows (3, 3).
        counts: atoms wanted of each element in the primitive cell (k,).
        radii_A: two atoms clash if closer than the sum of these (k,).
        rng: source of randomness.
    """
    primitive = reduced_basis(positions.primitive @ lattice_A)
    trials = 8 * int(counts.sum()) // int(positions.multiplicities.min()) + 200
    fractions, elements, multiplicities = _fill(
        positions.rotations,
        positions.translations,
        positions.projections,
        positions.offsets,
        positions.multiplicities,
        positions.weights,
        lattice_A,
        primitive,
        np.linalg.inv(primitive),
        counts.astype(np.int64),
        radii_A.astype(np.float64),
        rng.random((trials, NUMBERS)),
    )
    return PlacedAtoms(fractions, elements, multiplicities)


@numba.njit(cache=True)
def _choose(weights: np.ndarray, u: float) -> int:
    goal = u * weights.sum()
    for i in range(len(weights)):
        goal -= weights[i]
        if goal < 0 and weights[i] > 0:
            return i
    return int(np.argmax(weights))


@numba.njit(cache=True)
def _close(
    delta: np.ndarray, cutoff: float, basis: np.ndarray, inverse: np.ndarray, skip_zero: bool
) -> bool:
    """Whether a lattice translate of ``delta`` (3,) is shorter than ``cutoff``."""
    f = np.empty(3)
    reach = np.empty(3)
    for i in range(3):
        value = delta[0] * inverse[0, i] + delta[1] * inverse[1, i] + delta[2] * inverse[2, i]
        f[i] = value - np.round(value)
        norm = np.sqrt(inverse[0, i] ** 2 + inverse[1, i] ** 2 + inverse[2, i] ** 2)
        reach[i] = cutoff * norm
        if abs(f[i]) > reach[i] and 1.0 - abs(f[i]) > reach[i]:
            return False
    for i in range(-2, 3):
        if abs(f[0] + i) > reach[0]:
            continue
        for j in range(-2, 3):
            if abs(f[1] + j) > reach[1]:
                continue
            for k in range(-2, 3):
                if abs(f[2] + k) > reach[2]:
                    continue
                d2 = 0.0
                for axis in range(3):
                    d = (
                        (f[0] + i) * basis[0, axis]
                        + (f[1] + j) * basis[1, axis]
                        + (f[2] + k) * basis[2, axis]
                    )
                    d2 += d * d
                if d2 < cutoff * cutoff and not (skip_zero and d2 < 1e-8):
                    return True
    return False


@numba.njit(cache=True)
def _orbit(
    site: np.ndarray,
    rotations: np.ndarray,
    translations: np.ndarray,
    lattice: np.ndarray,
    inverse: np.ndarray,
    multiplicity: int,
    out: np.ndarray,
) -> int:
    """Cartesian atoms of a site's orbit, each once, into ``out``; returns how many."""
    n = 0
    fraction = np.empty(3)
    point = np.empty(3)
    for op in range(len(rotations)):
        for i in range(3):
            fraction[i] = translations[op, i]
            for j in range(3):
                fraction[i] += rotations[op, i, j] * site[j]
        for i in range(3):
            point[i] = 0.0
            for j in range(3):
                point[i] += fraction[j] * lattice[j, i]
        new = True
        if multiplicity < len(rotations):
            for known in range(n):
                same = True
                for i in range(3):
                    value = 0.0
                    for j in range(3):
                        value += (point[j] - out[known, j]) * inverse[j, i]
                    if abs(value - np.round(value)) > 1e-5:
                        same = False
                        break
                if same:
                    new = False
                    break
        if new:
            out[n] = point
            n += 1
    return n


@numba.njit(cache=True)
def _clashes(
    orbit: np.ndarray,
    size: int,
    radius: float,
    atoms: np.ndarray,
    atom_radii: np.ndarray,
    placed: int,
    basis: np.ndarray,
    inverse: np.ndarray,
) -> bool:
    # By symmetry the first atom of an orbit stands for all of them.
    for i in range(size):
        if _close(orbit[i] - orbit[0], 2 * radius, basis, inverse, i == 0):
            return True
    for i in range(placed):
        if _close(atoms[i] - orbit[0], radius + atom_radii[i], basis, inverse, False):
            return True
    return False


@numba.njit(cache=True)
def _allowed(
    weights: np.ndarray, multiplicities: np.ndarray, remaining: int, first: bool
) -> np.ndarray:
    limit = remaining
    if first:
        limit = max(limit, multiplicities.min())
    return np.where(multiplicities <= limit, weights, 0.0)


@numba.njit(cache=True)
def _fill(
    rotations,
    translations,
    projections,
    offsets,
    multiplicities,
    weights,
    lattice,
    basis,
    inverse,
    counts,
    radii,
    numbers,
):
    capacity = counts.sum() + len(counts) * multiplicities.max()
    atoms, atom_radii = np.empty((capacity, 3)), np.empty(capacity)
    sites, kinds = np.empty((capacity, 3)), np.empty(capacity, np.int64)
    sizes = np.empty(capacity, np.int64)
    orbit = np.empty((len(rotations), 3))
    remaining = counts.copy()
    failures = np.zeros(len(counts), np.int64)
    placed = n_sites = 0
    for trial in range(len(numbers)):
        if remaining.sum() <= 0:
            break
        u = numbers[trial]
        kind = _choose(remaining.astype(np.float64), u[0])
        allowed = _allowed(
            weights, multiplicities, remaining[kind], remaining[kind] == counts[kind]
        )
        if allowed.sum() <= 0 or failures[kind] >= _TRIES_PER_ELEMENT:
            remaining[kind] = 0
            continue
        p = _choose(allowed, u[1])
        site = projections[p] @ u[2:5] + offsets[p]
        size = _orbit(site, rotations, translations, lattice, inverse, multiplicities[p], orbit)
        if size != multiplicities[p] or _clashes(
            orbit, size, radii[kind], atoms, atom_radii, placed, basis, inverse
        ):
            failures[kind] += 1
            continue
        for i in range(size):
            atoms[placed + i] = orbit[i]
            atom_radii[placed + i] = radii[kind]
        placed += size
        sites[n_sites], kinds[n_sites], sizes[n_sites] = site, kind, size
        n_sites += 1
        failures[kind] = 0
        remaining[kind] = max(remaining[kind] - size, 0)
    return sites[:n_sites], kinds[:n_sites], sizes[:n_sites]
