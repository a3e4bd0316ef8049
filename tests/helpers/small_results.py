"""A small finished tree of results, made stage by stage in this process, and ways to break it."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.small_workflow import crystals
from helpers.whole_examples import make_examples
from mlindex.base.provenance import file_digest
from mlindex.base.schema import Table, write_table
from mlindex.crystal.lattice import SYSTEMS
from mlindex.indexing.rates.tables import INDEXING_RATES
from mlindex.learning.dataset import build_dataset
from mlindex.learning.settings import Grouping, Split
from mlindex.learning.tables import DATASET, GROUPS, METRICS
from mlindex.method.forest import train_forests
from mlindex.method.models import write_model_set
from mlindex.method.reference import reference_list
from mlindex.method.scaling import Scaling, fit_scaling
from mlindex.method.settings import Augmentation, Forest
from mlindex.method.tables import EXAMPLES, RATES, REFERENCE, SCALING, TEMPLATES, VALIDATION
from mlindex.method.validation import rates
from mlindex.patterns.calculated import peak_lists
from mlindex.patterns.settings import Peaks, Simulation
from mlindex.patterns.simulation import simulate
from mlindex.patterns.tables import PATTERNS, PEAKS, REFLECTIONS
from mlindex.structures.deduplication import deduplicate
from mlindex.structures.quality import check_shard
from mlindex.structures.reduction import reduce_entries
from mlindex.structures.settings import Deduplication, Quality, Reduction
from mlindex.structures.sources import FolderSource, GeneratorSource
from mlindex.structures.tables import CELLS, DUPLICATES, ENTRIES, FILES, REJECTS

NAME = "tetragonal"
SYSTEM = SYSTEMS[NAME]
SHARDS = ("lab/000", f"generated/{NAME}_000")
#: Changes a table on its way to its file; what is made from the table is made from the whole one.
Break = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Written:
    """A table of the tree: where, which, its rows, and what it was made from."""

    table: Table
    frame: pd.DataFrame
    inputs: tuple[str, ...]
    settings: Mapping[str, dict] = field(default_factory=dict)


def sources(folder: Path) -> None:
    """A folder with single crystals, one of them twice and one that is none, and made ones."""
    lab, made = folder / "cifs", folder / "made"
    lab.mkdir(parents=True)
    made.mkdir()
    texts = [text for _, text in crystals(0, 240)]
    for number, text in enumerate([*texts[:20], texts[3], "data_none\n_cell_length_a 3\n"]):
        (lab / f"{number}.cif").write_text(text)
    with gzip.GzipFile(made / f"{NAME}_000.cif.gz", "wb", mtime=0) as stream:
        stream.write("".join(texts[20:]).encode())


def tables(folder: Path) -> dict[str, Written]:
    """Every table of the tree by its path below the results (see :func:`sources`)."""
    found: dict[str, Written] = {}
    for shard, kind in zip(SHARDS, ("cifs", "made"), strict=True):
        found |= _shard(folder / kind, shard)
    found |= _system(found)
    return found


def _shard(folder: Path, shard: str) -> dict[str, Written]:
    source_name = shard.split("/")[0]
    made = source_name == "generated"
    source = GeneratorSource() if made else FolderSource(name=source_name, path="cifs")
    rows = [(source_name, p.name, file_digest(p), p.stat().st_size) for p in folder.iterdir()]
    files = pd.DataFrame(sorted(rows), columns=FILES.names)
    checked = check_shard(files, folder, source, Quality())
    cells, unreduced = reduce_entries(checked.entries, Reduction())
    simulated = simulate(checked.entries, Simulation())
    peaks = peak_lists(cells, simulated.reflections, simulated.patterns, Peaks(), Simulation())
    listed, entries = f"sources/{shard}.files", f"entries/{shard}"
    simulation = tuple(f"{kind}/{shard}" for kind in ("cells", "reflections", "patterns"))
    settings = {"source": source.model_dump(mode="json")}
    return {
        listed: Written(FILES, files, (), source.model_dump(mode="json")),
        entries: Written(ENTRIES, checked.entries, (listed,), settings),
        f"rejects/quality/{shard}": Written(REJECTS, checked.rejects, (listed,)),
        f"cells/{shard}": Written(CELLS, cells, (entries,)),
        f"rejects/reduction/{shard}": Written(REJECTS, unreduced, (entries,)),
        f"reflections/{shard}": Written(REFLECTIONS, simulated.reflections, (entries,)),
        f"patterns/{shard}": Written(PATTERNS, simulated.patterns, (entries,)),
        f"rejects/simulation/{shard}": Written(REJECTS, simulated.rejects, (entries,)),
        f"peaks/{shard}": Written(PEAKS, peaks, simulation),
    }


def _all(found: Mapping[str, Written], kind: str) -> pd.DataFrame:
    return pd.concat([found[f"{kind}/{shard}"].frame for shard in SHARDS], ignore_index=True)


def _of_shards(*kinds: str) -> tuple[str, ...]:
    return tuple(f"{kind}/{shard}" for kind in kinds for shard in SHARDS)


def _system(shards: Mapping[str, Written]) -> dict[str, Written]:
    rng = np.random.default_rng(1)
    entries, cells, peaks = (_all(shards, kind) for kind in ("entries", "cells", "peaks"))
    duplicates = deduplicate(entries, ["lab", "generated"], Deduplication())
    split, grouping = Split(), Grouping(min_entries=60)
    built = build_dataset(SYSTEM, cells, peaks, entries, duplicates, grouping, split, rng)
    dataset = built.dataset
    scaling, reference = fit_scaling(dataset, SYSTEM), reference_list(dataset, SYSTEM)
    augmentation = (Augmentation(), Peaks(), Simulation())
    scales = Scaling.from_table(scaling)
    examples = make_examples(dataset, reference, scales, SYSTEM, *augmentation, rng).examples
    held_out = dataset[dataset["usable"] & (dataset["side"] == "validation")]
    validation = _validation(held_out.head(6))
    duplicates_name, dataset_name = f"duplicates/{NAME}", f"dataset/{NAME}"
    inputs = (duplicates_name, *_of_shards("entries", "cells", "peaks"))
    settings = {"split": split.model_dump()}
    made = (f"{n}/{NAME}" for n in ("dataset", "scaling", "reference"))
    return {
        duplicates_name: Written(DUPLICATES, duplicates, _of_shards("entries")),
        dataset_name: Written(DATASET, dataset, inputs, settings),
        f"groups/{NAME}": Written(GROUPS, built.groups, inputs, settings),
        f"rejects/dataset/{NAME}": Written(REJECTS, built.rejects, inputs, settings),
        f"scaling/{NAME}": Written(SCALING, scaling, (dataset_name,)),
        f"reference/{NAME}": Written(REFERENCE, reference, (dataset_name,)),
        f"examples/{NAME}": Written(EXAMPLES, examples, tuple(made)),
        f"validation/{NAME}": Written(VALIDATION, validation, (dataset_name,)),
        f"rates/{NAME}": Written(RATES, rates(validation), (dataset_name,)),
        f"indexing_rates/{NAME}": Written(
            INDEXING_RATES, _indexing_rates(held_out.head(3)), (dataset_name,)
        ),
    }


def _validation(entries: pd.DataFrame) -> pd.DataFrame:
    cell = entries[["a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg"]]
    frame = entries[["entry_id", "bravais_lattice", "group"]].reset_index(drop=True)
    outcomes = ["found", "explained", "missed"] * 2
    frame = frame.assign(method="nearest", outcome=outcomes[: len(frame)], rank=1, m20=30.0)
    for kind in ("true", "best"):
        frame = frame.join(cell.add_prefix(f"{kind}_").reset_index(drop=True))
    numbers = {"true_m20": 29.0, "indexed": 20, "lines": 20, "candidates": 9, "iterations": 9}
    return frame.assign(**numbers, best_initial_distance_A=0.5)[VALIDATION.names]


def _indexing_rates(entries: pd.DataFrame) -> pd.DataFrame:
    frame = entries[["entry_id", "bravais_lattice"]].reset_index(drop=True)
    frame = frame.assign(degradation="exact", amount=0.0, lines=20, rank=[1, 2, 0])
    frame = frame.assign(first=[True, False, False], named=[False, True, False])
    frame = frame.assign(listed=frame["rank"] > 0, convincing=True, wrong=[False, False, True])
    return frame.assign(candidates=9, best_bravais_lattice="oP", m20=30.0)[INDEXING_RATES.names]


def write_tree(
    folder: Path, found: Mapping[str, Written], broken: Mapping[str, Break] | None = None
) -> Path:
    """Write the tree as ``folder/results``, some tables changed on the way to their files.

    The digests that are recorded are those of the changed files: only what is wrong with the
    content itself is left to find.
    """
    root = folder / "results"
    shutil.copytree(folder / "made", root / "sources/generated")
    for name, written in found.items():
        change = (broken or {}).get(name, lambda frame: frame)
        write_table(
            root / f"{name}.parquet",
            written.table,
            change(written.frame.copy()),
            _provenance(root, written.inputs, written.settings),
        )
    _write_models(root, found, broken or {})
    return root


def _provenance(root: Path, inputs: tuple[str, ...], settings: Mapping) -> dict:
    names = [name if (root / name).is_dir() else f"{name}.parquet" for name in inputs]
    digests = {f"results/{name}": file_digest(root / name) for name in names}
    return {"inputs": digests, "settings": dict(settings)}


def _write_models(root: Path, found: Mapping[str, Written], broken: Mapping[str, Break]) -> None:
    forests, metrics_name = root / f"forest/{NAME}/forests", f"forest/{NAME}/metrics"
    frames = {kind: found[f"{kind}/{NAME}"].frame for kind in ("examples", "scaling", "groups")}
    groups = sorted(frames["groups"]["group"].unique())
    scaling = Scaling.from_table(frames["scaling"])
    metrics = train_forests(
        frames["examples"], groups, SYSTEM, scaling, Forest(trees=3), 1, forests
    )
    made_from = _provenance(root, (f"examples/{NAME}", f"scaling/{NAME}"), {})
    metrics = broken.get(metrics_name, lambda frame: frame)(metrics)
    write_table(root / f"{metrics_name}.parquet", METRICS, metrics, made_from)
    trained = root / f"trained/{NAME}"
    write_model_set(
        trained,
        SYSTEM,
        frames["scaling"],
        found[f"reference/{NAME}"].frame,
        frames["groups"],
        TEMPLATES.empty(),
        [],
        forests,
        {},
        _provenance(root, (f"scaling/{NAME}", f"groups/{NAME}", f"forest/{NAME}/forests"), {}),
    )
    shutil.copytree(trained, root / f"models/{NAME}")
