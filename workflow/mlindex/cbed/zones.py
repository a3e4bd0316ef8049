"""Zone axes that stacks are made of where none are asked for: the challenge's rule.

The indices of the three strongest reflections of the powder pattern (Cu K-alpha) with 1 < d < 5 A
are taken as directions [uvw], and the semi-angle of each is half the Bragg angle of its reflection
at 100 keV (Laanait et al., data challenge of SMC 2019, DOI 10.13139/OLCF/1510313).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.cbed.atoms import Atoms
from mlindex.cbed.orientation import checked_zone
from mlindex.cbed.potential import wavelength_A
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.wavelengths import TUBES
from mlindex.patterns.structure_factors import form_factors

#: Zones of a stack.
N_ZONES = 3
_D_A = (1.0, 5.0)
_ENERGY_KEV = 100.0
#: Reflections of equal 1/d², relative, are one line; intensities so much below are none.
_SAME_LINE, _ABSENT = 1e-6, 1e-8


@dataclass(frozen=True)
class ZoneChoice:
    """A zone axis with the spacing it was chosen for and its semi-angle."""

    zone: tuple[int, int, int]
    d_A: float
    semi_angle_mrad: float


def semi_angle_mrad(d_A: float) -> float:
    """Half the Bragg angle of a spacing at 100 keV."""
    return float(1e3 * np.arcsin(wavelength_A(_ENERGY_KEV) / (2 * d_A)) / 2)


def strongest_zones(atoms: Atoms, n: int = N_ZONES) -> tuple[ZoneChoice, ...]:
    """The zones of the challenge's rule; of equally strong lines the one of larger spacing first.

    Lines whose indices are multiples of one another's are one zone.

    Raises:
        MlindexError: the crystal has fewer such lines.
    """
    hkl, d = _within(atoms)
    strength = _powder_intensity(atoms, hkl, d)
    order = np.lexsort((hkl[:, 2], hkl[:, 1], hkl[:, 0], -np.round(d, 6)))[::1]
    hkl, d, strength = hkl[order], d[order], strength[order]
    starts = np.flatnonzero(np.r_[True, np.abs(np.diff(1 / d**2)) > _SAME_LINE / d[:-1] ** 2])
    lines = np.add.reduceat(strength, starts)
    chosen: dict[tuple[int, int, int], ZoneChoice] = {}
    for line in np.argsort(-np.round(lines / lines.max(), 9), kind="stable"):
        if lines[line] < _ABSENT * lines.max():
            break
        end = starts[line + 1] if line + 1 < len(starts) else len(d)
        # Of the reflections of a line the one with the largest indices: 111, not -1-1-1.
        rows = range(starts[line], end)
        row = max(rows, key=lambda r: (np.sum(hkl[r] >= 0), tuple(hkl[r])))
        zone = checked_zone(tuple(int(i) for i in hkl[row]))
        if zone not in chosen and tuple(-i for i in zone) not in chosen:
            spacing = float(d[starts[line]])
            chosen[zone] = ZoneChoice(zone, spacing, semi_angle_mrad(spacing))
        if len(chosen) == n:
            return tuple(chosen.values())
    raise MlindexError(f"the crystal has {len(chosen)} lines with d from 1 to 5 A; {n} are needed")


def _within(atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
    basis = atoms.basis_A
    bounds = np.floor(np.linalg.norm(basis, axis=1) / _D_A[0]).astype(int)
    if np.prod(2.0 * bounds + 1) > 5e6:
        raise MlindexError("the cell is too large for zones to be chosen; name them")
    hkl = np.array(list(product(*(range(-b, b + 1) for b in bounds))))
    q = np.linalg.norm(hkl @ np.linalg.inv(basis).T, axis=1)
    inside = (q > 1 / _D_A[1]) & (q < 1 / _D_A[0])
    if not inside.any():
        raise MlindexError("the crystal has no reflections with d from 1 to 5 A")
    return hkl[inside], 1 / q[inside]


def _powder_intensity(atoms: Atoms, hkl: np.ndarray, d_A: np.ndarray) -> np.ndarray:
    """|F|² times the Lorentz-polarization factor of each reflection, (n,)."""
    elements = sorted(set(atoms.elements))
    kind = np.array([elements.index(element) for element in atoms.elements])
    s2 = 1 / (4 * d_A**2)
    factors = form_factors(elements, s2)
    total = np.zeros(len(hkl), complex)
    for i in range(len(atoms)):
        scale = atoms.occupancy[i] * factors[:, kind[i]]
        scale = scale * np.exp(-8 * np.pi**2 * atoms.u_iso_A2[i] * s2)
        total += scale * np.exp(2j * np.pi * (hkl @ atoms.xyz[i]))
    two_theta = np.radians(two_theta_from_q2(1 / d_A**2, TUBES["Cu"][0]))
    lorentz = (1 + np.cos(two_theta) ** 2) / (np.sin(two_theta / 2) ** 2 * np.cos(two_theta / 2))
    return np.abs(total) ** 2 * lorentz
