"""Reduction of a basis to its three shortest vectors.

In three dimensions a basis is reduced in Minkowski's sense once no sum or difference of its
vectors is shorter than the longest vector in it (Semaev 2001, Lecture Notes in Computer Science
2146, 181). Written for one basis at a time in plain numbers: arrays of nine cost more than they
save.
"""

from __future__ import annotations

import numpy as np

#: Gain in squared length, relatively, below which two vectors are equally long.
_GAIN = 1e-12


def reduced(metric: np.ndarray) -> np.ndarray:
    """Integers (3, 3), rows: the reduced basis in terms of the given one, det 1 or -1.

    Args:
        metric: metric tensor (3, 3) of the given basis, direct or reciprocal, positive definite.

    Raises:
        ValueError: if the metric is not positive definite.
    """
    g = np.asarray(metric, dtype=float).tolist()
    # NaN fails this test too.
    if not (g[0][0] > 0 and g[1][1] > 0 and g[2][2] > 0 and np.linalg.det(metric) > 0):
        raise ValueError(f"no lattice has the metric {g}")
    rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    while _shorten_by_pairs(g, rows) or _shorten_by_sum(g, rows):
        pass
    order = sorted(range(3), key=lambda i: g[i][i])
    return np.array([rows[i] for i in order])


def _shorten_by_pairs(g: list[list[float]], rows: list[list[int]]) -> bool:
    changed = False
    for i, j in ((1, 0), (2, 0), (2, 1), (0, 1), (0, 2), (1, 2)):
        steps = round(g[i][j] / g[j][j])
        if steps * (2 * g[i][j] - steps * g[j][j]) > _GAIN * g[i][i]:
            _add(g, rows, i, j, -steps)
            changed = True
    return changed


def _shorten_by_sum(g: list[list[float]], rows: list[list[int]]) -> bool:
    """Replace the longest vector by the shortest v0 ± v1 ± v2, if that is shorter."""
    trace = g[0][0] + g[1][1] + g[2][2]
    best, signs = min(
        (trace + 2 * (s * g[0][1] + t * g[0][2] + s * t * g[1][2]), (1, s, t))
        for s in (-1, 1)
        for t in (-1, 1)
    )
    longest = max(range(3), key=lambda i: g[i][i])
    if best >= g[longest][longest] * (1 - _GAIN):
        return False
    for j in range(3):
        if j != longest:
            _add(g, rows, longest, j, signs[longest] * signs[j])
    return True


def _add(g: list[list[float]], rows: list[list[int]], i: int, j: int, steps: int) -> None:
    """Vector i becomes itself plus ``steps`` times vector j."""
    rows[i] = [a + steps * b for a, b in zip(rows[i], rows[j], strict=True)]
    square = g[i][i] + 2 * steps * g[i][j] + steps * steps * g[j][j]
    for k in range(3):
        if k != i:
            g[i][k] = g[k][i] = g[i][k] + steps * g[j][k]
    g[i][i] = square
