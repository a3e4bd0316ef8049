"""Crystals for the simulation from CIF files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.cbed.atoms import Atoms, atoms_of
from mlindex.structures.cif import EntryError, block_names, read_block, read_document
from mlindex.structures.given import given_crystal
from mlindex.structures.settings import Quality


def atoms_from_cif(path: str | Path, u_iso_A2: float, quality: Quality | None = None) -> Atoms:
    """The first structure of a CIF file.

    Args:
        path: the file.
        u_iso_A2: mean square displacement of sites that state none.
        quality: limits of the reading.

    Raises:
        MlindexError: the file can't be read, or none of its blocks is a structure.
    """
    path, quality = Path(path), quality or Quality()
    if not path.exists():
        raise MlindexError(f"{path}: no such file; give a CIF file")
    try:
        document, notes = read_document(path.name, path.parent, quality.max_file_MB)
    except EntryError as problem:
        raise MlindexError(f"{path}: {problem.reason}") from None
    problems = []
    for block, name, repeated in block_names(document):
        try:
            entry = read_block(block, name, quality.max_sites, [*notes, *repeated], False)
            crystal = given_crystal(entry, quality, notes)
        except EntryError as problem:
            problems.append(f"{name}: {problem.reason}")
            continue
        sites = crystal.sites
        u_iso = np.where(sites.u_iso_A2 > 0, sites.u_iso_A2, u_iso_A2)
        return atoms_of(
            crystal.cell,
            crystal.group.hall,
            crystal.group.number,
            sites.elements,
            sites.xyz,
            sites.occupancy,
            u_iso,
        )
    raise MlindexError(f"{path}: no structure in it: {'; '.join(problems[:3])}")
