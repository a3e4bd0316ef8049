"""The jobs that :mod:`scale` measures: each stage with its inputs, settings and outputs."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from scale_inputs import multiply
from scale_job import HERE, SECTION, SHARD_SIZES, SHORT, SOURCE, SYSTEM, UNTRAINABLE, measure

from mlindex.base.schema import Table, write_table
from mlindex.config import load_config
from mlindex.reports.workflow.inputs import KINDS
from mlindex.structures.manifest import shard_count
from mlindex.structures.sources import GeneratorSource, Shards

RESOURCES = HERE.parent / "resources"
CONFIG = load_config({"sources": [{"kind": "generator", "name": SOURCE}]})
SHARD_STAGES = ("generate", "quality", "reduce", "simulate", "peaks")
MANIFEST = ("manifest, first", "manifest, again")
TRAINING = ("train_regression", "train_forests", "train_assignment")

Job = dict[str, Any]


def run_all(options: argparse.Namespace) -> None:
    """Make what is missing of the inputs, run the stages, print and write the table."""
    work = options.work.resolve()

    def run(stage: str, entries: int, job: Job) -> None:
        if options.stages and stage not in options.stages:
            return
        found = {"stage": stage, "entries": _kept(job) or entries, **measure(job)}
        found["input_MB"] = _megabytes(job)
        found["times"] = SHORT[stage][1] if job.get("short") else 1.0
        _keep(work / "scale.json", found)
        print(_row(found), flush=True)

    print("| stage | entries | ms per entry | peak MiB | input MB |\n| --- " + "| --- " * 4 + "|")
    base = options.base or options.entries[0]
    for size in sorted({*SHARD_SIZES, base}):
        for stage, job in shard_jobs(_results(work, f"shard_{size}"), size):
            run(stage, size, job)
    for entries in options.entries:
        results = _results(work, str(entries))
        if not (results / "entries").exists():
            shards = [f"{SYSTEM}_000"]
            multiply(_results(work, f"shard_{base}"), shards, results, entries, SOURCE)
        if not options.stages or {*options.stages} & {*MANIFEST}:
            for stage, job in manifest_jobs(work, entries):
                run(stage, entries, job)
        for stage, job in set_jobs(results, entries, entries <= options.train_up_to, work, base):
            run(stage, entries, job)
    print("\n" + "\n".join(laws(json.loads((work / "scale.json").read_text()))))


def _keep(known: Path, found: dict[str, Any]) -> None:
    """Put a row into the file of all that were ever measured, in the place of an older one."""
    rows = json.loads(known.read_text()) if known.exists() else []
    same = ("stage", "entries")
    rows = [row for row in rows if any(row[name] != found[name] for name in same)]
    rows.append(found)
    known.write_text(json.dumps(sorted(rows, key=lambda row: row["entries"]), indent=1))


def _results(work: Path, name: str) -> Path:
    results = work / name / "results"
    results.mkdir(parents=True, exist_ok=True)
    return results


def _megabytes(job: Job) -> float:
    paths = [Path(job["cwd"]) / p for p in _listed(job.get("input", {}))]
    files = [f for p in paths for f in (p.rglob("*") if p.is_dir() else [p]) if f.is_file()]
    return sum(f.stat().st_size for f in files) / 1e6


def _kept(job: Job) -> int:
    """Unique entries that a stage after deduplication has, 0 for those before."""
    if job["script"] in ("deduplicate", "dataset", "report", "verify", "manifest"):
        return 0
    path = Path(job["cwd"]) / f"results/dataset/{SYSTEM}.parquet"
    return pq.read_metadata(path).num_rows if path.exists() else 0


def _listed(named: dict[str, Any]) -> list[str]:
    return [p for value in named.values() for p in ([value] if isinstance(value, str) else value)]


def _row(found: dict[str, Any]) -> str:
    each = 1000 * found["cpu_s"] / found["entries"]
    numbers = f"{each:.3g} | {found['peak_MiB']:.0f} | {found['input_MB']:.1f}"
    return f"| {found['stage']} | {found['entries']:,} | {numbers} |"


def laws(rows: list[dict[str, Any]]) -> Iterator[str]:
    """What a job needs whatever its size, and what 1,000 entries more add, from both ends."""
    yield "| stage | CPU s | CPU s per 1,000 | MiB | MiB per 1,000 |\n| --- " + "| --- " * 4 + "|"
    for stage in dict.fromkeys(row["stage"] for row in rows):
        all_rows = [row for row in rows if row["stage"] == stage]
        # What only read its data says nothing of training.
        ends = [row for row in all_rows if row["times"] == all_rows[0]["times"]]
        first, last = ends[0], ends[-1]
        thousands = (last["entries"] - first["entries"]) / 1000
        texts = []
        for name in ("cpu_s", "peak_MiB"):
            slope = (last[name] - first[name]) / thousands if thousands else 0.0
            fixed = first[name] - slope * first["entries"] / 1000
            slope *= last["times"] if name == "cpu_s" else 1.0
            texts.append(f"{max(fixed, 0.0):.3g} | {slope:.2g}")
        yield f"| {stage} | {' | '.join(texts)} |"


def job(results: Path, script: str, given: dict, made: dict, **more: Any) -> Job:
    """A job of the workflow, its paths relative to the folder that holds ``results``."""
    settings = {name: CONFIG.section(name) for name in more.pop("settings", ())}
    params = {"settings": settings, "seed": 1, "code": "", **more.pop("params", {})}
    for path in _listed(made):
        (results.parent / path).parent.mkdir(parents=True, exist_ok=True)
    return {
        "script": script,
        "cwd": str(results.parent),
        "input": given,
        "output": made,
        "wildcards": {"system": SYSTEM, **more.pop("wildcards", {})},
        "params": params,
        "log": f"results/logs/{script}.log",
        **more,
    }


def shard_jobs(results: Path, crystals: int) -> Iterator[tuple[str, Job]]:
    """The stages of one shard, in order."""
    yield "generate", job(results, "generate", *_generated(), params=_of_generator(crystals))
    for name, (given, made, more) in _SHARD_JOBS.items():
        yield name, job(results, name, given, made, **more)


def _here(kind: str) -> str:
    return f"results/{kind}/{SOURCE}/{SYSTEM}_000.parquet"


def _generated() -> tuple[dict[str, str], dict[str, str]]:
    given = {
        "frequencies": str(RESOURCES / "spacegroup_frequencies.csv"),
        "statistics": str(RESOURCES / "cell_statistics.json"),
    }
    return given, {"cif": _CIF, "files": _FILES}


def _of_generator(crystals: int) -> dict[str, Any]:
    return {"settings": {"generator_source": _SOURCE}, "numbers": (0, crystals)}


_CIF = f"results/sources/{SOURCE}/{SYSTEM}_000.cif.gz"
_FILES = f"results/sources/{SOURCE}/{SYSTEM}_000.files.parquet"
_SOURCE = GeneratorSource(name=SOURCE).model_dump(mode="json")
_QUALITY = {"settings": {"source": _SOURCE, "quality": CONFIG.section("quality")}}
#: Inputs, outputs and what else belongs to the job, by stage.
_SHARD_JOBS: dict[str, tuple[dict, dict, dict]] = {
    "quality": (
        {"files": _FILES, "cif": _CIF},
        {"entries": _here("entries"), "rejects": _here("rejects/quality")},
        {"params": _QUALITY},
    ),
    "reduce": (
        {"entries": _here("entries")},
        {"cells": _here("cells"), "rejects": _here("rejects/reduction")},
        {"settings": ("reduction",)},
    ),
    "simulate": (
        {"entries": _here("entries")},
        {
            **{n: _here(n) for n in ("reflections", "patterns")},
            "rejects": _here("rejects/simulation"),
        },
        {"settings": ("simulation",)},
    ),
    "peaks": (
        {n: _here(n) for n in ("cells", "reflections", "patterns")},
        {"peaks": _here("peaks")},
        {"settings": ("peaks", "simulation")},
    ),
}


def manifest_jobs(work: Path, files: int) -> Iterator[tuple[str, Job]]:
    """The shard lists of so many files: the first time, and with nothing changed."""
    folder, directory = work / f"cifs_{files}", work / f"manifest_{files}"
    if not folder.exists():
        _make_files(folder, files)
    for path in directory.glob("*") if directory.exists() else ():
        path.unlink()
    for stage in MANIFEST:
        yield (
            stage,
            {
                "script": "manifest",
                "cwd": str(work),
                "folder": str(folder),
                "directory": str(directory),
            },
        )


def _make_files(folder: Path, files: int) -> None:
    # As the COD does it: a hundred files to a folder, of a hundred such folders each.
    for number in range(files):
        path = folder / f"{number // 10_000:02d}/{number // 100 % 100:02d}/{number:07d}.cif"
        if number % 100 == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"data_{number}\n")


def set_jobs(
    results: Path, entries: int, train: bool, work: Path, base: int
) -> Iterator[tuple[str, Job]]:
    """The stages of a lattice system, in order."""
    shards = [f"{n:03d}" for n in range(shard_count(entries, Shards()))]

    def every(kind: str) -> list[str]:
        return [f"results/{kind}/{SOURCE}/{shard}.parquet" for shard in shards]

    def stage(name: str, given: dict, made: dict, *sections: str, **more: Any) -> tuple[str, Job]:
        made_job = job(results, name, given, made, settings=sections, **more)
        if name in SHORT:
            made_job["short"] = True
            section = made_job["params"]["settings"][SECTION[name]]
            section.update(SHORT[name][0])
            if not train and name in TRAINING:
                made_job["short"] = False
                name_of_limit = "min_samples_leaf" if name == "train_forests" else "min_train"
                section[name_of_limit] = UNTRAINABLE
        return name, made_job

    yield from _data(stage, every)
    yield from _training(stage, {"examples": _one("examples"), **_FITTED})
    if train:
        yield stage(
            "bundle",
            {
                **{n: _one(n) for n in ("templates", "scaling", "reference", "groups")},
                "networks": [f"results/regression/{SYSTEM}/batch_0"],
                "forests": f"results/forest/{SYSTEM}/forests",
                "assignment": [f"results/assignment/{SYSTEM}/level_0"],
            },
            {"models": f"results/trained/{SYSTEM}"},
            params={"settings": {"assignment": _short_assignment()}},
        )
    yield _validation(stage, _results(work, str(base)) / "trained" / SYSTEM)
    yield _indexing(stage)
    yield stage(
        "report",
        _report_inputs(results, every, _one),
        {"page": "results/report.html"},
        params={"settings": {"config": CONFIG.model_dump(mode="json")}, "systems": [SYSTEM]},
    )
    yield stage("verify", {}, {})


def _one(kind: str) -> str:
    return f"results/{kind}/{SYSTEM}.parquet"


_AUGMENTATION = ("first_peak", "acceptance", "histograms")
_DATA = {"dataset": _one("dataset")}
_FITTED = {n: _one(n) for n in ("scaling", "reference")}


def _data(stage: Any, every: Any) -> Iterator[tuple[str, Job]]:
    yield stage(
        "deduplicate",
        {"entries": every("entries")},
        {"duplicates": _one("duplicates")},
        "deduplication",
        params={"sources": [SOURCE]},
    )
    yield stage(
        "dataset",
        {"duplicates": _one("duplicates"), **{n: every(n) for n in ("entries", "cells", "peaks")}},
        {**_DATA, "groups": _one("groups"), "rejects": _one("rejects/dataset")},
        *("grouping", "split"),
    )
    yield stage("compare_splits", _DATA, {"splits": _one("splits")}, "forest")
    yield stage("scaling", _DATA, {"scaling": _one("scaling")})
    yield stage("reference", _DATA, {"reference": _one("reference")})
    made = {n: f"results/augmentation/{SYSTEM}/{n}.parquet" for n in _AUGMENTATION}
    yield stage(
        "augment",
        _DATA | _FITTED,
        {"examples": _one("examples"), **made},
        *("augmentation", "peaks", "simulation"),
    )
    given = {"examples": _one("examples"), **_FITTED}
    yield stage("templates", given, {"templates": _one("templates")}, "optimization")


def _validation(stage: Any, trained: Path) -> tuple[str, Job]:
    settings = {
        "optimization": CONFIG.section("optimization"),
        "validation": CONFIG.section("validation") | {"entries": 20, "network_entries": 0},
    }
    return stage(
        "validate",
        {**_DATA, "models": str(trained)},
        {
            **{n: _one(n) for n in ("validation", "rates")},
            "seconds": f"results/validation/{SYSTEM}.seconds.csv",
        },
        params={"settings": settings},
    )


def _indexing(stage: Any) -> tuple[str, Job]:
    settings = CONFIG.section("indexing") | {"entries": 2, "degraded_entries": 0}
    return stage(
        "indexing_rates",
        _DATA,
        {
            "rates": _one("indexing_rates"),
            "seconds": f"results/indexing_rates/{SYSTEM}.seconds.csv",
        },
        params={"settings": {"indexing": settings}},
    )


def _short_assignment() -> dict[str, Any]:
    return CONFIG.section("assignment") | SHORT["train_assignment"][0]


def _training(stage: Any, given: dict[str, str]) -> Iterator[tuple[str, Job]]:
    yield stage(
        "train_regression",
        given,
        {
            "networks": f"results/regression/{SYSTEM}/batch_0",
            **{n: f"results/regression/{SYSTEM}/{n}_0.parquet" for n in ("training", "metrics")},
        },
        "regression",
        wildcards={"batch": "0"},
    )
    yield stage(
        "train_forests",
        given,
        {
            "forests": f"results/forest/{SYSTEM}/forests",
            "metrics": f"results/forest/{SYSTEM}/metrics.parquet",
        },
        "forest",
    )
    yield stage(
        "train_assignment",
        given,
        {
            "network": f"results/assignment/{SYSTEM}/level_0",
            **{n: f"results/assignment/{SYSTEM}/{n}_0.parquet" for n in ("training", "metrics")},
        },
        "assignment",
        wildcards={"level": "0"},
    )
    yield stage(
        "compare_estimators",
        {
            **given,
            "networks": [f"results/regression/{SYSTEM}/batch_0"],
            "forests": f"results/forest/{SYSTEM}/forests",
        },
        {"metrics": _one("overlap")},
    )


def _report_inputs(results: Path, every: Any, one: Any) -> dict[str, Any]:
    """What the report reads; tables that were not made here are empty."""
    found: dict[str, Any] = {
        "entries": every("entries"),
        "resources": str(RESOURCES / "cell_statistics.json"),
    }
    for kind, (table, _) in KINDS.items():
        if kind in ("rejects_quality", "rejects_reduction", "rejects_simulation"):
            found[kind] = every(kind.replace("_", "/"))
        elif kind in _AUGMENTATION:
            found[kind] = [f"results/augmentation/{SYSTEM}/{kind}.parquet"]
        else:
            path = one(kind.replace("_", "/", 1) if kind.startswith("rejects") else kind)
            found[kind] = [path if _made(results, path) else _empty(results, kind, table)]
    for kind in ("seconds", "indexing_seconds"):
        path = f"results/empty/{kind}/{SYSTEM}.seconds.csv"
        (results.parent / path).parent.mkdir(parents=True, exist_ok=True)
        (results.parent / path).write_text("seconds\n")
        found[kind] = [path]
    return found


def _made(results: Path, path: str) -> bool:
    return os.path.exists(results.parent / path)


def _empty(results: Path, kind: str, table: Table) -> str:
    path = f"results/empty/{kind}/{SYSTEM}.parquet"
    write_table(results.parent / path, table, table.empty())
    return path
