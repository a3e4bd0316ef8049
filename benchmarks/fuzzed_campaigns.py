"""Campaigns drawn by chance: nothing is proposed twice or against a constraint, nothing crashes.

    python benchmarks/fuzzed_campaigns.py --campaigns 1000 --method portfolio

Spaces of any kind (continuous, logarithmic, stepped, discrete, ordinal, categorical quantities;
mixtures, bounds, forbidden combinations; one or two objectives, levels; replicates), and what
laboratories tell: equal, outstanding and failed results, excluded ones, none, and experiments of
their own, inside the box or not. The first that goes wrong ends it with its seed.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import record

from mlindex.base.errors import MlindexError
from mlindex.campaigns.campaign import Campaign
from mlindex.campaigns.experiments import FAILED, Experiment

_NAMES = ("sodium", "potassium", "lithium", "cesium", "rubidium")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--campaigns", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first")
    parser.add_argument("--method", default="", help="the one for all tables if not given")
    record.add_out(parser)
    options = parser.parse_args()
    begun, total = time.process_time(), 0
    for seed in range(options.first, options.first + options.campaigns):
        try:
            total += run(np.random.default_rng(seed), options.method)
        except Exception as problem:
            raise SystemExit(f"seed {seed}: {type(problem).__name__}: {problem}") from problem
    row = {
        "method": options.method or "default",
        "campaigns": options.campaigns,
        "proposals": total,
        "measured_or_planned_before": 0,
        "against_a_constraint": 0,
        "processor_seconds": round(time.process_time() - begun, 1),
    }
    print(row)
    record.write(options.out, "Campaigns in spaces drawn by chance.", {"fuzzed": [row]})


def run(rng: np.random.Generator, method: str, rounds: int = 4) -> int:
    """Carry a campaign through some rounds and check every proposal; how many there were.

    Raises:
        AssertionError: a proposal was measured or planned before, or is not allowed.
    """
    given = space(rng, method)
    try:
        campaign = Campaign(given)
    except MlindexError as problem:
        if "leave nothing" not in str(problem) and "can't be" not in str(problem):
            raise
        return 0
    seen: set[bytes] = set()
    total = 0
    for _ in range(rounds):
        asked = campaign.ask(int(rng.integers(1, 9)))
        keys = _new_keys(campaign, asked, given)
        assert not keys & seen, given
        seen |= keys
        total += len(asked)
        if results := [row for one in asked if (row := _result(one, campaign, rng))]:
            campaign.tell(results)
        seen |= _own(campaign, rng)
    return total


def _new_keys(campaign: Campaign, asked: tuple[Experiment, ...], given: dict) -> set[bytes]:
    codes = [campaign.space.codes(one.values) for one in asked]
    if not codes:
        return set()
    assert campaign.space.allowed(np.array(codes)).all(), (asked, given)
    keys = campaign.space.keys(np.array(codes))
    assert len(set(keys)) * campaign.space.document.replicates >= len(keys)
    return set(keys)


def _result(one: Experiment, campaign: Campaign, rng: np.random.Generator) -> dict[str, Any] | None:
    """What a laboratory says of an experiment, if anything."""
    chance = rng.random()
    if chance < 0.1:
        return None
    row: dict[str, Any] = {"id": one.id, "replicate": one.replicate}
    if chance < 0.2:
        return {**row, "status": FAILED}
    if chance < 0.25:
        return {**row, "status": "excluded"}
    for name, objective in campaign.space.document.objectives.items():
        if objective.levels:
            row[name] = rng.choice(list(objective.levels))
        else:
            # Equal scores, outstanding ones, and those of any size.
            row[name] = float(rng.choice([0.0, 1.0, rng.normal(), 10 ** rng.uniform(-6, 9)]))
    return row


def _own(campaign: Campaign, rng: np.random.Generator) -> set[bytes]:
    """Tell of an experiment of one's own, inside the box or not; its key."""
    if rng.random() < 0.6:
        return set()
    values = {}
    for axis in campaign.space.axes:
        code = axis.from_unit(rng.random(1))[0]
        is_number = hasattr(axis, "logarithmic")
        values[axis.name] = float(code * rng.choice([1, 1.7])) if is_number else axis.value(code)
    row: dict[str, Any] = {**values, "id": f"own {rng.integers(1 << 40)}"}
    for name, objective in campaign.space.document.objectives.items():
        row[name] = next(iter(objective.levels)) if objective.levels else float(rng.normal())
    try:
        campaign.tell([row])
    except MlindexError as problem:
        # Drawn by chance, it may be what is planned under another name.
        if "are those of" not in str(problem):
            raise
        return set()
    return set(campaign.space.keys(campaign.space.codes(values)[None]))


def space(rng: np.random.Generator, method: str) -> dict[str, Any]:
    """What a space.yaml would say, of any kind."""
    quantities = {f"x{n}": _quantity(rng) for n in range(rng.integers(1, 5))}
    found: dict[str, Any] = {"objectives": _objectives(rng), "seed": int(rng.integers(1000))}
    if rng.random() < 0.3:
        parts = {f"part{n}": _part(rng) for n in range(rng.integers(2, 5))}
        found["mixtures"] = [{"of": list(parts), "sum": 100}]
        if rng.random() < 0.3:
            found["mixtures"][0]["at_most"] = 2
        quantities |= parts
    found["quantities"] = quantities
    constraints = [c for name in quantities if (c := _constraint(name, quantities, rng))]
    return {
        **found,
        "constraints": constraints[:2],
        "method": method,
        "replicates": int(rng.choice([1, 1, 1, 2])),
        "start": {"design": str(rng.choice(["auto", "sobol", "maximin", "random"]))},
    }


def _quantity(rng: np.random.Generator) -> dict[str, Any]:
    kind = rng.choice(["continuous", "logarithmic", "stepped", "discrete", "ordinal", "names"])
    low = float(rng.choice([0.0, -5.0, 1e-3, 300.0]))
    if kind == "continuous":
        return {
            "kind": "continuous",
            "low": low,
            "high": low + float(rng.choice([0, 1e-3, 1, 1e6])),
        }
    if kind == "logarithmic":
        return {"kind": "continuous", "low": 1e-6, "high": 10.0, "logarithmic": True}
    if kind == "stepped":
        return {"kind": "continuous", "low": low, "high": low + 1, "step": 0.3}
    if kind == "discrete":
        return {"kind": "discrete", "values": [float(v) for v in range(1, 2 + rng.integers(6))]}
    names = list(_NAMES[: rng.integers(1, 6)])
    return {"kind": "ordinal" if kind == "ordinal" else "categorical", "values": names}


def _part(rng: np.random.Generator) -> dict[str, Any]:
    low = float(rng.choice([0, 0, 10]))
    return {"kind": "continuous", "low": low, "high": float(rng.choice([60, 100])), "step": 5}


def _constraint(name: str, quantities: dict, rng: np.random.Generator) -> dict[str, Any] | None:
    given = quantities[name]
    if rng.random() < 0.6:
        return None
    if given["kind"] == "continuous" and given["high"] > given["low"]:
        middle = given["low"] + (given["high"] - given["low"]) * float(rng.uniform(0.2, 0.9))
        return {"kind": "linear", "of": {name: 1.0}, "at_most": middle}
    if "values" in given:
        return {"kind": "forbidden", "when": {name: [str(v) for v in given["values"]][:1]}}
    return None


def _objectives(rng: np.random.Generator) -> dict[str, Any]:
    kind = rng.choice(["one", "two", "levels"])
    if kind == "levels":
        return {"score": {"levels": ["clear", "powder", "crystals"]}}
    found: dict[str, Any] = {"yield": {"direction": "maximize"}}
    return found | ({"price": {"direction": "minimize"}} if kind == "two" else {})


if __name__ == "__main__":
    main()
