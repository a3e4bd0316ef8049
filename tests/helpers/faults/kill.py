"""Kill the small run at random moments and start it again: `python tests/helpers/faults/kill.py`.

Snakemake and every process that it started get SIGKILL at once. Then a person's next command is
given: `snakemake --unlock` where a lock is left, and the same line again. At the end the results
must be those of an undisturbed run, byte by byte, and what was finished before a kill must be the
same file, not one made again.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from helpers.faults.outputs import comparable, finished, left_behind, locked
from helpers.faults.processes import Run
from helpers.small_workflow import TARGETS, make_project, snakemake

_STARTED = re.compile(r"^(?:Job (\d+): (.*)|Finished jobid: (\d+) .*)$", re.MULTILINE)


@dataclass
class Figures:
    """What a series of kills came to."""

    kills: int = 0
    kills_at_work: int = 0
    killed_processes: int = 0
    runs: int = 0
    starts: int = 0
    unlocked: int = 0
    jobs: int = 0
    started: int = 0
    cut_off: int = 0
    done_again: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    not_whole: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    compared: int = 0
    left_behind: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, done twice or half."""
        return not (self.done_again or self.changed or self.not_whole or self.different)

    def table(self) -> str:
        """The figures as lines of Markdown."""
        rows = (
            ("kills (SIGKILL to the whole session)", self.kills),
            ("of them while jobs were running", self.kills_at_work),
            ("processes killed", self.killed_processes),
            ("complete runs", self.runs),
            ("starts in all", self.starts),
            ("of them after `snakemake --unlock`", self.unlocked),
            ("jobs of a run", self.jobs),
            ("jobs started in all", self.started),
            ("jobs cut off by a kill, begun anew later", self.cut_off),
            ("finished jobs done again", len(self.done_again)),
            ("finished files changed by a later start", len(self.changed)),
            ("visible files that were not whole, at any kill", len(self.not_whole)),
            ("files compared at the end of each run", self.compared),
            ("of them different from the undisturbed run", len(self.different)),
            ("hidden temporary files left behind", self.left_behind),
        )
        lines = [f"| {what} | {value} |" for what, value in rows]
        return "\n".join(["| what | figure |", "| --- | --- |", *lines])


class Series:
    """Kills of the small run at moments that the seed draws, until there have been enough.

    Args:
        folder: where projects are made, one after the other.
        targets: what Snakemake is asked for.
        seed: of the moments.
        told: is called with a line after each run and kill.
    """

    def __init__(self, folder: Path, targets: Sequence[str], seed: int, told: Callable):
        self._folder, self._targets, self._told = folder, targets, told
        self._rng = np.random.default_rng(seed)
        self._template = make_project(folder / "template")
        self.figures = Figures()

    def project(self, name: str) -> Path:
        """A new project, of the code and files that all projects of the series have."""
        return shutil.copytree(self._template, self._folder / name, symlinks=True)

    def undisturbed(self) -> None:
        """Run to the end once: the bytes to compare with, and how long a run takes."""
        project = self.project("undisturbed")
        begun = time.monotonic()
        snakemake(project, "--dry-run", *self._targets)
        self._start_s = time.monotonic() - begun
        begun = time.monotonic()
        output = snakemake(project, *self._targets)
        self._run_s = time.monotonic() - begun
        self.expected = comparable(project)
        self.figures.jobs = len(jobs(output)[1])
        self.figures.compared = len(self.expected)
        self._told(f"undisturbed: {self.figures.jobs} jobs in {self._run_s:.0f} s")

    def run(self, times: int) -> None:
        """Kill so many times, in as many projects as it takes, and end with a whole run."""
        self._longest_s = 2 * self._start_s + 3 * self._run_s / times
        while self.figures.kills < times:
            self._one_project(times)

    def _one_project(self, times: int) -> None:
        figures = self.figures
        project = self.project(f"killed_{figures.runs}")
        before: dict[str, tuple[int, int]] = {}
        done: set[str] = set()
        while True:
            last = figures.kills == times
            moment_s = np.inf if last else self._rng.uniform(0, self._longest_s)
            ended = self._start(project, moment_s, done)
            if ended and not last:
                # Where the machine was busier before, kills would come too late ever after.
                self._longest_s /= 2
            now = finished(project)
            figures.changed += [name for name, seen in before.items() if now.get(name) != seen]
            found = comparable(project)
            figures.not_whole += [n for n, d in found.items() if self.expected.get(n) != d]
            before = now
            if ended:
                break
        figures.runs += 1
        figures.different += [n for n, d in self.expected.items() if found.get(n) != d]
        figures.different += sorted(set(found) - set(self.expected))
        figures.left_behind += len(left_behind(project))
        shutil.rmtree(project)

    def _start(self, project: Path, moment_s: float, done: set[str]) -> bool:
        """One start, killed at that moment; whether it came to its end before."""
        figures = self.figures
        if locked(project):
            figures.unlocked += 1
            snakemake(project, "--unlock")
        figures.starts += 1
        run = Run(project, *self._targets)
        ended = run.ended_within(min(moment_s, 3600))
        if ended and run.process.returncode:
            raise RuntimeError(f"a start failed:\n{run.output[-5000:]}")
        killed = 0 if ended else run.kill()
        started, over = jobs(run.output)
        figures.started += len(started)
        figures.done_again += sorted(done & set(started))
        figures.cut_off += len(set(started) - set(over))
        done |= set(over)
        if not ended:
            figures.kills += 1
            figures.kills_at_work += len(over) < len(started)
            figures.killed_processes += killed
            self._told(
                f"kill {figures.kills} after {moment_s:.1f} s: {len(over)} jobs finished, "
                f"{len(started) - len(over)} cut off, {len(done)} done so far"
            )
        return ended


def jobs(output: str) -> tuple[list[str], list[str]]:
    """The jobs that Snakemake says it started, and those it says it finished, by their message."""
    names: dict[str, str] = {}
    started, over = [], []
    for match in _STARTED.finditer(output):
        if match[1]:
            names[match[1]] = match[2]
            started.append(match[2])
        else:
            over.append(names[match[3]])
    return started, over


def main() -> int:
    """Run the script; 1 where anything was lost, done twice or half."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        series = Series(
            Path(folder),
            TARGETS,
            options.seed,
            lambda text: print(text, file=sys.stderr, flush=True),
        )
        series.undisturbed()
        series.run(options.times)
    figures = series.figures
    print(figures.table())
    for problem in ("done_again", "changed", "not_whole", "different"):
        if found := getattr(figures, problem):
            print(problem, *found[:20])
    return 0 if figures.clean else 1


if __name__ == "__main__":
    sys.exit(main())
