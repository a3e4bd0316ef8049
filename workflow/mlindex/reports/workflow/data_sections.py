"""Sections of the report about entries: flow, rejects, distributions, groups."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlindex.crystal.lattice import BRAVAIS
from mlindex.reports.html import figure, fold, good, heading, note, table, warning
from mlindex.reports.workflow import figures, flow
from mlindex.reports.workflow.inputs import ReportData
from mlindex.structures.generator.compare import real_against_generated
from mlindex.structures.rejected import rejected

_FIGURES = {
    "cell": "Cell parameters",
    "cell_scaled": "Cell parameters, scaled",
    "peaks": "Peak positions",
    "peaks_scaled": "Peak positions, scaled",
    "separations": "Separations of neighbouring peaks",
    "labels": "Reference reflections of the peaks",
}


def data_flow(data: ReportData) -> str:
    """Counts at every stage, and whether they add up."""
    problems = flow.discrepancies(data)
    checks = "".join(warning(f"The counts do not add up. {problem}") for problem in problems)
    return (
        _untrained(data)
        + (checks or good("All counts add up: no entry is lost or counted twice."))
        + heading("Sources")
        + table(flow.source_flow(data), "No entry was met.")
        + heading("Lattice systems")
        + note(
            "After quality control: entries of all sources together. Unique entries are without "
            "cell or pattern, have too few peaks, or are on the training or validation side."
        )
        + table(flow.system_flow(data))
        + heading("Models")
        + table(flow.model_flow(data))
        + _by_lattice(data)
    )


def _untrained(data: ReportData) -> str:
    """A warning where nothing was trained, with what the sources lost; else nothing."""
    models = flow.model_flow(data)
    trained = models["networks"] + models["forests"]
    names = ", ".join(models.loc[trained == 0, "lattice system"])
    if not names:
        return ""
    lost = rejected(data.frame("rejects_quality"))
    return warning(f"Nothing was trained for {names}: too few entries. {lost}")


def _by_lattice(data: ReportData) -> str:
    if data.entries.empty:
        return ""
    counts = pd.crosstab(data.entries["bravais_lattice"], data.entries["source"])
    counts = counts.reindex([symbol for symbol in BRAVAIS if symbol in counts.index])
    bars = figures.stacked_bars(counts, "entries kept by quality control")
    return heading("Bravais lattices") + figure(bars)


def rejects(data: ReportData) -> str:
    """Rejected entries by stage and rule."""
    counts = flow.reject_counts(data)
    if counts.empty:
        return note("No entry was rejected.")
    names = counts["stage"] + " " + counts["rule"].astype(str) + ": " + counts["name"]
    text = note(
        "Each entry is counted once, where it was first rejected; duplicates are no rejects."
    )
    return (
        text + figure(figures.bars(list(names), list(counts["entries"]), "entries")) + table(counts)
    )


def distributions(data: ReportData, resources: Path) -> str:
    """Real against generated cells, and original against augmented entries."""
    body = _real_and_generated(data, resources)
    body += heading("Original and augmented entries")
    body += note(
        "For each lattice system: cell parameters and peak positions before and after scaling, "
        "separations of peaks, how often each part of the reference list is met, positions of "
        "the first peak, and the acceptance of peaks (figures 1 to 5 of the method)."
    )
    for number, system in enumerate(data.systems):
        body += fold(system, _augmentation(data, system), number == 0)
    return body


def _real_and_generated(data: ReportData, resources: Path) -> str:
    generators = {s["name"] for s in data.config["sources"] if s["kind"] == "generator"}
    body = heading("Real and generated cells")
    generated = data.entries[data.entries["source"].isin(generators)]
    if generated.empty:
        return body + note("No source of this run is generated.")
    compared = real_against_generated(generated, resources)
    counts = generated["bravais_lattice"].value_counts()
    body += note("Shares of crystals: grey real ones, blue the generated ones of this run.")
    for number, (bravais, frame) in enumerate(compared.groupby("bravais_lattice", sort=False)):
        panels = frame.rename(columns={"quantity": "panel"})
        title = f"{bravais} ({counts[bravais]:,} generated)"
        body += fold(title, figure(figures.histograms(panels, value="share")), number == 0)
    return body


def _augmentation(data: ReportData, system: str) -> str:
    frame = data.frame("histograms", system)
    if frame.empty:
        return note("No entry to augment.")
    body = ""
    for name, rows in frame.groupby("figure", sort=False):
        is_labels = name == "labels"
        drawn = figures.labels(rows) if is_labels else figures.histograms(rows, str(name))
        body += heading(_FIGURES.get(str(name), str(name))) + figure(drawn)
    bins = data.frame("acceptance", system)
    if bins.empty:
        return body + note("Too few training entries to fit the acceptance of peaks.")
    drawn = figures.acceptance(data.frame("first_peak", system), bins)
    return body + heading("First peak and acceptance of peaks") + figure(drawn)


def groups(data: ReportData) -> str:
    """Patterns of reflection conditions and the groups they went into."""
    text = note("Patterns of reflection conditions in the reindexed setting, and their groups.")
    body = ""
    for number, system in enumerate(data.systems):
        frame = data.frame("groups", system).drop(columns="system")
        title = f"{system}: {frame['group'].nunique()} groups, {len(frame)} patterns"
        body += fold(title, table(frame, "No usable entry."), number == 0)
    return text + body
