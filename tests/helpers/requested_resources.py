"""Run in a project's folder: prints what every planned job asks for as JSON, running nothing.

Arguments: the targets with commas between, then sizes in MB that every input file is given in
turn; missing files are made. Prints {size: {rule: {attempt: {"threads": ..., "mem_mb": ...,
"runtime": ...}}}}.
"""

import json
import os
import sys
from pathlib import Path

from snakemake.api import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    ResourceSettings,
    SnakemakeApi,
)
from snakemake.jobs import Job
from snakemake.settings.enums import Quietness


def fill(path: str, size_mb: float) -> None:
    """A file of that size; a directory holds it."""
    target = Path(path) if Path(path).suffix else Path(path) / "content.npz"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    os.truncate(target, int(size_mb * 1e6))


def main(target: str, *sizes_mb: str) -> None:
    """Plan the target, set the sizes, ask every rule."""
    quiet = OutputSettings(quiet={Quietness.ALL})
    with SnakemakeApi(quiet) as api:
        workflow = api.workflow(
            ResourceSettings(cores=64),
            ConfigSettings(),
            snakefile=Path("Snakefile"),
        )
        dag = workflow.dag(DAGSettings(targets=set(target.split(","))))
        dag.execute_workflow(executor="dryrun")
        jobs = {job.rule.name: job for job in workflow._workflow.dag.jobs}
        asked = {
            size: {name: requests(job, float(size)) for name, job in sorted(jobs.items())}
            for size in sizes_mb
        }
    print("ASKED" + json.dumps(asked))


def requests(job: Job, size_mb: float) -> dict[int, dict[str, int]]:
    """What the first three attempts of a job ask for, its inputs being of that size."""
    for path in job.input:
        if str(path).startswith("results/"):
            fill(str(path), size_mb)
    found = {}
    for attempt in (1, 2, 3):
        values = job.rule.expand_resources(job.wildcards_dict, job.input, attempt)
        found[attempt] = {"threads": values["_cores"]} | {
            name: values.get(name) for name in ("mem_mb", "runtime")
        }
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
