"""The lattice whose sections the nets of a stack are.

Two planes of a reciprocal lattice through its origin have a row in common, so two nets share a
vector. The three vectors that three nets share, and the angles between them within the nets, are
six numbers: a lattice (the nets of zones with one common direction share a row all three; then the
triangle of their spacings gives the angles). Which vectors are shared is not known: all that agree
in length are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product

import numpy as np

from mlindex.cbed.net import Net
from mlindex.crystal.holohedries import reciprocal_metric
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.reduced import reduced

#: Indices of shared vectors in a net's basis; lengths agree within this, relative (three times
#: what lengths of simulated nets are off); shared lengths of two nets that are tried, the shortest.
_LARGEST_INDEX, _SAME_LENGTH, _SHARED = 4, 0.006, 14
#: Relative error of a measured q².
_ERROR = 0.003
#: Lattices that are kept, those of the largest reciprocal cell.
_KEPT = 18
#: The first ones are refined, too.
_REFINED = 6
#: Volumes of primitive cells in A³ that are looked at.
_VOLUME_A3 = (8.0, 3000.0)
#: A lattice is flat if its volume is below this share of that of a right-angled one.
_FLAT = 0.02
#: Multiples of the spacings of three rows in a triangle.
_MULTIPLES = tuple(n for n in product((1, 2), repeat=3) if np.gcd.reduce(n) == 1)


@dataclass(frozen=True)
class Joint:
    """A primitive reciprocal lattice, and where the nets lie in it.

    ``x6`` (6,) as of :mod:`mlindex.crystal.recognition`; ``rows`` (n, 2, 3) whole numbers, the
    basis vectors of the n nets; ``index`` (n,): how many times as fine the lattice's section is as
    the net; ``misfit``: sum of squares of the errors of the nets' q², over that of measuring;
    ``points``: how many times as fine the lattice is as what the nets span.
    """

    x6: np.ndarray
    rows: np.ndarray
    index: np.ndarray
    misfit: float
    points: int = 1

    @property
    def zones(self) -> np.ndarray:
        """Directions of the beam (n, 3), in the axes reciprocal to the lattice's basis."""
        across = np.cross(self.rows[:, 0], self.rows[:, 1])
        return across // np.gcd.reduce(across, axis=1)[:, None]


def joint_lattices(nets: Sequence[Net]) -> list[Joint]:
    """Lattices that have three nets as sections, those of the smallest cell first."""
    if len(nets) != 3:
        return []
    trials = [np.concatenate(parts) for parts in zip(*_trials(nets), strict=True)]
    if not trials or not len(trials[0]):
        return []
    gram, ints = trials
    span, volume = _spans(gram, ints)
    low, high = (1 / v for v in _VOLUME_A3[::-1])
    order = np.flatnonzero((volume > low) & (volume < high))
    order = order[np.argsort(-np.round(volume[order], 9), kind="stable")]
    found: list[Joint] = []
    seen: set[tuple[int, ...]] = set()
    for trial in order:
        one = _joint(gram[trial], ints[trial], int(span[trial]), nets)
        if one is None:
            continue
        key = _key(one)
        if key not in seen:
            seen.add(key)
            found.append(one)
        if len(found) == _KEPT:
            break
    return [*found, *(finer for one in found[:_REFINED] for finer in _finer(one, high))]


def _finer(one: Joint, most_inv_A3: float) -> Iterator[Joint]:
    """Lattices with one more point between those of a lattice: nets need not span it all."""
    metric = reciprocal_metric(one.x6)
    for half in product((0, 1), repeat=3):
        if any(half):
            # New rows, one of the old ones replaced by half the sum.
            basis = np.eye(3)
            basis[half.index(1)] = np.array(half) / 2
            back = np.rint(np.linalg.inv(basis)).astype(int)
            rows = one.rows @ back
            new = basis @ metric @ basis.T
            x6 = np.array([*np.diag(new), 2 * new[1, 2], 2 * new[0, 2], 2 * new[0, 1]])
            yield Joint(x6, rows, _indices(rows), one.misfit, one.points * 2)


@cache
def _places(most: int = 1) -> np.ndarray:
    """Places (n, 2) of a net of a greatest common divisor up to this, one of two opposite ones."""
    n = range(-_LARGEST_INDEX, _LARGEST_INDEX + 1)
    return np.array([p for p in product(n, repeat=2) if p > (0, 0) and np.gcd(*p) <= most])


def _shared(one: Net, other: Net) -> tuple[np.ndarray, np.ndarray]:
    """Places of two nets whose lengths agree, the shortest first."""
    at = _places(2)
    a, b = (np.linalg.norm(at @ net.basis_inv_A, axis=1) for net in (one, other))
    doubled = np.gcd.reduce(at, axis=1) == 2
    same = np.abs(np.log(a[:, None] / b[None])) < _SAME_LENGTH
    i, j = np.nonzero(same & ~(doubled[:, None] & doubled[None]))
    order = np.argsort(a[i], kind="stable")[:_SHARED]
    return at[i[order]], at[j[order]]


def _trials(nets: Sequence[Net]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Metrics (n, 3, 3) of three vectors, and of each net the two of its places that they make.

    The places are (n, 3, 2, 2 + 3): two places of each net, and of each its whole coordinates.
    """
    yield _in_general(nets)
    yield _with_common_row(nets)


def _in_general(nets: Sequence[Net]) -> tuple[np.ndarray, np.ndarray]:
    (a, b), (c, d), (f, g) = (_shared(nets[i], nets[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    i, j, k, s = (x.ravel() for x in np.indices((len(a), len(c), len(f), 2)))
    a, b, c, d, f, g, sign = a[i], b[i], c[j], d[j], f[k], g[k], 1 - 2 * s
    good = (a != c).any(axis=1) & (b != f).any(axis=1) & (d != g).any(axis=1)
    a, b, c, d, f, g, sign = (x[good] for x in (a, b, c, d, f, g, sign))
    v = [[x @ nets[n].basis_inv_A for x in pair] for n, pair in enumerate(((a, c), (b, f), (d, g)))]
    gram = np.zeros((len(a), 3, 3))
    gram[:, 0, 0] = (np.sum(v[0][0] ** 2, 1) + np.sum(v[1][0] ** 2, 1)) / 2
    gram[:, 1, 1] = (np.sum(v[0][1] ** 2, 1) + np.sum(v[2][0] ** 2, 1)) / 2
    gram[:, 2, 2] = (np.sum(v[1][1] ** 2, 1) + np.sum(v[2][1] ** 2, 1)) / 2
    gram[:, 0, 1] = gram[:, 1, 0] = np.sum(v[0][0] * v[0][1], 1)
    gram[:, 0, 2] = gram[:, 2, 0] = np.sum(v[1][0] * v[1][1], 1)
    gram[:, 1, 2] = gram[:, 2, 1] = sign * np.sum(v[2][0] * v[2][1], 1)
    ints = np.zeros((len(a), 3, 2, 5), int)
    for net, pair, axes in ((0, (a, c), (0, 1)), (1, (b, f), (0, 2)), (2, (d, g), (1, 2))):
        for row in range(2):
            ints[:, net, row, :2] = pair[row]
            ints[:, net, row, 2 + axes[row]] = 1
    ints[:, 2, 1, 4] = sign
    return _solid(gram, ints)


def _solid(gram: np.ndarray, ints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = np.prod(np.diagonal(gram, axis1=1, axis2=2), axis=1)
    good = np.linalg.det(gram) > _FLAT * size
    return gram[good], ints[good]


def _with_common_row(nets: Sequence[Net]) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`_in_general`, of nets that share a row all three."""
    at = _places()
    length = [np.linalg.norm(at @ net.basis_inv_A, axis=1) for net in nets]
    metrics, ints = [], []
    for i, j, k in _common(length):
        row = at[[i, j, k]]
        size = float(np.mean([length[n][m] for n, m in enumerate((i, j, k))]))
        second = [_second(place) for place in row]
        off = [_offset(net, p, q) for net, p, q in zip(nets, row, second, strict=True)]
        far = [net.area_inv_A2 / size for net in nets]
        for n in _MULTIPLES:
            sides = np.array(n) * far
            # n3 v3 = n1 v1 + n2 v2 + m g: a triangle across the row.
            dot = (sides[2] ** 2 - sides[0] ** 2 - sides[1] ** 2) / 2
            if abs(dot) >= sides[0] * sides[1] * np.sqrt(1 - _FLAT):
                continue
            for turned in (1, -1):
                along = (n[0] * off[0] + turned * n[1] * off[1]) / size
                for last in (1, -1):
                    m = last * n[2] * off[2] / size - along
                    if abs(m - np.rint(m)) * size > 0.01:
                        continue
                    metrics.append(_metric(size, off[0], turned * off[1], far, dot / (n[0] * n[1])))
                    ints.append(_of_row(row, second, n, turned, last, int(np.rint(m))))
    if not metrics:
        return np.zeros((0, 3, 3)), np.zeros((0, 3, 2, 5), int)
    return _solid(np.array(metrics), np.array(ints))


def _common(length: list[np.ndarray]) -> list[tuple[int, int, int]]:
    close = [
        np.abs(np.log(length[0][:, None] / other[None])) < _SAME_LENGTH for other in length[1:]
    ]
    found = [
        (i, int(j), int(k))
        for i in np.argsort(length[0], kind="stable")
        for j in np.flatnonzero(close[0][i])
        for k in np.flatnonzero(close[1][i])
    ]
    return found[:_SHARED]


def _second(place: np.ndarray) -> np.ndarray:
    """A place that makes a basis of the net with a primitive one."""
    best = min(
        (p for p in product(range(-_LARGEST_INDEX, _LARGEST_INDEX + 1), repeat=2)
         if place[0] * p[1] - place[1] * p[0] == 1),
        key=lambda p: p[0] ** 2 + p[1] ** 2,
    )  # fmt: skip
    return np.array(best)


def _offset(net: Net, place: np.ndarray, second: np.ndarray) -> float:
    """Component of the second vector along the first."""
    v, w = place @ net.basis_inv_A, second @ net.basis_inv_A
    return float(v @ w / np.linalg.norm(v))


def _metric(size: float, o1: float, o2: float, far: Sequence[float], dot: float) -> np.ndarray:
    return np.array(
        [
            [size**2, size * o1, size * o2],
            [size * o1, o1**2 + far[0] ** 2, o1 * o2 + dot],
            [size * o2, o1 * o2 + dot, o2**2 + far[1] ** 2],
        ]
    )


def _of_row(
    row: np.ndarray, second: list[np.ndarray], n: tuple[int, ...], turned: int, last: int, m: int
) -> np.ndarray:
    """Places and coordinates of the nets in the axes g, v1, v2.

    The third net's second vector is in them as (m g + n1 v1 + n2 v2) / n3; its n3-fold is given.
    """
    ints = np.zeros((3, 2, 5), int)
    for net in range(3):
        ints[net, 0] = [*row[net], 1, 0, 0]
    ints[0, 1] = [*second[0], 0, 1, 0]
    ints[1, 0, 2:] *= turned
    ints[1, 1] = [*second[1], 0, 0, 1]
    # The second net is laid with its row turned, so that its offset changes sign.
    ints[2, 0, 2:] *= last
    ints[2, 1] = [*(n[2] * second[2]), m, n[0], n[1]]
    return ints


def _coordinates(ints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (n, 6, 3) of the nets' bases times a whole number (n,)."""
    place, coordinate = ints[..., :2], ints[..., 2:]
    det = place[..., 0, 0] * place[..., 1, 1] - place[..., 0, 1] * place[..., 1, 0]
    adjugate = np.stack(
        [
            np.stack([place[..., 1, 1], -place[..., 0, 1]], -1),
            np.stack([-place[..., 1, 0], place[..., 0, 0]], -1),
        ],
        -2,
    )
    common = np.lcm.reduce(np.abs(det), axis=1)
    rows = (adjugate @ coordinate) * (common[:, None] // det)[..., None, None]
    return rows.reshape(len(ints), 6, 3), common


def _spans(gram: np.ndarray, ints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Common denominators (n,), and volumes (n,) of the lattices that the nets span, in 1/A³."""
    rows, common = _coordinates(ints)
    triples = np.array(list(combinations(range(6), 3)))
    minors = np.rint(np.linalg.det(rows[:, triples].astype(float))).astype(np.int64)
    share = np.gcd.reduce(minors, axis=1) / common.astype(float) ** 3
    return common, np.sqrt(np.linalg.det(gram)) * share


def _joint(gram: np.ndarray, ints: np.ndarray, common: int, nets: Sequence[Net]) -> Joint | None:
    rows = _coordinates(ints[None])[0][0]
    basis = _hermite(rows)
    if basis is None:
        return None
    at = np.rint(rows @ np.linalg.inv(basis)).astype(int).reshape(3, 2, 3)
    # Least squares over the q² of two vectors of each net and of their sum.
    hkl = np.concatenate([at, at.sum(axis=1, keepdims=True)], axis=1).reshape(9, 3)
    q2 = np.concatenate([_q2(net) for net in nets])
    design = quadratic_terms(hkl) / (_ERROR * q2)[:, None]
    x6, _, rank, _ = np.linalg.lstsq(design, np.full(9, 1 / _ERROR), rcond=None)
    if rank < 6:
        return None
    misfit = float(np.sum((design @ x6 - 1 / _ERROR) ** 2))
    return Joint(x6, at, _indices(at), misfit)


def _q2(net: Net) -> np.ndarray:
    a, b = net.basis_inv_A
    return np.array([a @ a, b @ b, (a + b) @ (a + b)])


def _indices(at: np.ndarray) -> np.ndarray:
    """How many times as fine the lattice's section is as each net."""
    across = np.cross(at[:, 0], at[:, 1])
    return np.gcd.reduce(across, axis=1)


def _hermite(rows: np.ndarray) -> np.ndarray | None:
    """A basis (3, 3) of what whole rows (n, 3) span, None if that is flat."""
    left = [[int(v) for v in row] for row in rows if np.any(row)]
    basis = []
    for column in range(3):
        while True:
            with_it = sorted((r for r in left if r[column]), key=lambda r: abs(r[column]))
            if not with_it:
                return None
            pivot, others = with_it[0], with_it[1:]
            if not others:
                break
            for row in others:
                times = row[column] // pivot[column]
                for k in range(3):
                    row[k] -= times * pivot[k]
        basis.append(pivot)
        left = [r for r in left if r is not pivot and any(r)]
    return np.array(basis)


def _key(one: Joint) -> tuple[int, ...]:
    """The same for the same lattice with the same zones, but for errors."""
    metric = reciprocal_metric(one.x6)
    try:
        change = reduced(metric)
    except ValueError:
        return ()
    metric = change @ metric @ change.T
    lengths = np.sort(np.diag(metric))
    volume = np.sqrt(np.linalg.det(metric))
    return tuple(np.rint(np.log([*lengths, volume]) / 0.02).astype(int).tolist())
