"""The unit cells that explain one measured peak list or pattern."""

from mlindex.apps.command import index_content, write
from mlindex.base.atomic import atomic_directory
from mlindex.base.stage import Stage
from mlindex.files import read
from mlindex.indexing.settings import Sample

with Stage(snakemake) as stage, atomic_directory(stage.output.result) as directory:
    options = stage.settings(Sample).options()
    content = read(stage.input.sample, options.wavelength_A)
    done = index_content(content, options, stage.threads, stage.log.info).with_symmetry()
    stage.log.info("%.1f s", done.result.seconds)
    if cut_off := [s.bravais for s in done.result.searched if s.status != "complete"]:
        stage.log.warning(
            "not searched to the end within %g s: %s", options.time_limit_s, " ".join(cut_off)
        )
    write(done.for_sample(stage.wildcards.sample), directory, stage.provenance())
