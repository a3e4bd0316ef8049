"""How many entries go in and come out of every stage."""

from __future__ import annotations

import pandas as pd

from mlindex.report.inputs import ReportData

_REJECTING = ("quality", "reduction", "simulation")


def source_flow(data: ReportData) -> pd.DataFrame:
    """For each source: entries seen, rejected by quality control, kept."""
    rejects = data.frame("rejects_quality")
    rows = []
    for source in sorted({*data.entries["source"], *rejects["source"]}):
        kept = data.entries[data.entries["source"] == source]
        rejected = int((rejects["source"] == source).sum())
        found = int((kept["symmetry_source"] == "found").sum())
        rows.append((source, len(kept) + rejected, rejected, len(kept), found))
    columns = ["source", "in", "rejected", "kept", "kept with symmetry found from the atoms"]
    return pd.DataFrame(rows, columns=columns)


def system_flow(data: ReportData) -> pd.DataFrame:
    """For each lattice system: entries from quality control to the two sides."""
    rows = [_system_row(data, system) for system in data.systems]
    return pd.DataFrame(rows)


def _system_row(data: ReportData, system: str) -> dict[str, object]:
    dataset = data.frame("dataset", system)
    duplicates = data.frame("duplicates", system)
    usable = dataset[dataset["usable"]]
    sides = usable["side"].value_counts()
    kept = int(duplicates["kept"].sum())
    return {
        "lattice system": system,
        "after quality control": len(duplicates),
        "duplicates": len(duplicates) - kept,
        "unique": kept,
        "without reduced cell or pattern": kept - len(dataset),
        "too few observed peaks": len(dataset) - len(usable),
        "training": int(sides.get("train", 0)),
        "validation": int(sides.get("validation", 0)),
        "groups": dataset["group"].nunique(),
    }


def reject_counts(data: ReportData) -> pd.DataFrame:
    """Rejected entries by stage and rule, with one example of each."""
    kinds = [f"rejects_{stage}" for stage in (*_REJECTING, "dataset")]
    rejects = pd.concat([data.frame(kind) for kind in kinds], ignore_index=True)
    if rejects.empty:
        return pd.DataFrame(columns=["stage", "rule", "name", "entries", "example"])
    rejects["example"] = rejects["entry_id"] + ": " + rejects["reason"]
    grouped = rejects.groupby(["stage", "rule", "rule_name"], as_index=False).agg(
        entries=("entry_id", "size"), example=("example", "first")
    )
    return grouped.rename(columns={"rule_name": "name"})
