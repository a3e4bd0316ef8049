"""Simulated counts of rutile and other simple structures, calculated from the atoms."""

from functools import cache

import numpy as np

from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.settings import Simulation
from mlindex.patterns.simulation import CrystalStructure, calculate_lines
from mlindex.patterns.structure_factors import Scatterers

CU = 1.540593, 1.544427
X = np.arange(15.0, 85.0, 0.02)
FWHM, ETA = 0.12, 0.5


def octahedra(second):
    """Atoms of an ordered perovskite: titanium and another metal take turns."""
    metals = (("Ti", 0, 0, 0), (second, 0.5, 0.5, 0.5))
    return (("Ba", 0.25, 0.25, 0.25), *metals, ("O", 0.248, 0, 0))


def cell(*parameters):
    """A cell of right angles."""
    return np.array([*parameters, 90.0, 90.0, 90.0])


@cache
def lines(name):
    """The lines of a structure, calculated from the atoms."""
    hall, a, c, atoms = {
        "rutile": ("-P 4n 2n", 4.5937, 2.9587, (("Ti", 0, 0, 0), ("O", 0.3053, 0.3053, 0))),
        "rock salt": ("-F 4 2 3", 5.6402, 5.6402, (("Na", 0, 0, 0), ("Cl", 0.5, 0.5, 0.5))),
        # A perovskite whose two kinds of octahedra take turns: without that it has half the axis.
        "elpasolite": ("-F 4 2 3", 8.16, 8.16, octahedra("Zr")),
        "weak elpasolite": ("-F 4 2 3", 8.16, 8.16, octahedra("Ni")),
    }[name]
    n = len(atoms)
    sites = Scatterers(
        tuple(atom[0] for atom in atoms),
        np.array([atom[1:] for atom in atoms], dtype=float),
        np.ones(n),
        np.full(n, 0.006),
    )
    crystal = CrystalStructure.from_cell(hall, cell(a, a, c), sites)
    return calculate_lines(crystal, Simulation(two_theta_max_deg=90.0, wavelength_A=CU[0]))


def peaks(name, zero=0.0, displacement=0.0):
    """The pattern (n,) of a structure whose strongest line is 1 high."""
    found = lines(name)
    out = np.zeros(len(X))
    for wavelength, share in zip(CU, (1.0, 0.5), strict=True):
        true = two_theta_from_q2(found.q2_inv_A2, wavelength)
        at = true + zero + displacement * np.cos(np.radians(true) / 2)
        for position, intensity in zip(at, found.intensity / 100, strict=True):
            if np.isfinite(position) and intensity > 0:
                z2 = ((X - position) / FWHM) ** 2
                out += (
                    share
                    * intensity
                    * (ETA / (1 + 4 * z2) + (1 - ETA) * np.exp(-4 * np.log(2) * z2))
                )
    return out


def measured(height=2000.0, other=0.0, seed=1, times=1.0, zero=0.0, displacement=0.0):
    """Counts of rutile, with rock salt of that share of its height."""
    curve = peaks("rutile", zero, displacement)
    if other:
        curve = curve + other * peaks("rock salt", zero, displacement)
    expected = height * curve + 60 + 100 * np.exp(-(X - 15) / 20)
    counts = np.random.default_rng(seed).poisson(expected).astype(float)
    return MeasuredPattern(
        "rutile", X, times * counts, wavelength_A=CU[0], second_wavelength_A=CU[1]
    )
