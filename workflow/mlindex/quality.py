"""Quality control: seven rules in order, and every entry kept or rejected with its reason.

The rules are those of Moreau, ML-Index Methods 2.1.1 (rule 7 as corrected: 1.8 to 180 A³ an
atom). Rule 0 stands for what could not be read at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pandas as pd

from mlindex.cell import cell_volume
from mlindex.cif import (
    CifEntry,
    EntryError,
    block_names,
    entry_name,
    gemmi_cell,
    read_block,
    read_document,
)
from mlindex.errors import MlindexError
from mlindex.lattice import BRAVAIS
from mlindex.settings.data import Quality
from mlindex.settings.sources import FolderSource, GeneratorSource
from mlindex.symbols import Stated, resolve
from mlindex.symmetry import (
    Crystal,
    bravais_symbol,
    cell_fits,
    cell_system,
    find_symmetry,
    in_standard_setting,
    multiplicities,
)
from mlindex.tables.columns import cell_names
from mlindex.tables.entries import ENTRIES, REJECTS

#: Name of each rule.
RULES = {
    0: "readable",
    1: "chemical formula",
    2: "space-group number",
    3: "space-group symbol",
    4: "cell and crystal system",
    5: "Niggli reduction",
    6: "volume",
    7: "volume per atom",
}
STAGE = "quality control"
_USUAL_VOLUME_PER_ATOM_A3 = 18.0
#: Sites agree with formula times Z when their atoms, hydrogen aside, differ by less than this.
_COUNT_TOLERANCE = 0.05
_HYDROGEN = ("D", "H")
_NIGGLI_STEPS = 1000
_NIGGLI_EPSILON = 1e-5
_UNFORESEEN = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checked:
    """Quality control of a shard: tables ENTRIES and REJECTS, and the number of entries met."""

    entries: pd.DataFrame
    rejects: pd.DataFrame
    seen: int


@dataclass(frozen=True)
class _Units:
    """Formula units in the cell and where their number is from."""

    z: float
    source: str
    notes: tuple[str, ...]


def check_shard(
    files: pd.DataFrame,
    root: Path,
    source: FolderSource | GeneratorSource,
    settings: Quality,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Checked:
    """Read a shard's files and put every entry among the kept or the rejected ones.

    Args:
        files: table FILES.
        root: the folder that the files' paths start from.
        source: whether symmetry is taken as given or found, and the source's name.
        settings: the rules' limits.
        progress: wraps the loop over files.

    Raises:
        MlindexError: if the kept and the rejected do not add up to the entries met.
    """
    kept: list[dict[str, Any]] = []
    rejects: list[dict[str, Any]] = []
    seen = 0
    for path in progress(files["path"].tolist()):
        for outcome, row in _check_file(path, Path(root), source, settings):
            seen += 1
            (kept if outcome else rejects).append(row)
    entries = pd.DataFrame(kept, columns=ENTRIES.names)
    refused = pd.DataFrame(rejects, columns=REJECTS.names)
    ids = pd.concat([entries["entry_id"], refused["entry_id"]])
    if len(ids) != seen or ids.duplicated().any():
        raise MlindexError(
            f"quality control of {source.name}: {seen} entries met, {len(entries)} kept and "
            f"{len(refused)} rejected, {int(ids.duplicated().sum())} identifiers twice; is a file "
            "listed twice?"
        )
    return Checked(entries, refused, seen)


def _check_file(
    path: str, root: Path, source: FolderSource | GeneratorSource, settings: Quality
) -> Iterator[tuple[bool, dict[str, Any]]]:
    name = f"{source.name}:{entry_name(path, root)}"
    where = {"source": source.name, "path": path}
    try:
        document, notes = read_document(path, root, settings.max_file_MB)
    except EntryError as problem:
        yield False, _reject(f"{name}:", where, problem)
        return
    except _UNFORESEEN as error:
        yield False, _reject(f"{name}:", where, _unforeseen(path, error))
        return
    for block, unique, repeated in block_names(document):
        entry_id = f"{name}:{unique}"
        try:
            raw = read_block(block, unique, settings.max_sites, [*notes, *repeated])
            row = _check_entry(raw, source, settings)
        except EntryError as problem:
            yield False, _reject(entry_id, where, problem)
        except _UNFORESEEN as error:
            yield False, _reject(entry_id, where, _unforeseen(entry_id, error))
        else:
            yield True, {"entry_id": entry_id, **where, **row}


def _unforeseen(what: str, error: Exception) -> EntryError:
    # What no rule foresees must not cost the shard; the log keeps where it came from.
    _log.warning("%s: unforeseen problem", what, exc_info=error)
    return EntryError(0, type(error).__name__, f"unforeseen problem: {error}")


def _reject(entry_id: str, where: dict[str, str], problem: EntryError) -> dict[str, Any]:
    return {
        "entry_id": entry_id,
        **where,
        "stage": STAGE,
        "rule": problem.rule,
        "rule_name": RULES[problem.rule],
        "seen": problem.seen,
        "reason": problem.reason,
    }


def _check_entry(
    entry: CifEntry, source: FolderSource | GeneratorSource, settings: Quality
) -> dict[str, Any]:
    notes = list(entry.notes)
    given = _given(entry, settings, notes)
    found = source.kind == "folder" and source.symmetry == "found"
    crystal = find_symmetry(given, source.symmetry_tolerance_A) if found else given
    _require_cell(crystal, settings)
    reduced_A3 = _reduced_volume(crystal)
    volume_A3 = float(cell_volume(crystal.cell))
    _require_volume(entry, crystal, volume_A3, reduced_A3, settings)
    units = _formula_units(entry, crystal, volume_A3)
    n_atoms = units.z * sum(entry.formula_counts.values())
    _require_volume_per_atom(volume_A3, n_atoms, settings)
    lattice = BRAVAIS[bravais_symbol(crystal.group)]
    sites = crystal.sites
    return {
        "block": entry.block,
        "formula": entry.formula,
        "elements": list(entry.formula_counts),
        "element_counts": [count * units.z for count in entry.formula_counts.values()],
        "formula_units": units.z,
        "formula_units_source": units.source,
        "n_atoms": n_atoms,
        "spacegroup_number": crystal.group.number,
        "hm_symbol": crystal.group.xhm(),
        "hall_symbol": crystal.group.hall,
        "hm_stated": entry.symbol or None,
        "symmetry_source": "found" if found else "given",
        "lattice_system": lattice.system.name,
        "bravais_lattice": lattice.symbol,
        **dict(zip(cell_names(""), crystal.cell.tolist(), strict=True)),
        "volume_A3": volume_A3,
        "r_factor": entry.r_factor,
        "site_element": list(sites.elements),
        **{f"site_{axis}": sites.xyz[:, i].tolist() for i, axis in enumerate("xyz")},
        "site_occupancy": sites.occupancy.tolist(),
        "site_u_iso_A2": sites.u_iso_A2.tolist(),
        "notes": "; ".join([*notes, *units.notes]) or None,
    }


def _given(entry: CifEntry, settings: Quality, notes: list[str]) -> Crystal:
    """The crystal as the entry states it, in a tabulated setting (rules 2 and 3)."""

    def fits(group: gemmi.SpaceGroup) -> bool:
        return cell_fits(
            entry.cell, group, settings.cell_length_tolerance, settings.cell_angle_tolerance_deg
        )

    def mismatch(group: gemmi.SpaceGroup) -> float:
        units = _units_of_sites(entry, Crystal(entry.cell, group, entry.sites))
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


def _require_cell(crystal: Crystal, settings: Quality) -> None:
    group, cell = crystal.group, crystal.cell
    if not cell_fits(
        cell, group, settings.cell_length_tolerance, settings.cell_angle_tolerance_deg
    ):
        raise EntryError(
            4,
            " ".join(f"{value:g}" for value in cell),
            f"the cell is not that of {group.xhm()}: {cell_system(group).name} axes are expected",
        )


def _reduced_volume(crystal: Crystal) -> float:
    seen = " ".join(f"{value:g}" for value in crystal.cell)
    # Grosse-Kunstleve, Sauter & Adams, Acta Cryst. A60 (2004) 1: epsilon relative to the cell.
    epsilon = _NIGGLI_EPSILON * float(cell_volume(crystal.cell)) ** (1 / 3)
    try:
        vector = gemmi.GruberVector(gemmi_cell(crystal.cell), crystal.group)
        steps = vector.niggli_reduce(epsilon, _NIGGLI_STEPS)
    except (RuntimeError, ValueError) as error:
        raise EntryError(5, seen, f"the cell can't be reduced: {error}") from None
    if steps >= _NIGGLI_STEPS:
        raise EntryError(5, seen, f"the reduction of the cell does not end in {steps} steps")
    return float(gemmi.UnitCell(*vector.cell_parameters()).volume)


def _require_volume(
    entry: CifEntry, crystal: Crystal, volume_A3: float, reduced_A3: float, settings: Quality
) -> None:
    n_points = len(crystal.group.operations().cen_ops)
    volumes = {"cell": volume_A3, f"reduced cell times {n_points}": reduced_A3 * n_points}
    if entry.stated_volume_A3 is not None:
        volumes["stated"] = entry.stated_volume_A3 * crystal.volume_ratio
    low, high = min(volumes.values()), max(volumes.values())
    if not high - low <= settings.volume_tolerance * volume_A3:
        seen = ", ".join(f"{name} {value:.3f}" for name, value in volumes.items())
        raise EntryError(6, seen, "the volumes in A³ differ by more than quality.volume_tolerance")


def _require_volume_per_atom(volume_A3: float, n_atoms: float, settings: Quality) -> None:
    low, high = settings.volume_per_atom_min_A3, settings.volume_per_atom_max_A3
    if not low * n_atoms <= volume_A3 <= high * n_atoms:
        raise EntryError(
            7,
            f"{volume_A3:.2f} A³ for {n_atoms:g} atoms",
            f"{volume_A3 / n_atoms:.3g} A³ an atom lies outside {low:g} to {high:g}",
        )


def _formula_units(entry: CifEntry, crystal: Crystal, volume_A3: float) -> _Units:
    """Z as stated, else from the sites, else from the volume.

    The sites overrule a stated Z where every element of them agrees on another whole number:
    calculated databases write the content of the cell as the formula and still a Z above 1.
    """
    from_sites = _units_of_sites(entry, crystal)
    whole = round(from_sites) if np.isfinite(from_sites) else 0
    agrees = whole >= 1 and abs(from_sites - whole) <= _COUNT_TOLERANCE * whole
    if entry.stated_z is not None:
        # Rounded: the ratio of volumes is a fraction of small integers, times rounding errors.
        stated = round(entry.stated_z * crystal.volume_ratio, 6)
        if not np.isfinite(from_sites) or abs(from_sites / stated - 1) <= _COUNT_TOLERANCE:
            return _Units(stated, "stated", ())
        note = f"Z stated as {stated:g}, the sites say {from_sites:.4g}"
        overruled = agrees and _same_proportions(entry, crystal)
        return (
            _Units(float(whole), "sites", (note,))
            if overruled
            else _Units(stated, "stated", (note,))
        )
    if whole >= 1:
        notes = () if agrees else (f"Z of the sites is {from_sites:.4g}, rounded",)
        return _Units(float(whole), "sites", notes)
    atoms = sum(entry.formula_counts.values())
    estimate = max(round(volume_A3 / (_USUAL_VOLUME_PER_ATOM_A3 * atoms)), 1)
    return _Units(float(estimate), "volume", ())


def _site_counts(crystal: Crystal) -> dict[str, float]:
    sites = crystal.sites
    counts = multiplicities(sites.xyz, crystal.cell, crystal.group.hall) * sites.occupancy
    totals: dict[str, float] = {}
    for element, count in zip(sites.elements, counts.tolist(), strict=True):
        totals[element] = totals.get(element, 0.0) + count
    return totals


def _units_of_sites(entry: CifEntry, crystal: Crystal) -> float:
    """Atoms on the sites over atoms in the formula, without hydrogen; NaN without atoms."""
    if not len(crystal.sites):
        return float("nan")
    counts = _site_counts(crystal)
    for left_out in (_HYDROGEN, ()):
        formula = sum(n for e, n in entry.formula_counts.items() if e not in left_out)
        found = sum(n for e, n in counts.items() if e not in left_out)
        if formula and found:
            return found / formula
    return float("nan")


def _same_proportions(entry: CifEntry, crystal: Crystal) -> bool:
    counts = {e: n for e, n in _site_counts(crystal).items() if e not in _HYDROGEN}
    formula = {e: n for e, n in entry.formula_counts.items() if e not in _HYDROGEN}
    if set(counts) != set(formula):
        return False
    ratios = np.array([counts[element] / formula[element] for element in formula])
    return bool(np.ptp(ratios) <= _COUNT_TOLERANCE * ratios.mean())
