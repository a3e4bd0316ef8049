"""A simulated laboratory: glycine crystallizes under conditions that are proposed, and the powder
pattern of what came out is measured. Whether it can be indexed depends on the conditions.

The structures are those of alpha-glycine (Jönsson & Kvick 1972, Acta Cryst. B28, 1827) and rock
salt; how the conditions act on the crystals is made up.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlindex.patterns.peakshape import pseudo_voigt
from mlindex.patterns.settings import Simulation
from mlindex.patterns.simulation import CrystalStructure, calculate_lines
from mlindex.patterns.structure_factors import Scatterers

WAVELENGTH_A = 1.5406
SETTINGS = ("ethanol_pct", "salt_M", "pH", "cooling_K_h")
TWO_THETA_DEG = np.arange(8.0, 60.0, 0.02)
#: Hall symbol, cell in A and degrees, and sites of a structure.
GLYCINE = (
    "-P 2yn",
    (5.1054, 11.9688, 5.4645, 90.0, 111.697, 90.0),
    {
        "O": [(0.3054, 0.0942, 0.2356), (0.8513, 0.1420, 0.1073)],
        "N": [(0.3015, 0.0896, 0.7412)],
        "C": [(0.0754, 0.1249, 0.0661), (0.0646, 0.1450, 0.7867)],
    },
)
SALT = ("-F 4 2 3", (5.6402,) * 3 + (90.0,) * 3, {"Na": [(0, 0, 0)], "Cl": [(0.5, 0.5, 0.5)]})


@dataclass(frozen=True)
class Drop:
    """What grew: sizes in nm, strain, counts of the strongest line, and the share of salt."""

    size_nm: float
    strain: float
    counts: float
    salt: float


def grown(ethanol_pct: float, salt_M: float, pH: float, cooling_K_h: float) -> Drop:
    """What grows under some conditions; the laboratory knows, the campaign does not."""
    driving = ethanol_pct / 25 + 0.4 * np.log10(cooling_K_h) - 0.6
    neutral = np.exp(-(((pH - 6.2) / 1.6) ** 2))
    # Little drives nothing to crystallize, much makes many small crystals.
    yields = neutral * driving**2 / (1 + driving**2) if driving > 0 else 0.0
    size = 8 + 240 * neutral * np.exp(-(((driving - 0.9) / 0.5) ** 2))
    strain = 0.0005 + 0.004 / (1 + np.exp(-3 * (np.log10(cooling_K_h) - 1)))
    salted_out = 1 / (1 + np.exp(-6 * (salt_M * (0.4 + ethanol_pct / 100) - 0.9)))
    return Drop(size, strain, 4000 * yields, 0.7 * salted_out)


def lines(structure: tuple) -> tuple[np.ndarray, np.ndarray]:
    """2theta in degrees and intensities (n,) of the lines of a structure, the strongest 1."""
    hall, cell, atoms = structure
    sites = [(element, at) for element, several in atoms.items() for at in several]
    elements, positions = zip(*sites, strict=True)
    ones = np.ones(len(sites))
    scatterers = Scatterers(elements, np.array(positions, dtype=float), ones, 0.02 * ones)
    crystal = CrystalStructure.from_cell(hall, np.array(cell), scatterers)
    found = calculate_lines(crystal, Simulation(wavelength_A=WAVELENGTH_A, two_theta_max_deg=62.0))
    kept = found.intensity > 0
    return found.two_theta_deg[kept], found.intensity[kept] / found.intensity.max()


def pattern(drop: Drop, rng: np.random.Generator) -> np.ndarray:
    """Counts (n,) over TWO_THETA_DEG of what grew."""
    expected = 60 + 400 * np.exp(-(((TWO_THETA_DEG - 22) / 9) ** 2)) * (drop.counts < 400)
    for structure, share, size_nm in (
        (GLYCINE, 1 - drop.salt, drop.size_nm),
        (SALT, drop.salt, 300),
    ):
        for two_theta_deg, strength in zip(*lines(structure), strict=True):
            theta = np.radians(two_theta_deg / 2)
            by_size = 0.9 * WAVELENGTH_A / (10 * size_nm * np.cos(theta))
            by_strain = 4 * drop.strain * np.tan(theta)
            fwhm = np.hypot(0.07, np.degrees(by_size + by_strain))
            near = np.flatnonzero(np.abs(TWO_THETA_DEG - two_theta_deg) < 12 * fwhm)
            area = drop.counts * share * strength * 0.1
            for n in near:
                shape, *_ = pseudo_voigt(TWO_THETA_DEG[n] - two_theta_deg, fwhm, 0.5)
                expected[n] += area / fwhm * shape
    return rng.poisson(expected)


def measured(values: Mapping[str, float], path: Path, rng: np.random.Generator) -> None:
    """Grow, measure and write a pattern, 2theta and counts."""
    counts = pattern(grown(**values), rng)
    with path.open("w") as file:
        file.write(f"# wavelength {WAVELENGTH_A}\n")
        file.writelines(f"{x:.2f} {y}\n" for x, y in zip(TWO_THETA_DEG, counts, strict=True))


def main(proposals: str, results: str) -> None:
    """Measure each proposal; the table of results names a pattern for each."""
    out = Path(results)
    with open(proposals) as asked, out.open("w") as told:
        told.write("id,drop\n")
        for row in csv.DictReader(asked):
            values = {name: float(row[name]) for name in SETTINGS}
            name = f"{out.stem}_{row['id']}.xy"
            measured(values, out.parent / name, np.random.default_rng(int(row["id"][1:])))
            told.write(f"{row['id']},{name}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
