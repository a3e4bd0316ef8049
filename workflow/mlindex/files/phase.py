"""A known phase from a CIF: cell, space group and, with its atoms, how strong its lines are.

Read with gemmi. Atoms are optional: without them only the positions of the lines are known.
"""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.phase import WRITTEN, Phase, of_space_group, phase_of
from mlindex.crystal.strengths import with_strengths
from mlindex.files.cif_problem import cif_problem
from mlindex.files.source import load

_BRAVAIS_TYPE = "_space_group_Bravais_type"


def read_phase(path: str | Path) -> Phase:
    """Read a known phase from a CIF file, for ``mlindex.index(..., known_phases=...)``.

    Args:
        path: the file. Its first block with a cell is taken; a ``best.cif`` of mlindex will do.

    Raises:
        MlindexError: it can't be read, or states no cell or no symmetry.
    """
    source = load(Path(path), 60.0)
    try:
        document = gemmi.cif.read_string(source.data.decode("utf-8", errors="replace"))
    except (ValueError, RuntimeError) as error:
        raise MlindexError(f"{source.name}: {cif_problem(error)}") from error
    for block in document:
        small = gemmi.make_small_structure_from_block(block)
        if small.cell.is_crystal():
            return _phase(Path(source.name).name, block, small)
    raise MlindexError(f"{source.name}: states no cell; give {WRITTEN}")


def _phase(name: str, block: gemmi.cif.Block, small: gemmi.SmallStructure) -> Phase:
    cell = np.array(small.cell.parameters)
    small.determine_and_set_spacegroup("S.H2")
    group = small.spacegroup
    if group is None:
        return _of_lattice(name, block, cell)
    return with_strengths(of_space_group(name, group, cell), small)


def _of_lattice(name: str, block: gemmi.cif.Block, cell: np.ndarray) -> Phase:
    """The phase of a CIF that states its Bravais lattice at most."""
    stated = gemmi.cif.as_string(block.find_value(_BRAVAIS_TYPE) or "")
    if stated:
        numbers = " ".join(f"{value:.8g}" for value in cell)
        found = phase_of(f"{stated.replace('S', 'C')} {numbers}")
        return Phase(name, found.symbol, found.cell, found.centring)
    raise MlindexError(f"{name}: states no space group; give {WRITTEN}")
