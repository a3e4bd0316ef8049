"""Structure factors by direct summation.

gemmi's own summation (StructureFactorCalculatorX) needs a tabulated setting and a Python call
for each reflection; here all reflections of an entry are one call, and trigonometric functions
are replaced by products of exp(2 pi i h x), exp(2 pi i k y) and exp(2 pi i l z), tabulated for
each atom. Form factors are gemmi's (International Tables C, 1992, 6.1.1.4, neutral atoms).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import gemmi
import numba
import numpy as np

from mlindex.crystal.space_groups import Symmetry

#: A site nearer than this to its image is taken to lie on the symmetry element between them.
SPECIAL_POSITION_A = 0.05


@dataclass(frozen=True)
class Scatterers:
    """The atoms of an asymmetric unit."""

    element: tuple[str, ...]
    #: Fractional coordinates, shape (n, 3).
    position: np.ndarray
    #: Occupancy of the site, shape (n,).
    occupancy: np.ndarray
    #: Mean square displacement in A², shape (n,).
    u_iso_A2: np.ndarray


@lru_cache(maxsize=256)
def form_factor_coefficients(element: str) -> tuple[float, ...] | None:
    """a1 to a4, b1 to b4 in A² and c of f = sum a exp(-b s²) + c; None where gemmi has none."""
    known = gemmi.Element(element)
    if known.name == "X" or known.it92 is None:
        return None
    return (*known.it92.a, *known.it92.b, known.it92.c)


def form_factors(elements: Sequence[str], s2_inv_A2: np.ndarray) -> np.ndarray:
    """X-ray form factors in electrons, shape (n, n_elements).

    Args:
        elements: symbols, all with :func:`form_factor_coefficients`.
        s2_inv_A2: s² = (sin(theta) / lambda)², shape (n,), in 1/A².
    """
    coefficients = np.array([form_factor_coefficients(element) for element in elements])
    a, b, c = coefficients[:, :4], coefficients[:, 4:8], coefficients[:, 8]
    return np.einsum("nek,ek->ne", np.exp(-s2_inv_A2[:, None, None] * b), a) + c


def squared_structure_factors(
    hkl: np.ndarray,
    q2_inv_A2: np.ndarray,
    sites: Scatterers,
    symmetry: Symmetry,
    metric_A2: np.ndarray,
) -> np.ndarray:
    """|F|² of a primitive cell's content, in electrons², shape (n,).

    Args:
        hkl: Miller indices (n, 3), none of them systematically absent.
        q2_inv_A2: their 1/d² (n,), in 1/A².
        sites: the asymmetric unit; occupancies as in a CIF, 1 for a full special position, and
            elements with :func:`form_factor_coefficients`.
        symmetry: the operations.
        metric_A2: metric tensor of the cell, shape (3, 3), in A².
    """
    position, order = _on_special_positions(
        sites.position,
        symmetry.rotations,
        symmetry.translations,
        symmetry.centrings,
        metric_A2,
    )
    elements = sorted(set(sites.element))
    return _direct_sum(
        hkl,
        q2_inv_A2,
        position,
        sites.occupancy / order,
        sites.u_iso_A2,
        np.array([elements.index(element) for element in sites.element]),
        form_factors(elements, q2_inv_A2 / 4),
        symmetry.rotations,
        symmetry.translations,
    )


@numba.njit(cache=True)
def _on_special_positions(position, rotations, translations, centrings, metric):
    """Sites moved onto their special positions, and the order of each one's site symmetry."""
    moved = np.empty_like(position)
    order = np.zeros(len(position))
    for site in range(len(position)):
        x = position[site]
        shift = np.zeros(3)
        for operation in range(len(rotations)):
            image = rotations[operation] @ x + translations[operation] - x
            for centring in centrings:
                step = image + centring
                step -= np.rint(step)
                if step @ (metric @ step) < SPECIAL_POSITION_A**2:
                    shift += step
                    order[site] += 1
        moved[site] = x + shift / order[site]
    return moved, order


@numba.njit(cache=True)
def _direct_sum(
    hkl, q2, position, weight, u_iso, element, factors, rotations, translations
):  # fmt: skip
    """|F|² (n,): sum over sites and operations, each site's weight spread over its images."""
    n = len(hkl)
    real, imaginary = np.zeros(n), np.zeros(n)
    site_real, site_imaginary = np.empty(n), np.empty(n)
    bounds = np.array([np.abs(hkl[:, axis]).max() for axis in range(3)])
    table = np.empty((3, 2 * bounds.max() + 1), np.complex128)
    for site in range(len(position)):
        site_real[:], site_imaginary[:] = 0.0, 0.0
        for operation in range(len(rotations)):
            x = rotations[operation] @ position[site] + translations[operation]
            _fill_table(table, bounds, x)
            for i in range(n):
                phase = (
                    table[0, hkl[i, 0] + bounds[0]]
                    * table[1, hkl[i, 1] + bounds[1]]
                    * table[2, hkl[i, 2] + bounds[2]]
                )
                site_real[i] += phase.real
                site_imaginary[i] += phase.imag
        for i in range(n):
            scale = weight[site] * factors[i, element[site]]
            if u_iso[site] > 0:
                scale *= np.exp(-2 * np.pi**2 * u_iso[site] * q2[i])
            real[i] += scale * site_real[i]
            imaginary[i] += scale * site_imaginary[i]
    return real**2 + imaginary**2


@numba.njit(cache=True)
def _fill_table(table, bounds, x):
    """table[axis, bound + index] = exp(2 pi i index x[axis]) for |index| <= bound."""
    for axis in range(3):
        middle = bounds[axis]
        step = np.exp(2j * np.pi * x[axis])
        table[axis, middle] = 1.0
        for index in range(1, bounds[axis] + 1):
            table[axis, middle + index] = table[axis, middle + index - 1] * step
            table[axis, middle - index] = np.conj(table[axis, middle + index])
