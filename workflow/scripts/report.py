"""The report, as one HTML page."""

from pathlib import Path

from mlindex.base.atomic import atomic_path
from mlindex.base.stage import Stage
from mlindex.reports.workflow.inputs import KINDS, read_inputs
from mlindex.reports.workflow.page import build_page

with Stage(snakemake) as stage:
    kinds = (*KINDS, "entries", "seconds", "indexing_seconds")
    data = read_inputs(
        {kind: getattr(stage.input, kind) for kind in kinds},
        stage.params.systems,
        stage.params.settings["config"],
        Path("results/benchmarks"),
    )
    with atomic_path(stage.output.page) as path:
        path.write_text(build_page(data, Path(stage.input.resources).parent), encoding="utf-8")
