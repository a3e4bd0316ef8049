"""What experiments cost, and when a campaign ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mlindex.campaigns.experiments import Experiment, Value
from mlindex.campaigns.space.space import Space


def cost_of(space: Space, one: Experiment) -> float:
    """What an experiment costs: as it was told, else by the space."""
    return one.cost if one.cost is not None else cost_at(space, one.values)


def cost_at(space: Space, values: Mapping[str, Value]) -> float:
    """What an experiment at some values costs, by the space."""
    given = space.document.cost
    total = given.base
    for name, what in given.of.items():
        value = values[name]
        if isinstance(what, Mapping):
            total += what.get(str(value) if isinstance(value, str) else f"{value:.12g}", 0.0)
        elif isinstance(value, int | float):
            total += what * value
    return total


def chance_of_any(chances: Sequence[float]) -> float:
    """Probability that any of some proposals is better, taken one by one: correlated ones make it
    smaller than this."""
    return float(1 - np.prod(1 - np.asarray(chances, dtype=float)))


def reasons_to_stop(
    space: Space,
    spent: float,
    best: float | None,
    better: float | None,
    gain_per_cost: float | None,
) -> tuple[str, ...]:
    """The rules of the space that say to end, one sentence each.

    Args:
        space: with its rules.
        spent: cost of what was done.
        best: best score of the first objective so far.
        better: probability that any proposal is better than the best so far, where it is known.
        gain_per_cost: expected gain of the proposals divided by their cost, where it is known.
    """
    rules, unit = space.document.stop, space.document.cost.unit
    found = []
    if rules.budget is not None and spent >= rules.budget:
        found.append(f"the budget is spent: {spent:g} of {rules.budget:g} {unit}".rstrip())
    name, first = next(iter(space.document.objectives.items()))
    if rules.target is not None and best is not None:
        reached = best >= rules.target if first.direction == "maximize" else best <= rules.target
        if reached:
            found.append(f"the target is reached: {name} {best:g}, wanted {rules.target:g}")
    if rules.better_below is not None and better is not None and better < rules.better_below:
        found.append(
            f"it is improbable that a proposal is better than the best so far: {better:.2g}, "
            f"below {rules.better_below:g}"
        )
    least = rules.gain_per_cost_below
    if least is not None and gain_per_cost is not None and gain_per_cost < least:
        found.append(
            f"the proposals promise too little for their cost: {gain_per_cost:.2g}, below {least:g}"
        )
    return tuple(found)
