"""Quality control of one shard."""

from pathlib import Path

from mlindex.base.stage import Stage
from mlindex.structures.quality import check_blocks
from mlindex.structures.settings import Quality
from mlindex.structures.sources import SOURCE
from mlindex.structures.tables import ENTRIES, FILES, REJECTS

with (
    Stage(snakemake) as stage,
    stage.writer("entries", ENTRIES) as entries,
    stage.writer("rejects", REJECTS) as rejects,
):
    source = SOURCE.validate_python(stage.params.settings["source"])
    root = Path(getattr(source, "path", None) or Path(stage.input.files).parent).expanduser()
    files, settings = stage.read("files", FILES), stage.settings(Quality)
    for checked in check_blocks(files, root, source, settings, stage.progress):
        entries.write(checked.entries)
        rejects.write(checked.rejects)
