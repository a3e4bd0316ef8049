"""The counts of every lattice system, from entries to indexing rates, and the two sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pandas as pd

from mlindex.apps.verify.tree import Tree, some
from mlindex.indexing.rates.tables import INDEXING_RATES
from mlindex.learning.sides import TRAIN, VALIDATION
from mlindex.learning.split import SPLIT_UNITS
from mlindex.learning.tables import DATASET, GROUPS
from mlindex.method.tables import EXAMPLES, RATES
from mlindex.method.tables import VALIDATION as INDEXED
from mlindex.structures.tables import DUPLICATES, REJECTS

_LOST, _TOO_FEW = (1, 2), 3
_DATASET_COLUMNS = (
    "entry_id",
    "bravais_lattice",
    "group",
    "side",
    "usable",
    *SPLIT_UNITS,
    *(f"side_{unit}" for unit in SPLIT_UNITS),
)
_SUCCESSES = {"found": ("found",), "found or explained": ("found", "explained")}


def check_systems(
    tree: Tree, entries: Mapping[str, set[str]], progress: Callable[[Iterable], Iterable]
) -> None:
    """Check the counts and the sides of every lattice system.

    Args:
        entries: of lattice system, the entries that passed quality control.
    """
    for system in progress(tree.names("duplicates")):
        tree.checked["lattice systems"] += 1
        kept = _check_duplicates(tree, system, entries.get(system, set()))
        dataset = _check_dataset(tree, system, kept)
        if dataset is not None:
            _check_groups(tree, system, dataset)
            _check_sides(tree, system, dataset)
            _check_examples(tree, system, dataset)
            _check_validation(tree, system, dataset)
            _check_indexing(tree, system, dataset)


def _check_duplicates(tree: Tree, system: str, entries: set[str]) -> set[str] | None:
    """In = unique + duplicates; the unique entries, None where they can't be determined."""
    name = f"duplicates/{system}.parquet"
    if not tree.has(name):
        return None
    table = tree.table(name, DUPLICATES, ["entry_id", "representative_id", "kept"])
    ids = table["entry_id"]
    _report(
        tree,
        name,
        {
            "entries passed quality control and are not here": entries - set(ids),
            "entries are here that did not pass quality control": set(ids) - entries,
            "entries are here twice": ids[ids.duplicated()],
        },
    )
    unique = set(table.loc[table["kept"], "entry_id"])
    stands = table["representative_id"] == ids
    wrong = table.loc[(stands != table["kept"]) | ~table["representative_id"].isin(unique)]
    _report(tree, name, {"entries have no kept entry that stands for them": wrong["entry_id"]})
    return unique


def _check_dataset(tree: Tree, system: str, kept: set[str] | None) -> pd.DataFrame | None:
    """Unique = in the dataset + rejected there; those too few peaks are in both."""
    name, rejects_name = f"dataset/{system}.parquet", f"rejects/dataset/{system}.parquet"
    if not tree.has(name):
        return None
    dataset = tree.table(name, DATASET, _DATASET_COLUMNS)
    if kept is None or not tree.has(rejects_name):
        return dataset
    rejects = tree.table(rejects_name, REJECTS, ["entry_id", "rule"])
    lost = set(rejects.loc[rejects["rule"].isin(_LOST), "entry_id"])
    few = set(rejects.loc[rejects["rule"] == _TOO_FEW, "entry_id"])
    ids = dataset["entry_id"]
    inside = set(ids)
    _report(
        tree,
        name,
        {
            "unique entries are neither here nor among the rejects": kept - inside - lost,
            "entries are here that are not unique": inside - kept,
            "entries are here and among the rejects": inside & lost,
            "entries are here twice": ids[ids.duplicated()],
            "entries are marked usable otherwise than the rejects say": few
            ^ set(dataset.loc[~dataset["usable"], "entry_id"]),
        },
    )
    return dataset


def _check_groups(tree: Tree, system: str, dataset: pd.DataFrame) -> None:
    name = f"groups/{system}.parquet"
    if not tree.has(name):
        return
    groups = tree.table(name, GROUPS, ["group", "entries", "usable", "group_entries"])
    counted = dataset.groupby("group").agg(entries=("usable", "size"), usable=("usable", "sum"))
    stated = groups.groupby("group")[["entries", "usable"]].sum()
    whole = groups.groupby("group")["group_entries"].agg(["min", "max"])
    both = counted.join(stated, how="outer", rsuffix="_stated").join(whole)
    wrong = both[
        (both["entries"] != both["entries_stated"])
        | (both["usable"] != both["usable_stated"])
        | (both["min"] != both["entries"])
        | (both["max"] != both["entries"])
    ]
    _report(tree, name, {"groups have other counts in the dataset": wrong.index})


def _check_sides(tree: Tree, system: str, dataset: pd.DataFrame) -> None:
    """Each side is one of two, follows from the split unit, and no unit is on both."""
    name = f"dataset/{system}.parquet"
    sided = dataset["side"].isin((TRAIN, VALIDATION))
    _report(tree, name, {"entries are on no side": dataset.loc[~sided, "entry_id"]})
    settings = tree.provenance(tree.path(name)).get("settings", {})
    chosen = settings.get("split", {}).get("unit")
    if chosen in SPLIT_UNITS:
        differs = dataset["side"] != dataset[f"side_{chosen}"]
        what = f"entries are not on the side of their {chosen.replace('_', ' ')}"
        _report(tree, name, {what: dataset.loc[differs, "entry_id"]})
    for unit in SPLIT_UNITS:
        sides = dataset.groupby(unit)[f"side_{unit}"].nunique()
        what = f"units ({unit.replace('_', ' ')}) are on both sides, so that models are judged"
        _report(tree, name, {f"{what} on what they have seen": sides.index[sides > 1]})


def _check_examples(tree: Tree, system: str, dataset: pd.DataFrame) -> None:
    """Every usable entry is an example once, and examples stay on the side of their parent."""
    name = f"examples/{system}.parquet"
    if not tree.has(name):
        return
    columns = ["example_id", "parent_id", "augmented", "side", "group"]
    examples = tree.table(name, EXAMPLES, columns)
    tree.checked["examples"] += len(examples)
    usable = dataset[dataset["usable"]].set_index("entry_id")
    original = examples[~examples["augmented"]]
    known = examples["parent_id"].isin(usable.index)
    inside = examples[known]
    parents = usable.loc[inside["parent_id"]]
    ids = examples["example_id"]
    _report(
        tree,
        name,
        {
            "usable entries are no example": set(usable.index) - set(original["parent_id"]),
            "examples are of entries that are not usable": ids[~known],
            "examples are here twice": ids[ids.duplicated()],
            "entries are named otherwise than their parent": original.loc[
                original["example_id"] != original["parent_id"], "example_id"
            ],
            "examples are on the other side than the entry they come from, so that models "
            "are trained on what they are judged by": inside.loc[
                inside["side"].to_numpy() != parents["side"].to_numpy(), "example_id"
            ],
            "examples are in another group than their entry": inside.loc[
                inside["group"].to_numpy() != parents["group"].to_numpy(), "example_id"
            ],
        },
    )


def _check_validation(tree: Tree, system: str, dataset: pd.DataFrame) -> None:
    """Only usable entries of the validation side are indexed, and the rates count them."""
    name, rates_name = f"validation/{system}.parquet", f"rates/{system}.parquet"
    if not tree.has(name):
        return
    indexed = tree.table(name, INDEXED, ["entry_id", "bravais_lattice", "method", "outcome"])
    held_out = dataset["usable"] & (dataset["side"] == VALIDATION)
    allowed = set(dataset.loc[held_out, "entry_id"])
    _report(
        tree,
        name,
        {
            "entries are indexed that models may be trained on": set(indexed["entry_id"]) - allowed,
            "entries are indexed twice by one method": indexed.loc[
                indexed.duplicated(["entry_id", "method"]), "entry_id"
            ],
        },
    )
    if tree.has(rates_name):
        columns = ["bravais_lattice", "method", "outcome", "successes", "entries"]
        _check_rates(tree, rates_name, tree.table(rates_name, RATES, columns), indexed)


def _check_indexing(tree: Tree, system: str, dataset: pd.DataFrame) -> None:
    """Only held-out entries are measured, each list once, and verdicts follow from ranks."""
    name = f"indexing_rates/{system}.parquet"
    if not tree.has(name):
        return
    rates = tree.table(name, INDEXING_RATES)
    ids = rates["entry_id"]
    held_out = dataset["usable"] & (dataset["side"] == VALIDATION)
    solved = rates["first"] | rates["named"]
    agrees = (rates["first"] == (rates["rank"] == 1)) & (
        rates["wrong"] == (rates["convincing"] & ~solved)
    )
    _report(
        tree,
        name,
        {
            "entries are measured that models may be trained on": set(ids)
            - set(dataset.loc[held_out, "entry_id"]),
            "lists are here twice": ids[rates.duplicated(["entry_id", "degradation", "amount"])],
            "lists are judged otherwise than their ranks say": ids[~agrees],
        },
    )


def _check_rates(tree: Tree, name: str, rates: pd.DataFrame, indexed: pd.DataFrame) -> None:
    keys = ["bravais_lattice", "method", "outcome"]
    stated = {tuple(row[:3]): tuple(row[3:]) for row in rates.itertuples(index=False)}
    counted = {
        (*group, outcome): (int(rows["outcome"].isin(kinds).sum()), len(rows))
        for group, rows in indexed.groupby(keys[:2])
        for outcome, kinds in _SUCCESSES.items()
    }
    wrong = [
        " ".join(key)
        for key in stated.keys() | counted.keys()
        if stated.get(key) != counted.get(key)
    ]
    _report(tree, name, {"rates are not those of the validation table": wrong})


def _report(tree: Tree, name: str, problems: Mapping[str, Iterable[str]]) -> None:
    for what, names in problems.items():
        if len(found := list(names)):
            tree.add(tree.path(name), f"{len(found)} {what}: {some(found)}")
