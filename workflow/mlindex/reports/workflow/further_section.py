"""The section of tables that are declared as reported and that no other section shows."""

from __future__ import annotations

import pandas as pd

from mlindex.base.schema import Table
from mlindex.reports.html import fold, heading, note, table
from mlindex.reports.workflow.inputs import ReportData

#: What the sections of their own show, by the names that the tables declare.
_SHOWN = {
    *("rejects_quality", "rejects_reduction", "rejects_simulation", "rejects_dataset"),
    *("duplicates", "dataset", "groups", "splits", "scaling"),
    *("first_peak", "acceptance", "histograms", "training", "metrics", "overlap"),
    *("validation", "rates", "indexing_rates", "indexing_seconds"),
}
#: Rows shown of a table for each lattice system; the page must stay small.
_ROWS = 100


def further_tables(data: ReportData) -> list[tuple[str, str]]:
    """The section with its title, where there is any such table; else nothing."""
    names = [name for name in data.tables if name not in _SHOWN]
    body = "".join(_table(name, data.tables[name], data.frames[name]) for name in names)
    return [("Further tables", body)] if body else []


def _table(name: str, declared: Table, frame: pd.DataFrame) -> str:
    body = heading(name.replace("_", " ").capitalize()) + note(f"One row: {declared.row}.")
    for number, (system, rows) in enumerate(frame.groupby("system", sort=False)):
        more = f", the first {_ROWS} shown" if len(rows) > _ROWS else ""
        title = f"{system or 'all lattice systems'}: {len(rows)} rows{more}"
        body += fold(title, table(_shown(rows, declared)), number == 0)
    return body if len(frame) else body + note("No rows.")


def _shown(rows: pd.DataFrame, declared: Table) -> pd.DataFrame:
    units = {c.name: f"{c.name} ({c.unit})" for c in declared.columns if c.unit}
    return rows.drop(columns="system").head(_ROWS).rename(columns=units)
