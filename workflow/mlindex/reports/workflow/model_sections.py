"""Sections of the report about models: training, splits, validation."""

from __future__ import annotations

import pandas as pd

from mlindex.reports.html import figure, fold, heading, note, table, warning
from mlindex.reports.workflow import figures, model_figures, model_tables
from mlindex.reports.workflow.inputs import ReportData

_ASSIGNMENT = "assignment"


def training(data: ReportData) -> str:
    """Training curves, calibration, errors, overlap and assignment of each lattice system."""
    body = note(
        "All figures are measured on validation entries that are not augmented and that no model "
        "was trained or stopped on."
    )
    for number, system in enumerate(data.systems):
        body += fold(system, _system(data, system), number == 0)
    return body


def _system(data: ReportData, system: str) -> str:
    metrics = data.frame("metrics", system)
    trained = metrics[metrics["metric"] != "not trained"]
    body = _untrained(model_tables.untrained(metrics))
    if trained.empty:
        return body + warning(f"No model of {system} was trained: too few entries.")
    return (
        body
        + _curves(data, system)
        + _calibration(trained)
        + _errors(trained)
        + _overlap(data.frame("overlap", system))
        + _accuracy(trained)
    )


def _untrained(rows: pd.DataFrame) -> str:
    return (
        note("Models left out, with too few training entries:") + table(rows) if len(rows) else ""
    )


def _curves(data: ReportData, system: str) -> str:
    curves = data.frame("training", system)
    sizes = data.frame("groups", system).groupby("group")["usable"].sum()
    by_size = list(sizes.sort_values(ascending=False, kind="stable").index)
    is_assignment = curves["network"] == _ASSIGNMENT
    body = ""
    for title, rows, first in (
        ("Training of the variance networks", curves[~is_assignment], by_size),
        (
            "Training of the assignment networks, by noise level",
            curves[is_assignment],
            list(curves.loc[is_assignment, "model"].unique()),
        ),
    ):
        if len(rows):
            body += heading(title) + note("Training loss dotted, validation loss solid.")
            body += figure(model_figures.training_curves(rows, first))
    return body


def _calibration(metrics: pd.DataFrame) -> str:
    shares = model_tables.coverage(metrics)
    if shares.empty:
        return ""
    text = note(
        "Shares of true values inside the networks' 1-sigma and 2-sigma intervals; the dashed "
        "lines are where they should be."
    )
    wide = fold("As a table", table(model_tables.coverage_table(shares)))
    return heading("Calibration") + text + figure(model_figures.calibration(shares)) + wide


def _errors(metrics: pd.DataFrame) -> str:
    text = note("Absolute errors of the reindexed cell below which 50, 68, 90 and 95 % lie.")
    wide = model_tables.error_table(metrics)
    return heading("Error percentiles") + text + table(wide, "No group has validation entries.")


def _overlap(overlap: pd.DataFrame) -> str:
    if overlap.empty:
        return ""
    shares = figures.stacked_bars(
        model_tables.overlap_shares(overlap), "entries with every free parameter within 5 % (%)"
    )
    text = note("How far the forest and the network of a group find the same entries.")
    wide = table(model_tables.overlap_table(overlap))
    return heading("Forest and network compared") + text + figure(shares) + wide


def _accuracy(metrics: pd.DataFrame) -> str:
    shares = model_tables.accuracies(metrics)
    if shares.empty:
        return ""
    return (
        heading("Assignment of Miller indices")
        + figure(model_figures.accuracy(shares))
        + table(model_tables.accuracy_table(shares))
    )


def splits(data: ReportData) -> str:
    """Errors under the two splits."""
    frame = data.frames["splits"]
    text = note(
        "Relative errors of forests under the split by structure type and under the split by "
        "composition family, each on its own validation side. A model that memorizes its "
        "crystals does much worse under the stricter one."
    )
    if frame.empty:
        return text + note("Too few entries to compare the splits.")
    volume = frame[(frame["parameter"] == "volume") & (frame["metric"] == "median")]
    errors = volume.assign(percent=100 * volume["value"])
    return (
        text + figure(model_figures.split_errors(errors)) + table(model_tables.split_table(frame))
    )


def validation(data: ReportData) -> str:
    """Indexing rates beside the published ones, what was missed, seconds."""
    rates = data.frames["rates"]
    without = [s for s in data.systems if data.frame("rates", s).empty]
    body = "".join(
        note(f"No entry of {system} was indexed: too few entries.") for system in without
    )
    if rates.empty:
        return body
    seconds = data.seconds.groupby("system", sort=False)["seconds"].describe(percentiles=[0.5, 0.9])
    times = seconds[["count", "50%", "90%", "max"]].reset_index()
    names = {"system": "lattice system", "count": "runs", "50%": "median (s)"}
    names |= {"90%": "90th percentile (s)", "max": "longest (s)"}
    return (
        body
        + note(
            "Found: the true lattice is first in the list (reduced cells agree). Explained: "
            "another cell explains all lines. With 95 % intervals (Wilson); the lattice system is "
            "given. Grey: the figures that the method's author reports, for other entries."
        )
        + figure(model_figures.rates(rates))
        + table(model_tables.rate_table(rates))
        + heading("Outcomes")
        + table(_outcomes(data.frames["validation"]))
        + heading("Seconds for each entry")
        + table(times.rename(columns=names))
    )


def _outcomes(frame: pd.DataFrame) -> pd.DataFrame:
    keys = ["bravais_lattice", *(["method"] if "method" in frame.columns else [])]
    marked = frame.assign(
        missed=frame["outcome"] == "missed",
        listed=frame["rank"] > 1,
        better=frame["m20"] > 1.01 * frame["true_m20"],
    )
    return (
        marked.groupby(keys, sort=False)
        .agg(
            **{
                "entries": ("entry_id", "size"),
                "missed": ("missed", "sum"),
                "true cell lower in the list": ("listed", "sum"),
                "best M above the true cell's": ("better", "sum"),
                "median M of the true cell": ("true_m20", "median"),
                "median distance of the nearest candidate (Å)": (
                    "best_initial_distance_A",
                    "median",
                ),
            }
        )
        .reset_index()
    )
