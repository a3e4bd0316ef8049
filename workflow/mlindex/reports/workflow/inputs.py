"""What the report is made from, read from the results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.base.schema import Table, read_provenance, read_table
from mlindex.indexing.rates.tables import INDEXING_RATES
from mlindex.learning.tables import DATASET, GROUPS, METRICS, TRAINING
from mlindex.method.tables import (
    ACCEPTANCE,
    FIRST_PEAK,
    HISTOGRAMS,
    RATES,
    SCALING,
    SPLITS,
    VALIDATION,
)
from mlindex.structures.tables import DUPLICATES, ENTRIES, REJECTS

#: Kinds of input, their table, and the columns that the report needs (None: all).
KINDS: dict[str, tuple[Table, list[str] | None]] = {
    "rejects_quality": (REJECTS, None),
    "rejects_reduction": (REJECTS, None),
    "rejects_simulation": (REJECTS, None),
    "rejects_dataset": (REJECTS, None),
    "duplicates": (DUPLICATES, ["kept"]),
    "dataset": (DATASET, ["side", "usable"]),
    "groups": (GROUPS, None),
    "splits": (SPLITS, None),
    "scaling": (SCALING, None),
    "first_peak": (FIRST_PEAK, None),
    "acceptance": (ACCEPTANCE, None),
    "histograms": (HISTOGRAMS, None),
    "training": (TRAINING, None),
    "metrics": (METRICS, None),
    "overlap": (METRICS, None),
    "validation": (VALIDATION, None),
    "rates": (RATES, None),
    "indexing_rates": (INDEXING_RATES, None),
}
_ENTRY_COLUMNS = [
    "entry_id",
    "source",
    "path",
    "hm_symbol",
    "symmetry_source",
    "lattice_system",
    "bravais_lattice",
    *cell_names(""),
]


@dataclass(frozen=True)
class ReportData:
    """All frames that the report shows; those by lattice system have a column ``system``."""

    entries: pd.DataFrame
    frames: Mapping[str, pd.DataFrame]
    seconds: pd.DataFrame
    run_times: pd.DataFrame
    provenance: Mapping[str, Any]
    config: Mapping[str, Any]
    systems: Sequence[str]

    def frame(self, kind: str, system: str | None = None) -> pd.DataFrame:
        """The frame of one kind, of one lattice system if named."""
        frame = self.frames[kind]
        return frame if system is None else frame[frame["system"] == system]


def read_inputs(
    paths: Mapping[str, Iterable[str]],
    systems: Sequence[str],
    config: Mapping[str, Any],
    benchmarks: Path,
) -> ReportData:
    """Read all inputs.

    Args:
        paths: files by kind (the keys of :data:`KINDS`, ``entries``, ``seconds`` and
            ``indexing_seconds``).
        systems: lattice systems in the order of the report.
        config: the whole config as plain data.
        benchmarks: folder with Snakemake's benchmark files.
    """
    entry_paths = list(paths["entries"])
    entries = [read_table(path, ENTRIES, _ENTRY_COLUMNS) for path in entry_paths]
    frames = {
        kind: _read(paths[kind], table, columns, systems)
        for kind, (table, columns) in KINDS.items()
    }
    seconds = [_labelled(_seconds(p), p, systems) for p in paths["indexing_seconds"]]
    frames["indexing_seconds"] = pd.concat(seconds, ignore_index=True)
    first = read_provenance(next(iter(paths["dataset"])))
    return ReportData(
        pd.concat(entries, ignore_index=True),
        frames,
        pd.concat([_labelled(_seconds(p), p, systems) for p in paths["seconds"]]),
        _run_times(benchmarks),
        first,
        config,
        systems,
    )


def _read(
    paths: Iterable[str], table: Table, columns: list[str] | None, systems: Sequence[str]
) -> pd.DataFrame:
    frames = [_labelled(read_table(path, table, columns), path, systems) for path in paths]
    return pd.concat(frames, ignore_index=True)


def _seconds(path: str) -> pd.DataFrame:
    # Without rows pandas would take the column for text.
    return pd.read_csv(path, dtype={"seconds": float, "cpu_seconds": float, "amount": float})


def _labelled(frame: pd.DataFrame, path: str, systems: Sequence[str]) -> pd.DataFrame:
    # The lattice system of a table is a folder of its path, or the name of its file.
    parts = {*Path(path).parts, Path(path).name.split(".")[0]}
    found = [system for system in systems if system in parts]
    return frame.assign(system=found[0] if found else "")


def _run_times(folder: Path) -> pd.DataFrame:
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        frame = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        last = frame.iloc[-1]
        rows.append((rule, float(last["s"]), float(last.get("max_rss", float("nan")))))
    return pd.DataFrame(rows, columns=["rule", "seconds", "max_rss_MB"])
