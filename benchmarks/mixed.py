"""Laboratory patterns of two crystals mixed, simulated from a folder of CIF files."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
#: How much broader the second crystal's peaks are.
_BROADER = 1.2
#: A peak's height is known as well as if so many widths of points had it, each with the height of
#: the maximum (sum of squares of a pseudo-Voigt); and it is seen if it is so many errors high.
_POINTS_OF_PEAK, _CLEAR = 0.75, 5.0


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
        rng = _random(seed, self.main.name)
        expected = sample(self.main, self.other, share, rng).counts
        return MeasuredPattern(
            self.name,
            TWO_THETA_DEG,
            rng.poisson(expected).astype(float),
            wavelength_A=ALPHA_A[0],
            second_wavelength_A=ALPHA_A[1],
        )

    def second_lines(self, share: float, seed: int) -> int:
        """How many lines of the second crystal can be seen in :meth:`pattern`."""
        of = sample(self.main, self.other, share, _random(seed, self.main.name))
        return lines_to_be_seen(self.other, of)


@dataclass(frozen=True)
class Structures:
    """Crystals of a folder, lattice systems in turn, each formula once."""

    crystals: tuple[Crystal, ...]

    @staticmethod
    def of(folder: Path, number: int, seed: int, exclude: Sequence[str] = ()) -> Structures:
        """So many crystals, and a quarter more where the folder has them; files whose paths in it
        hold one of the words ``exclude`` are left out."""
        entries = _entries(folder, number, seed, exclude)
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
    q2, intensity = (np.asarray(lines[name], dtype=float) for name in ("q2_inv_A2", "intensity"))
    return Crystal(entry["entry_id"], entry["lattice_system"], truth_of(entry), q2, intensity)


def truth_of(entry: Mapping[str, Any]) -> Truth:
    """The lattice of a row of ENTRIES."""
    cell = np.array([entry[name] for name in cell_names("")], dtype=float)
    return Truth(cell, _letter(entry["hm_symbol"][0], cell))


def _letter(letter: str, cell: np.ndarray) -> str:
    hexagonal = abs(cell[5] - 120) < 0.01 and abs(cell[0] - cell[1]) < 1e-3 * cell[0]
    return "P" if letter == "R" and not hexagonal else letter


def _entries(folder: Path, number: int, seed: int, exclude: Sequence[str]) -> pd.DataFrame:
    """Rows of ENTRIES, lattice systems in turn, each formula once; some more than asked for."""
    files = sorted(
        path
        for path in folder.rglob("*.cif")
        if path.stat().st_size < _MAX_FILE_BYTES
        and not any(word in path.relative_to(folder).as_posix() for word in exclude)
    )
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


@dataclass(frozen=True)
class Sample:
    """What is expected of a pattern: the counts (n,) of each crystal and of the background at
    :data:`TWO_THETA_DEG`, the second crystal's width at half maximum, and the shifts."""

    first: np.ndarray
    second: np.ndarray
    background: np.ndarray
    second_fwhm_deg: float
    shifts_deg: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Expected counts (n,)."""
        return self.first + self.second + self.background


def sample(main: Crystal, other: Crystal, share: float, rng: np.random.Generator) -> Sample:
    """Two crystals, the second one's peaks a fifth broader; see :meth:`Pair.pattern`."""
    fwhm, eta = rng.uniform(0.07, 0.16), rng.uniform(0.3, 0.8)
    shifts, counts = 0.03 * rng.normal(size=2), 10 ** rng.uniform(3, 4.5)
    first = curve(main, fwhm, eta, shifts)
    second = curve(other, _BROADER * fwhm, eta, shifts)
    first, second = (1 - share) * first / first.sum(), share * second / second.sum()
    scale = counts / (first + second).max()
    background = 20 + 0.02 * counts * (1 + 4 * np.exp((TWO_THETA_DEG[0] - TWO_THETA_DEG) / 8))
    return Sample(scale * first, scale * second, background, _BROADER * fwhm, shifts)


def lines_to_be_seen(crystal: Crystal, of: Sample) -> int:
    """How many lines of the second crystal of a sample can be seen: each is a width from stronger
    ones of its own, higher than the first crystal's counts at its place, and five times as high as
    the error of its height, counts of all its points taken together."""
    at = _seen(two_theta_from_q2(crystal.q2_inv_A2, ALPHA_A[0]), of.shifts_deg)
    at = at[(at > TWO_THETA_DEG[0]) & (at < TWO_THETA_DEG[-1])]
    first, height, counts = (
        np.interp(at, TWO_THETA_DEG, curve) for curve in (of.first, of.second, of.counts)
    )
    width = _width(of.second_fwhm_deg, at)
    points = _POINTS_OF_PEAK * width / (TWO_THETA_DEG[1] - TWO_THETA_DEG[0])
    clear = (height > first) & (height * np.sqrt(points / counts) > _CLEAR)
    seen: list[float] = []
    for i in np.argsort(-height, kind="stable"):
        if clear[i] and all(abs(at[i] - other) > width[i] for other in seen):
            seen.append(at[i])
    return len(seen)


def _seen(true_deg: np.ndarray, shifts_deg: np.ndarray) -> np.ndarray:
    return true_deg + shifts_deg[0] + shifts_deg[1] * np.cos(np.radians(true_deg) / 2)


def _width(fwhm: float, two_theta_deg: np.ndarray) -> np.ndarray:
    """Widths (n,) at half maximum, wider at high angles as Caglioti's formula has it."""
    tangent = np.tan(np.radians(two_theta_deg) / 2)
    return fwhm * np.sqrt(1 - 0.6 * tangent + 1.2 * tangent**2)


def curve(crystal: Crystal, fwhm: float, eta: float, shifts: np.ndarray) -> np.ndarray:
    """Peaks of the lines, wider at high angles as Caglioti's formula has it."""
    out = np.zeros(len(TWO_THETA_DEG))
    for wavelength, factor in zip(ALPHA_A, (1.0, 0.5), strict=True):
        at = two_theta_from_q2(crystal.q2_inv_A2, wavelength)
        for position, intensity in zip(at, crystal.intensity, strict=True):
            if not np.isfinite(position) or not intensity > 0:
                continue
            width = _width(fwhm, position)
            seen = _seen(position, shifts)
            ends = np.searchsorted(TWO_THETA_DEG, (seen - _REACH * width, seen + _REACH * width))
            z2 = ((TWO_THETA_DEG[slice(*ends)] - seen) / width) ** 2
            shape = eta / (1 + 4 * z2) + (1 - eta) * np.exp(-4 * np.log(2) * z2)
            out[slice(*ends)] += factor * intensity * shape / area_of_unit_peak(width, eta, 0.0)
    return out
