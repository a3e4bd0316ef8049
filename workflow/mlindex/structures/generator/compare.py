"""Real against generated crystals, as histograms for the report."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.crystal.lattice import BRAVAIS
from mlindex.structures.generator.settings_table import unique_axis
from mlindex.structures.generator.shapes import SHAPES
from mlindex.structures.generator.statistics import BINS, load_statistics, quantities

COLUMNS = ["quantity", "bravais_lattice", "kind", "left", "right", "share"]


def real_against_generated(entries: pd.DataFrame, resources: Path) -> pd.DataFrame:
    """Shares of crystals in bins of volume (log10 of A³), axis ratios and angles (degrees).

    Args:
        entries: rows of the table of entries (Bravais lattice, symbol, conventional cell).
        resources: the folder with cell_statistics.json, which holds the real histograms.

    Returns:
        Columns quantity, bravais_lattice, kind (real or generated), left, right, share: for
        each Bravais lattice in ``entries``; shares are of all its crystals, those beyond the
        bins included.
    """
    known = load_statistics(Path(resources))["bravais"]
    frames = []
    for symbol, rows in entries.groupby("bravais_lattice", sort=True):
        shape = SHAPES[BRAVAIS[symbol].system.name]
        cells = rows[cell_names("")].to_numpy(float)
        axes = np.array([_axis(name) for name in rows["hm_symbol"]])
        for name, values in quantities(cells, axes, shape).items():
            if name not in known[symbol]["histograms"]:
                continue
            real = np.array(known[symbol]["histograms"][name]) / known[symbol]["crystals"]
            generated = np.histogram(values, BINS[name])[0] / len(rows)
            frames += [
                _rows(name, symbol, "real", real),
                _rows(name, symbol, "generated", generated),
            ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def _axis(symbol: str) -> int:
    group = gemmi.find_spacegroup_by_name(symbol)
    return 1 if group is None else unique_axis(group)


def _rows(quantity: str, bravais: str, kind: str, share: np.ndarray) -> pd.DataFrame:
    edges = BINS[quantity]
    return pd.DataFrame(
        {
            "quantity": quantity,
            "bravais_lattice": bravais,
            "kind": kind,
            "left": edges[:-1],
            "right": edges[1:],
            "share": share,
        },
        columns=COLUMNS,
    )
