"""The report as one page, its sections in the order of the data flow."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import yaml
from plotly.offline import get_plotlyjs

from mlindex.reports.html import code, figure, fold, note, page, table
from mlindex.reports.workflow import (
    data_sections,
    figures,
    further_section,
    indexing_section,
    model_sections,
)
from mlindex.reports.workflow.inputs import ReportData


def build_page(data: ReportData, resources: Path) -> str:
    """The whole report as HTML that loads nothing from elsewhere.

    Args:
        data: everything that it shows.
        resources: folder with the statistics of real cells.
    """
    sections = [
        ("Data flow", data_sections.data_flow(data)),
        ("Rejects", data_sections.rejects(data)),
        ("Distributions", data_sections.distributions(data, resources)),
        ("Groups", data_sections.groups(data)),
        ("Training", model_sections.training(data)),
        ("Splits", model_sections.splits(data)),
        ("Validation", model_sections.validation(data)),
        ("Ab initio indexing", indexing_section.indexing(data)),
        *further_section.further_tables(data),
        ("Run times", _run_times(data)),
        ("Provenance", _provenance(data)),
    ]
    lead = (
        f"Lattice systems: {', '.join(data.systems)}. Master seed {data.config['seed']}. All "
        "figures of models and of indexing are measured on validation entries, which no model "
        "was trained on."
    )
    # The plotly.js of other pages has no heat maps.
    return page("mlindex report", lead, sections, library=get_plotlyjs())


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
    names = {
        "seconds": "all jobs (s)",
        "longest": "longest job (s)",
        "memory": "largest memory (MB)",
    }
    return figure(chart) + table(grouped.rename(columns=names))


def _provenance(data: ReportData) -> str:
    packages = pd.DataFrame(
        sorted(data.provenance.get("packages", {}).items()), columns=["package", "version"]
    )
    text = note(
        "Every table carries its settings, seed, package versions and the digests of its code "
        "and inputs in its Parquet metadata (mlindex.base.schema.read_provenance)."
    )
    config = code(yaml.safe_dump(dict(data.config), sort_keys=False))
    return text + table(packages) + fold("The whole config", config)
