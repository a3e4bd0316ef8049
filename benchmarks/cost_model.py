"""What a training on so many entries costs, from the laws that scale.py measured.

    python benchmarks/cost_model.py FOLDER/scale.json [--entries 1700000] [--cores 32 1000]

A stage takes a + b n CPU seconds for n entries. Work is the sum over all jobs; span is the longest
chain of jobs that wait for one another: one shard, then the stages of the largest lattice system
one after the other. With c cores a run takes about the longer of span and work / c. Shares and
ratios that are not measured here are arguments with their defaults below.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Jobs of a stage in a lattice system that run side by side, beyond one.
SHARD, SERIAL = ("quality", "reduce", "simulate", "peaks"), ("deduplicate", "dataset")
FITS = ("scaling", "reference", "compare_splits")
ONE = ("augment", "templates", "compare_estimators")
TRAINING = ("train_regression", "train_forests", "train_assignment")
ASSIGNMENT_LEVELS = 4
THREADS = 8


@dataclass(frozen=True)
class Law:
    """CPU seconds of a job: fixed + each · entries."""

    fixed: float
    each: float

    def seconds(self, entries: float) -> float:
        """CPU seconds of one job."""
        return self.fixed + self.each * entries


@dataclass(frozen=True)
class Assumed:
    """What is not measured: see the arguments of :func:`main`."""

    entries: int
    shards: int
    largest_system: float
    largest_group: float
    kept: float
    real: float
    validation_entries: int
    validation_s: float
    indexing_lists: int
    indexing_s: float
    systems: int = 7


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a stage: in all, and on the longest chain."""

    stage: str
    work: float
    span: float


def laws(rows: list[dict]) -> dict[str, Law]:
    """The law of each stage, from its smallest and its largest measured number of entries."""
    found = {}
    for stage in dict.fromkeys(row["stage"] for row in rows):
        of_stage = sorted((r for r in rows if r["stage"] == stage), key=lambda r: r["entries"])
        ends = [row for row in of_stage if row["times"] == of_stage[0]["times"]]
        first, last = ends[0], ends[-1]
        step = last["entries"] - first["entries"]
        each = max((last["cpu_s"] - first["cpu_s"]) / step, 0.0) if step else 0.0
        fixed = max(first["cpu_s"] - each * first["entries"], 0.0)
        found[stage] = Law(fixed, each * last["times"])
    return found


def costs(law: dict[str, Law], given: Assumed) -> Iterator[Cost]:
    """Work and span of every stage."""
    n, systems = given.entries, given.systems
    unique = n * given.kept
    for name in SHARD:
        factor = given.real if name in ("quality", "simulate") else 1.0
        scaled = Law(law[name].fixed, law[name].each * factor)
        each = scaled.seconds(n / given.shards)
        yield Cost(name, each * given.shards, each)
    for name in (*SERIAL, *FITS, *ONE):
        entries = n if name in SERIAL else unique
        work = systems * law[name].fixed + law[name].each * entries
        yield Cost(name, work, law[name].seconds(entries * given.largest_system))
    for name in TRAINING:
        work = systems * law[name].fixed + law[name].each * unique
        in_largest = law[name].each * unique * given.largest_system
        share = {
            "train_regression": given.largest_group,
            "train_assignment": 1 / ASSIGNMENT_LEVELS,
        }.get(name, 1.0)
        yield Cost(name, work, law[name].fixed + in_largest * share)
    validation = given.validation_entries * given.validation_s
    yield Cost("validate", systems * validation, validation / THREADS)
    indexing = given.indexing_lists * given.indexing_s
    yield Cost("indexing_rates", systems * indexing, indexing / THREADS)
    for name in ("report", "verify"):
        yield Cost(name, law[name].seconds(n), law[name].seconds(n))


def chain(by_stage: dict[str, Cost]) -> float:
    """Seconds of the longest chain: stages that wait for nobody but the same input run at once."""
    one_by_one = (*SHARD, *SERIAL, "augment", "report")
    fits = max(by_stage[name].span for name in FITS if name != "compare_splits")
    beside = ("templates", "indexing_rates")
    training = max(by_stage[name].span for name in (*TRAINING, *beside))
    after = max(by_stage[name].span for name in ("validate", "compare_estimators"))
    return sum(by_stage[name].span for name in one_by_one) + fits + training + after


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measured", type=Path)
    parser.add_argument("--entries", type=int, default=1_700_000)
    parser.add_argument("--cores", type=int, nargs="+", default=[32, 1000])
    parser.add_argument("--shards", type=int, default=128, help="two sources of 64")
    parser.add_argument("--largest-system", type=float, default=0.52, help="share of entries")
    parser.add_argument("--largest-group", type=float, default=0.65, help="share of its system")
    parser.add_argument("--kept", type=float, default=0.75, help="share that is no duplicate")
    parser.add_argument(
        "--real", type=float, default=2.0, help="reading and simulating, real against generated"
    )
    parser.add_argument("--validation-entries", type=int, default=1000, help="of each system")
    parser.add_argument("--validation-s", type=float, default=0.7, help="CPU seconds of each")
    parser.add_argument("--indexing-lists", type=int, default=88, help="of each system")
    parser.add_argument("--indexing-s", type=float, default=2.0, help="CPU seconds of each")
    options = vars(parser.parse_args())
    cores, measured = options.pop("cores"), options.pop("measured")
    found = list(costs(laws(json.loads(measured.read_text())), Assumed(**options)))
    print("| stage | CPU hours | longest job or chain, hours |\n| --- | --- | --- |")
    for cost in found:
        print(f"| {cost.stage} | {cost.work / 3600:.3g} | {cost.span / 3600:.2g} |")
    work = sum(cost.work for cost in found)
    span = chain({cost.stage: cost for cost in found})
    print(f"| in all | {work / 3600:.3g} | {span / 3600:.2g} |\n")
    for number in cores:
        hours = max(span, work / number) / 3600
        print(f"{number} cores: {hours:.2g} hours, {work / number / hours / 36:.0f} % busy")


if __name__ == "__main__":
    main()
