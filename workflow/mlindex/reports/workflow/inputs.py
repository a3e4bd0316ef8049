"""What the report is made from, read from the results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.base.schema import Table, read_provenance, read_table
from mlindex.structures.tables import ENTRIES

#: Columns that the report needs of tables with many rows; of the others it reads all.
_COLUMNS = {"duplicates": ["kept"], "dataset": ["side", "usable"]}
_ENTRIES = "entries"
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
    """All frames that the report shows; those by lattice system have a column ``system``.

    ``tables`` are their declarations, by the same names.
    """

    entries: pd.DataFrame
    frames: Mapping[str, pd.DataFrame]
    tables: Mapping[str, Table]
    seconds: pd.DataFrame
    run_times: pd.DataFrame
    provenance: Mapping[str, Any]
    config: Mapping[str, Any]
    systems: Sequence[str]

    def frame(self, kind: str, system: str | None = None) -> pd.DataFrame:
        """The frame of one kind, of one lattice system if named."""
        frame = self.frames[kind]
        return frame if system is None else frame[frame["system"] == system]


def reported_tables(tables: Iterable[Table]) -> dict[str, Table]:
    """The tables that the report reads one kind after another, by the names that they declare."""
    return {
        place.reported: table
        for table in tables
        for place in table.places
        if place.reported not in ("", _ENTRIES)
    }


def read_inputs(
    paths: Mapping[str, Iterable[str]],
    systems: Sequence[str],
    config: Mapping[str, Any],
    benchmarks: Path,
    tables: Iterable[Table],
) -> ReportData:
    """Read all inputs.

    Args:
        paths: files by the names that tables declare for the report, and ``seconds`` and
            ``indexing_seconds``.
        systems: lattice systems in the order of the report.
        config: the whole config as plain data.
        benchmarks: folder with Snakemake's benchmark files.
        tables: all declared tables.
    """
    entry_paths = list(paths["entries"])
    entries = [read_table(path, ENTRIES, _ENTRY_COLUMNS) for path in entry_paths]
    declared = reported_tables(tables)
    frames = {
        kind: _read(paths[kind], table, _COLUMNS.get(kind), systems)
        for kind, table in declared.items()
    }
    seconds = [_labelled(_seconds(p), p, systems) for p in paths["indexing_seconds"]]
    frames["indexing_seconds"] = pd.concat(seconds, ignore_index=True)
    first = read_provenance(next(iter(paths["dataset"])))
    return ReportData(
        pd.concat(entries, ignore_index=True),
        frames,
        declared,
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
