"""Laboratory patterns of two crystals mixed, simulated from a folder of CIF files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.base.provenance import derive_seed
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.indexing.rates.judge import Truth
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peakshape import area_of_unit_peak
from mlindex.patterns.settings import Simulation
from mlindex.patterns.simulation import simulate
from mlindex.structures.quality import check_file
from mlindex.structures.settings import Quality
from mlindex.structures.sources import FolderSource
from mlindex.structures.tables import ENTRIES

ALPHA_A = 1.540593, 1.544427
TWO_THETA_DEG = np.arange(5.0, 90.0, 0.02)
_VOLUMES_A3 = 60.0, 2500.0
_FILES_PER_STRUCTURE, _MAX_FILE_BYTES = 8, 100_000
#: Widths from its middle beyond which a simulated peak is nothing.
_REACH = 40.0


@dataclass(frozen=True)
class Crystal:
    """A crystal: the name of its entry, lattice system, lattice, and q² and intensity of its lines
    (n,)."""

    name: str
    system: str
    truth: Truth
    q2_inv_A2: np.ndarray
    intensity: np.ndarray


@dataclass(frozen=True)
class Pair:
    """Two crystals of one sample."""

    main: Crystal
    other: Crystal

    @property
    def name(self) -> str:
        """What the pattern is called."""
        return self.main.name

    def pattern(self, share: float, seed: int) -> MeasuredPattern:
        """Counts over 2theta: Cu K-alpha 1 and 2, pseudo-Voigts, those of the second crystal a
        fifth broader, zero shift and displacement of 0.03 degrees at random, 1,000 to 30,000 counts
        at the strongest peak, Poisson's noise.

        Args:
            share: the second crystal's, of the intensity.
            seed: of width, shape, shifts and counts; the same for all shares.
        """
        return mixed(self.main, self.other, share, _random(seed, self.main.name))


@dataclass(frozen=True)
class Structures:
    """Crystals of a folder, lattice systems in turn, each formula once."""

    crystals: tuple[Crystal, ...]

    @staticmethod
    def of(folder: Path, number: int, seed: int) -> Structures:
        """So many crystals, and a quarter more where the folder has them."""
        entries = _entries(folder, number, seed)
        settings = Simulation(
            wavelength_A=ALPHA_A[0], two_theta_max_deg=float(TWO_THETA_DEG[-1]) + 2, fwhm_deg=0.1
        )
        lines = simulate(entries, settings).reflections.set_index("entry_id")
        known = entries[entries["entry_id"].isin(lines.index)]
        return Structures(
            tuple(_crystal(row, lines.loc[row["entry_id"]]) for row in known.to_dict("records"))
        )

    def pairs(self, number: int, seed: int) -> Iterator[Pair]:
        """The first so many crystals, each with another one at random."""
        for main in self.crystals[:number]:
            others = [one for one in self.crystals if one is not main]
            yield Pair(main, others[int(_random(seed, f"other {main.name}").integers(len(others)))])


def _random(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(derive_seed(seed, "mixture", name))


def _crystal(entry: dict, lines: pd.Series) -> Crystal:
    cell = np.array([entry[name] for name in cell_names("")], dtype=float)
    q2, intensity = (np.asarray(lines[name], dtype=float) for name in ("q2_inv_A2", "intensity"))
    truth = Truth(cell, _letter(entry["hm_symbol"][0], cell))
    return Crystal(entry["entry_id"], entry["lattice_system"], truth, q2, intensity)


def _letter(letter: str, cell: np.ndarray) -> str:
    hexagonal = abs(cell[5] - 120) < 0.01 and abs(cell[0] - cell[1]) < 1e-3 * cell[0]
    return "P" if letter == "R" and not hexagonal else letter


def _entries(folder: Path, number: int, seed: int) -> pd.DataFrame:
    """Rows of ENTRIES, lattice systems in turn, each formula once; some more than asked for."""
    files = sorted(p for p in folder.rglob("*.cif") if p.stat().st_size < _MAX_FILE_BYTES)
    drawn = random.Random(seed).sample(files, min(len(files), _FILES_PER_STRUCTURE * number))
    source = FolderSource(name="x", path=str(folder))
    kept = [
        row
        for path in drawn
        for usable, row in check_file(
            path.relative_to(folder).as_posix(), folder, source, Quality()
        )
        if usable
    ]
    table = pd.DataFrame(kept, columns=ENTRIES.names)
    table = table[table["volume_A3"].between(*_VOLUMES_A3)].drop_duplicates("formula")
    turn = table.groupby("lattice_system").cumcount()
    order = table.assign(turn=turn).sort_values(["turn", "lattice_system"]).index
    return table.loc[order].head(number + number // 4)


def mixed(main: Crystal, other: Crystal, share: float, rng: np.random.Generator) -> MeasuredPattern:
    """Counts of two crystals, the second one's peaks a fifth broader; see :meth:`Pair.pattern`."""
    fwhm, eta = rng.uniform(0.07, 0.16), rng.uniform(0.3, 0.8)
    shifts, counts = 0.03 * rng.normal(size=2), 10 ** rng.uniform(3, 4.5)
    first = curve(main, fwhm, eta, shifts)
    second = curve(other, 1.2 * fwhm, eta, shifts)
    whole = (1 - share) * first / first.sum() + share * second / second.sum()
    whole *= counts / whole.max()
    background = 20 + 0.02 * counts * (1 + 4 * np.exp((TWO_THETA_DEG[0] - TWO_THETA_DEG) / 8))
    return MeasuredPattern(
        main.name,
        TWO_THETA_DEG,
        rng.poisson(whole + background).astype(float),
        wavelength_A=ALPHA_A[0],
        second_wavelength_A=ALPHA_A[1],
    )


def curve(crystal: Crystal, fwhm: float, eta: float, shifts: np.ndarray) -> np.ndarray:
    """Peaks of the lines, wider at high angles as Caglioti's formula has it."""
    out = np.zeros(len(TWO_THETA_DEG))
    for wavelength, factor in zip(ALPHA_A, (1.0, 0.5), strict=True):
        at = two_theta_from_q2(crystal.q2_inv_A2, wavelength)
        for position, intensity in zip(at, crystal.intensity, strict=True):
            if not np.isfinite(position) or not intensity > 0:
                continue
            tangent = np.tan(np.radians(position) / 2)
            width = fwhm * np.sqrt(1 - 0.6 * tangent + 1.2 * tangent**2)
            seen = position + shifts[0] + shifts[1] * np.cos(np.radians(position) / 2)
            ends = np.searchsorted(TWO_THETA_DEG, (seen - _REACH * width, seen + _REACH * width))
            z2 = ((TWO_THETA_DEG[slice(*ends)] - seen) / width) ** 2
            shape = eta / (1 + 4 * z2) + (1 - eta) * np.exp(-4 * np.log(2) * z2)
            out[slice(*ends)] += factor * intensity * shape / area_of_unit_peak(width, eta, 0.0)
    return out
