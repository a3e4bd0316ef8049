"""How many entries go in and come out of every stage, and whether the counts add up."""

from __future__ import annotations

import pandas as pd

from mlindex.learning.sides import TRAIN, VALIDATION
from mlindex.reports.workflow.inputs import ReportData

_REJECTING = ("quality", "reduction", "simulation")
#: Rules of the stage dataset that repeat what reduction (1) and simulation (2) rejected.
_REPEATED = {1: "reduction", 2: "simulation"}
_TOO_FEW_PEAKS = 3


def source_flow(data: ReportData) -> pd.DataFrame:
    """For each source: files, entries met, rejected by quality control, kept."""
    rejects = data.frame("rejects_quality")
    rows = []
    for source in sorted({*data.entries["source"], *rejects["source"]}):
        kept = data.entries[data.entries["source"] == source]
        rejected = rejects[rejects["source"] == source]
        rows.append(
            {
                "source": source,
                "files": len({*kept["path"], *rejected["path"]}),
                "in": len(kept) + len(rejected),
                "rejected": len(rejected),
                "kept": len(kept),
                "kept with symmetry found from the atoms": int(
                    (kept["symmetry_source"] == "found").sum()
                ),
            }
        )
    return pd.DataFrame(rows)


def system_flow(data: ReportData) -> pd.DataFrame:
    """For each lattice system: entries from quality control to training and validation."""
    return pd.DataFrame([_system_row(data, system) for system in data.systems])


def _system_row(data: ReportData, system: str) -> dict[str, object]:
    dataset = data.frame("dataset", system)
    duplicates = data.frame("duplicates", system)
    rules = data.frame("rejects_dataset", system)["rule"]
    sides = dataset.loc[dataset["usable"], "side"].value_counts()
    kept = int(duplicates["kept"].sum())
    return {
        "lattice system": system,
        "after quality control": len(duplicates),
        "duplicates": len(duplicates) - kept,
        "unique": kept,
        "without cell or pattern": int(rules.isin(list(_REPEATED)).sum()),
        "too few peaks": int((rules == _TOO_FEW_PEAKS).sum()),
        "training": int(sides.get(TRAIN, 0)),
        "validation": int(sides.get(VALIDATION, 0)),
    }


def model_flow(data: ReportData) -> pd.DataFrame:
    """For each lattice system: examples, groups, trained models, entries indexed."""
    rows = []
    for system in data.systems:
        metrics = data.frame("metrics", system)
        trained = metrics[metrics["metric"] != "not trained"]
        models = trained.drop_duplicates(["model", "estimator"])["estimator"].value_counts()
        histograms = data.frame("histograms", system)
        cells = histograms[histograms["figure"] == "cell"]
        first = cells[cells["panel"] == cells["panel"].iloc[0]] if len(cells) else cells
        examples = first.groupby("kind")["count"].sum()
        rows.append(
            {
                "lattice system": system,
                "original examples": int(examples.get("original", 0)),
                "augmented examples": int(examples.get("augmented", 0)),
                "groups": data.frame("groups", system)["group"].nunique(),
                "networks": int(models.get("network", 0)),
                "forests": int(models.get("forest", 0)),
                "assignment networks": int(models.get("assignment network", 0)),
                "validation entries indexed": data.frame("validation", system)[
                    "entry_id"
                ].nunique(),
            }
        )
    return pd.DataFrame(rows)


def discrepancies(data: ReportData) -> list[str]:
    """What does not add up, a sentence each; nothing where all counts agree."""
    found = [*_source_problems(data)]
    for row in system_flow(data).to_dict("records"):
        found += _system_problems(data, row)
    return found


def _source_problems(data: ReportData) -> list[str]:
    found = []
    ids = pd.concat([data.entries["entry_id"], data.frame("rejects_quality")["entry_id"]])
    if twice := int(ids.duplicated().sum()):
        found.append(f"Quality control: {twice} entries are counted twice, as kept or rejected.")
    seen = source_flow(data).set_index("source")["in"] if len(ids) else pd.Series(dtype=int)
    for source in data.config["sources"]:
        if source["kind"] != "generator":
            continue
        made = sum(source["crystals"].get(system, 0) for system in data.systems)
        if (met := int(seen.get(source["name"], 0))) != made:
            found.append(f"Source {source['name']}: {made} crystals made, but {met} entries met.")
    return found


def _system_problems(data: ReportData, row: dict) -> list[str]:
    system = row["lattice system"]
    passed = int((data.entries["lattice_system"] == system).sum())
    after = row["after quality control"]
    found = []
    if passed != after:
        found.append(f"{system}: {passed} entries passed quality control, {after} went on.")
    parts = ("without cell or pattern", "too few peaks", "training", "validation")
    if (total := sum(row[part] for part in parts)) != row["unique"]:
        counts = " + ".join(f"{row[part]} {part}" for part in parts)
        found.append(f"{system}: {row['unique']} unique entries, but {counts} = {total}.")
    return found + _unexplained(data, system)


def _unexplained(data: ReportData, system: str) -> list[str]:
    """Entries without cell or pattern that no earlier stage rejected."""
    rejects = data.frame("rejects_dataset", system)
    found = []
    for rule, stage in _REPEATED.items():
        ids = rejects.loc[rejects["rule"] == rule, "entry_id"]
        if missing := int((~ids.isin(data.frame(f"rejects_{stage}")["entry_id"])).sum()):
            found.append(f"{system}: {missing} entries lost in {stage}, which lists no reason.")
    return found


def reject_counts(data: ReportData) -> pd.DataFrame:
    """Rejected entries by stage and rule, each entry once, with one example of each rule."""
    last = data.frame("rejects_dataset")
    frames = [data.frame(f"rejects_{stage}") for stage in _REJECTING]
    frames.append(last[~last["rule"].isin(list(_REPEATED))])
    # Each entry where it was first rejected: one without reduced cell may lack a pattern, too.
    rejects = pd.concat(frames, ignore_index=True).drop_duplicates("entry_id")
    if rejects.empty:
        return pd.DataFrame(columns=["stage", "rule", "name", "entries", "example"])
    rejects = rejects.assign(example=rejects["entry_id"] + ": " + rejects["reason"])
    grouped = rejects.groupby(["stage", "rule", "rule_name"], as_index=False, sort=False).agg(
        entries=("entry_id", "size"), example=("example", "first")
    )
    order = {stage: position for position, stage in enumerate(grouped["stage"].unique())}
    place = grouped["stage"].map(order)
    grouped = grouped.assign(place=place).sort_values(["place", "rule"]).drop(columns="place")
    return grouped.rename(columns={"rule_name": "name"}).reset_index(drop=True)
