"""Whether the nets of several zones fit one cubic, tetragonal or hexagonal lattice.

Lengths of net vectors are those of reciprocal lattice vectors: q² = A N in a cubic lattice, and
A n + B l² in a tetragonal or hexagonal one, with whole numbers. Which vectors are which is not
known, so two of the shortest are tried as low indices, and what follows is held against the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numba
import numpy as np

from mlindex.cbed.net import Net

KINDS = ("cubic", "tetragonal", "hexagonal")
#: Lengths of each net, and of all that are tried as low indices.
_OF_EACH, _TRIED = 6, 5
#: Relative error of a measured q²: three times that of simulated nets. Not tuned.
_TOLERANCE = 0.008
#: Whole numbers of each kind, as far as they are needed; those of l².
_SUMS = {
    "cubic": np.array([n for n in range(1, 61) if n not in (7, 15, 23, 28, 31, 39, 47, 55, 60)]),
    "tetragonal": np.array([0, 1, 2, 4, 5, 8, 9, 10, 13, 16, 17, 18, 20, 25, 26]),
    "hexagonal": np.array([0, 1, 3, 4, 7, 9, 12, 13, 16, 19, 21, 25, 27]),
}
_SQUARES = np.array([0, 1, 4, 9, 16, 25, 36])
#: Low indices that are tried: places among the numbers above.
_LOW_CUBIC, _LOW_SUMS, _LOW_SQUARES = 12, 4, 3
#: Probability of a length that a right lattice does not explain, as a net may be wrong.
_MISSED = 0.05
#: Chance is at least this: lines are not spread evenly.
_LEAST_CHANCE = 0.02


def evidence(nets: Sequence[Net]) -> dict[str, float]:
    """For each of ``KINDS`` the log-likelihood ratio to chance of the best lattice, per length.

    Args:
        nets: those of a stack; 0 for each kind if there is none.
    """
    q2 = _lengths(nets)
    if len(q2) < 3:
        return dict.fromkeys(KINDS, 0.0)
    found = {}
    for kind in KINDS:
        a, b = _trials(q2, kind)
        squares = np.zeros(1, int) if kind == "cubic" else _SQUARES
        best = _best(q2, a, b, _SUMS[kind].astype(float), squares.astype(float), _TOLERANCE)
        found[kind] = float(best - np.log(len(a))) / len(q2)
    return found


def _lengths(nets: Sequence[Net]) -> np.ndarray:
    """The shortest distinct q² of all nets, rising, in 1/A²."""
    found: list[float] = []
    places = np.array(list(product(range(-4, 5), repeat=2)))
    for net in nets:
        q2 = np.sort(np.sum((places @ net.basis_inv_A) ** 2, axis=1))[1:]
        found += q2[np.r_[True, np.diff(q2) > _TOLERANCE * q2[1:]]][:_OF_EACH].tolist()
    q2 = np.sort(np.array(found))
    return q2[np.r_[True, np.diff(q2) > _TOLERANCE * q2[1:]]] if len(q2) else q2


def _trials(q2: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """A and B (n,) of lattices that are tried; B is 0 for cubic ones."""
    short = q2[:_TRIED]
    sums = _SUMS[kind]
    if kind == "cubic":
        a = (short[:, None] / sums[:_LOW_CUBIC]).ravel()
        return a, np.zeros(len(a))
    low = [(n, s) for n in sums[:_LOW_SUMS] for s in _SQUARES[:_LOW_SQUARES] if n or s]
    pairs = np.array([(one, other) for one in low for other in low], dtype=float)
    i, j = np.triu_indices(len(short), 1)
    determinant = pairs[:, 0, 0] * pairs[:, 1, 1] - pairs[:, 0, 1] * pairs[:, 1, 0]
    pairs = pairs[determinant != 0]
    a, b = np.linalg.solve(
        np.repeat(pairs, len(i), axis=0),
        np.tile(np.stack([short[i], short[j]], 1), (len(pairs), 1))[..., None],
    )[..., 0].T
    good = (a > 1e-3) & (b > 1e-3)
    return (a[good], b[good]) if good.any() else (q2[:1], q2[:1])


@numba.njit(cache=True)
def _best(q2, a, b, sums, squares, tolerance):
    """The greatest log-likelihood ratio of lattices (n,) to chance."""
    best = -1e30
    n, most = len(q2), q2[-1] * 1.02
    for trial in range(len(a)):
        lines, hits = 0, 0
        far = np.full(n, 1e30)
        for u in range(len(sums)):
            for v in range(len(squares)):
                value = a[trial] * sums[u] + b[trial] * squares[v]
                if value <= 0 or value > most:
                    continue
                lines += 1
                for i in range(n):
                    far[i] = min(far[i], abs(value - q2[i]) / q2[i])
        # Where the table of numbers ends before the lengths do, the lattice is too fine.
        if a[trial] * sums[-1] < q2[-1] or (b[trial] > 0 and b[trial] * squares[-1] < q2[-1]):
            continue
        for i in range(n):
            hits += far[i] < tolerance
        chance = min(max(lines * tolerance, _LEAST_CHANCE), 0.95)
        total = hits * np.log((1 - _MISSED) / chance) + (n - hits) * np.log(_MISSED / (1 - chance))
        best = max(best, total)
    return best
