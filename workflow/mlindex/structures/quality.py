"""Quality control: seven rules in order, and every entry kept or rejected with its reason.

The rules are those of Moreau, ML-Index Methods 2.1.1 (rule 7 as corrected: 1.8 to 180 A³ an
atom). Rule 0 stands for what could not be read at all.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gemmi
import numpy as np
import pandas as pd
import pyarrow as pa

from mlindex.base.columns import cell_names
from mlindex.base.errors import MlindexError
from mlindex.base.guard import CRASH, MEMORY, TIME, Begin, Limits, Stop, Stops, guarded
from mlindex.crystal.cell import cell_volume
from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.niggli import coarse_epsilon, niggli_reduction
from mlindex.crystal.space_groups import bravais_symbol, cell_fits, cell_system
from mlindex.structures.cif import (
    CifEntry,
    EntryError,
    block_names,
    entry_name,
    read_block,
    read_document,
)
from mlindex.structures.composition import formula_of
from mlindex.structures.given import HYDROGEN, given_crystal, site_counts, units_of_sites
from mlindex.structures.listed import Listed
from mlindex.structures.settings import Quality
from mlindex.structures.sources import FolderSource, GeneratorSource
from mlindex.structures.symmetry import Crystal, find_symmetry
from mlindex.structures.tables import ENTRIES, REJECTS

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
_NIGGLI_STEPS = 1000
#: Why an entry or a file is given up, by the kind of stop.
_STOPPED = {
    TIME: "reading it takes longer than quality.max_entry_s allows",
    MEMORY: "reading it needs more memory than quality.max_entry_memory_MB allows",
    CRASH: "reading it ends the process",
}
_UNFORESEEN = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)

_log = logging.getLogger(__name__)

#: Whether an entry is kept, and its row of ENTRIES or REJECTS.
Outcome = tuple[bool, dict[str, Any]]


@dataclass(frozen=True)
class Checked:
    """Quality control of a shard: tables ENTRIES and REJECTS, and the number of entries met."""

    entries: pd.DataFrame
    rejects: pd.DataFrame
    seen: int


@dataclass(frozen=True)
class CheckedBlock:
    """Quality control of some files of a shard: ENTRIES and REJECTS as Arrow tables."""

    entries: pa.Table
    rejects: pa.Table


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

    Files are read in a child process (:mod:`mlindex.base.guard`): an entry that takes more time or
    memory than the settings allow, or ends the process, is rejected, and the others survive.

    Args:
        files: table FILES; without digests, whether the files are still as listed isn't asked.
        root: the folder that the files' paths start from.
        source: whether symmetry is taken as given or found, and the source's name.
        settings: the rules' limits.
        progress: wraps the loop over files.

    Raises:
        MlindexError: if an entry is met twice, the folder is gone, or a file is gone or not as
            it was when it was listed: the shard must be read again.
    """
    kept: list[dict[str, Any]] = []
    rejects: list[dict[str, Any]] = []
    for block in check_blocks(files, root, source, settings, progress):
        kept += block.entries.to_pylist()
        rejects += block.rejects.to_pylist()
    entries = pd.DataFrame(kept, columns=ENTRIES.names)
    refused = pd.DataFrame(rejects, columns=REJECTS.names)
    return Checked(entries, refused, len(kept) + len(rejects))


def check_blocks(
    files: pd.DataFrame,
    root: Path,
    source: FolderSource | GeneratorSource,
    settings: Quality,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Iterator[CheckedBlock]:
    """Like :func:`check_shard`, some files at a time, in their order."""
    paths, root = files["path"].tolist(), Path(root)
    listed = Listed(files, root, source.name, settings.max_file_MB * 1e6)
    reader = _Reader(root, source, settings, listed)
    limits = Limits(settings.max_entry_s, settings.max_entry_memory_MB)
    bar = iter(progress(paths))
    met: set[str] = set()
    done = 0
    for count, (*tables, told) in guarded(paths, reader.check, reader.pack, limits):
        messages, changed = json.loads(told)
        for message in messages:
            _log.warning("%s", message)
        block = CheckedBlock(*(pa.ipc.open_stream(table).read_all() for table in tables))
        listed.require(changed)
        _require_account(paths[done : done + count], block, met, source.name)
        done += count
        yield block
        for _ in range(count):
            next(bar, None)
    next(bar, None)


def _require_account(
    paths: list[str], block: CheckedBlock, met: set[str], source_name: str
) -> None:
    """Every file gave an entry or a reject, and no entry is there twice."""
    found = [
        [value for table in (block.entries, block.rejects) for value in table[name].to_pylist()]
        for name in ("path", "entry_id")
    ]
    lost = set(paths) - set(found[0])
    ids = set(found[1])
    twice = len(found[1]) - len(ids - met)
    met |= ids
    if lost or twice:
        raise MlindexError(
            f"quality control of {source_name}: {len(found[1])} entries met, {twice} identifiers "
            f"twice, {len(lost)} files without any; is a file listed twice?"
        )


class _Reader:
    """What the child process does; what it logs goes to the parent, which has the log file."""

    def __init__(
        self,
        root: Path,
        source: FolderSource | GeneratorSource,
        settings: Quality,
        listed: Listed,
    ):
        self._arguments = (root, source, settings)
        self._listed = listed
        self._messages: list[str] | None = None
        self._changed: list[str] = []

    def _listen(self) -> list[str]:
        messages: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: messages.append(handler.format(record))
        _log.handlers, _log.propagate = [handler], False
        return messages

    def check(self, path: str, stops: Stops, begin: Begin) -> list[Outcome]:
        """The outcomes of a file."""
        if self._messages is None:
            self._messages = self._listen()
        found = list(check_file(path, *self._arguments, stops, begin))
        if self._listed.is_changed(path):
            self._changed.append(path)
        return found

    def pack(self, results: list[list[Outcome]]) -> list[bytes]:
        """Kept and rejected rows as Arrow streams; what was logged and what changed as JSON."""
        packed = []
        for table, wanted in ((ENTRIES, True), (REJECTS, False)):
            rows = [row for found in results for kept, row in found if kept is wanted]
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_batch(pa.RecordBatch.from_pylist(rows, schema=table.schema))
            packed.append(sink.getvalue().to_pybytes())
        packed.append(json.dumps([self._messages, self._changed]).encode())
        self._messages.clear()
        self._changed.clear()
        return packed


def _no_begin(_: int) -> None:
    """Nobody watches."""


def check_file(
    path: str,
    root: Path,
    source: FolderSource | GeneratorSource,
    settings: Quality,
    stops: Stops = MappingProxyType({}),
    begin: Begin = _no_begin,
) -> Iterator[Outcome]:
    """Every entry of a file: whether it is kept, and its row of ENTRIES or REJECTS.

    Args:
        path, root: the file below the root.
        source, settings: as in :func:`check_shard`.
        stops: entries, counted from 1 (0: the file), that took too much time or memory.
        begin: called with the number of each entry before it is begun.
    """
    name = f"{source.name}:{entry_name(path, root)}"
    where = {"source": source.name, "path": path}
    if 0 in stops:
        yield False, _stopped(f"{name}:", where, stops[0])
        return
    try:
        document, notes = read_document(path, root, settings.max_file_MB)
    except EntryError as problem:
        yield False, _reject(f"{name}:", where, problem)
        return
    except _UNFORESEEN as error:
        yield False, _reject(f"{name}:", where, _unforeseen(path, error))
        return
    for number, (block, unique, repeated) in enumerate(block_names(document), 1):
        entry_id = f"{name}:{unique}"
        if number in stops:
            yield False, _stopped(entry_id, where, stops[number])
            continue
        begin(number)
        try:
            listed = settings.formula == "listed"
            raw = read_block(block, unique, settings.max_sites, [*notes, *repeated], listed)
            row = _check_entry(raw, source, settings)
        except EntryError as problem:
            yield False, _reject(entry_id, where, problem)
        except _UNFORESEEN as error:
            yield False, _reject(entry_id, where, _unforeseen(entry_id, error))
        else:
            yield True, {"entry_id": entry_id, **where, **row}


def _stopped(entry_id: str, where: dict[str, str], stop: Stop) -> dict[str, Any]:
    problem = EntryError(0, stop.seen, _STOPPED[stop.kind])
    return {**_reject(entry_id, where, problem), "rule_name": stop.kind}


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
    given = given_crystal(entry, settings, notes)
    found = source.kind == "folder" and source.symmetry == "found"
    crystal = find_symmetry(given, source.symmetry_tolerance_A) if found else given
    _require_cell(crystal, settings)
    if not entry.formula_counts:
        entry = _with_formula(entry, crystal, notes)
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


def _with_formula(entry: CifEntry, crystal: Crystal, notes: list[str]) -> CifEntry:
    """The entry with the formula that its atoms have (rule 1)."""
    content = site_counts(crystal)
    if not content:
        raise EntryError(1, "", "no chemical formula is listed, and no atom either")
    stated = entry.stated_z and round(entry.stated_z * crystal.volume_ratio, 6)
    formula, counts = formula_of(content, stated)
    notes.append("formula from the atoms, none is listed")
    return replace(entry, formula=formula, formula_counts=counts)


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
    epsilon = coarse_epsilon(crystal.cell)
    try:
        found = niggli_reduction(
            crystal.cell, crystal.group, epsilon=epsilon, most_steps=_NIGGLI_STEPS
        )
    except (RuntimeError, ValueError) as error:
        raise EntryError(5, seen, f"the cell can't be reduced: {error}") from None
    if found.steps >= _NIGGLI_STEPS:
        raise EntryError(5, seen, f"the reduction of the cell does not end in {found.steps} steps")
    return float(gemmi.UnitCell(*found.cell).volume)


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
    from_sites = units_of_sites(entry, crystal)
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


def _same_proportions(entry: CifEntry, crystal: Crystal) -> bool:
    counts = {e: n for e, n in site_counts(crystal).items() if e not in HYDROGEN}
    formula = {e: n for e, n in entry.formula_counts.items() if e not in HYDROGEN}
    if set(counts) != set(formula) or not formula:
        return False
    ratios = np.array([counts[element] / formula[element] for element in formula])
    return bool(np.ptp(ratios) <= _COUNT_TOLERANCE * ratios.mean())
