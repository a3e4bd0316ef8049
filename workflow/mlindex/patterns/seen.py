"""Peak lists with intensities, as a peak search makes them: two crystals, weak lines not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.patterns.spoil import WAVELENGTH_A

#: A line of this share of the strongest has the error that is asked for; weaker ones have larger
#: errors, by the counts that they have, up to so many times as large.
_WELL_MEASURED, _LARGEST_FACTOR = 0.1, 4.0


@dataclass(frozen=True)
class Seen:
    """How the pattern of a sample is seen.

    ``second_share`` of the whole intensity is the second crystal's; lines nearer than
    ``resolution_deg`` are one, at their centroid; those below ``least`` of the strongest line are
    not seen. ``shift_deg`` is added to every 2theta, and normal noise with the standard deviation
    ``noise_deg``, larger for weak lines.
    """

    second_share: float
    resolution_deg: float
    least: float
    shift_deg: float
    noise_deg: float


@dataclass(frozen=True)
class SeenPeaks:
    """Lines of a sample, as arrays (n,), by rising ``q2_inv_A2``.

    ``intensity``; ``two_theta_error_deg``, the standard deviation of their noise; ``second``, the
    share of each line's intensity that is the second crystal's.
    """

    q2_inv_A2: np.ndarray
    intensity: np.ndarray
    two_theta_error_deg: np.ndarray
    second: np.ndarray


def peaks_seen(
    main: tuple[np.ndarray, np.ndarray],
    second: tuple[np.ndarray, np.ndarray],
    how: Seen,
    rng: np.random.Generator,
) -> SeenPeaks:
    """The lines that are seen of a sample, up to the last of its main crystal.

    Args:
        main: q² in 1/A², rising, and intensity (m,) of the lines of the main crystal.
        second: those of the second (k,).
        how: how its pattern is seen.
        rng: source of the noise.
    """
    lines = together(main, second, how.second_share, WAVELENGTH_A)
    two_theta, intensity, of_second = merged(*lines, how.resolution_deg)
    seen = intensity >= how.least * intensity.max()
    two_theta, intensity, of_second = two_theta[seen], intensity[seen], of_second[seen]
    share = intensity / intensity.max()
    factor = np.clip(np.sqrt(_WELL_MEASURED / share), 1.0, _LARGEST_FACTOR)
    error = factor * how.noise_deg
    two_theta = two_theta + rng.normal(0, 1, len(error)) * error + how.shift_deg
    order = np.argsort(two_theta, kind="stable")
    q2 = q2_from_two_theta(two_theta[order], WAVELENGTH_A)
    return SeenPeaks(q2, intensity[order], error[order], of_second[order])


def together(
    main: tuple[np.ndarray, np.ndarray],
    second: tuple[np.ndarray, np.ndarray],
    share: float,
    wavelength_A: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """2theta in degrees, rising, and intensity of the lines of two crystals (n,), up to the last of
    the main one, and which are the second's, whose share of the whole intensity is ``share``."""
    within = second[0] <= main[0][-1]
    strength = second[1][within]
    scale = share / (1 - share) * main[1].sum() / max(strength.sum(), np.finfo(float).tiny)
    two_theta = two_theta_from_q2(np.concatenate([main[0], second[0][within]]), wavelength_A)
    intensity = np.concatenate([main[1], scale * strength])
    of_second = np.arange(len(intensity)) >= len(main[1])
    used = np.flatnonzero((intensity > 0) & np.isfinite(two_theta))
    order = used[np.argsort(two_theta[used], kind="stable")]
    return two_theta[order], intensity[order], of_second[order]


def merged(
    two_theta: np.ndarray,
    intensity: np.ndarray,
    of_second: np.ndarray,
    resolution_deg: float | np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lines (n,) of which those nearer than the resolution, of all or of each (m,), are one:
    centroids, sums, and shares of the second crystal."""
    starts = np.flatnonzero(np.diff(two_theta, prepend=-np.inf) >= resolution_deg)
    total = np.add.reduceat(intensity, starts)
    centre = np.add.reduceat(intensity * two_theta, starts) / total
    return centre, total, np.add.reduceat(intensity * of_second, starts) / total


def between(limits: tuple[float, float], rng: np.random.Generator) -> float:
    """A number between two, evenly in its logarithm."""
    low, high = np.log(limits)
    return float(np.exp(rng.uniform(low, high)))
