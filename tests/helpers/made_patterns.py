"""Patterns made of peaks that are known, with counting noise."""

from __future__ import annotations

import numpy as np

CU_1, CU_2 = 1.540593, 1.544427


def pseudo_voigt(x, position, fwhm, eta=0.5):
    z = (x - position) / fwhm
    return eta / (1 + 4 * z**2) + (1 - eta) * np.exp(-4 * np.log(2) * z**2)


def second_line(position):
    return 2 * np.degrees(np.arcsin(np.sin(np.radians(position) / 2) * CU_2 / CU_1))


def counts(x, positions, heights, fwhm=0.1, doublet=False, base=200.0, seed=1):
    y = base + 400 * np.exp(-(x - x[0]) / 3) + 150 * np.exp(-(((x - 25) / 8) ** 2))
    for position, height in zip(positions, heights, strict=True):
        width = fwhm(position) if callable(fwhm) else fwhm
        y = y + height * pseudo_voigt(x, position, width)
        if doublet:
            y = y + height / 2 * pseudo_voigt(x, second_line(position), width)
    return np.random.default_rng(seed).poisson(y).astype(float)


def many(seed=3, n=30):
    rng = np.random.default_rng(seed)
    positions = np.cumsum(rng.uniform(0.8, 2.5, n)) + 8
    return positions, 10 ** rng.uniform(2.3, 4, n)
