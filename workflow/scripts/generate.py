"""Generated crystals of one lattice system, as one CIF file, and its shard list."""

from pathlib import Path

from mlindex.base.provenance import file_digest
from mlindex.base.stage import Stage
from mlindex.structures.generator.source import write_shard
from mlindex.structures.sources import GeneratorSource
from mlindex.structures.tables import FILES

with Stage(snakemake) as stage:
    cif = Path(stage.output.cif)
    source = stage.settings(GeneratorSource)
    write_shard(
        cif,
        stage.wildcards.system,
        *stage.params.numbers,
        source,
        Path(stage.input.statistics).parent,
        stage.rng(),
    )
    file = {
        "source": source.name,
        "path": cif.name,
        "digest": file_digest(cif),
        "size_bytes": cif.stat().st_size,
    }
    stage.write("files", FILES, [file])
