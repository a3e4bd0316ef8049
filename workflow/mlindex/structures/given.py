"""The crystal that an entry states: its setting resolved, its sites counted."""

from __future__ import annotations

import gemmi
import numpy as np

from mlindex.crystal.cell import cell_volume
from mlindex.crystal.space_groups import cell_fits
from mlindex.structures.cif import CifEntry, EntryError
from mlindex.structures.settings import Quality
from mlindex.structures.symbols import Stated, resolve
from mlindex.structures.symmetry import Crystal, in_standard_setting, multiplicities

#: Elements that entries often leave out of their sites.
HYDROGEN = ("D", "H")


def given_crystal(entry: CifEntry, settings: Quality, notes: list[str]) -> Crystal:
    """The crystal as the entry states it, in a tabulated setting (rules 2 and 3).

    Args:
        entry: what the data block says.
        settings: how well the cell must agree with the symmetry.
        notes: what was assumed is added to it.

    Raises:
        EntryError: the symmetry can't be understood, or the cell encloses no volume.
    """

    def fits(group: gemmi.SpaceGroup) -> bool:
        return cell_fits(
            entry.cell, group, settings.cell_length_tolerance, settings.cell_angle_tolerance_deg
        )

    def mismatch(group: gemmi.SpaceGroup) -> float:
        units = units_of_sites(entry, Crystal(entry.cell, group, entry.sites))
        if not np.isfinite(units):
            return 0.0
        return abs(units / (entry.stated_z or max(round(units), 1)) - 1)

    stated = Stated(entry.symbol, entry.hall, entry.number, entry.operations)
    resolved = resolve(stated, entry.cell, fits, mismatch)
    notes += resolved.notes
    _require_positive(entry.cell)
    if resolved.group is not None:
        return Crystal(entry.cell, resolved.group, entry.sites)
    crystal = in_standard_setting(entry.cell, resolved.operations, entry.sites)
    notes.append(f"setting not tabulated, rewritten in {crystal.group.xhm()}")
    return crystal


def _require_positive(cell: np.ndarray) -> None:
    seen = " ".join(f"{value:g}" for value in cell)
    if not np.all(np.isfinite(cell) & (cell > 0)):
        raise EntryError(4, seen, "the cell has a length or angle that is zero or no number")
    volume = cell_volume(cell)
    if not (np.isfinite(volume) and volume > 0):
        raise EntryError(4, seen, "the cell's angles enclose no volume")


def site_counts(crystal: Crystal) -> dict[str, float]:
    """Atoms of each element in the cell."""
    sites = crystal.sites
    counts = multiplicities(sites.xyz, crystal.cell, crystal.group.hall) * sites.occupancy
    totals: dict[str, float] = {}
    for element, count in zip(sites.elements, counts.tolist(), strict=True):
        totals[element] = totals.get(element, 0.0) + count
    return totals


def units_of_sites(entry: CifEntry, crystal: Crystal) -> float:
    """Atoms on the sites over atoms in the formula, without hydrogen; NaN without atoms."""
    if not len(crystal.sites):
        return float("nan")
    counts = site_counts(crystal)
    for left_out in (HYDROGEN, ()):
        formula = sum(n for e, n in entry.formula_counts.items() if e not in left_out)
        found = sum(n for e, n in counts.items() if e not in left_out)
        if formula and found:
            return found / formula
    return float("nan")
