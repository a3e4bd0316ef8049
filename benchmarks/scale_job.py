"""One stage's script, run on a table of given size in a process of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

for _name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_name, "1")

HERE = Path(__file__).resolve().parent
SYSTEM, SOURCE = "monoclinic", "generated"
SHARD_SIZES = (2000, 10_000)
#: Settings for the benchmark, and how many times the time of the default settings is of that.
SHORT: dict[str, tuple[dict[str, Any], float]] = {
    "train_regression": ({"batches": 1, "cycles": 1, "epochs": 2}, 25.0),
    "train_forests": ({"trees": 8}, 10.0),
    "compare_splits": ({"trees": 8}, 10.0),
    "train_assignment": ({"noise_levels": [0.05], "epsilons": [0.01], "epochs": 1}, 40.0),
}

SECTION = {
    "train_regression": "regression",
    "train_forests": "forest",
    "compare_splits": "forest",
    "train_assignment": "assignment",
}


UNTRAINABLE = 10**9


#: Ends with findings where results are not those of a whole run, as here.
_MAY_FAIL = "verify"


def child(job: dict[str, Any]) -> None:
    """Run one script as Snakemake would; prints its CPU seconds and peak memory."""
    os.chdir(job["cwd"])
    if job["script"] == "manifest":
        _manifest(job)
    else:
        _script(job)
    usages = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    # Of children the largest one counts; ru_maxrss of this process may be that of its parent.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    own = int(next(x for x in status.splitlines() if x.startswith("VmHWM:")).split()[1])
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    print(json.dumps({"cpu_s": seconds, "peak_MiB": max(own, usages[1].ru_maxrss) / 1024}))


def _script(job: dict[str, Any]) -> None:
    tree = Path(job.get("tree", HERE.parent))
    sys.path.insert(0, str(tree / "workflow"))
    text = (tree / f"workflow/scripts/{job['script']}.py").read_text(encoding="utf-8")
    try:
        exec(compile(text, job["script"], "exec"), {"snakemake": _snakemake(job)})
    except SystemExit:
        if job["script"] != _MAY_FAIL:
            raise


class _Files(list):
    """Like Snakemake's inputs and outputs: a list of files with names."""

    def __init__(self, named: dict[str, Any]):
        super().__init__()
        for name, value in named.items():
            setattr(self, name, value)
            self += [value] if isinstance(value, str) else value


class _Params(dict):
    __getattr__ = dict.get


def _snakemake(job: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(
        input=_Files(job["input"]),
        output=_Files(job["output"]),
        wildcards=type("Wildcards", (dict,), {"__getattr__": dict.get})(job["wildcards"]),
        params=_Params(job["params"]),
        threads=1,
        rule=job["script"],
        log=[job["log"]],
    )


def _manifest(job: dict[str, Any]) -> None:
    from mlindex.structures.manifest import update_manifest
    from mlindex.structures.sources import FolderSource, Shards

    source = FolderSource(name="many", path=job["folder"])
    update_manifest(source, Shards(), Path(job["directory"]))


def measure(job: dict[str, Any]) -> dict[str, float]:
    """Run a job in a process of its own."""
    command = [sys.executable, str(HERE / "scale_job.py"), json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{job['script']}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    child(json.loads(sys.argv[1]))
