"""Fourier coefficients of the crystal's potential for fast electrons.

Form factors are gemmi's (International Tables C, table 4.3.2.2: elastic scattering of electrons
by neutral atoms up to sin(theta)/lambda = 2 per A, five Gaussians; Peng, Ren, Dudarev & Whelan,
Acta Cryst. A52 (1996) 257). Beyond, the Gaussians go on: they fall faster than atoms do. Atoms
vibrate isotropically (Debye-Waller factor).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import gemmi
import numba
import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.cbed.atoms import Atoms

#: Rest energy of the electron in keV.
_REST_KEV = 510.99895
#: h / sqrt(2 m e) in A sqrt(V).
_WAVELENGTH_A = 12.26426
#: Energies of the electrons that are simulated, in keV.
ENERGY_KEV = (20.0, 1000.0)
#: Coefficients end where all form factors, with their Debye-Waller factors, are below this share
#: of the largest one at 0, or here.
_SHARE, _END_INV_A, _STEP_INV_A = 1e-3, 8.0, 0.05
#: Fourier coefficients at most; beyond, the cell is too large.
_MOST_COEFFICIENTS = 60_000_000


def wavelength_A(energy_keV: float) -> float:
    """Relativistic wavelength of electrons in A."""
    volts = energy_keV * 1e3
    return _WAVELENGTH_A / np.sqrt(volts * (1 + energy_keV / (2 * _REST_KEV)))


def relativistic_factor(energy_keV: float) -> float:
    """Mass of the moving electron over its rest mass."""
    return 1 + energy_keV / _REST_KEV


@lru_cache(maxsize=256)
def form_factor_coefficients(element: str) -> np.ndarray:
    """a (5,) in A and b (5,) in A² of f = sum a exp(-b s²), as rows of (2, 5).

    Raises:
        MlindexError: the table has no such element.
    """
    known = gemmi.Element("H" if element == "D" else element)
    if known.name == "X" or known.c4322 is None:
        raise MlindexError(f"{element}: no form factor for electrons is tabulated")
    return np.array([list(known.c4322.a), list(known.c4322.b)])


@dataclass(frozen=True)
class Potential:
    """Fourier coefficients of the potential within a sphere of the reciprocal lattice.

    ``table`` (2H+1, 2K+1, 2L+1), complex: the coefficient of (h, k, l) at [h+H, k+K, l+L], in
    1/A² for electrons at rest: that of moving ones is larger by :func:`relativistic_factor`.
    ``real`` says that the origin is an inversion centre, so that all are real. Beyond
    ``reach_inv_A`` coefficients count as 0.
    """

    table: np.ndarray
    bounds: np.ndarray
    real: bool
    reach_inv_A: float


def potential_of(atoms: Atoms, q_max_inv_A: float) -> Potential:
    """The coefficients U = F / (pi V) of a cell.

    Args:
        atoms: the content of the cell.
        q_max_inv_A: coefficients up to this 1/d, or to where all atoms scatter next to nothing.

    Raises:
        MlindexError: an element has no form factor, or the cell is too large.
    """
    kinds = sorted(set(zip(atoms.elements, atoms.u_iso_A2.tolist(), strict=True)))
    coefficients = np.array([form_factor_coefficients(element) for element, _ in kinds])
    # exp(-B s²) with B = 8 pi² U joins the Gaussians of the form factor.
    coefficients[:, 1] += 8 * np.pi**2 * np.array([u for _, u in kinds])[:, None]
    q_max_inv_A = min(q_max_inv_A, _end_inv_A(coefficients))
    basis = atoms.basis_A
    bounds = np.floor(np.linalg.norm(basis, axis=1) * q_max_inv_A).astype(np.int64)
    if np.prod(2.0 * bounds + 1) > _MOST_COEFFICIENTS:
        raise MlindexError(
            f"the cell of {atoms.volume_A3:.0f} A³ is too large: {np.prod(2.0 * bounds + 1):.3g} "
            f"coefficients of its potential up to {q_max_inv_A:.3g} 1/A, {_MOST_COEFFICIENTS:.3g} "
            "at most; give a smaller cell"
        )
    kind = np.array(
        [kinds.index(one) for one in zip(atoms.elements, atoms.u_iso_A2.tolist(), strict=True)]
    )
    order = np.argsort(kind, kind="stable")
    origin = np.zeros(3) if atoms.centre is None else atoms.centre
    table = _summed(
        bounds,
        np.linalg.inv(basis).T,
        q_max_inv_A**2,
        (atoms.xyz - origin)[order],
        atoms.occupancy[order],
        kind[order],
        coefficients,
    )
    table /= np.pi * atoms.volume_A3
    return Potential(table, bounds, atoms.centre is not None, q_max_inv_A)


def _end_inv_A(coefficients: np.ndarray) -> float:
    """Where all form factors (n, 2, 5) have fallen below a share of the largest at 0."""
    q = np.arange(_STEP_INV_A, _END_INV_A + _STEP_INV_A / 2, _STEP_INV_A)
    a, b = coefficients[:, 0, :, None], coefficients[:, 1, :, None]
    largest = np.abs(np.sum(a * np.exp(-b * q**2 / 4), axis=1)).max(axis=0)
    above = np.flatnonzero(largest > _SHARE * np.abs(coefficients[:, 0].sum(axis=1)).max())
    return float(q[above[-1]]) if len(above) else _STEP_INV_A


@numba.njit(cache=True, fastmath=True)
def _summed(bounds, reciprocal, q2_max, xyz, occupancy, kind, coefficients):
    """Structure factors (2H+1, 2K+1, 2L+1) in A; zero beyond q2_max. Atoms sorted by kind."""
    H, K, L = bounds[0], bounds[1], bounds[2]
    n, n_kinds = len(xyz), len(coefficients)
    table = np.zeros((2 * H + 1, 2 * K + 1, 2 * L + 1), np.complex128)
    x = np.empty((n, H + 1), np.complex128)
    y = np.empty((n, 2 * K + 1), np.complex128)
    z = np.empty((n, 2 * L + 1), np.complex128)
    for atom in range(n):
        for h in range(H + 1):
            x[atom, h] = occupancy[atom] * np.exp(-2j * np.pi * h * xyz[atom, 0])
        for k in range(-K, K + 1):
            y[atom, k + K] = np.exp(-2j * np.pi * k * xyz[atom, 1])
        for l in range(-L, L + 1):
            z[atom, l + L] = np.exp(-2j * np.pi * l * xyz[atom, 2])
    row = np.empty((n_kinds, 2 * L + 1), np.complex128)
    for h in range(H + 1):
        for k in range(-K, K + 1):
            gx = h * reciprocal[0, 0] + k * reciprocal[1, 0]
            gy = h * reciprocal[0, 1] + k * reciprocal[1, 1]
            gz = h * reciprocal[0, 2] + k * reciprocal[1, 2]
            # The l at which the row leaves the sphere: a quadratic in l.
            c = reciprocal[2]
            a2 = c[0] * c[0] + c[1] * c[1] + c[2] * c[2]
            a1 = gx * c[0] + gy * c[1] + gz * c[2]
            a0 = gx * gx + gy * gy + gz * gz - q2_max
            inside = a1 * a1 - a2 * a0
            if inside < 0:
                continue
            root = np.sqrt(inside)
            first = max(-L, int(np.ceil((-a1 - root) / a2)))
            last = min(L, int(np.floor((-a1 + root) / a2)))
            if last < first:
                continue
            row[:, first + L : last + L + 1] = 0
            for atom in range(n):
                phase = x[atom, h] * y[atom, k + K]
                into = row[kind[atom]]
                for l in range(first + L, last + L + 1):
                    into[l] += phase * z[atom, l]
            for l in range(first, last + 1):
                s2 = (a0 + q2_max + l * (2 * a1 + l * a2)) / 4
                value = 0j
                for one in range(n_kinds):
                    factor = 0.0
                    for i in range(5):
                        factor += coefficients[one, 0, i] * np.exp(-coefficients[one, 1, i] * s2)
                    value += factor * row[one, l + L]
                table[h + H, k + K, l + L] = value
                table[H - h, K - k, L - l] = np.conj(value)
    return table
