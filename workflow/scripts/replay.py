"""How much faster than random a method would have found the best of a measured table."""

from pathlib import Path

from mlindex.base.atomic import atomic_directory
from mlindex.base.schema import write_table
from mlindex.base.stage import Stage
from mlindex.campaigns.reading import read_rows
from mlindex.campaigns.settings import Replay
from mlindex.campaigns.space.space import Space
from mlindex.campaigns.tabled import pool_of, replay
from mlindex.campaigns.tables import REPLAY, REPLAY_FIGURES

with Stage(snakemake) as stage, atomic_directory(stage.output.replay) as directory:
    settings, space = stage.settings(Replay), Space.read(stage.input.space)
    pool = pool_of(space, read_rows(stage.input.table))
    stage.log.info("%d conditions", len(pool))
    rows, figures = replay(space, pool, settings, stage.seed, stage.progress)
    tables = (("steps.parquet", REPLAY, rows), ("figures.parquet", REPLAY_FIGURES, figures))
    for name, table, content in tables:
        write_table(Path(directory) / name, table, content, stage.provenance())
