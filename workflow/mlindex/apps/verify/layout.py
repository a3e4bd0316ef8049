"""Where each table lies below the results, and which of its columns go together."""

from __future__ import annotations

from pathlib import PurePath

from mlindex.base.schema import Table
from mlindex.indexing.ranking.tables import RANKING_EXAMPLES, RANKING_FIGURES
from mlindex.indexing.rates.tables import INDEXING_RATES
from mlindex.indexing.tables import OF_A_SAMPLE
from mlindex.learning.tables import DATASET, GROUPS, METRICS, TRAINING
from mlindex.method.tables import (
    ACCEPTANCE,
    EXAMPLES,
    FIRST_PEAK,
    HISTOGRAMS,
    RATES,
    REFERENCE,
    SCALING,
    SPLITS,
    TEMPLATES,
    VALIDATION,
)
from mlindex.patterns.tables import PATTERNS, PEAKS, REFLECTIONS
from mlindex.structures.manifest import STATE
from mlindex.structures.tables import CELLS, DUPLICATES, ENTRIES, FILES, REJECTS

#: The table of every place, as a pattern of paths below the results.
PLACES: dict[str, Table] = {
    "sources/*/*.files.parquet": FILES,
    "sources/*/.state.parquet": STATE,
    "entries/*/*.parquet": ENTRIES,
    "cells/*/*.parquet": CELLS,
    "reflections/*/*.parquet": REFLECTIONS,
    "patterns/*/*.parquet": PATTERNS,
    "peaks/*/*.parquet": PEAKS,
    "rejects/dataset/*.parquet": REJECTS,
    "rejects/*/*/*.parquet": REJECTS,
    "duplicates/*.parquet": DUPLICATES,
    "dataset/*.parquet": DATASET,
    "groups/*.parquet": GROUPS,
    "splits/*.parquet": SPLITS,
    "scaling/*.parquet": SCALING,
    "reference/*.parquet": REFERENCE,
    "examples/*.parquet": EXAMPLES,
    "templates/*.parquet": TEMPLATES,
    "augmentation/*/first_peak.parquet": FIRST_PEAK,
    "augmentation/*/acceptance.parquet": ACCEPTANCE,
    "augmentation/*/histograms.parquet": HISTOGRAMS,
    "regression/*/training_*.parquet": TRAINING,
    "regression/*/metrics_*.parquet": METRICS,
    "assignment/*/training_*.parquet": TRAINING,
    "assignment/*/metrics_*.parquet": METRICS,
    "forest/*/metrics.parquet": METRICS,
    "overlap/*.parquet": METRICS,
    "validation/*.parquet": VALIDATION,
    "rates/*.parquet": RATES,
    "indexing_rates/*.parquet": INDEXING_RATES,
    "ranking/examples/*.parquet": RANKING_EXAMPLES,
    "ranking/figures.parquet": RANKING_FIGURES,
    **{f"indexed/*/{table.name}.parquet": table for table in OF_A_SAMPLE},
    **{
        f"{folder}/*/{name}.parquet": table
        for folder in ("trained", "models")
        for name, table in (
            ("scaling", SCALING),
            ("reference", REFERENCE),
            ("groups", GROUPS),
            ("templates", TEMPLATES),
        )
    },
    "models/*/rates.parquet": RATES,
    "models/*/metrics.parquet": METRICS,
}

_HKL = ("h", "k", "l")
#: List columns whose rows are equally long, by table.
EQUALLY_LONG: dict[str, tuple[tuple[str, ...], ...]] = {
    ENTRIES.name: (
        ("elements", "element_counts"),
        ("site_element", "site_x", "site_y", "site_z", "site_occupancy", "site_u_iso_A2"),
    ),
    REFLECTIONS.name: ((*_HKL, "q2_inv_A2", "two_theta_deg", "multiplicity"),),
    PEAKS.name: (
        ("present_q2_inv_A2", *(f"present_{n}" for n in _HKL)),
        ("observed_q2_inv_A2", *(f"observed_{n}" for n in _HKL), "observed_intensity"),
    ),
    DATASET.name: tuple(
        (f"{kind}_q2_inv_A2", *(f"{kind}_{n}" for n in _HKL)) for kind in ("present", "observed")
    ),
    EXAMPLES.name: (("q2_inv_A2", *_HKL, "label"),),
    TEMPLATES.name: (("line", "label"),),
}
#: Columns that count the items of a list column, by table.
COUNTED: dict[str, dict[str, str]] = {
    PEAKS.name: {"n_present": "present_q2_inv_A2", "n_observed": "observed_q2_inv_A2"},
}

#: Tables that one job of a shard writes together.
SHARD_OUTPUTS: dict[str, tuple[str, ...]] = {
    "quality": ("entries", "rejects/quality"),
    "reduce": ("cells", "rejects/reduction"),
    "simulate": ("reflections", "patterns", "rejects/simulation"),
}


def table_at(path: PurePath) -> Table | None:
    """The table that belongs at a path below the results; None where no place is known."""
    for pattern, table in PLACES.items():
        if len(path.parts) == pattern.count("/") + 1 and path.match(pattern):
            return table
    return None
