"""Powder patterns calculated from crystal structures (Moreau, ML-Index Methods, 2.1.1).

A line's intensity is the sum of multiplicity · |F|² · (1 + cos²(2 theta)) / (sin²(theta)
cos(theta)) over the reflections that fall on it, the Lorentz-polarization factor for powders
and an unpolarized beam without monochromator. Peaks are Gaussians of one width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.cell import metric_tensor, reciprocal_from_cell
from mlindex.crystal.lorentz import lorentz_polarization
from mlindex.crystal.reflections import Reflections, find_at_least
from mlindex.crystal.space_groups import symmetry_of
from mlindex.patterns.settings import Simulation
from mlindex.patterns.structure_factors import (
    Scatterers,
    form_factor_coefficients,
    squared_structure_factors,
)
from mlindex.patterns.tables import PATTERNS, REFLECTIONS
from mlindex.structures.tables import REJECTS

#: Lines that are always listed, if need be from beyond the end of the pattern.
MIN_LINES = 60
#: Lines that are listed at most; the pattern has all of them.
MAX_LINES = 400
#: Reflections times atoms of the cell beyond which an entry is rejected: about a minute.
MAX_TERMS = 5_000_000_000
#: Miller indices in the box around the pattern's half sphere beyond which an entry is rejected
#: before they are listed; a cubic cell of 350 A has as many.
MAX_INDICES = 50_000_000

#: Columns of an entry that the simulation reads, besides the cell.
_USED = (
    *("entry_id", "source", "path", "hall_symbol"),
    *(f"site_{name}" for name in ("element", "x", "y", "z", "occupancy", "u_iso_A2")),
)
#: Columns of ENTRIES that :func:`simulate` needs.
COLUMNS = (*_USED, *cell_names(""))
_GAUSSIAN_REACH_FWHM = 3.0

Progress = Callable[[Iterable], Iterable]


@dataclass(frozen=True)
class Simulated:
    """What came of the entries: each is in ``reflections`` and ``patterns``, or in ``rejects``."""

    reflections: pd.DataFrame
    patterns: pd.DataFrame
    rejects: pd.DataFrame


@dataclass(frozen=True)
class CrystalStructure:
    """What the simulation needs of an entry."""

    hall_symbol: str
    #: Metric tensor in A², shape (3, 3).
    metric_A2: np.ndarray
    #: The six reciprocal parameters in 1/A².
    x_inv_A2: np.ndarray
    sites: Scatterers

    @classmethod
    def from_cell(cls, hall_symbol: str, cell: np.ndarray, sites: Scatterers) -> CrystalStructure:
        """With the six cell parameters (A, degrees)."""
        return cls(hall_symbol, metric_tensor(cell), reciprocal_from_cell(cell), sites)


@dataclass(frozen=True)
class CalculatedLines:
    """The lines of a powder pattern by rising q², one for each distinct spacing.

    ``hkl`` is one reflection of each line, ``multiplicity`` counts all of them. Beyond the end
    of the pattern ``two_theta_deg`` is NaN and ``intensity`` 0; the strongest line has 100.
    """

    hkl: np.ndarray
    q2_inv_A2: np.ndarray
    two_theta_deg: np.ndarray
    multiplicity: np.ndarray
    intensity: np.ndarray


class UnusableError(Exception):
    """A crystal without a pattern: number and name of the rule, value seen, reason."""

    def __init__(self, rule: int, name: str, seen: Any, reason: str):
        super().__init__(reason)
        self.rule, self.name, self.seen, self.reason = rule, name, str(seen), reason


def simulate(entries: pd.DataFrame, settings: Simulation, progress: Progress = iter) -> Simulated:
    """Reflections and powder pattern of every entry.

    Args:
        entries: rows of ENTRIES; other columns than cell, Hall symbol and sites are not used.
        settings: wavelength, grid, width, displacement.
        progress: wraps the loop over the entries.

    Returns:
        Rows of REFLECTIONS, PATTERNS and REJECTS.
    """
    reflections, patterns, rejects = [], [], []
    columns = {name: entries[name].tolist() for name in _USED}
    cells = entries[cell_names("")].to_numpy(dtype=float)
    metrics_A2, x_inv_A2 = metric_tensor(cells), reciprocal_from_cell(cells)
    for row in progress(range(len(entries))):
        entry = {name: values[row] for name, values in columns.items()}
        sites = _sites(entry, settings.displacement)
        crystal = CrystalStructure(entry["hall_symbol"], metrics_A2[row], x_inv_A2[row], sites)
        try:
            lines = calculate_lines(crystal, settings)
        except UnusableError as problem:
            rejects.append(_reject(entry, problem))
            continue
        pattern, scale = calculate_pattern(lines, settings)
        reflections.append(_reflections_row(entry["entry_id"], lines))
        patterns.append((entry["entry_id"], scale, pattern))
    return Simulated(
        pd.DataFrame(reflections, columns=REFLECTIONS.names),
        pd.DataFrame(patterns, columns=PATTERNS.names),
        pd.DataFrame(rejects, columns=REJECTS.names) if rejects else REJECTS.empty(),
    )


def calculate_lines(crystal: CrystalStructure, settings: Simulation) -> CalculatedLines:
    """All lines up to the end of the pattern, and at least :data:`MIN_LINES`.

    Raises:
        UnusableError: no sites, an element without form factor, nothing that scatters, too large.
    """
    _check_sites(crystal.sites)
    symmetry = symmetry_of(crystal.hall_symbol)
    q2_end = q2_from_two_theta(settings.two_theta_max_deg, settings.wavelength_A)
    box = np.sqrt(np.diagonal(crystal.metric_A2) * q2_end)
    n_indices = float(np.prod(2 * box + 1)) / 2
    if not n_indices <= MAX_INDICES:
        raise UnusableError(
            4, "too large", f"{n_indices:.3g}", "Miller indices to try are beyond the limit"
        )
    found = find_at_least(crystal.x_inv_A2, symmetry, q2_end, MIN_LINES)
    n_inside = int(np.searchsorted(found.q2_inv_A2, q2_end, side="right"))
    n_terms = n_inside * len(crystal.sites.element) * len(symmetry.rotations)
    if n_terms > MAX_TERMS:
        raise UnusableError(4, "too large", n_terms, "reflections times atoms are beyond the limit")
    intensity = np.zeros(len(found.q2_inv_A2))
    if n_inside:
        intensity[:n_inside] = _intensities(found, n_inside, crystal, settings.wavelength_A)
    return _merged(found, intensity, n_inside, settings.wavelength_A)


def calculate_pattern(lines: CalculatedLines, settings: Simulation) -> tuple[np.ndarray, float]:
    """The pattern on the grid step, 2 step, ..., end, and the height of a line of intensity 1.

    Returns:
        float32 array with sum of squares 1, and the scale in the same unit.
    """
    n_points = round(settings.two_theta_max_deg / settings.two_theta_step_deg)
    inside = lines.intensity > 0
    raw = _sum_gaussians(
        lines.two_theta_deg[inside],
        lines.intensity[inside],
        n_points,
        settings.two_theta_step_deg,
        gaussian_sigma(settings.fwhm_deg),
        _GAUSSIAN_REACH_FWHM * settings.fwhm_deg,
    )
    scale = 1.0 / float(np.sqrt(np.sum(raw**2)))
    return (raw * scale).astype(np.float32), scale


def gaussian_sigma(fwhm: float) -> float:
    """Standard deviation of a Gaussian of that full width at half maximum, in its unit."""
    return fwhm / np.sqrt(8 * np.log(2))


def _sites(entry: dict[str, Any], displacement: bool) -> Scatterers:
    u_iso = np.asarray(entry["site_u_iso_A2"], dtype=float)
    position = np.array([entry[f"site_{axis}"] for axis in "xyz"], dtype=float)
    return Scatterers(
        tuple(entry["site_element"]),
        np.ascontiguousarray(position.T),
        np.asarray(entry["site_occupancy"], dtype=float),
        u_iso if displacement else np.zeros_like(u_iso),
    )


def _check_sites(sites: Scatterers) -> None:
    if not sites.element:
        raise UnusableError(1, "no atoms", 0, "the entry lists no atom sites")
    unknown = sorted({e for e in sites.element if form_factor_coefficients(e) is None})
    if unknown:
        raise UnusableError(
            2, "no form factor", " ".join(unknown), "an element has no X-ray form factor"
        )
    numbers = (sites.position.T, sites.occupancy, sites.u_iso_A2)
    if not all(np.all(np.isfinite(values)) for values in numbers):
        raise UnusableError(1, "no atoms", "NaN", "a coordinate, occupancy or displacement is NaN")


def _intensities(
    found: Reflections, n: int, crystal: CrystalStructure, wavelength_A: float
) -> np.ndarray:
    """multiplicity · |F|² · Lorentz-polarization of the first n reflections."""
    q2 = found.q2_inv_A2[:n]
    squared = squared_structure_factors(
        found.hkl[:n], q2, crystal.sites, symmetry_of(crystal.hall_symbol), crystal.metric_A2
    )
    theta = np.radians(two_theta_from_q2(q2, wavelength_A)) / 2
    return found.multiplicity[:n] * squared * lorentz_polarization(theta)


def _merged(
    found: Reflections, intensity: np.ndarray, n: int, wavelength_A: float
) -> CalculatedLines:
    starts = found.line_starts
    total = np.add.reduceat(intensity, starts)
    strongest = total.max(initial=0.0)
    if n == 0 or not strongest > 0:
        seen = f"{n} reflections"
        raise UnusableError(3, "zero intensity", seen, "no line of the pattern has any intensity")
    q2 = found.q2_inv_A2[starts]
    return CalculatedLines(
        hkl=found.line_hkl,
        q2_inv_A2=q2,
        two_theta_deg=np.where(starts < n, two_theta_from_q2(q2, wavelength_A), np.nan),
        multiplicity=np.add.reduceat(found.multiplicity, starts),
        intensity=100 * total / strongest,
    )


def _reflections_row(entry_id: str, lines: CalculatedLines) -> tuple:
    n = min(len(lines.q2_inv_A2), max(MIN_LINES, int(np.sum(np.isfinite(lines.two_theta_deg)))))
    kept = slice(min(n, MAX_LINES))
    return (
        entry_id,
        *lines.hkl[kept].T.astype(np.int16),
        lines.q2_inv_A2[kept],
        lines.two_theta_deg[kept],
        lines.multiplicity[kept].astype(np.int16),
        lines.intensity[kept],
    )


def _reject(entry: dict[str, Any], problem: UnusableError) -> tuple:
    return (
        entry["entry_id"],
        entry["source"],
        entry["path"],
        "simulation",
        problem.rule,
        problem.name,
        problem.seen,
        problem.reason,
    )


@numba.njit(cache=True)
def _sum_gaussians(center, height, n_points, step, sigma, reach):
    """Sum of Gaussians, each cut off at ``reach``, on the grid step, 2 step, ..., n step."""
    pattern = np.zeros(n_points)
    for line in range(len(center)):
        first = max(int(np.ceil((center[line] - reach) / step)), 1)
        last = min(int(np.floor((center[line] + reach) / step)), n_points)
        for point in range(first, last + 1):
            offset = (point * step - center[line]) / sigma
            pattern[point - 1] += height[line] * np.exp(-0.5 * offset * offset)
    return pattern
