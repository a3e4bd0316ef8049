"""What upper Laue zones leave in a pattern: discs off the net, and rings."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from mlindex.cbed.net import POWER, Net

#: Width of the rings that the pattern is averaged over.
_RING_INV_A = 0.06
#: A ring of an upper zone is looked for beyond this.
_FROM_INV_A = 0.5


@dataclass(frozen=True)
class UpperZones:
    """Light beside the net's discs, and the ring of the first upper Laue zone.

    ``off``: share of the compressed intensity that lies off the net; ``off_from_inv_A``: within
    this radius lies a tenth of that. ``ring_inv_A`` and ``rise``: where the mean intensity rises
    most outwards, and by how much of the direct beam's (compressed). ``fold`` (3,): cosine of the
    phase of what lies off the net, along its two vectors and their sum, times its modulus: -1 half
    a mesh off, 1 on the net.
    """

    off: float
    off_from_inv_A: float
    ring_inv_A: float
    rise: float
    fold: tuple[float, float, float]

    def repeat_A(self, wavelength_A: float) -> float:
        """The crystal's repeat along the beam that the ring would mean, in A."""
        return 2 / (self.ring_inv_A**2 * wavelength_A) if self.ring_inv_A > 0 else 0.0


def upper_zones(
    pattern: np.ndarray, pixel_inv_A: float, radius_inv_A: float, net: Net
) -> UpperZones:
    """The traces of upper Laue zones in a pattern (n, n) with the direct beam at its middle."""
    n = int(len(pattern) / 2 * pixel_inv_A * np.sqrt(2) / _RING_INV_A) + 2
    light, off, count, fold = _profile(
        np.ascontiguousarray(pattern, dtype=np.float32),
        pixel_inv_A,
        radius_inv_A + 1.5 * pixel_inv_A,
        net.basis_inv_A,
        np.linalg.inv(net.basis_inv_A),
        _RING_INV_A,
        n,
    )
    half = int(len(pattern) / 2 * pixel_inv_A / _RING_INV_A)
    level = (light / np.maximum(count, 1))[:half]
    level /= max(float(pattern.max()) ** POWER, 1e-300)
    total = float(off.sum())
    share = total / max(float(light.sum()), 1e-300)
    from_ = 0.0
    if total > 0:
        from_ = (float(np.searchsorted(np.cumsum(off), 0.1 * total)) + 0.5) * _RING_INV_A
    ring, rise = _ring(level, float(net.lengths_inv_A[1]))
    modulus = max(total, 1e-300)
    return UpperZones(share, from_, ring, rise, tuple(float(one / modulus) for one in fold))


def _ring(level: np.ndarray, spacing_inv_A: float) -> tuple[float, float]:
    """Radius and height of the greatest rise of a profile over its least value further in.

    Args:
        level: mean intensity of each ring.
        spacing_inv_A: longest distance between discs: so far rings are averaged, as there are gaps.
    """
    width = 2 * int(np.ceil(spacing_inv_A / _RING_INV_A / 2)) + 1
    first = int(max(_FROM_INV_A, 2 * spacing_inv_A) / _RING_INV_A)
    if len(level) < first + 2 * width:
        return 0.0, 0.0
    smooth = np.convolve(level, np.ones(width) / width, mode="valid")
    start = max(first - width // 2, 1)
    rise = smooth[start:] - np.minimum.accumulate(smooth)[start - 1 : -1]
    best = int(np.argmax(rise))
    if rise[best] <= 0:
        return 0.0, 0.0
    return (start + best + width // 2 + 0.5) * _RING_INV_A, float(rise[best])


@numba.njit(cache=True)
def _profile(pattern, pixel, edge, basis, inverse, width, n):
    """Sums over rings of the light, of that off the net, and pixels; and its phases folded."""
    light, off, count = np.zeros(n), np.zeros(n), np.zeros(n)
    fold = np.zeros(3)
    side = len(pattern)
    centre = side // 2
    for row in range(side):
        for column in range(side):
            x, y = (column - centre) * pixel, (row - centre) * pixel
            ring = int(np.sqrt(x * x + y * y) / width)
            count[ring] += 1
            value = pattern[row, column]
            if value <= 0:
                continue
            bright = np.sqrt(np.sqrt(value))
            light[ring] += bright
            h = x * inverse[0, 0] + y * inverse[1, 0]
            k = x * inverse[0, 1] + y * inverse[1, 1]
            h -= np.rint(h)
            k -= np.rint(k)
            near = 1e30
            for i in range(-1, 2):
                for j in range(-1, 2):
                    u = (h + i) * basis[0, 0] + (k + j) * basis[1, 0]
                    v = (h + i) * basis[0, 1] + (k + j) * basis[1, 1]
                    near = min(near, u * u + v * v)
            if near > edge * edge:
                off[ring] += bright
                fold[0] += bright * np.cos(2 * np.pi * h)
                fold[1] += bright * np.cos(2 * np.pi * k)
                fold[2] += bright * np.cos(2 * np.pi * (h + k))
    return light, off, count, fold
