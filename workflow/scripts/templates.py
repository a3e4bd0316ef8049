"""The most frequent sets of Miller indices of the first lines of a lattice system."""

from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.method.optimizer.templates import COLUMNS, learn_templates
from mlindex.method.settings import Optimization
from mlindex.method.tables import EXAMPLES, REFERENCE, TEMPLATES

with Stage(snakemake) as stage:
    templates = learn_templates(
        stage.blocks("examples", EXAMPLES, COLUMNS),
        stage.read("reference", REFERENCE)[["h", "k", "l"]].to_numpy(),
        system_of(stage.wildcards.system),
        stage.settings(Optimization).template_rows,
    )
    stage.write("templates", TEMPLATES, templates)
