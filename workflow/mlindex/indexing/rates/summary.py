"""INDEXING_RATES summed up: shares with their intervals, and curves."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mlindex.base.statistics import wilson_interval
from mlindex.crystal.lattice import BRAVAIS
from mlindex.patterns.spoil import EXACT, UNITS

#: All Bravais lattices together.
ALL = "all"
#: What is counted, and the columns of INDEXING_RATES that give it.
SHARES = {
    "first": "first",
    "first or partner": "solved",
    "in 20": "listed",
    "anywhere": "found",
    "wrong and convincing": "wrong",
}


def with_outcomes(rates: pd.DataFrame) -> pd.DataFrame:
    """INDEXING_RATES with columns ``solved`` (first or named) and ``found`` (at any rank)."""
    return rates.assign(solved=rates["first"] | rates["named"], found=rates["rank"] > 0)


def shares(rates: pd.DataFrame) -> pd.DataFrame:
    """Rates of lists as calculated: a row for each Bravais lattice and share, and for all.

    Columns: bravais_lattice, share, successes, entries, rate, low, high (95 %, Wilson).
    """
    exact = with_outcomes(rates[rates["degradation"] == EXACT])
    rows = [
        {"bravais_lattice": bravais, "share": name, **_rate(part[column])}
        for bravais, part in (*_in_order(exact), (ALL, exact))
        for name, column in SHARES.items()
    ]
    return pd.DataFrame(rows)


def curves(rates: pd.DataFrame, by: str = "system") -> pd.DataFrame:
    """Solved lists (first or named) against the amount of each degradation.

    The point at 0 is of the same entries as the others, as calculated.

    Args:
        rates: INDEXING_RATES with a column of that name.
        by: the column that tells curves apart.

    Returns:
        Columns: degradation, ``by``, amount, successes, entries, rate, low, high, wrong.
    """
    rates = with_outcomes(rates)
    rows = [
        {"degradation": kind, by: name, "amount": amount, **_rate(part["solved"])}
        | {"wrong": float(part["wrong"].mean())}
        for kind in UNITS
        for name, mine in rates.groupby(by, sort=False)
        for amount, part in _curve(mine, kind)
    ]
    return pd.DataFrame(rows)


def _curve(rates: pd.DataFrame, kind: str) -> Iterator[tuple[float, pd.DataFrame]]:
    spoiled = rates[rates["degradation"] == kind]
    if spoiled.empty:
        return
    exact = rates[(rates["degradation"] == EXACT) & rates["entry_id"].isin(spoiled["entry_id"])]
    if len(exact):
        yield 0.0, exact
    yield from spoiled.groupby("amount", sort=True)


def _in_order(rates: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for symbol in BRAVAIS:
        part = rates[rates["bravais_lattice"] == symbol]
        if len(part):
            yield symbol, part


def _rate(outcomes: pd.Series) -> dict[str, float]:
    successes, entries = int(outcomes.sum()), len(outcomes)
    low, high = wilson_interval(successes, entries)
    return {
        "successes": successes,
        "entries": entries,
        "rate": successes / entries,
        "low": low,
        "high": high,
    }
