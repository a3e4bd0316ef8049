"""Tables of the pages and of README.md, from the JSON files that benchmarks wrote.

    python docs/figures.py

In a page, what stands between ``<!-- figures: NAME -->`` and ``<!-- end -->`` is written here.
"""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from mlindex.base.atomic import atomic_path
from mlindex.base.statistics import wilson_interval
from mlindex.crystal.lattice import SYSTEMS, bravais_of

HERE = Path(__file__).parent
PAGES = (HERE.parent / "README.md", HERE / "how_well/index.md", HERE / "how_well/measured.md")
_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
Rows = Sequence[Mapping[str, Any]]
#: A share of fewer lists says nothing by itself; the record has it all the same.
_FEWEST = 10


def main() -> None:
    """Write every page anew whose figures are other than its files'."""
    for page in PAGES:
        text = rendered(page.read_text(encoding="utf-8"))
        if text != page.read_text(encoding="utf-8"):
            with atomic_path(page) as part:
                part.write_text(text, encoding="utf-8")


def rendered(text: str) -> str:
    """A page with its figures as the JSON files have them now."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{_block(found[2])}\n\n{found[3]}", text)


def _block(name: str) -> str:
    try:
        return BLOCKS[name]()
    except FileNotFoundError as missing:
        return f"Not measured yet with this version: {Path(missing.filename).name} is not there."


def record(name: str) -> dict[str, Any]:
    """What a benchmark wrote."""
    return json.loads((HERE / "how_well" / f"{name}.json").read_text(encoding="utf-8"))


def _source(name: str) -> str:
    """How the figures of a record were measured, as a paragraph."""
    r = record(name)
    return (
        f"{r['lists']} Measured with `{r['command']}`, version {r['version']} "
        f"(commit {r['commit']}), on {r['date']}; {r['machine']}."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _share(count: int, of: int) -> str:
    """A count as percent with Wilson's 95 % interval."""
    if not of:
        return "–"
    low, high = wilson_interval(count, of)
    return f"{100 * count / of:.1f} % ({100 * low:.0f} to {100 * high:.0f})"


def _lattices(name: str, of: str = "lattice") -> str:
    rows = record(name)["tables"]["lattices"]
    head = [
        of,
        "lists",
        "first",
        "first or partner",
        "in 20",
        "wrong",
        "median s",
        "worst s",
    ]
    return f"{_table(head, map(_lattice, rows))}\n\n{_source(name)}"


def _lattice(row: Mapping[str, Any]) -> list[object]:
    n = row["entries"]
    return [
        row["lattice"],
        n,
        _share(row["first"], n),
        _share(row["first or partner"], n),
        row["in 20"],
        row["wrong and convincing"],
        f"{row['median_s']:.2f}",
        f"{row['worst_s']:.1f}",
    ]


def _patterns() -> str:
    """The table of measured patterns."""
    rows = record("measured")["tables"]["patterns"]
    head = ["pattern", "known cell", "rank", "verdict", "first cell", "it is", "lines", "M20", "p"]
    keys = ("known", "rank", "verdict", "first", "is", "lines", "M20", "p")
    cells = [[Path(row["file"]).stem, *(row[key] for key in keys)] for row in rows]
    return f"{_table(head, cells)}\n\n{_source('measured')}"


def _totals() -> str:
    totals = record("measured")["tables"]["totals"][0]
    lines = [f"- {name}: {number}" for name, number in totals.items()]
    return "\n".join(lines)


def _simulated(name: str) -> str:
    """Whole simulated patterns, a row for each lattice system."""
    rows = record(name)["tables"]["systems"]
    head = ["lattice system", "patterns", "first", "first or partner", "in 20", "wrong", "CPU s"]
    cells = [
        [
            row["lattice system"],
            row["patterns"],
            row["first"],
            row["or partner"],
            row["in 20"],
            row["wrong"],
            row["median_cpu_s"],
        ]
        for row in rows
    ]
    return f"{_table(head, cells)}\n\n{_source(name)}"


def _mixtures() -> str:
    """Simulated patterns of two crystals, by the share of the second."""
    head = [
        "second phase",
        "patterns",
        "main first",
        "convincing",
        "wrong",
        "second found",
        "where it can be",
        "false second",
        "CPU s",
    ]
    cells = []
    for row in record("mixtures")["tables"]["mixtures"]:
        n, seen = row["patterns"], row["second seen"]
        cells.append(
            [
                f"{row['second phase, %']:g} %",
                n,
                _share(row["main first"], n),
                row["convincing"],
                row["wrong"],
                _share(row["second found"], n),
                f"{row['found of these']} of {seen}",
                row["false second"],
                row["median CPU s"],
            ]
        )
    return f"{_table(head, cells)}\n\n{_source('mixtures')}"


def _parts() -> str:
    """What intensities, the ranking and the profile add, way by way."""
    counted = ("first", "first or partner", "in 20", "convincing", "wrong")
    rows = record("parts")["tables"]["parts"]
    cells = [
        [row["patterns of"], row["with"], row["patterns"], *(row.get(key, "–") for key in counted)]
        for row in rows
    ]
    return (
        f"{_table(['patterns', 'indexed with', 'number', *counted], cells)}\n\n{_source('parts')}"
    )


def _merged() -> str:
    """Lists whose close lines were merged."""
    totals = record("merged")["tables"]["totals"][0]
    return f"{_table(list(totals), [list(totals.values())])}\n\n{_source('merged')}"


def _curves() -> str:
    """Lists spoiled in one way at a time: found of all, and the lattice systems of the others."""
    ways: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for row in record("curves")["tables"]["curves"]:
        ways.setdefault((row["degradation"], row["amount"]), []).append(row)
    cells = []
    for (kind, amount), rows in ways.items():
        missed = [row["entries"] - round(row["rate"] * row["entries"]) for row in rows]
        of = sum(row["entries"] for row in rows)
        others = [f"{n} {row['system']}" for n, row in zip(missed, rows, strict=True) if n]
        found = _share(of - sum(missed), of)
        cells.append([f"{kind} {amount:g}", of, found, ", ".join(others)])
    head = ["spoiled by", "lists", "first or partner", "not found"]
    return f"{_table(head, cells)}\n\n{_source('curves')}"


def _symmetry() -> str:
    """Symmetry by the classifier alone, level by level."""
    cells = []
    for row in record("symmetry")["tables"]["symmetry"]:
        n = row["number"]
        if n < _FEWEST:
            continue
        shares = [_share(round(row[key] * n), n) for key in ("right_alone", "top_3")]
        # Records of earlier versions lack it.
        surest = _share(row.get("surest_right", 0), row.get("surest", 0))
        of_class = (f"{row['macro_f1']:.2f}", f"{row['calibration_error']:.2f}", row["cpu_ms"])
        level = row["level"].replace("_", " ").replace("bravais", "Bravais lattice")
        cells.append([row["lists"], level, n, *shares, surest, *of_class])
    head = ["lists", "level", "number", "right", "in three", "surest", "macro F1"]
    return f"{_table([*head, 'calibration', 'ms'], cells)}\n\n{_source('symmetry')}"


def _study(name: str, metrics: Mapping[str, str]) -> str:
    """A study of classifiers: a row for each level, part and variant, a column for each metric."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in record(name)["tables"][name]:
        key = (row["level"], row["part"], row["variant"], str(row["rows"]))
        found.setdefault(key, {})[row["metric"]] = row
    cells = [
        [*_words(key), *(_points(own, metric) for metric in metrics)] for key, own in found.items()
    ]
    head = ["level", "lists judged", "variant", "fitted to", *metrics.values()]
    return f"{_table(head, cells)}\n\n{_source(name)}"


def _words(key: Sequence[str]) -> list[str]:
    level = key[0].replace("bravais", "Bravais lattice")
    return [text.replace("_", " ") for text in (level, *key[1:])]


def _points(row: Mapping[str, Any], metric: str) -> str:
    """A share in per cent, a gain in points, each with its interval; log-loss as it is."""
    if metric not in row:
        return ""
    known = [row[metric][name] for name in ("value", "low", "high") if name in row[metric]]
    if metric == "log_loss":
        texts = [f"{v:.3f}" for v in known]
    else:
        sign = "+" if metric.endswith("_gain") else ""
        texts = [f"{100 * v:{sign}.1f}" for v in known]
    return texts[0] if len(texts) < 3 else f"{texts[0]} ({texts[1]} to {texts[2]})"


def _active() -> str:
    """Learning curves of the ways to choose crystals, and what those are worth."""
    tables = record("active_learning")["tables"]
    worth = {row["method"]: row for row in tables["worth"]}
    curves: dict[str, list[Mapping[str, Any]]] = {}
    for row in tables["curves"]:
        curves.setdefault(row["method"], []).append(row)
    shown = [0, len(curves["random"]) // 2, -1]
    cells = []
    for name, rows in curves.items():
        own = [f"{100 * rows[k]['accuracy']:.1f} % / {rows[k]['log_loss']:.3f}" for k in shown]
        ends = [f"{worth[name][k]:.2f}" for k in ("worth", "low", "high") if name in worth]
        gain = "{} ({} to {})".format(*ends) if ends else ""
        cells.append([name.replace("_", " "), *own, gain])
    counts = [f"{curves['random'][k]['items']} crystals: right / log-loss" for k in shown]
    head = ["chosen by", *counts, "worth of a chosen crystal"]
    return f"{_table(head, cells)}\n\n{_source('active_learning')}"


def _next() -> str:
    """What proposed regions and scanning on come to."""
    row = record("next_region")["tables"]["summary"][0]
    ways = (("next", "the regions proposed"), ("scan", "scanning on"))
    cells = [
        [
            title,
            *(_share(row[f"{way}_{outcome}"], row["lists"]) for outcome in ("right", "wrong")),
            row[f"{way}_open"],
            f"{row[f'{way}_mean_deg']:.1f}",
        ]
        for way, title in ways
    ]
    head = ["measured", "right cell decided", "a wrong one", "open", "mean degrees × time"]
    factors = (
        f"Scanning on takes {row['factor']} ({row['factor_low']} to {row['factor_high']}) times as "
        f"much, in degrees without the counting time {row['plain_factor']} "
        f"({row['plain_factor_low']} to {row['plain_factor_high']}) times as many; on the "
        f"{row['both_right']} lists that both decide rightly {row['both_right_factor']} and "
        f"{row['both_right_plain_factor']} times. An open list counts all degrees up to 140."
    )
    return f"{_table(head, cells)}\n\n{factors}\n\n{_source('next_region')}"


def _joined() -> str:
    """Bravais lattices by the lines alone, by the search, and by both."""
    cells = []
    for row in record("joined")["tables"]["joined"]:
        if row["level"] not in ("bravais", "extinction_symbol"):
            continue
        n = row["count"]
        level = {"bravais": "Bravais lattice"}.get(row["level"], "extinction symbol")
        alone = f"{row['only_joined']} : {row['only_other']}" if row["way"] != "joined" else ""
        right = _share(round(row["accuracy"] * n), n)
        figures = (f"{row['macro_f1']:.2f}", f"{row['calibration_error']:.2f}")
        cells.append([row["lists"], level, row["way"], n, right, *figures, alone])
    head = ["lists", "level", "by", "number", "right", "macro F1", "calibration", "against both"]
    return f"{_table(head, cells)}\n\n{_source('joined')}"


def _formulas() -> str:
    """What formulas do to the probability of the right cell."""
    head = ["formula", "lists", "more probable", "or above 0.99", "less probable", "odds, median"]
    cells = []
    for row in record("formulas")["tables"]["formulas"]:
        n, own = row["lists"], row["formula"] == "own"
        right, other = row["right_way"], row["lists"] - row["right_way"]
        more, less = (right, other) if own else (other, right)
        certain = row["right_way_or_certain"] if own else ""
        odds = f"× {row['median_factor']:g}"
        cells.append([row["formula"], n, more, certain, less, odds])
    return f"{_table(head, cells)}\n\n{_source('formulas')}"


def _times() -> str:
    """Seconds and memory of lists as calculated and of measured patterns."""
    exact, measured = record("exact"), record("measured")
    seconds = sorted(float(row["CPU s"]) for row in measured["tables"]["patterns"] if row["CPU s"])
    return (
        f"A calculated list took {exact['tables']['lattices'][-1]['median_cpu_s']:.2f} s of one "
        f"core in the median; a measured pattern, peak search included, {median(seconds):.1f} s in "
        f"the median and {seconds[-1]:.0f} s at most. Memory was at most "
        f"{max(exact['memory_MiB'], measured['memory_MiB'])} MiB."
    )


def _success() -> str:
    """The one table of README.md: at most ten rows, from four records."""
    rows = {row["lattice"]: row for row in record("exact")["tables"]["lattices"]}
    shown = []
    for system in SYSTEMS.values():
        mine = [rows[b.symbol] for b in bravais_of(system.name) if b.symbol in rows]
        shown.append(_sum_up(f"calculated, {system.name}", mine))
    shown.append(_sum_up("calculated, then spoiled", _all_of("spoiled")))
    shown.append(_sum_up("calculated, fewer lines", _all_of("few")))
    totals = record("measured")["tables"]["totals"][0]
    n = totals["patterns"]
    shares = [_share(totals[key], n) for key in ("first", "first or named partner of it")]
    shown.append(["measured patterns", n, *shares, totals["convincing but wrong"]])
    return _table(["lists", "number", "first", "first or partner", "wrong"], shown)


def _all_of(name: str) -> Rows:
    return record(name)["tables"]["lattices"][-1:]


def _sum_up(title: str, rows: Rows) -> list[object]:
    counted = ("entries", "first", "first or partner", "wrong and convincing")
    n, first, solved, wrong = (sum(row[key] for row in rows) for key in counted)
    return [title, n, _share(first, n), _share(solved, n), wrong]


def _of_system(system: str) -> dict[str, Callable[[], str]]:
    """Blocks of one system, from its own script beside this one."""
    tools = {"record": record, "table": _table, "source": _source, "share": _share}
    return runpy.run_path(str(Path(__file__).parent / f"figures_{system}.py"))["blocks"](**tools)


BLOCKS: dict[str, Callable[[], str]] = {
    "success": _success,
    "exact": lambda: _lattices("exact"),
    "spoiled": lambda: _lattices("spoiled"),
    "few": lambda: _lattices("few"),
    "large": lambda: _lattices("large", "crystals"),
    "triclinic": lambda: _lattices("triclinic", "crystals"),
    "patterns": _patterns,
    "totals": _totals,
    "times": _times,
    "simulated": lambda: _simulated("simulated"),
    "noisy": lambda: _simulated("noisy"),
    "superstructures": lambda: _simulated("superstructures"),
    "mixtures": _mixtures,
    "formulas": _formulas,
    "parts": _parts,
    "merged": _merged,
    "curves": _curves,
    "symmetry": _symmetry,
    "imbalance": lambda: _study(
        "imbalance",
        {
            "accuracy": "right",
            "macro_f1": "macro F1",
            "tail_recall": "recall, tail",
            "accuracy_gain": "right, gain",
            "tail_recall_gain": "recall of the tail, gain",
        },
    ),
    "peers": lambda: _study(
        "peers",
        {"accuracy": "right", "macro_f1": "macro F1", "accuracy_gain": "right, less ours"},
    ),
    "bias_variance": lambda: _study("bias_variance", {"accuracy": "right", "log_loss": "log-loss"}),
    "multitask": lambda: _study(
        "multitask",
        {"accuracy": "right", "macro_f1": "macro F1", "accuracy_gain": "right, gain"},
    ),
    "joined": _joined,
    "active_learning": _active,
    "next_region": _next,
    **_of_system("campaigns"),
    **_of_system("cbed"),
}


if __name__ == "__main__":
    main()
