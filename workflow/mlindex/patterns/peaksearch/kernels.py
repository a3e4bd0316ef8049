"""Compiled loops: the matched filter and the profile with its derivatives."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlindex.patterns.peakshape import LN16, pseudo_voigt


@njit(cache=True)
def matched_filter(x, y, sigma, fwhm, split, ratio, reach):
    """Height of a Gaussian at each point over its standard uncertainty.

    Around each point a straight line and a Gaussian (two with K-alpha2) are fitted by weighted
    least squares, so steps may vary and slopes don't matter.

    Args:
        x, y, sigma: 2theta, intensity and its uncertainty (n,).
        fwhm: full width at half maximum at each point (n,).
        split: distance of the second line at each point (n,), used where ratio > 0.
        ratio: intensity of the second line over the first.
        reach: half the window, in units of fwhm.

    Returns:
        (n,) significances; 0 where fewer than five points are near.
    """
    n = len(x)
    out = np.zeros(n)
    start = 0
    for i in range(n):
        width = fwhm[i]
        low, high = x[i] - reach * width, x[i] + reach * width
        if ratio > 0.0:
            high = max(high, x[i] + split[i] + reach * width)
        while start > 0 and x[start] >= low:
            start -= 1
        while x[start] < low:
            start += 1
        end = start
        while end < n and x[end] <= high:
            end += 1
        if end - start >= 5:
            near = slice(start, end)
            out[i] = _significance(x[near], y[near], sigma[near], x[i], width, split[i], ratio)
    return out


@njit(cache=True)
def _significance(x, y, sigma, position, width, split, ratio):
    """Height over its uncertainty of the Gaussian at a position, with points (n,) about it."""
    s = sx = sxx = sg = sgx = sgg = sy = sxy = sgy = 0.0
    for j in range(len(x)):
        d = x[j] - position
        z = d / width
        g = np.exp(-LN16 * z * z)
        if ratio > 0.0:
            z = (x[j] - (position + split)) / width
            g += ratio * np.exp(-LN16 * z * z)
        w = 1.0 / (sigma[j] * sigma[j])
        s += w
        sx += w * d
        sxx += w * d * d
        sg += w * g
        sgx += w * g * d
        sgg += w * g * g
        sy += w * y[j]
        sxy += w * d * y[j]
        sgy += w * g * y[j]
    det = s * sxx - sx * sx
    if det <= 0.0:
        return 0.0
    # What is left of the profile after a straight line has been taken off it.
    free = sgg - (sg * sg * sxx - 2.0 * sg * sgx * sx + sgx * sgx * s) / det
    signal = sgy - (sg * (sxx * sy - sx * sxy) + sgx * (s * sxy - sx * sy)) / det
    return signal / np.sqrt(free) if free > 1e-9 * sgg else 0.0


@njit(cache=True)
def profiles(x, position, height, fwhm, eta, asymmetry, split, ratio, jacobian):
    """Sum of split pseudo-Voigt profiles and its derivatives.

    The left half has the width fwhm·exp(a), the right half fwhm·exp(-a).

    Args:
        x: 2theta (n,).
        position, height, fwhm, split: of each peak (m,).
        eta, asymmetry: Lorentzian fraction and a, shared.
        ratio: intensity of the second line over the first.
        jacobian: (n, 2 + 3m), filled with the derivatives by eta, a and, for each peak, position,
            height and log width; (0, 0) where none are wanted.

    Returns:
        (n,) the sum.
    """
    n, m = len(x), len(position)
    out = np.zeros(n)
    wanted = jacobian.shape[0] == n
    for i in range(n):
        by_eta = by_a = 0.0
        for k in range(m):
            value = by_x = by_u = 0.0
            for line in range(2 if ratio > 0.0 else 1):
                factor = 1.0 if line == 0 else ratio
                d = x[i] - position[k] - (0.0 if line == 0 else split[k])
                sign = 1.0 if d < 0.0 else -1.0
                width = fwhm[k] * np.exp(sign * asymmetry)
                part, slope, mix = pseudo_voigt(d, width, eta)
                z = d / width
                value += factor * part
                by_x -= factor * slope / width
                by_u -= factor * slope * z
                by_eta += height[k] * factor * mix
                by_a -= height[k] * factor * slope * z * sign
            out[i] += height[k] * value
            if wanted:
                jacobian[i, 2 + 3 * k] = height[k] * by_x
                jacobian[i, 3 + 3 * k] = value
                jacobian[i, 4 + 3 * k] = height[k] * by_u
        if wanted:
            jacobian[i, 0] = by_eta
            jacobian[i, 1] = by_a
    return out
