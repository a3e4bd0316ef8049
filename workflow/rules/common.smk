"""What all rules share: the checked config, the shards, and what a stage depends on."""

import os
import sys
import time
from functools import cache
from pathlib import Path

from snakemake.cli import parse_args


include: "resources.smk"


#: What is older than this start may be of a run that was killed.
STARTED_S = time.time()
PROJECT = Path(workflow.basedir)
sys.path.insert(0, str(PROJECT / "workflow"))

from mlindex.apps.declared import declared
from mlindex.apps.outcome import last_lines
from mlindex.apps.targets import complaint
from mlindex.base.errors import MlindexError
from mlindex.crystal.lattice import SYSTEMS
from mlindex.base.place import Place
from mlindex.base.leftovers import remove_leftovers
from mlindex.base.locate import share_package_path
from mlindex.learning.learners.registry import fitting_file
from mlindex.cbed.folder import GENERATED, SOURCES as OF_SOURCES, stack_files
from mlindex.classification.studies.registry import STUDIES, kinds_in, study_file
from mlindex.structures.tables import CELLS, ENTRIES
from mlindex.structures.manifest import (
    crystals_in_shard,
    known_shards,
    shard_name,
    update_manifest,
)
from mlindex.base.imports import PACKAGE, code_digest
from mlindex.campaigns.folder import tables_of
from mlindex.campaigns.scoring import scored_files
from mlindex.campaigns.settings import PlannedCampaign
from mlindex.campaigns.space.document import read_document
from mlindex.base.provenance import derive_seed
from mlindex.base.atomic import require_writable
from mlindex.config import load_config
from mlindex.learning.tables import METRICS
from mlindex.indexing.options import names_file
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
    campaign=r"[^/]+",
    table=r"[^/]+",
    crystals=r"[A-Za-z0-9_.-]+",


@cache
def digest_of(script):
    """Digest of a script and of all package code and data that it uses."""
    return code_digest(PROJECT / "workflow" / "scripts" / script)


def code(script):
    """The digest of a script, taken when a job asks: a job's own process reads one script only."""
    return lambda wildcards: digest_of(script)


def project_file(name):
    """A file of the project as seen from the working folder: both can be moved together."""
    return os.path.relpath(PROJECT / name)


def seed(stage):
    """The derived seed of a job: of its stage and its wildcards."""
    return lambda wildcards: derive_seed(
        CONFIG.seed, stage, *(f"{k}={v}" for k, v in sorted(wildcards.items()))
    )


def settings(*sections):
    """The config sections that a stage uses."""
    return {name: CONFIG.section(name) for name in sections}


def classifier_settings():
    """The config that classifiers are trained with: what a page shows of them is no part."""
    shown = ("levels", "compared_with_search")
    given = CONFIG.section("classifiers")
    return {"classifiers": {k: v for k, v in given.items() if k not in shown}}


def split_settings():
    """The config by which the crystals of classifiers are split."""
    split = ("split", "test_share", "calibration_share")
    given = CONFIG.section("classifiers")
    return {"classifiers": {name: given[name] for name in split}}


def study_settings():
    """The config of studies of classifiers: which of them a page shows is no part."""
    given = CONFIG.section("classifier_studies")
    own = {k: v for k, v in given.items() if k != "studies"}
    return {"classifier_studies": own, **split_settings()}


def all_cells(wildcards):
    """Input function: the cells of all entries."""
    return [CELLS.place().format(source=s, shard=n) for s, n in all_shards()]


def study_cells(wildcards):
    """Input function: the cells of all entries, where a study needs them."""
    return all_cells(wildcards) if STUDIES[wildcards.study].cells else []


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


def shard_files(place):
    """An input function: the files of a place from every shard of a lattice system."""
    return lambda wildcards: [
        place.format(source=source, shard=shard)
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


def filled(place, system):
    """Paths of a place for a lattice system: every batch, or every noise level, where it has them."""
    numbers = {
        "batch": range(CONFIG.regression.batches),
        "level": range(len(CONFIG.assignment.noise_levels)),
    }
    several = {name: numbers[name] for name in place.wildcards if name in numbers}
    return expand(place.path, system=system, **several)


def metric_tables(wildcards):
    """Every table of metrics of a lattice system."""
    return [
        path
        for place in METRICS.places
        if place.reported
        for path in filled(place, wildcards.system)
    ]


def sample_path(name):
    """The file of a sample: from the config, else from resources/samples/, whatever its suffix."""
    if name in CONFIG.samples:
        return CONFIG.samples[name].path
    folder = Path(project_file("resources/samples"))
    found = sorted(str(path) for path in folder.iterdir() if path.stem == name)
    return found[0] if found else str(folder / f"{name}.txt")


def sample_file(wildcards):
    """Input function: the file of a sample."""
    return sample_path(wildcards.sample)


def sample_phases(wildcards):
    """Input function: the files of phases that are known to be in a sample."""
    given = CONFIG.samples.get(wildcards.sample)
    return [one for one in given.known_phases if names_file(one)] if given else []


def sample_settings(wildcards):
    """The config of a sample; where the project lies is no part of it."""
    name = wildcards.sample
    given = CONFIG.samples.get(name) or Sample(path=Path(sample_path(name)).name)
    return {"sample": given.model_dump(mode="json")}


def planned_campaign(wildcards):
    """The config of a campaign; one without an entry has its files in resources/campaigns/."""
    folder = Path(project_file("resources/campaigns"))
    space = PlannedCampaign(space=str(folder / f"{wildcards.campaign}.yaml"))
    return CONFIG.campaigns.get(wildcards.campaign, space)


def campaign_space(wildcards):
    """Input function: the space.yaml of a campaign."""
    return planned_campaign(wildcards).space


def campaign_document(wildcards):
    """The space of a campaign, None where it isn't there."""
    space = Path(planned_campaign(wildcards).space)
    try:
        return read_document(space) if space.is_file() else None
    except MlindexError as error:
        raise SystemExit(f"mlindex: {error}") from None


def campaign_tables(wildcards):
    """Input function: the tables that the space of a campaign names."""
    document = campaign_document(wildcards)
    folder = Path(planned_campaign(wildcards).space).parent
    try:
        return [str(folder / name) for name in tables_of(document)] if document else []
    except MlindexError as error:
        raise SystemExit(f"mlindex: {error}") from None


def campaign_results(wildcards):
    """Input function: the tables of results of a campaign."""
    return list(planned_campaign(wildcards).results)


def campaign_files(wildcards):
    """Input function: the files in the results of a campaign that scores are made from."""
    document = campaign_document(wildcards)
    if document is None:
        return []
    results = campaign_results(wildcards)
    files = (
        path for name in results for path in scored_files(name, document.objectives)
    )
    return sorted({str(path) for path in files})


def campaign_scores(wildcards):
    """The digest of what makes scores from files; "" where a campaign has none of such."""
    document = campaign_document(wildcards)
    if document is None or not any(one.score for one in document.objectives.values()):
        return ""
    return code_digest(PACKAGE.file("mlindex.apps.campaign.scores"))


def campaign_settings(wildcards):
    """The config of a campaign; where its files lie is no part of it."""
    return {"campaign": {"space": "", "batch": planned_campaign(wildcards).batch}}


def stack_folder_files():
    """The files of the folder of stacks, by their names."""
    try:
        return stack_files(CONFIG.cbed.source)
    except MlindexError as error:
        raise SystemExit(f"mlindex: {error}") from None


def cbed_crystals():
    """Names of the jobs that make stacks: shards of crystals, or files of stacks."""
    if CONFIG.cbed.source == GENERATED:
        jobs = -(-CONFIG.cbed.crystals // CONFIG.cbed.crystals_per_shard)
        return [f"{GENERATED}_{number:05d}" for number in range(jobs)]
    if CONFIG.cbed.source == OF_SOURCES:
        return [f"{source}.{shard}" for source, shard in all_shards()]
    return list(stack_folder_files())


def cbed_numbers(wildcards):
    """Number of the first crystal of a job, and how many it has at most."""
    if CONFIG.cbed.source == OF_SOURCES:
        return 0, -(-CONFIG.cbed.crystals // len(all_shards()))
    if CONFIG.cbed.source != GENERATED:
        return 0, 0
    size = CONFIG.cbed.crystals_per_shard
    first = int(wildcards.crystals.rpartition("_")[2]) * size
    return first, min(size, CONFIG.cbed.crystals - first)


def cbed_resources():
    """What crystals are generated from, where they are."""
    names = ("spacegroup_frequencies.csv", "cell_statistics.json")
    made = CONFIG.cbed.source == GENERATED
    return [project_file(f"resources/{name}") for name in names if made]


def cbed_entries(wildcards):
    """Input function: the entries of a shard of the sources, where crystals are from these."""
    if CONFIG.cbed.source != OF_SOURCES:
        return []
    source, _, shard = wildcards.crystals.partition(".")
    return ENTRIES.place().format(source=source, shard=shard)


def cbed_stack_file(wildcards):
    """Input function: the file of stacks, where there is a folder of them."""
    if CONFIG.cbed.source in (GENERATED, OF_SOURCES):
        return []
    return stack_folder_files()[wildcards.crystals]


def cbed_kept():
    """The file of stacks that a job keeps, where the config says so."""
    simulated = CONFIG.cbed.source in (GENERATED, OF_SOURCES)
    return ["results/cbed/stacks/{crystals}.h5"] * (
        CONFIG.cbed.keep_stacks and simulated
    )


#: Keys of the config of stacks that only their simulation uses, and those that the page shows.
CBED_STACKS_ONLY = (
    *(
        "source",
        "crystals",
        "balance",
        "longest_axis_A",
        "crystals_per_shard",
        "keep_stacks",
    ),
    *("energies_keV", "energies_each", "thicknesses_A", "thicknesses_each"),
    *("specimen", "beams", "detector"),
)
CBED_SHOWN = ("studies", "imbalance_levels", "learning")
#: What is learnt, which stacks do not depend on.
CBED_LEARNT = (
    *(
        "split",
        "test_share",
        "calibration_share",
        "validation_share",
        "learners",
        "trees",
    ),
    *CBED_SHOWN,
)


def of_cbed(table):
    """The files of a table from every job that makes stacks."""
    return expand(table.place(), crystals=cbed_crystals())


def cbed_settings(*without):
    """The config of stacks and their classifier, but for some keys that a stage does not use."""
    given = CONFIG.section("cbed")
    return {
        "cbed": {name: value for name, value in given.items() if name not in without}
    }


def check_targets():
    """End with a sentence where a target is neither a rule, nor made by one, nor a file."""
    if not workflow.is_main_process or "snakemake" not in sys.argv[0]:
        return
    # Snakemake knows its targets only after the Snakefile was read: they are read here again.
    targets = parse_args(sys.argv[1:])[1].targets or ()
    names = {rule.name for rule in workflow.rules}
    for target in map(str, targets):
        made = any(rule.is_producer(target.rstrip("/")) for rule in workflow.rules)
        if not (made or target in names or Path(target).exists()):
            patterns = [str(path) for rule in workflow.rules for path in rule.output]
            raise SystemExit(f"mlindex: {complaint(target, patterns, names)}")


#: What the report shows beside the tables that are declared as reported: run times.
REPORTED_FILES = {
    "seconds": Place("validation/{system}.seconds.csv"),
    "indexing_seconds": Place("indexing_rates/{system}.seconds.csv"),
}


def report_inputs(wildcards):
    """Input function: every file that the report shows, by the name that it has there."""
    places = [(place.reported, place) for table in declared() for place in table.places]
    by_name = {}
    for name, place in [*places, *REPORTED_FILES.items()]:
        if name:
            by_name.setdefault(name, []).append(place)
    return {name: list(files_of(places)) for name, places in by_name.items()}


def files_of(places):
    """The files of some places: of every shard, or of every lattice system, one after the other."""
    for place in places:
        if "shard" in place.wildcards:
            yield from (place.path.format(source=s, shard=n) for s, n in all_shards())
    for system in CONFIG.lattice_systems:
        for place in places:
            if "system" in place.wildcards:
                yield from filled(place, system)
