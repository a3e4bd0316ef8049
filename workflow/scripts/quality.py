"""Quality control of one shard."""

from pathlib import Path

from mlindex.quality import check_shard
from mlindex.settings.data import Quality
from mlindex.settings.sources import SOURCE
from mlindex.stage import Stage
from mlindex.tables.entries import ENTRIES, FILES, REJECTS

with Stage(snakemake) as stage:
    source = SOURCE.validate_python(stage.params.settings["source"])
    root = getattr(source, "path", None) or Path(stage.input.files).parent
    checked = check_shard(
        stage.read("files", FILES),
        Path(root).expanduser(),
        source,
        stage.settings(Quality),
        stage.progress,
    )
    stage.write("entries", ENTRIES, checked.entries)
    stage.write("rejects", REJECTS, checked.rejects)
