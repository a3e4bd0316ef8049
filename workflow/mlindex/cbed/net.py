"""The net of discs of a pattern, measured from the pattern itself.

A ring filter, bright inside and dark outside of the discs' known radius, answers sharply where a
disc is centred, also where discs overlap. The net is the coarsest one through the direct beam that
explains nearly all of these places; its basis is then fitted to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.plane import reduce_plane, reduce_planes

#: Intensities to this power are compared: they span decades (the challenge's authors advise it).
POWER = 0.25
#: Half the width that is looked at, at most; pixels of it at most (else pixels are averaged).
_REACH_INV_A, _MOST_ACROSS = 1.28, 256
#: Width of the filter's rings, in pixels.
_RING = 1.5
#: A place counts if its answer is at least this share as sharp as any within so many radii: discs
#: answer weakly in between, too (up to 0.05 without noise). Not tuned further.
_LEAST_SHARE, _WITHIN_RADII = 0.07, 2.3
#: Sharpest places that are looked at; those that bases are made of; those that judge them.
_MOST_PLACES, _MOST_BASIS, _NEAREST = 150, 16, 40
#: A point of a net may be off its place by so many pixels.
_OFF_PIXELS = 1.2
#: A net must explain this share of what the best one explains.
_EXPLAINED = 0.95
#: Radius of a disc in pixels at least: smaller ones have no inside and outside.
_LEAST_RADIUS = 1.5
_NO_NET = "a pattern shows no net of discs; are its semi-angle and pixel right?"


@dataclass(frozen=True)
class Net:
    """A plane net of discs: ``basis_inv_A`` (2, 2), the two shortest vectors as rows (x, y).

    The second one is the longer, at an angle of 60 to 90 degrees. ``explained`` is the share of the
    discs near the direct beam that lie on the net: others belong to upper Laue zones.
    """

    basis_inv_A: np.ndarray
    explained: float

    @property
    def lengths_inv_A(self) -> np.ndarray:
        """Lengths (2,) of the basis vectors."""
        return np.linalg.norm(self.basis_inv_A, axis=1)

    @property
    def angle_deg(self) -> float:
        """Angle between the basis vectors."""
        (a, b), lengths = self.basis_inv_A, self.lengths_inv_A
        return float(np.degrees(np.arccos(np.clip(a @ b / lengths.prod(), -1, 1))))

    @property
    def area_inv_A2(self) -> float:
        """Area of the net's mesh."""
        return float(abs(np.linalg.det(self.basis_inv_A)))


def net_of(pattern: np.ndarray, pixel_inv_A: float, radius_inv_A: float) -> Net:
    """The net of a pattern, whose direct beam is centred on pixel (n // 2, n // 2).

    Args:
        pattern: intensities (n, n), none negative.
        pixel_inv_A: size of a pixel.
        radius_inv_A: radius of the discs.

    Raises:
        MlindexError: it shows no net: discs in two directions at least are needed.
    """
    seen, pixel = _middle(pattern, pixel_inv_A)
    if not _LEAST_RADIUS <= radius_inv_A / pixel <= len(seen) / 4:
        raise MlindexError(_NO_NET)
    places, sharpness = _discs(seen, radius_inv_A / pixel)
    basis, explained = _coarsest(places, sharpness)
    return Net(_reduced(_fitted(basis, places)) * pixel, explained)


def _middle(pattern: np.ndarray, pixel_inv_A: float) -> tuple[np.ndarray, float]:
    """The middle of a pattern, compressed, even across, and its pixel."""
    half = min(len(pattern) // 2, int(np.ceil(_REACH_INV_A / pixel_inv_A)))
    bins = max(1, int(np.ceil(2 * half / _MOST_ACROSS)))
    centre, n = len(pattern) // 2, half // bins
    if bins == 1:
        cut = pattern[centre - n : centre + n, centre - n : centre + n]
        return (cut / cut.max()).astype(float) ** POWER, pixel_inv_A
    # Binned so that a pixel's middle stays the direct beam's: bins are centred on it.
    padded = np.pad(pattern, bins)
    low = centre + bins - n * bins - bins // 2
    cut = padded[low : low + 2 * n * bins, low : low + 2 * n * bins]
    mean = cut.reshape(2 * n, bins, 2 * n, bins).mean(axis=(1, 3))
    return (mean / mean.max()) ** POWER, pixel_inv_A * bins


@lru_cache(maxsize=64)
def _ring_filter(n: int, radius: float) -> np.ndarray:
    """Fourier transform (n, n // 2 + 1) of the filter, real as it is symmetric."""
    steps = np.fft.fftfreq(n) * n
    far = np.hypot(steps[:, None], steps[None, :])

    def disc(edge: float) -> np.ndarray:
        return np.clip(edge - far + 0.5, 0, 1)

    inner = disc(radius - 0.5) - disc(radius - 0.5 - _RING)
    outer = disc(radius + 0.5 + _RING) - disc(radius + 0.5)
    return np.fft.rfft2(inner / inner.sum() - outer / outer.sum()).real


def _discs(seen: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Places (n, 2) of discs as x and y, in pixels from the direct beam, and their sharpness."""
    answer = np.fft.irfft2(np.fft.rfft2(seen) * _ring_filter(len(seen), radius), seen.shape)
    core, n = answer[1:-1, 1:-1], len(answer) - 2
    top = core > 0
    for dy, dx in product((0, 1, 2), repeat=2):
        if (dy, dx) != (1, 1):
            top &= core >= answer[dy : dy + n, dx : dx + n]
    y, x = (index + 1 for index in np.nonzero(top))
    bend = np.empty((2, len(y)))
    places = np.empty((len(y), 2))
    for axis, (dy, dx) in enumerate(((0, 1), (1, 0))):
        before, after = answer[y - dy, x - dx], answer[y + dy, x + dx]
        bend[axis] = 2 * answer[y, x] - before - after
        step = (after - before) / (2 * np.maximum(bend[axis], 1e-12))
        places[:, axis] = (y if dy else x) - len(seen) // 2 + np.clip(step, -0.5, 0.5)
    sharpness = bend.min(axis=0)
    order = np.argsort(-sharpness, kind="stable")[:_MOST_PLACES]
    places, sharpness = places[order], sharpness[order]
    if not len(places):
        raise MlindexError(_NO_NET)
    far = np.linalg.norm(places[:, None] - places[None], axis=2)
    around = np.where(far < _WITHIN_RADII * radius + 2, sharpness[None, :], 0.0).max(axis=1)
    kept = sharpness > np.maximum(_LEAST_SHARE * around, 0)
    return places[kept], sharpness[kept]


def _coarsest(places: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, float]:
    """The net of largest mesh that explains nearly as much as the best: basis, share explained."""
    length = np.linalg.norm(places, axis=1)
    one = (places[:, 1] > 0.5) | ((np.abs(places[:, 1]) <= 0.5) & (places[:, 0] > 0))
    one &= length > 2 * _OFF_PIXELS
    if one.sum() < 2:
        raise MlindexError(_NO_NET)
    candidates = np.flatnonzero(one)
    sharp = candidates[:_MOST_BASIS]
    short = candidates[np.argsort(length[candidates], kind="stable")[:_MOST_BASIS]]
    rows = np.union1d(sharp, short)
    i, j = np.triu_indices(len(rows), 1)
    bases = np.stack([places[rows[i]], places[rows[j]]], axis=1)
    # A vector of the basis may be forbidden; two others make it.
    products = bases @ bases.transpose(0, 2, 1)
    change = reduce_planes(products[:, 0, 0], products[:, 0, 1], products[:, 1, 1]).change
    bases = change.transpose(0, 2, 1) @ bases
    area = np.abs(bases[:, 0, 0] * bases[:, 1, 1] - bases[:, 0, 1] * bases[:, 1, 0])
    good = np.linalg.norm(bases, axis=2).min(axis=1) > 3 * _OFF_PIXELS
    good &= area > (3 * _OFF_PIXELS) ** 2
    if not good.any():
        raise MlindexError("a pattern shows discs in one direction only; no net can be measured")
    bases, area = bases[good], area[good]
    # Near the direct beam few discs are of upper Laue zones, and errors of a basis are small.
    near = length <= np.sort(length)[: _NEAREST + 1].max()
    at = places[near] @ np.linalg.inv(bases)
    miss = np.linalg.norm((at - np.rint(at)) @ bases, axis=2)
    explained = (miss < _OFF_PIXELS) @ weight[near] / weight[near].sum()
    chance = np.minimum(np.pi * _OFF_PIXELS**2 / area, 0.9)
    merit = (explained - chance) / (1 - chance)
    enough = merit >= _EXPLAINED * merit.max()
    best = np.flatnonzero(enough)[np.argmax(area[enough])]
    return bases[best], float(explained[best])


def _fitted(basis: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The basis by least squares, from near places first and then from all of them."""
    length = np.linalg.norm(places, axis=1)
    for reach in (0.35, 0.6, 1.0):
        at = np.rint(places @ np.linalg.inv(basis))
        miss = np.linalg.norm(at @ basis - places, axis=1)
        use = (miss < _OFF_PIXELS) & at.any(axis=1) & (length <= reach * length.max())
        if np.linalg.matrix_rank(at[use]) == 2:
            basis = np.linalg.lstsq(at[use], places[use], rcond=None)[0]
    return basis


def _reduced(basis: np.ndarray) -> np.ndarray:
    """The two shortest vectors, the second one at an angle of at most 90 degrees."""
    products = basis @ basis.T
    found = reduce_plane(products[0, 0], products[0, 1], products[1, 1])
    short, long = np.array([found.p, found.q]) @ basis
    return np.array([short, -long if short @ long < 0 else long])
