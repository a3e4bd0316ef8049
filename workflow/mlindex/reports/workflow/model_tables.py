"""Tables of METRICS, SPLITS and RATES turned so that a person can read them."""

from __future__ import annotations

import pandas as pd

_SIGMA = r"inside (\d+) sigma"
_WITHIN = "within 5 %"
_BY_PARAMETER = ["model", "parameter", "entries"]


def untrained(metrics: pd.DataFrame) -> pd.DataFrame:
    """Models that had too few entries: model, kind, training entries."""
    rows = metrics[metrics["metric"] == "not trained"]
    columns = {"estimator": "kind", "value": "training entries"}
    return rows[["model", "estimator", "value"]].rename(columns=columns)


def coverage(metrics: pd.DataFrame) -> pd.DataFrame:
    """Columns model, parameter, sigmas, share, entries of the networks' intervals."""
    sigmas = metrics["metric"].str.extract(_SIGMA)[0]
    rows = metrics[sigmas.notna()].assign(sigmas=sigmas.dropna().astype(int))
    columns = ["model", "parameter", "sigmas", "value", "entries"]
    return rows[columns].rename(columns={"value": "share"})


def coverage_table(shares: pd.DataFrame) -> pd.DataFrame:
    """:func:`coverage` with a column for each interval, in percent."""
    named = shares.assign(interval=shares["sigmas"].map("inside {} sigma (%)".format))
    return _pivot(named.assign(share=100 * named["share"]), _BY_PARAMETER, "interval", "share")


def error_table(metrics: pd.DataFrame) -> pd.DataFrame:
    """Percentiles of absolute errors, those of network and forest side by side."""
    rows = metrics[metrics["metric"].str.startswith("error p")]
    percentile = rows["metric"].str.removeprefix("error p") + " %"
    unit = rows["unit"].replace({"A": "Å", "degree": "°"})
    named = rows.assign(
        parameter=rows["parameter"] + " (" + unit + ")",
        figure=rows["estimator"] + " " + percentile,
    )
    return _pivot(named, _BY_PARAMETER, "figure", "value")


def accuracies(metrics: pd.DataFrame) -> pd.DataFrame:
    """Columns noise, estimator, share, entries of the assignment of Miller indices."""
    rows = metrics[metrics["metric"] == "accuracy"]
    named = rows.assign(noise=rows["model"].astype(float))
    columns = ["noise", "estimator", "value", "entries"]
    return named[columns].rename(columns={"value": "share"})


def accuracy_table(shares: pd.DataFrame) -> pd.DataFrame:
    """:func:`accuracies` with a column for each estimator, in percent, least noise first."""
    ordered = shares.sort_values("noise").assign(share=100 * shares["share"])
    named = ordered.assign(estimator=ordered["estimator"] + " (%)")
    columns = {"entries": "validation entries"}
    return _pivot(named, ["noise", "entries"], "estimator", "share").rename(columns=columns)


def overlap_shares(overlap: pd.DataFrame) -> pd.DataFrame:
    """A row for each group: shares that both, one or neither get within 5 %, in percent."""
    rows = overlap[overlap["metric"].str.endswith(_WITHIN)]
    named = rows.assign(value=100 * rows["value"])
    return named.pivot_table(index="model", columns="metric", values="value", sort=False)


def overlap_table(overlap: pd.DataFrame) -> pd.DataFrame:
    """Which estimator is closer (%), and the correlation of their errors by parameter."""
    rows = overlap[~overlap["metric"].str.endswith(_WITHIN)]
    correlated = rows["parameter"] != ""
    closer = (rows["metric"] + " (%)").where(~correlated, "correlation of errors, ")
    value = rows["value"].where(correlated, 100 * rows["value"])
    named = rows.assign(figure=closer + rows["parameter"], value=value)
    return _pivot(named, ["model", "entries"], "figure", "value")


def split_table(splits: pd.DataFrame) -> pd.DataFrame:
    """Relative errors in percent, the two splits side by side."""
    named = splits.assign(
        figure=(splits["split_unit"] + ", " + splits["metric"] + " (%)")
        .str.replace("percentile_90", "90th percentile")
        .str.replace("_", " "),
        value=100 * splits["value"],
    )
    return _pivot(named, ["bravais_lattice", "parameter"], "figure", "value")


def rate_table(rates: pd.DataFrame) -> pd.DataFrame:
    """A row for each Bravais lattice and method: rates with 95 % intervals, and the published."""
    text = [
        f"{100 * r.rate:.1f} ({100 * r.low:.1f} to {100 * r.high:.1f})" for r in rates.itertuples()
    ]
    named = rates.assign(text=text, outcome=rates["outcome"] + ", % (95 % interval)")
    wide = _pivot(named, ["bravais_lattice", "method", "entries", "published"], "outcome", "text")
    columns = [c for c in wide.columns if c != "published"]
    return wide[[*columns, "published"]].rename(columns={"published": "published, %"})


def _pivot(frame: pd.DataFrame, index: list[str], columns: str, values: str) -> pd.DataFrame:
    if frame.empty:
        return pd.DataFrame()
    wide = frame.pivot_table(
        index=index, columns=columns, values=values, aggfunc="first", sort=False
    )
    return wide.reset_index().rename_axis(columns=None)
