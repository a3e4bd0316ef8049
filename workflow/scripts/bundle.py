"""All models of a lattice system in one directory that can be loaded."""

from pathlib import Path

from mlindex.base.atomic import atomic_directory
from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.learning.tables import GROUPS
from mlindex.method.models import write_model_set
from mlindex.method.settings import Assignment
from mlindex.method.tables import REFERENCE, SCALING, TEMPLATES

with Stage(snakemake) as stage, atomic_directory(stage.output.models) as directory:
    levels = stage.settings(Assignment).noise_levels
    networks = [Path(path) / "network.npz" for path in stage.input.assignment]
    write_model_set(
        directory,
        system_of(stage.wildcards.system),
        stage.read("scaling", SCALING),
        stage.read("reference", REFERENCE),
        stage.read("groups", GROUPS),
        stage.read("templates", TEMPLATES),
        [Path(path) for path in stage.input.networks],
        Path(stage.input.forests),
        dict(zip(levels, networks, strict=True)),
        stage.provenance(),
    )
