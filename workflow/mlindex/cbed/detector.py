"""Patterns as a detector sees them: discs on pixels, blur, counting noise."""

from __future__ import annotations

import numba
import numpy as np

from mlindex.cbed.rocking import Rocking
from mlindex.cbed.settings import Detector


def pattern_of(rocking: Rocking, thickness_index: int, detector: Detector) -> np.ndarray:
    """The pattern of one thickness, float32 (pixels, pixels) with y first.

    The direct beam is centred on pixel (pixels // 2, pixels // 2). Without a specimen the sum is
    1. Where discs overlap their intensities are added: the mean over the positions of the probe.
    """
    radius = rocking.exposure.radius_inv_A
    cells, reach = _square(rocking.grid)
    image = np.zeros((detector.pixels, detector.pixels), np.float32)
    _paint(
        image,
        rocking.intensity[thickness_index],
        cells,
        reach,
        rocking.used.pitch_inv_A,
        rocking.beams.q_inv_A,
        radius,
        detector.pixel_inv_A,
    )
    image *= np.float32(detector.pixel_inv_A**2 / (np.pi * radius**2))
    return image


def measured(image: np.ndarray, detector: Detector, rng: np.random.Generator) -> np.ndarray:
    """The pattern after the point spread and with counting noise, float32.

    With a dose it holds counts, else fractions of the incident intensity as before.
    """
    if detector.blur_pixels > 0:
        image = _blurred(image, detector.blur_pixels)
    if detector.dose_electrons > 0:
        image = rng.poisson(image.astype(float) * detector.dose_electrons)
    return image.astype(np.float32)


def _square(grid: np.ndarray) -> tuple[np.ndarray, int]:
    """Which direction stands at each cell of a square, the nearest one beyond the rim."""
    reach = int(np.abs(grid).max()) + 1
    side = np.arange(-reach, reach + 1)
    x, y = np.meshgrid(side, side, indexing="ij")
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    far = np.sum((places[:, None, :] - grid[None, :, :]) ** 2, axis=2) if len(grid) < 3000 else None
    if far is not None:
        nearest = np.argmin(far, axis=1)
    else:
        nearest = np.array([np.argmin(np.sum((grid - one) ** 2, axis=1)) for one in places])
    return nearest.reshape(len(side), len(side)), reach


@numba.njit(cache=True)
def _paint(image, intensity, cells, reach, pitch, q, radius, pixel):
    """Adds every disc to the image, interpolated by cubic convolution (Keys, 1981)."""
    size = len(image)
    wx, wy = np.empty(4), np.empty(4)
    rim = radius / pixel + 1
    for beam in range(len(q)):
        centre_x = size // 2 + q[beam, 0] / pixel
        centre_y = size // 2 + q[beam, 1] / pixel
        for row in range(max(0, int(centre_y - rim)), min(size, int(centre_y + rim) + 2)):
            for column in range(max(0, int(centre_x - rim)), min(size, int(centre_x + rim) + 2)):
                x, y = (column - centre_x) * pixel, (row - centre_y) * pixel
                far = np.sqrt(x * x + y * y)
                share = min((radius - far) / pixel + 0.5, 1.0)
                if share <= 0:
                    continue
                inward = min(1.0, radius / far) if far > 0 else 1.0
                u, v = x * inward / pitch + reach, y * inward / pitch + reach
                i, j = int(np.floor(u)), int(np.floor(v))
                _weights(u - i, wx)
                _weights(v - j, wy)
                value = 0.0
                for a in range(4):
                    for b in range(4):
                        value += wx[a] * wy[b] * intensity[beam, cells[i + a - 1, j + b - 1]]
                image[row, column] += np.float32(share * max(value, 0.0))


@numba.njit(cache=True)
def _weights(t, out):
    out[0] = ((-0.5 * t + 1.0) * t - 0.5) * t
    out[1] = (1.5 * t - 2.5) * t * t + 1.0
    out[2] = ((-1.5 * t + 2.0) * t + 0.5) * t
    out[3] = (0.5 * t - 0.5) * t * t


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    reach = int(np.ceil(4 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(image.astype(float), reach)
    rows = sum(k * padded[i : i + len(image)] for i, k in enumerate(kernel))
    columns = sum(k * rows[:, i : i + len(image)] for i, k in enumerate(kernel))
    return columns.astype(np.float32)
