"""The discs of a pattern as few numbers each: moments that turn with the pattern.

A disc's intensity is fitted by Zernike polynomials up to the fourth degree (Zernike, Physica 1
(1934) 689). A rotation multiplies the complex moments by a phase, a mirror line conjugates them, so
that symmetry is tested at any angle, without turning pixels; and the fit averages over noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numba
import numpy as np

from mlindex.cbed.net import Net

#: Real polynomials that are fitted, and the azimuthal order m of each complex moment.
_TERMS = 15
ORDERS = np.array([0, 1, 0, 2, 1, 3, 0, 2, 4])
#: The radial moments of the second and fourth degree.
SECOND, FOURTH = 2, 6
#: Where each complex moment's two parts (cosine, sine) lie among the terms; -1 where there is none.
_COSINE = np.array([0, 1, 3, 4, 6, 8, 10, 11, 13])
_SINE = np.array([-1, 2, -1, 5, 7, 9, -1, 12, 14])
#: Discs up to this distance from the direct beam, in 1/A and in roots of the mesh's area.
_REACH_INV_A, _REACH_MESHES = 1.5, 5.6
#: Share of the radius that is used, the unit of the polynomials: the rim is blurred over pixels.
_INNER = 0.93
#: A disc of fewer pixels is fitted by fewer terms: all, six, one.
_PIXELS_FOR_ALL, _PIXELS_FOR_SIX = 45, 14


@dataclass(frozen=True)
class Discs:
    """The n discs of a net that lie whole in the pattern, the direct beam first.

    ``at`` (n, 2) whole numbers, the discs' places in the net's basis; ``moments`` (n, 9) complex,
    of the azimuthal orders ``ORDERS``: the first is the mean intensity, the others have unit norm
    over the part of the disc that is used. ``error`` (n,) is the variance of each moment, from what
    the fit leaves.
    """

    net: Net
    radius_inv_A: float
    at: np.ndarray
    moments: np.ndarray
    error: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean intensity of each disc, (n,), at least a little above zero."""
        mean = self.moments[:, 0].real
        return np.maximum(mean, 1e-9 * max(float(mean.max()), 1e-9))

    @property
    def q_inv_A(self) -> np.ndarray:
        """Centres (n, 2)."""
        return self.at @ self.net.basis_inv_A


def discs_of(pattern: np.ndarray, pixel_inv_A: float, radius_inv_A: float, net: Net) -> Discs:
    """The discs of a pattern around the direct beam.

    Args:
        pattern: intensities (n, n) with the direct beam on pixel (n // 2, n // 2).
        pixel_inv_A: size of a pixel.
        radius_inv_A: radius of the discs.
        net: where they lie.
    """
    half = (len(pattern) // 2 - 1) * pixel_inv_A - radius_inv_A
    reach = min(_REACH_INV_A, _REACH_MESHES * np.sqrt(net.area_inv_A2), half)
    most = int(np.ceil(1.2 * reach / net.lengths_inv_A[0])) + 1
    at = np.array(list(product(range(-most, most + 1), repeat=2)))
    far = np.linalg.norm(at @ net.basis_inv_A, axis=1)
    kept = np.flatnonzero(far <= max(reach, 0))
    at = at[kept[np.argsort(far[kept], kind="stable")]]
    if not len(at):
        at = np.zeros((1, 2), int)
    place = at @ net.basis_inv_A / pixel_inv_A + len(pattern) // 2
    fitted, error = _fitted(
        np.ascontiguousarray(pattern, dtype=np.float64), place, radius_inv_A / pixel_inv_A
    )
    moments = fitted[:, _COSINE] + 1j * np.where(_SINE >= 0, fitted[:, _SINE], 0.0)
    return Discs(net, radius_inv_A, at, moments, error)


@numba.njit(cache=True)
def _polynomials(x, y, out):
    """The 15 polynomials at a point of the unit disc, each of mean square 1 over it."""
    xx, yy = x * x, y * y
    rr = xx + yy
    c2, s2 = xx - yy, 2 * x * y
    out[0] = 1.0
    out[1], out[2] = 2 * x, 2 * y
    out[3] = np.sqrt(3.0) * (2 * rr - 1)
    out[4], out[5] = np.sqrt(6.0) * c2, np.sqrt(6.0) * s2
    f = np.sqrt(8.0)
    out[6], out[7] = f * (3 * rr - 2) * x, f * (3 * rr - 2) * y
    out[8], out[9] = f * (xx - 3 * yy) * x, f * (3 * xx - yy) * y
    out[10] = np.sqrt(5.0) * (6 * rr * rr - 6 * rr + 1)
    f = np.sqrt(10.0)
    out[11], out[12] = f * (4 * rr - 3) * c2, f * (4 * rr - 3) * s2
    out[13], out[14] = f * (c2 * c2 - s2 * s2), f * 2 * c2 * s2


@numba.njit(cache=True)
def _fitted(pattern, place, radius):
    """Least-squares coefficients (n, 15) of discs, and the variance of one of them (n,)."""
    n, side = len(place), len(pattern)
    found, error = np.zeros((n, _TERMS)), np.zeros(n)
    rim = _INNER * radius
    basis = np.empty(_TERMS)
    for disc in range(n):
        gram, right = np.zeros((_TERMS, _TERMS)), np.zeros(_TERMS)
        cx, cy = place[disc, 0], place[disc, 1]
        pixels, square = 0, 0.0
        for row in range(max(0, int(np.ceil(cy - rim))), min(side - 1, int(cy + rim)) + 1):
            for column in range(max(0, int(np.ceil(cx - rim))), min(side - 1, int(cx + rim)) + 1):
                x, y = (column - cx) / rim, (row - cy) / rim
                if x * x + y * y > 1:
                    continue
                _polynomials(x, y, basis)
                value = pattern[row, column]
                pixels += 1
                square += value * value
                for i in range(_TERMS):
                    right[i] += basis[i] * value
                    for j in range(i + 1):
                        gram[i, j] += basis[i] * basis[j]
        terms = 1
        if pixels >= _PIXELS_FOR_ALL:
            terms = _TERMS
        elif pixels >= _PIXELS_FOR_SIX:
            terms = 6
        if pixels == 0:
            continue
        _solve(gram, right, terms, found[disc])
        left = square
        for i in range(terms):
            left -= found[disc, i] * right[i]
        error[disc] = max(left, 0.0) / max(pixels - terms, 1) / pixels
    return found, error


@numba.njit(cache=True)
def _solve(gram, right, n, out):
    """The first n unknowns of the normal equations, by Cholesky's method, in place."""
    for i in range(n):
        gram[i, i] *= 1 + 1e-9
        for j in range(i + 1):
            value = gram[i, j]
            for k in range(j):
                value -= gram[i, k] * gram[j, k]
            if i == j:
                gram[i, i] = np.sqrt(max(value, 1e-300))
            else:
                gram[i, j] = value / gram[j, j]
    for i in range(n):
        value = right[i]
        for k in range(i):
            value -= gram[i, k] * out[k]
        out[i] = value / gram[i, i]
    for i in range(n - 1, -1, -1):
        value = out[i]
        for k in range(i + 1, n):
            value -= gram[k, i] * out[k]
        out[i] = value / gram[i, i]
