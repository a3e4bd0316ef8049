"""The sections of the report, in the order of the data flow."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlindex.generator import real_against_generated
from mlindex.report import figures, flow
from mlindex.report.html import figure, fold, heading, note, page, table
from mlindex.report.inputs import ReportData

_HIDDEN = ["system"]


def build_page(data: ReportData, resources: Path) -> str:
    """The whole report as HTML.

    Args:
        data: everything that it shows.
        resources: folder with the statistics of real cells.
    """
    sections = [
        ("Data flow", _flow(data)),
        ("Rejects", _rejects(data)),
        ("Distributions", _distributions(data, resources)),
        ("Groups", _groups(data)),
        ("Training", _training(data)),
        ("Splits", _splits(data)),
        ("Validation", _validation(data)),
        ("Run times", _run_times(data)),
        ("Provenance", _provenance(data)),
    ]
    lead = (
        f"Lattice systems: {', '.join(data.systems)}. Master seed {data.config['seed']}. All "
        "figures of models and of indexing are measured on validation entries, which no model "
        "was trained on."
    )
    return page("mlindex report", lead, sections)


def _flow(data: ReportData) -> str:
    return (
        heading("Sources")
        + table(flow.source_flow(data))
        + heading("Lattice systems")
        + note("Entries after quality control are those of all sources together.")
        + table(flow.system_flow(data))
    )


def _rejects(data: ReportData) -> str:
    counts = flow.reject_counts(data)
    if counts.empty:
        return note("No entry was rejected.")
    labels = counts["stage"] + " " + counts["rule"].astype(str) + ": " + counts["name"]
    return figure(figures.bars(list(labels), list(counts["entries"]), "entries")) + table(counts)


def _distributions(data: ReportData, resources: Path) -> str:
    body = _real_and_generated(data, resources)
    body += heading("Original and augmented entries")
    body += note(
        "For each lattice system: cell parameters and peak positions before and after scaling, "
        "positions of the first peak, the acceptance probability of peaks, and how often each "
        "reference reflection is found (figures 1 to 5 of the method)."
    )
    for number, system in enumerate(data.systems):
        body += fold(system, _augmentation(data, system), number == 0)
    return body


def _real_and_generated(data: ReportData, resources: Path) -> str:
    generators = {s["name"] for s in data.config["sources"] if s["kind"] == "generator"}
    generated = data.entries[data.entries["source"].isin(generators)]
    if generated.empty:
        return note("No source of this run is generated.")
    compared = real_against_generated(generated, resources)
    body = heading("Real and generated cells")
    body += note("Shares of entries: grey real crystals, blue the generated ones of this run.")
    for number, (bravais, frame) in enumerate(compared.groupby("bravais_lattice", sort=False)):
        renamed = frame.rename(columns={"quantity": "panel"})
        body += fold(str(bravais), figure(figures.histograms(renamed, "share")), number == 0)
    return body


def _augmentation(data: ReportData, system: str) -> str:
    body = ""
    frame = data.frame("histograms", system)
    for name, rows in frame.groupby("figure", sort=False):
        body += heading(str(name).replace("_", " ")) + figure(figures.histograms(rows))
    bins = data.frame("acceptance", system)
    if bins.empty:
        return body + note("Too few training entries to fit the acceptance of peaks.")
    return body + figure(figures.acceptance(data.frame("first_peak", system), bins))


def _groups(data: ReportData) -> str:
    return note("Patterns of reflection conditions in the reindexed setting, and their groups.") + (
        table(data.frames["groups"].drop(columns=_HIDDEN))
    )


def _training(data: ReportData) -> str:
    body = ""
    for number, system in enumerate(data.systems):
        curves, metrics = data.frame("training", system), data.frame("metrics", system)
        part = figure(figures.training_curves(curves)) if len(curves) else ""
        part += heading("Figures on validation entries") + _metrics(metrics)
        part += heading("Forest and network compared") + _metrics(data.frame("overlap", system))
        body += fold(system, part, number == 0)
    return note("Training loss dotted, validation loss solid.") + body


def _metrics(frame: pd.DataFrame) -> str:
    if frame.empty:
        return note("No model was trained: too few entries.")
    labelled = frame.assign(figure=frame["metric"] + frame["unit"].map(_unit))
    wide = labelled.pivot_table(
        index=["model", "estimator", "parameter", "entries"],
        columns="figure",
        values="value",
        aggfunc="first",
        sort=False,
    )
    return table(wide.reset_index())


def _unit(unit: str) -> str:
    return f" ({unit})" if unit else ""


def _splits(data: ReportData) -> str:
    frame = data.frames["splits"].drop(columns=_HIDDEN)
    wide = frame.pivot_table(
        index=["bravais_lattice", "parameter", "metric"],
        columns="split_unit",
        values="value",
        aggfunc="first",
        sort=False,
    )
    return note(
        "Relative errors of forests under the split by structure type and under the split by "
        "composition family, each on its own validation side. A model that knows its crystals "
        "by heart does much worse under the stricter one."
    ) + table(wide.reset_index(), "Too few entries to compare the splits.")


def _validation(data: ReportData) -> str:
    rates = data.frames["rates"]
    if rates.empty:
        return note("No lattice system had enough entries to train and validate.")
    shown = rates.drop(columns=_HIDDEN).copy()
    for column in ("rate", "low", "high"):
        shown[column] = (100 * shown[column]).round(1)
    seconds = data.seconds.groupby("system", sort=False)["seconds"].describe(percentiles=[0.5, 0.9])
    times = seconds[["count", "50%", "90%", "max"]].reset_index()
    return (
        note(
            "Share of validation entries whose lattice was found (first in the list, reduced "
            "cells agree) or whose lines another cell explains as well, with 95 % intervals; "
            "the lattice system is told. Beside it the figures of the method's author."
        )
        + figure(figures.rates(rates))
        + table(shown.rename(columns={"rate": "rate %", "low": "low %", "high": "high %"}))
        + heading("Seconds for each entry")
        + table(times)
    )


def _run_times(data: ReportData) -> str:
    if data.run_times.empty:
        return note("No benchmark files were found.")
    grouped = data.run_times.groupby("rule", as_index=False).agg(
        jobs=("seconds", "size"),
        seconds=("seconds", "sum"),
        longest=("seconds", "max"),
        memory=("max_rss_MB", "max"),
    )
    grouped = grouped.sort_values("seconds", ascending=False)
    chart = figures.bars(list(grouped["rule"]), list(grouped["seconds"]), "seconds in all jobs")
    names = {"longest": "longest job (s)", "memory": "largest memory (MB)"}
    return figure(chart) + table(grouped.rename(columns=names))


def _provenance(data: ReportData) -> str:
    packages = pd.DataFrame(
        sorted(data.provenance.get("packages", {}).items()), columns=["package", "version"]
    )
    return table(packages) + note(
        "Every table carries its settings, seed, package versions and the digests of its code "
        "and inputs in its Parquet metadata (mlindex.schema.read_provenance)."
    )
