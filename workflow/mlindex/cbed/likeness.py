"""How far a pattern has each two-dimensional point operation that its net allows.

Differences are relative: 0 of a pattern that has the operation, 1 of one whose discs know nothing
of each other. Intensities are compared as their power 0.25, as the weak discs must count; what
counting noise makes of the differences is taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from mlindex.cbed.discs import ORDERS, Discs
from mlindex.cbed.net import POWER, Net

#: Relative misfit of a net's vectors with which an operation is still looked at: four times what
#: measured nets are off (0.5 % of 95 % on simulated stacks). Not tuned.
METRIC_TOLERANCE = 0.02
#: Standard deviations of the noise's own scatter that may be left when it is taken off.
_SCATTER = 2.0
#: Share of the radial structure within a disc that pixels may turn into other structure.
_RADIAL_COUNTS = 0.003
#: Real numbers that the moments of a disc are, but its mean.
_PARTS = 2 * np.count_nonzero(ORDERS) + np.count_nonzero(ORDERS == 0) - 1


@dataclass(frozen=True)
class Operation:
    """A point operation of a net: a rotation of ``order`` 2, 3, 4 or 6, or a mirror line (0).

    ``matrix`` (2, 2) acts on places (rows) in the net's basis, at' = at @ matrix; ``angle_rad`` is
    that of the rotation, or of the mirror line from the x axis; ``misfit`` the relative change of
    the longest net vector that it would need.
    """

    order: int
    matrix: np.ndarray
    angle_rad: float
    misfit: float


@dataclass(frozen=True)
class Likeness:
    """Relative differences of discs that an operation takes into each other.

    ``means``: of the intensities of different discs; ``fine``: of the structure within discs;
    ``noise`` and ``noise_of_means``: what noise alone adds to ``fine`` and to ``means``, which it
    has been taken off; 0 to 1. An operation that isn't possible has 1.
    """

    means: float = 1.0
    fine: float = 1.0
    noise: float = 0.0
    noise_of_means: float = 0.0

    @property
    def both(self) -> float:
        """The larger one: an operation is there if neither sees its absence."""
        return max(self.means, self.fine)


ABSENT = Likeness()


@lru_cache(maxsize=1)
def _matrices() -> np.ndarray:
    """Whole-number matrices (n, 2, 2) that may be symmetry of a net in its reduced basis."""
    entries = np.array(list(product((-1, 0, 1), repeat=4))).reshape(-1, 2, 2)
    found = entries[np.abs(np.rint(np.linalg.det(entries))) == 1]
    power = np.array([np.eye(2, dtype=int)] * len(found))
    finite = np.zeros(len(found), bool)
    for _ in range(6):
        power = power @ found
        finite |= (power == np.eye(2)).all(axis=(1, 2))
    return found[finite]


def operations_of(net: Net, tolerance: float = METRIC_TOLERANCE) -> tuple[Operation, ...]:
    """The rotations (one of a rotation and its inverse) and mirror lines that a net allows."""
    basis = net.basis_inv_A
    inverse = np.linalg.inv(basis)
    found = []
    for matrix in _matrices():
        # Rows change as at' = at @ matrix; their vectors as v' = v @ plane.
        plane = inverse @ matrix @ basis
        stretch = np.linalg.svd(plane, compute_uv=False)
        misfit = float(np.max(np.abs(stretch - 1)))
        trace = int(np.trace(matrix))
        if misfit > tolerance or (matrix == np.eye(2)).all():
            continue
        if np.linalg.det(matrix) < 0:
            angle = 0.5 * np.arctan2(plane[0, 1] + plane[1, 0], plane[0, 0] - plane[1, 1])
            found.append(Operation(0, matrix, float(angle % np.pi), misfit))
            continue
        # Row vectors: v' = v @ plane turns by the angle whose sine is plane[0, 1].
        angle = np.arctan2(plane[0, 1] - plane[1, 0], plane[0, 0] + plane[1, 1])
        order = {-2: 2, -1: 3, 0: 4, 1: 6}[trace]
        if order == 2 or angle > 0:
            found.append(Operation(order, matrix, float(angle), misfit))
    return tuple(sorted(found, key=lambda one: (one.order, one.angle_rad)))


def turned(moments: np.ndarray, operation: Operation) -> np.ndarray:
    """The moments (n, 9) of discs after an operation."""
    if operation.order:
        return moments * np.exp(1j * ORDERS * operation.angle_rad)
    return np.conj(moments) * np.exp(2j * ORDERS * operation.angle_rad)


def whole_pattern(discs: Discs, operation: Operation) -> Likeness:
    """The likeness of a pattern to itself after an operation; the direct beam apart."""
    rows, images = _pairs(discs.at, discs.at @ operation.matrix)
    keep = rows > 0
    return _likeness(discs, rows[keep], images[keep], operation)


def bright_field(discs: Discs, operation: Operation) -> Likeness:
    """The likeness of the direct beam's disc to itself after an operation."""
    return _within(discs, np.zeros(1, int), operation)


def dark_fields(discs: Discs, operation: Operation) -> Likeness:
    """The likeness of each diffracted disc to itself after an operation about its own centre."""
    return _within(discs, np.arange(1, len(discs.at)), operation)


def plus_minus(discs: Discs) -> Likeness:
    """The likeness of opposite discs, g moved onto -g without being turned."""
    rows, images = _pairs(discs.at, -discs.at)
    keep = rows > 0
    return _likeness(discs, rows[keep], images[keep], None)


def _pairs(at: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of discs, and the row of the image of each, where it is among them."""
    reach = int(max(np.abs(at).max(), np.abs(image).max()))
    table = np.full((2 * reach + 1, 2 * reach + 1), -1)
    table[at[:, 0] + reach, at[:, 1] + reach] = np.arange(len(at))
    found = table[image[:, 0] + reach, image[:, 1] + reach]
    rows = np.flatnonzero(found >= 0)
    return rows, found[rows]


def _likeness(
    discs: Discs, rows: np.ndarray, images: np.ndarray, operation: Operation | None
) -> Likeness:
    if not len(rows):
        return ABSENT
    one = discs.moments[rows]
    one = one if operation is None else turned(one, operation)
    other = discs.moments[images]
    a, b = discs.mean[rows], discs.mean[images]
    # Moments over mean^0.75: small changes of the intensity to the power 0.25, but linear in it.
    weight = ((a + b) / 2) ** (2 * POWER - 2)
    noise = float(np.sum(weight * (discs.error[rows] + discs.error[images])))
    u, v = a**POWER, b**POWER
    n = len(rows)
    size = float(np.sum(u**2 + v**2)) / 4
    of_means = POWER**2 * noise
    means = _relative(float(np.sum((u - v) ** 2)), size, of_means, n, False)
    of_means = min(of_means / size, 1.0)
    difference = float(np.sum(weight[:, None] * np.abs(one - other)[:, 1:] ** 2))
    size = float(np.sum(weight[:, None] * (np.abs(one) ** 2 + np.abs(other) ** 2)[:, 1:]))
    noise *= _PARTS
    fine = _relative(difference, size, noise, n * _PARTS, True)
    return Likeness(means, fine, min(noise / size, 1.0) if size > 0 else 1.0, of_means)


def _within(discs: Discs, rows: np.ndarray, operation: Operation) -> Likeness:
    """The likeness of discs to themselves: of what is not radial, as that has every operation."""
    if not len(rows):
        return ABSENT
    one = discs.moments[rows]
    change = np.abs(turned(one, operation) - one)[:, 1:] ** 2
    square = np.abs(one)[:, 1:] ** 2
    weight = discs.mean[rows] ** (2 * POWER - 2)
    around = ORDERS[1:] > 0
    parts = 2 * np.count_nonzero(around)
    noise = 2 * float(np.sum(weight * discs.error[rows])) * parts
    size = 2 * float(weight @ square[:, around].sum(axis=1))
    # Where hardly anything is not radial, pixels would decide.
    size += _RADIAL_COUNTS * 2 * float(weight @ square.sum(axis=1))
    fine = _relative(float(weight @ change.sum(axis=1)), size, noise, len(rows) * parts, True)
    return Likeness(0.0, fine, min(noise / size, 1.0) if size > 0 else 1.0)


def _relative(
    difference: float, size: float, noise: float, freedom: int, size_has_noise: bool
) -> float:
    """Difference over size without noise; towards 1/2 where there is nothing but noise.

    Args:
        difference, size: as measured.
        noise: what noise adds to the difference on average, and to the size if ``size_has_noise``.
        freedom: independent numbers that it is a sum of.
    """
    left = _SCATTER * np.sqrt(2 / freedom) * noise
    top = max(difference - noise, 0.0) + left / 2
    bottom = max(size - noise * size_has_noise, 0.0) + left
    return float(min(top / bottom, 1.0)) if bottom > 0 else 0.5
