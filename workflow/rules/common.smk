"""What all rules share: the checked config, the shards, and what a stage depends on."""

import sys
import time
from pathlib import Path


include: "resources.smk"


#: What is older than this start may be of a run that was killed.
STARTED_S = time.time()
PROJECT = Path(workflow.basedir)
sys.path.insert(0, str(PROJECT / "workflow"))

from mlindex.apps.outcome import last_lines
from mlindex.base.errors import MlindexError
from mlindex.crystal.lattice import SYSTEMS
from mlindex.base.leftovers import remove_leftovers
from mlindex.base.locate import share_package_path
from mlindex.structures.manifest import (
    crystals_in_shard,
    known_shards,
    shard_name,
    update_manifest,
)
from mlindex.base.imports import code_digest
from mlindex.base.provenance import derive_seed
from mlindex.base.atomic import require_writable
from mlindex.config import load_config
from mlindex.indexing.settings import Sample

share_package_path()

try:
    CONFIG = load_config(config)
except MlindexError as error:
    raise SystemExit(f"mlindex: {error}") from None

SOURCES = {source.name: source for source in CONFIG.sources}
SYSTEM_PATTERN = "|".join(SYSTEMS)


wildcard_constraints:
    source="|".join(SOURCES),
    shard=r"[a-z0-9_]+",
    system=SYSTEM_PATTERN,
    index=r"\d+",
    batch=r"\d+",
    level=r"\d+",
    sample=r"[^/]+",


def code(script):
    """Digest of a script and of all package code that it uses."""
    return code_digest(PROJECT / "workflow" / "scripts" / script)


def seed(stage):
    """The derived seed of a job: of its stage and its wildcards."""
    return lambda wildcards: derive_seed(
        CONFIG.seed, stage, *(f"{k}={v}" for k, v in sorted(wildcards.items()))
    )


def settings(*sections):
    """The config sections that a stage uses."""
    return {name: CONFIG.section(name) for name in sections}


def source_settings(wildcards):
    """The config of one source."""
    source = SOURCES[wildcards.source]
    plain = (
        generator_settings(wildcards)
        if source.kind == "generator"
        else source.model_dump()
    )
    return {"source": plain, "quality": CONFIG.section("quality")}


def folder_shards(source):
    """Shards of a folder; only the first process looks at the folder itself."""
    directory = Path("results/sources") / source.name
    try:
        if workflow.is_main_process:
            return update_manifest(source, CONFIG.shards, directory)
        return known_shards(directory)
    except MlindexError as error:
        raise SystemExit(f"mlindex: {error}") from None


def crystals_per_shard(source):
    """Crystals in a full shard of a generator."""
    made = sum(source.crystals.values())
    return crystals_in_shard(made, CONFIG.shards, CONFIG.quality.max_file_MB)


def generated_shards(source, system):
    """Shards of generated crystals of a lattice system."""
    count = source.crystals.get(system, 0)
    return [
        f"{system}_{shard_name(index)}"
        for index in range(-(-count // crystals_per_shard(source)))
    ]


def generated_range(wildcards):
    """Number of the first crystal of a generated shard, and how many it holds."""
    source = SOURCES[wildcards.source]
    size = crystals_per_shard(source)
    first = int(wildcards.index) * size
    return first, min(size, source.crystals[wildcards.system] - first)


def minutes_generating(base, per_thousand):
    """Run time in minutes of a job that makes crystals: a base and so much for each thousand."""
    return lambda wildcards, attempt: doubled(
        base + per_thousand * generated_range(wildcards)[1] / 1000, attempt
    )


def generator_settings(wildcards):
    """The config of a generator, without the counts: more crystals leave full shards alone."""
    settings = SOURCES[wildcards.source].model_dump(mode="json")
    return {**settings, "crystals": {}}


def generated_cif(wildcards):
    """The CIF file of a generated shard; a folder's files are watched through its shard list."""
    if SOURCES[wildcards.source].kind == "generator":
        return f"results/sources/{wildcards.source}/{wildcards.shard}.cif.gz"
    return []


FOLDER_SHARDS = {
    name: folder_shards(source)
    for name, source in SOURCES.items()
    if source.kind == "folder"
}


def shards_of(system):
    """Pairs of source and shard that can hold entries of a lattice system."""
    return [
        (name, shard)
        for name, source in SOURCES.items()
        for shard in FOLDER_SHARDS.get(name) or generated_shards(source, system)
    ]


def all_shards():
    """Pairs of source and shard of the lattice systems that the config covers."""
    return sorted(
        {pair for system in CONFIG.lattice_systems for pair in shards_of(system)}
    )


def shard_files(kind):
    """An input function: the tables of one kind from every shard of a lattice system."""
    return lambda wildcards: [
        f"results/{kind}/{source}/{shard}.parquet"
        for source, shard in shards_of(wildcards.system)
    ]


def regression_batches(name):
    """Files of every regression batch of a lattice system."""
    return expand(
        f"results/regression/{{{{system}}}}/{name}",
        batch=range(CONFIG.regression.batches),
    )


def assignment_levels(name):
    """Files of every noise level of a lattice system."""
    levels = range(len(CONFIG.assignment.noise_levels))
    return expand(f"results/assignment/{{{{system}}}}/{name}", level=levels)


def metric_tables(wildcards):
    """Every table of metrics of a lattice system."""
    return [
        path.format(system=wildcards.system)
        for path in (
            *regression_batches("metrics_{batch}.parquet"),
            "results/forest/{system}/metrics.parquet",
            "results/overlap/{system}.parquet",
            *assignment_levels("metrics_{level}.parquet"),
        )
    ]


def sample_path(name):
    """The file of a sample: from the config, else from resources/samples/, whatever its suffix."""
    if name in CONFIG.samples:
        return CONFIG.samples[name].path
    folder = PROJECT / "resources/samples"
    found = sorted(str(path) for path in folder.iterdir() if path.stem == name)
    return found[0] if found else str(folder / f"{name}.txt")


def sample_file(wildcards):
    """Input function: the file of a sample."""
    return sample_path(wildcards.sample)


def sample_settings(wildcards):
    """The config of a sample; where the project lies is no part of it."""
    name = wildcards.sample
    given = CONFIG.samples.get(name) or Sample(path=Path(sample_path(name)).name)
    return {"sample": given.model_dump(mode="json")}


#: What the report shows: kinds of tables of each shard of a source, and of each lattice system with
#: their paths below results/.
REPORTED_SHARDS = (
    "entries",
    "rejects/quality",
    "rejects/reduction",
    "rejects/simulation",
)
REPORTED_SYSTEMS = {
    "duplicates": "duplicates/{system}.parquet",
    "dataset": "dataset/{system}.parquet",
    "groups": "groups/{system}.parquet",
    "rejects_dataset": "rejects/dataset/{system}.parquet",
    "first_peak": "augmentation/{system}/first_peak.parquet",
    "acceptance": "augmentation/{system}/acceptance.parquet",
    "histograms": "augmentation/{system}/histograms.parquet",
    "splits": "splits/{system}.parquet",
    "scaling": "scaling/{system}.parquet",
    "validation": "validation/{system}.parquet",
    "rates": "rates/{system}.parquet",
    "overlap": "overlap/{system}.parquet",
    "indexing_rates": "indexing_rates/{system}.parquet",
    "seconds": "validation/{system}.seconds.csv",
    "indexing_seconds": "indexing_rates/{system}.seconds.csv",
}


def report_inputs(wildcards):
    """Input function: every table that the report shows, by kind."""
    training = (
        *regression_batches("training_{batch}.parquet"),
        *assignment_levels("training_{level}.parquet"),
    )
    metrics = (
        *regression_batches("metrics_{batch}.parquet"),
        *assignment_levels("metrics_{level}.parquet"),
        "results/forest/{system}/metrics.parquet",
    )
    by_system = {kind: [f"results/{path}"] for kind, path in REPORTED_SYSTEMS.items()}
    by_system |= {"training": training, "metrics": metrics}
    by_shard = {
        "_".join(Path(kind).parts): [
            f"results/{kind}/{s}/{n}.parquet" for s, n in all_shards()
        ]
        for kind in REPORTED_SHARDS
    }
    return by_shard | {
        kind: [path.format(system=s) for s in CONFIG.lattice_systems for path in paths]
        for kind, paths in by_system.items()
    }
