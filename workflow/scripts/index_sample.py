"""The unit cells that explain one measured peak list."""

from mlindex.indexing import index_sample
from mlindex.models import load_trained
from mlindex.peaklist import read_peak_list
from mlindex.schema import atomic_directory, write_table
from mlindex.settings.models import Optimization
from mlindex.settings.samples import Sample
from mlindex.stage import Stage
from mlindex.tables.results import CANDIDATES, LINES

with Stage(snakemake) as stage, atomic_directory(stage.output.result) as directory:
    sample = stage.settings(Sample)
    result = index_sample(
        read_peak_list(stage.input.peaks, sample.wavelength_A),
        [m for path in stage.input.models if (m := load_trained(path))],
        stage.settings(Optimization),
        stage.rng(),
    )
    provenance = stage.provenance()
    write_table(directory / "candidates.parquet", CANDIDATES, result.candidates, provenance)
    write_table(directory / "lines.parquet", LINES, result.lines, provenance)
    (directory / "result.txt").write_text(result.as_text(), encoding="utf-8")
