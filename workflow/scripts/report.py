"""The report, as one HTML page."""

from pathlib import Path

from mlindex.apps.declared import declared
from mlindex.base.atomic import atomic_path
from mlindex.base.stage import Stage
from mlindex.reports.workflow.inputs import read_inputs
from mlindex.reports.workflow.page import build_page

with Stage(snakemake) as stage:
    data = read_inputs(
        {kind: paths for kind, paths in stage.input.items() if kind != "resources"},
        stage.params.systems,
        stage.params.settings["config"],
        Path("results/benchmarks"),
        declared(),
    )
    with atomic_path(stage.output.page) as path:
        path.write_text(build_page(data, Path(stage.input.resources).parent), encoding="utf-8")
