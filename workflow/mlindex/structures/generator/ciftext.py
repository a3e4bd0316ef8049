"""A generated crystal as the text of a CIF data block."""

from __future__ import annotations

import gzip
import io
from functools import lru_cache
from pathlib import Path

import gemmi

from mlindex.base.atomic import atomic_path
from mlindex.crystal.lattice import ANGLES, AXES
from mlindex.structures.generator.crystal import GeneratedCrystal
from mlindex.structures.generator.positions import positions_of

_SITE_TAGS = (
    "label",
    "type_symbol",
    "fract_x",
    "fract_y",
    "fract_z",
    "occupancy",
    "U_iso_or_equiv",
)


def block_text(name: str, crystal: GeneratedCrystal) -> str:
    """The data block called ``name``, valid core CIF."""
    lines = [f"data_{name}"]
    lines += [f"_cell_length_{n} {v:.5f}" for n, v in zip(AXES, crystal.cell[:3], strict=True)]
    lines += [f"_cell_angle_{n} {v:.4f}" for n, v in zip(ANGLES, crystal.cell[3:], strict=True)]
    lines += [
        f"_cell_volume {crystal.volume_A3:.4f}",
        f"_cell_formula_units_Z {crystal.formula_units}",
        f"_chemical_formula_sum '{crystal.formula}'",
    ]
    return "\n".join(lines) + "\n" + _symmetry_text(crystal.symbol) + _sites_text(crystal)


@lru_cache(maxsize=600)
def _symmetry_text(symbol: str) -> str:
    group = gemmi.find_spacegroup_by_name(symbol)
    lines = [
        f"_space_group_IT_number {group.number}",
        f'_space_group_name_H-M_alt "{group.xhm()}"',
        f'_space_group_name_Hall "{group.hall}"',
        "loop_",
        "_space_group_symop_operation_xyz",
        *(f"'{operation}'" for operation in positions_of(symbol).operations),
    ]
    return "\n".join(lines) + "\n"


def _sites_text(crystal: GeneratedCrystal) -> str:
    lines = ["loop_", *(f"_atom_site_{tag}" for tag in _SITE_TAGS)]
    names = [crystal.elements[kind] for kind in crystal.sites.elements]
    rows = zip(names, (crystal.sites.fractions % 1.0).tolist(), crystal.u_iso_A2, strict=True)
    lines += [
        f"{name}{i} {name} {x:.6f} {y:.6f} {z:.6f} 1 {u:.4f}"
        for i, (name, (x, y, z), u) in enumerate(rows, start=1)
    ]
    return "\n".join(lines) + "\n\n"


def write_text(path: Path, text: str) -> None:
    """Write text, gzipped without a date where the path ends with .gz, atomically."""
    data = text.encode("ascii")
    if path.suffix == ".gz":
        buffer = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=6, mtime=0) as f:
            f.write(data)
        data = buffer.getvalue()
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
