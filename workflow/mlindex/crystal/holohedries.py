"""Every way in which a Bravais lattice can lie in a reduced primitive basis.

The symmetry of a lattice is that of its two-fold axes (Le Page 1982, J. Appl. Cryst. 15, 255). In
a basis of the three shortest vectors a two-fold rotation is an integer matrix with entries -1, 0
and 1, of which there are 81. So the holohedries that a reduced basis can show are finite in
number: here they are all generated, once, from one standard basis for each Bravais lattice of
:mod:`mlindex.crystal.lattice`, by elementary changes of basis that keep the entries in bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import numpy as np

from mlindex.crystal.cell import metric_tensor
from mlindex.crystal.lattice import BRAVAIS, PRIMITIVE_HALVES, BravaisLattice, quadratic_terms
from mlindex.crystal.reduced import reduced

#: Bound on the entries of a two-fold rotation in a reduced basis.
_BOUND = 1
#: Free parameters of a lattice with no more symmetry than its Bravais lattice asks for.
_GENERIC = {"a": 5.0, "b": 5.9, "c": 7.3, "alpha": 76.0, "beta": 103.0, "gamma": 81.0}
_SAME_METRIC = 1e-6
_SHARE = np.array([1.0, 1.0, 1.0, 0.5, 0.5, 0.5])
_PLACE = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])


@dataclass(frozen=True)
class Holohedries:
    """Holohedries in a reduced basis, one a row, the highest symmetry first.

    Attributes:
        bravais: the Bravais lattice of each.
        operators: P, integers (n, 3, 3): conventional axes (not yet sorted) = reduced basis @ P.
        to_conventional: (n, 6, 6) from the six reciprocal parameters in the reduced basis to those
            in the conventional one, averaged over the group.
        deviation: (n, 6, 6) from the six to their group average less themselves.
    """

    bravais: tuple[BravaisLattice, ...]
    operators: np.ndarray
    to_conventional: np.ndarray
    deviation: np.ndarray

    @cached_property
    def n_free(self) -> np.ndarray:
        """Free parameters of each, integers (n,)."""
        return np.array([lattice.system.n_free for lattice in self.bravais])


@cache
def holohedries() -> Holohedries:
    """The table, made at the first call (some 20 ms)."""
    lattices = sorted(BRAVAIS.values(), key=lambda lattice: lattice.system.n_free)
    symbols, operators, to_conventional, deviation = [], [], [], []
    for lattice in lattices:
        found = _operators(lattice)
        forward = reciprocal_change(found)
        averaged = _average(lattice) @ forward
        symbols += [lattice] * len(found)
        operators.append(found)
        to_conventional.append(averaged)
        deviation.append(np.linalg.solve(forward, averaged) - np.eye(6))
    return Holohedries(
        tuple(symbols),
        np.concatenate(operators),
        np.concatenate(to_conventional),
        np.concatenate(deviation),
    )


def reciprocal_change(operators: np.ndarray) -> np.ndarray:
    """(..., 6, 6) that takes the six reciprocal parameters through basis changes P (..., 3, 3).

    With (a', b', c') = (a, b, c) P a reflection h' of the new axes is h = h' P^-1 of the old.
    """
    h = np.linalg.inv(operators)
    # q² of h', k', l' and of the three sums of two of them give all six new parameters.
    sums = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    terms = quadratic_terms(sums @ h)
    terms[..., 3, :] -= terms[..., 1, :] + terms[..., 2, :]
    terms[..., 4, :] -= terms[..., 0, :] + terms[..., 2, :]
    terms[..., 5, :] -= terms[..., 0, :] + terms[..., 1, :]
    return terms


def reciprocal_metric(x6: np.ndarray) -> np.ndarray:
    """Symmetric matrices X (..., 3, 3) of the six parameters (..., 6): q² = h X h."""
    x6 = np.asarray(x6, dtype=float)
    return (x6 * _SHARE)[..., _PLACE]


@cache
def _twofolds() -> np.ndarray:
    """Two-fold rotations (n, 3, 3) with bounded entries: W = 2 u h / (h · u) - 1."""
    span = range(-_BOUND - 1, _BOUND + 2)
    vectors = np.array([v for v in product(span, repeat=3) if np.gcd.reduce(v) == 1])
    products = vectors @ vectors.T
    found = []
    for divisor in (1, 2):
        axis, plane = np.nonzero(products == divisor)
        outer = vectors[axis][:, :, None] * vectors[plane][:, None, :]
        found.append(outer * (2 // divisor) - np.eye(3, dtype=int))
    matrices = np.concatenate(found)
    matrices = matrices[np.abs(matrices).max(axis=(1, 2)) <= _BOUND]
    return np.unique(matrices.reshape(-1, 9), axis=0).reshape(-1, 3, 3)


@cache
def _elementary() -> tuple[np.ndarray, np.ndarray]:
    """Changes of basis g (m, 3, 3) that generate all, and where each takes every two-fold axis.

    The second array (m, n_twofolds) holds the index of g^-1 W g, -1 where it is out of bounds.
    """
    unit = np.eye(3, dtype=int)
    changes = [np.diag([-1, 1, 1]), unit[[1, 0, 2]], unit[[1, 2, 0]]]
    for i, j in product(range(3), repeat=2):
        for sign in (-1, 1) if i != j else ():
            change = unit.copy()
            change[i, j] = sign
            changes.append(change)
    index = {matrix.tobytes(): n for n, matrix in enumerate(_twofolds())}
    moved = np.array(
        [
            [index.get(np.rint(w).astype(int).tobytes(), -1) for w in np.linalg.inv(g) @ w_all @ g]
            for g, w_all in ((g, _twofolds()) for g in changes)
        ]
    )
    return np.array(changes), moved


def _operators(lattice: BravaisLattice) -> np.ndarray:
    """P (n, 3, 3) of every holohedry of this Bravais lattice within bounds."""
    changes, moved = _elementary()
    inverses = np.rint(np.linalg.inv(changes)).astype(int)
    start, operator = _standard(lattice)
    known = {start: operator}
    new = [start]
    while new:
        reached = []
        for group in new:
            for images, inverse in zip(moved, inverses, strict=True):
                image = tuple(sorted(images[list(group)].tolist()))
                if image not in known and (not image or image[0] >= 0):
                    known[image] = inverse @ known[group]
                    reached.append(image)
        new = reached
    return np.array(list(known.values()))


def _standard(lattice: BravaisLattice) -> tuple[tuple[int, ...], np.ndarray]:
    """Two-fold axes (indices) of one lattice of this kind in a reduced basis, and its P."""
    system = lattice.system
    conventional = system.cell_from_free([_GENERIC[name] for name in system.free_parameters])
    to_primitive = np.array(PRIMITIVE_HALVES[lattice.centring]).T / 2
    metric = to_primitive.T @ metric_tensor(conventional) @ to_primitive
    change = reduced(np.linalg.inv(metric))
    # The reduction is of the reciprocal basis, whose rows transform with the inverse of P.
    to_primitive = to_primitive @ np.linalg.inv(change)
    metric = to_primitive.T @ metric_tensor(conventional) @ to_primitive
    moved = _twofolds().swapaxes(1, 2) @ metric @ _twofolds()
    kept = np.abs(moved - metric).max(axis=(1, 2)) < _SAME_METRIC * metric.max()
    operator = np.rint(np.linalg.inv(to_primitive)).astype(int)
    return tuple(np.flatnonzero(kept).tolist()), operator


def _average(lattice: BravaisLattice) -> np.ndarray:
    """(6, 6): the average of six reciprocal parameters over the holohedry, conventional axes."""
    group, operator = _standard(lattice)
    inverse = np.linalg.inv(operator)
    rotations = np.eye(3)[None]
    generators = [inverse @ w @ operator for w in _twofolds()[list(group)]]
    while True:
        every = np.concatenate([rotations, *(rotations @ g for g in generators)])
        every = np.unique(np.rint(every * 2).astype(int).reshape(-1, 9), axis=0) / 2
        if len(every) == len(rotations):
            break
        rotations = every.reshape(-1, 3, 3)
    return reciprocal_change(rotations).mean(axis=0)
