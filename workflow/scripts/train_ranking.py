"""The ranking network, trained on the lists of all lattice systems, and its figures."""

# First, for it sets Keras' backend before anything imports Keras.
from mlindex.indexing.ranking.training import train  # isort: skip

from mlindex.base.atomic import atomic_directory
from mlindex.base.stage import Stage
from mlindex.indexing.ranking.judging import figures
from mlindex.indexing.ranking.network import RankingModel, write_model
from mlindex.indexing.ranking.settings import Ranking
from mlindex.indexing.ranking.tables import RANKING_EXAMPLES, RANKING_FIGURES

with Stage(snakemake) as stage:
    examples = stage.read("examples", RANKING_EXAMPLES)
    arrays = train(examples, stage.settings(Ranking), stage.seed, stage.progress)
    with atomic_directory(stage.output.model) as directory:
        write_model(directory, arrays, stage.provenance())
        judged = figures(examples, RankingModel.load(directory / "ranking.npz"))
    stage.write("figures", RANKING_FIGURES, judged)
