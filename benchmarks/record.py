"""What a benchmark measured, written as JSON for the pages (docs/how_well)."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlindex
from mlindex.base.atomic import atomic_path

_PROJECT = Path(__file__).parents[1]


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--out`` to a benchmark's command line."""
    parser.add_argument("--out", type=Path, help="JSON file to write, for docs/how_well")


def write(path: Path | None, lists: str, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write what was measured, with all that is needed to measure it again.

    Args:
        path: the file; None writes nothing.
        lists: what was measured, as a sentence.
        tables: rows (name of a column to its value) of each table.
    """
    if path is None:
        return
    record = {
        "command": command(sys.argv),
        "version": mlindex.__version__,
        "commit": _commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}",
        "memory_MiB": _memory_MiB(),
        "lists": lists,
        "tables": {name: [dict(row) for row in rows] for name, rows in tables.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as part:
        part.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def command(arguments: Sequence[str]) -> str:
    """The command line as anybody may give it: files by name, without what is above them."""
    return shlex.join(["python", *_public(arguments)])


def _public(arguments: Sequence[str]) -> Iterable[str]:
    script, *rest = arguments
    yield f"benchmarks/{Path(script).name}"
    after_out = False
    for argument in rest:
        if argument == "--out":
            after_out = True
        elif after_out:
            after_out = False
        else:
            yield Path(argument).name if "/" in argument else argument


def _commit() -> str:
    """The commit that is measured, with ``-dirty`` where files differ from it; "" without git."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=7"],
        cwd=_PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def _memory_MiB() -> int:
    """Peak memory of this process or of one that it started, whichever took more."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return round(max(resource.getrusage(one).ru_maxrss for one in who) / 1024)
