"""Spoiled lists of a lattice system, indexed, for the ranking to learn from."""

from mlindex.base.stage import Stage
from mlindex.crystal.lattice import system_of
from mlindex.indexing.ranking.examples import examples
from mlindex.indexing.ranking.settings import RankingExamples
from mlindex.indexing.ranking.tables import RANKING_EXAMPLES
from mlindex.learning.tables import DATASET

with Stage(snakemake) as stage:
    found = examples(
        stage.read("dataset", DATASET),
        system_of(stage.wildcards.system),
        stage.settings(RankingExamples),
        stage.seed,
        stage.threads,
        stage.progress,
    )
    stage.write("examples", RANKING_EXAMPLES, found)
