"""The models: arrays as they were written, and fitted to the training side alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from mlindex.apps.verify.tree import Tree, some
from mlindex.base.columns import cell_names
from mlindex.base.schema import read_blocks
from mlindex.crystal.lattice import SYSTEMS, system_of
from mlindex.learning.tables import DATASET, METRICS
from mlindex.method.reference import reference_list
from mlindex.method.scaling import COLUMNS, fit_scaling
from mlindex.method.tables import EXAMPLES, REFERENCE, SCALING
from mlindex.method.training_data import sides

_MODEL = "model.json"
#: What a model directory holds beside the files that model.json lists.
_UNLISTED = (_MODEL, "README.md", "rates.parquet", "metrics.parquet", ".snakemake_timestamp")
#: Where figures of models are, by lattice system.
_FIGURES = (
    "regression/{}/metrics_*.parquet",
    "assignment/{}/metrics_*.parquet",
    "forest/{}/metrics.parquet",
    "overlap/{}.parquet",
)
_SAME = 1e-9
_ROWS = 1000
_RETRAIN = "remove the directory and run snakemake again"


def check_models(tree: Tree, progress: Callable[[Iterable], Iterable]) -> None:
    """Check every model directory and what the models were fitted to."""
    for model in progress(tree.matching("*/*/" + _MODEL)):
        if model not in tree.bad:
            tree.checked["model directories"] += 1
            _check_directory(tree, model)
    for system in progress([name for name in tree.names("dataset") if name in SYSTEMS]):
        _check_fitted(tree, system)
        _check_figures(tree, system)


def _check_directory(tree: Tree, model: Path) -> None:
    try:
        manifest = json.loads(model.read_text("utf-8"))
        listed = dict(manifest["sha256"])
        named = [g[kind] for g in manifest["groups"] for kind in ("network", "forest") if g[kind]]
        named += [level["file"] for level in manifest["assignment"]]
    except (ValueError, KeyError, TypeError) as error:
        tree.break_(model, f"not readable as the list of a model directory ({error!r})", _RETRAIN)
        return
    folder = model.parent
    tree.checked["digests of model files"] += len(listed)
    present = {
        p.relative_to(folder).as_posix(): p
        for p in tree.files
        if p.is_relative_to(folder) and p.relative_to(folder).as_posix() not in _UNLISTED
    }
    missing = sorted(set(listed) - set(present))
    changed = sorted(
        n
        for n, digest in listed.items()
        if n in present and present[n] not in tree.bad and tree.digest(present[n]) != digest
    )
    problems = {
        "files are missing": missing,
        "files are not those that were trained": changed,
        "files are there that model.json does not list": sorted(set(present) - set(listed)),
        "files are used and not listed with a digest": sorted(set(named) - set(listed)),
    }
    for what, names in problems.items():
        if names:
            tree.add(folder, f"{len(names)} {what}: {some(names)}", _RETRAIN)
    _check_copy(tree, model, listed)


def _check_copy(tree: Tree, model: Path, listed: Mapping[str, str]) -> None:
    """What users get is what was trained: ``models/`` repeats ``trained/``."""
    system = model.parent.name
    trained = tree.path(f"trained/{system}/{_MODEL}")
    if model.parent.parent.name != "models" or not trained.exists() or trained in tree.bad:
        return
    if model.read_bytes() != trained.read_bytes():
        tree.add(
            model.parent,
            f"is another set of models than {tree.name(trained.parent)}, which was validated",
            _RETRAIN,
        )


def _check_fitted(tree: Tree, system: str) -> None:
    """Scaling and reference list come out the same when fitted to the training side again."""
    dataset_name = f"dataset/{system}.parquet"
    scaling_name, reference_name = f"scaling/{system}.parquet", f"reference/{system}.parquet"
    if not tree.has(dataset_name):
        return
    columns = ("usable", "side", "bravais_lattice", "unique_axis", *cell_names(""))
    if tree.has(scaling_name):
        dataset = read_blocks(tree.path(dataset_name), DATASET, COLUMNS, _ROWS)
        again = fit_scaling(dataset, system_of(system)).set_index("quantity")
        _compare(tree, scaling_name, SCALING, again)
    if tree.has(reference_name):
        again = reference_list(tree.table(dataset_name, DATASET, columns), system_of(system))
        _compare(tree, reference_name, REFERENCE, again[["mean_q_inv_A"]])


def _compare(tree: Tree, name: str, table: object, again: pd.DataFrame) -> None:
    stated = tree.table(name, table)
    if again.index.name:
        stated = stated.set_index(again.index.name).reindex(again.index)
    stated = stated[again.columns].to_numpy(dtype=float)
    again = again.to_numpy(dtype=float)
    if stated.shape != again.shape or not np.allclose(stated, again, rtol=_SAME, atol=_SAME):
        tree.add(tree.path(name), "is not what the training side of the dataset gives")


def _check_figures(tree: Tree, system: str) -> None:
    """Every figure is measured on as many entries as were held out for figures."""
    name = f"examples/{system}.parquet"
    if not tree.has(name):
        return
    columns = ["parent_id", "augmented", "side", "group"]
    examples = tree.table(name, EXAMPLES, columns)
    expected = {group: int(sides(rows)[2].sum()) for group, rows in examples.groupby("group")}
    whole = int(sides(examples)[2].sum())
    for place in _FIGURES:
        for path in tree.matching(place.format(system)):
            if path in tree.bad:
                continue
            metrics = tree.table(path.relative_to(tree.root).as_posix(), METRICS)
            metrics = metrics[metrics["metric"] != "not trained"]
            held_out = metrics["model"].map(lambda m: expected.get(m, whole))
            wrong = metrics.loc[metrics["entries"] != held_out, "model"]
            if len(wrong):
                tree.add(
                    path,
                    f"figures were not measured on the entries held out for them: {some(wrong)}",
                )
