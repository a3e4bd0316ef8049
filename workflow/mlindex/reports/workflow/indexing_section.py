"""The section of the report on ab initio indexing."""

from __future__ import annotations

import pandas as pd

from mlindex.indexing.rates.summary import curves, shares
from mlindex.patterns.spoil import EXACT, UNITS
from mlindex.reports.html import figure, fold, heading, note, table
from mlindex.reports.workflow import indexing_figures
from mlindex.reports.workflow.inputs import ReportData

_TITLES = {
    "shift": "Zero shift of 2theta",
    "noise": "Noise on 2theta",
    "impurities": "Impurity lines",
    "missing": "Missing lines",
}


def indexing(data: ReportData) -> str:
    """Success rates of ab initio indexing, of spoiled lists as well, and its seconds."""
    rates = data.frames["indexing_rates"]
    if rates.empty:
        return note("No entry was indexed ab initio.")
    body = note(
        "Validation entries indexed as the command mlindex index does: all 14 Bravais lattices "
        "tried; neither the lattice nor the errors are given. First: the true lattice is the first "
        "candidate (reduced cells agree). Partner: the first candidate names it as a lattice with "
        "the same lines. Wrong and convincing: neither, and yet called convincing. Lists have 20 "
        "lines, cubic ones 10."
    )
    if (rates["degradation"] == EXACT).any():
        body += heading("Lines as calculated")
        body += note("Percent of the entries, with 95 % intervals (Wilson).")
        body += table(share_table(shares(rates)))
    return body + _degraded(rates) + _seconds(data)


def share_table(found: pd.DataFrame) -> pd.DataFrame:
    """A row for each Bravais lattice, a column for each share: percent with its interval."""
    text = [
        f"{100 * r.rate:.1f} ({100 * r.low:.1f} to {100 * r.high:.1f})" for r in found.itertuples()
    ]
    wide = found.assign(text=text).pivot_table(
        index=["bravais_lattice", "entries"],
        columns="share",
        values="text",
        aggfunc="first",
        sort=False,
    )
    return wide.reset_index().rename_axis(columns=None)


def _degraded(rates: pd.DataFrame) -> str:
    found = curves(rates)
    if found.empty:
        return ""
    body = heading("Spoiled lists")
    body += note(
        "Share of the entries of each lattice system whose lattice is first or named as partner, "
        "against the amount of spoiling; at 0 the same entries as calculated. Noise above 0.02 "
        "degrees is given as the error of 2theta, since whoever measures a pattern knows it; the "
        "rest is not given. Of the 10 lines of cubic lists the same share is spoiled. Diamonds: "
        "SVD-Index with as many impurities, on other calculated patterns (A. A. Coelho 2003, "
        "J. Appl. Cryst. 36, 86-95)."
    )
    body += figure(indexing_figures.degradation(found, _TITLES))
    spoiled = rates[rates["degradation"] != EXACT]
    body += note(
        f"Of {len(spoiled)} spoiled lists, {int(spoiled['wrong'].sum())} were given a wrong cell "
        "that was called convincing."
    )
    for kind, rows in found.groupby("degradation", sort=False):
        body += fold(f"{_TITLES[str(kind)]} ({UNITS[str(kind)]})", table(curve_table(rows)))
    return body


def curve_table(rows: pd.DataFrame) -> pd.DataFrame:
    """A row for each lattice system, a column for each amount: solved of entries."""
    text = rows["successes"].astype(str) + " of " + rows["entries"].astype(str)
    named = rows.assign(text=text, amount=rows["amount"].map("{:g}".format))
    wide = named.pivot_table(
        index="system", columns="amount", values="text", aggfunc="first", sort=False
    )
    names = {"system": "lattice system"}
    return wide.reset_index().rename_axis(columns=None).rename(columns=names)


def _seconds(data: ReportData) -> str:
    frame = data.frames["indexing_seconds"]
    parts = {
        kind: rows.groupby("system", sort=False)
        for kind, rows in (
            ("as calculated", frame[frame["degradation"] == EXACT]),
            ("spoiled", frame[frame["degradation"] != EXACT]),
        )
    }
    rows = [
        {
            "lattice system": system,
            "lists": kind,
            "number": len(times),
            "median (s)": times["seconds"].median(),
            "longest (s)": times["seconds"].max(),
            "median processor time (s)": times["cpu_seconds"].median(),
        }
        for kind, groups in parts.items()
        for system, times in groups
    ]
    text = note("One thread each, as many side by side as the job had.")
    return heading("Seconds for each list") + text + table(pd.DataFrame(rows))
