"""Small tables of made-up crystals, from cell and symbol alone, for the tests of training."""

from __future__ import annotations

from collections.abc import Iterable

import gemmi
import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.crystal.cell import UnitCell
from mlindex.crystal.lattice import BRAVAIS, LatticeSystem, bravais_of
from mlindex.crystal.reindexed import standard_order
from mlindex.learning.dataset import build_dataset
from mlindex.learning.settings import Grouping, Split
from mlindex.patterns.tables import PEAKS
from mlindex.structures.tables import CELLS, DUPLICATES, ENTRIES

IDENTITY = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]

#: A symbol for each Bravais lattice whose gemmi setting is also the reindexed one.
SYMBOLS = {
    "cP": "P a -3",
    "cI": "I a -3 d",
    "cF": "F d -3 m",
    "tP": "P 41",
    "tI": "I 41/a m d",
    "hP": "P 63/m m c",
    "hR": "R -3 c:R",
    "oP": "P 21 21 2",
    "oC": "C m c m",
    "oI": "I b a 2",
    "oF": "F d d 2",
    "mP": "P 1 21/c 1",
    "mC": "C 1 2/c 1",
    "aP": "P -1",
}


def hall_of(symbol: str) -> str:
    return gemmi.SpaceGroup(symbol).hall


def random_cell(system: LatticeSystem, unique_axis: str, rng: np.random.Generator) -> np.ndarray:
    """A cell of the system, lengths sorted where the system's reindexed cells are."""
    lengths = np.sort(rng.uniform(4.0, 12.0, 3))
    oblique = rng.uniform(94.0, 106.0, 3)
    if system.unique_axis is not None:
        cell = np.array([*lengths, 90.0, 90.0, 90.0])
        cell[3 + standard_order(system, unique_axis)[system.unique_axis]] = oblique[0]
        return cell
    raw = np.array([*lengths, *oblique])
    return system.cell_from_free(raw[list(system.free_positions)])


def present(cell: np.ndarray, hall: str, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Miller indices and q² of the first reflections that are not absent."""
    span = np.arange(-9, 10)
    hkl = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3)
    hkl = hkl[len(hkl) // 2 + 1 :].astype(np.int32)
    hkl = hkl[~np.asarray(gemmi.symops_from_hall(hall).systematic_absences(hkl))]
    q2 = UnitCell.from_array(cell).q2_inv_A2(hkl)
    _, first = np.unique(np.round(q2, 9), return_index=True)
    return hkl[first[:count]], q2[first[:count]]


def crystal(
    entry_id: str,
    bravais: str,
    rng: np.random.Generator,
    *,
    symbol: str = "",
    unique_axis: str | None = None,
    elements: Iterable[str] = ("C", "H", "O"),
    counts: Iterable[float] = (8.0, 8.0, 4.0),
    n_observed: int = 40,
) -> dict[str, dict]:
    """Rows of CELLS, PEAKS, ENTRIES and DUPLICATES of one made-up entry."""
    system = BRAVAIS[bravais].system
    symbol = symbol or SYMBOLS[bravais]
    group = gemmi.SpaceGroup(symbol)
    axis = unique_axis if unique_axis is not None else ("b" if system.unique_axis else "")
    cell = random_cell(system, axis, rng)
    hkl, q2 = present(cell, group.hall)
    count = min(n_observed, len(q2))
    common = {
        "entry_id": entry_id,
        "lattice_system": system.name,
        "bravais_lattice": bravais,
        "spacegroup_number": group.number,
        "hm_symbol": symbol,
        "hall_symbol": group.hall,
        **dict(zip(cell_names(""), cell, strict=True)),
        "volume_A3": UnitCell.from_array(cell).volume_A3,
    }
    cells = {
        **common,
        **dict(zip(cell_names("reindexed_"), cell, strict=True)),
        "reindexed_hm_symbol": symbol,
        "unique_axis": axis,
        "reindexed_operator": IDENTITY,
        **dict(zip(cell_names("niggli_"), cell, strict=True)),
        "niggli_operator": IDENTITY,
        "q2_discrepancy": 0.0,
        "n_points": BRAVAIS[bravais].n_points,
    }
    peaks = {"entry_id": entry_id, "n_present": len(q2), "n_observed": count}
    for kind, length in (("present", len(q2)), ("observed", count)):
        peaks[f"{kind}_q2_inv_A2"] = q2[:length]
        peaks.update({f"{kind}_{n}": hkl[:length, i] for i, n in enumerate("hkl")})
    peaks["observed_intensity"] = np.ones(count)
    entries = dict.fromkeys(ENTRIES.names) | common
    entries |= {"source": "made", "path": f"{entry_id}.cif", "elements": list(elements)}
    entries |= {"element_counts": list(counts), "n_atoms": float(sum(counts))}
    duplicates = {
        "entry_id": entry_id,
        "bravais_lattice": bravais,
        "representative_id": entry_id,
        "kept": True,
        "rule": "kept",
        "across_sources": False,
        "volume_difference": 0.0,
    }
    return {"cells": cells, "peaks": peaks, "entries": entries, "duplicates": duplicates}


def frames(crystals: Iterable[dict[str, dict]]) -> dict[str, pd.DataFrame]:
    """The tables of crystals, by name: cells, peaks, entries, duplicates."""
    crystals = list(crystals)
    tables = {"cells": CELLS, "peaks": PEAKS, "entries": ENTRIES, "duplicates": DUPLICATES}
    return {
        name: pd.DataFrame([c[name] for c in crystals], columns=table.names)
        for name, table in tables.items()
    }


SYMBOLS_OF_AXES = {"a": "P 21/b 1 1", "b": "P 1 21/c 1", "c": "P 1 1 21/b"}


def dataset_of(system, count=30, seed=0):
    """A dataset of made-up crystals of all Bravais lattices, or unique axes, of a system."""
    rng = np.random.default_rng(seed)
    if system.unique_axis is None:
        kinds = [(b.symbol, "", None) for b in bravais_of(system.name)]
    else:
        kinds = [("mP", symbol, axis) for axis, symbol in SYMBOLS_OF_AXES.items()]
    made = []
    for i in range(count):
        bravais, symbol, axis = kinds[i % len(kinds)]
        counts = (i + 1.0, 8.0, 4.0)
        name = f"made:{i:03d}:x"
        made.append(crystal(name, bravais, rng, symbol=symbol, unique_axis=axis, counts=counts))
    rng = np.random.default_rng(seed)
    return build_dataset(
        system, **frames(made), grouping=Grouping(min_entries=5), split=Split(), rng=rng
    ).dataset
