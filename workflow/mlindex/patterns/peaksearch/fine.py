"""Patterns of very many points, averaged where these are far finer than the peaks are wide."""

from __future__ import annotations

import numpy as np

from mlindex.patterns.peaksearch.noise import standard_errors
from mlindex.patterns.peaksearch.widths import fit_widths, survey

#: Patterns of more points are averaged down to this number, as far as the narrowest peaks keep so
#: many points over their width. Patterns as they are measured have fewer: of 46, the largest has
#: 7901; one of 6000 has 73 points over a width, and must stay as it is.
_MANY_POINTS, _POINTS_PER_FWHM = 20_000, 20


def averaged(
    x: np.ndarray, y: np.ndarray, error: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """2theta, intensities and their standard uncertainties (m,) to search for peaks in.

    Args:
        x, y: rising 2theta in degrees, intensity (n,), n at least m.
        error: uncertainties as given (n,), or None.
    """
    sigma = standard_errors(y, error)
    if len(x) <= _MANY_POINTS:
        return x, y, sigma
    features = survey(x, y, sigma)
    block = len(x) / _MANY_POINTS
    if len(features.position):
        curve = fit_widths(features.position, features.fwhm, np.minimum(features.significance, 100))
        step = float(np.median(np.diff(x)))
        block = min(block, float(curve(x).min()) / (_POINTS_PER_FWHM * step))
    count = int(block)
    if count < 2:
        return x, y, sigma
    n = len(x) // count * count
    x, y = (values[:n].reshape(-1, count).mean(axis=1) for values in (x, y))
    if error is not None:
        error = np.sqrt((error[:n].reshape(-1, count) ** 2).mean(axis=1) / count)
    # How far averages scatter shows whether the points were independent.
    return x, y, standard_errors(y, error)
