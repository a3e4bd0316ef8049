"""What a method is given to choose from: all that may be done, or, in a large space, a climb."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import qmc

from mlindex.campaigns.space.space import Space

#: Rows that a large space is sampled at, those that a method climbs from, steps of each and rounds
#: of climbing, and rows that are left to choose from. Not tuned.
_SAMPLED, _BEST, _STEPS, _ROUNDS, _LEFT = 4000, 60, 20, 4, 4000
#: Rows that the design picks from for each that it needs, at least and at most.
_PER_POINT, _LEAST_ROWS, _MOST_ROWS = 20, 1000, 5000

Rate = Callable[[np.ndarray], np.ndarray]


def free(space: Space, rows: np.ndarray, taken: set[bytes]) -> np.ndarray:
    """The rows of (n, axes) that are not taken, each once."""
    kept: dict[bytes, int] = {}
    for n, key in enumerate(space.keys(rows)):
        if key not in taken:
            kept.setdefault(key, n)
    return rows[list(kept.values())]


def candidates(
    space: Space,
    taken: set[bytes],
    best: np.ndarray,
    rate: Rate,
    rng: np.random.Generator,
    count: int = 1,
) -> np.ndarray:
    """Rows (n, axes) to choose from; all of them in a small space.

    Args:
        space: where.
        taken: keys of rows that were measured or are planned.
        best: the best rows so far, to begin climbing from as well.
        rate: the value of measuring each row of features.
        rng: where chance comes from.
        count: how many are wanted, no two nearer to each other than measured values are told
            apart where there are enough of such.
    """
    everything = space.everything
    if everything is not None:
        return free(space, everything, taken)
    rows = free(space, space.sample(_SAMPLED + len(taken), rng), taken)
    if space.listed is None:
        near = [space.neighbours(np.repeat(best, _STEPS, axis=0), rng)] if len(best) else []
        rows = free(space, np.vstack([rows, *near]), taken)
        rows = _climbed(space, rows, taken, rate, rng, count)
    return rows


def _climbed(
    space: Space,
    rows: np.ndarray,
    taken: set[bytes],
    rate: Rate,
    rng: np.random.Generator,
    count: int,
) -> np.ndarray:
    """The rows with the best neighbours of the best, again and again."""
    rates = rate(space.features(rows))
    for _ in range(_ROUNDS):
        if not len(rows) or np.ptp(rates) == 0:
            break
        top = rows[np.argsort(-rates, kind="stable")[:_BEST]]
        known = taken | set(space.keys(rows))
        new = free(space, space.neighbours(np.repeat(top, _STEPS, axis=0), rng), known)
        if not len(new):
            break
        rows = np.vstack([rows, new])
        rates = np.concatenate([rates, rate(space.features(new))])
    apart = _apart(space, rows, rates)
    if len(apart) >= _PER_POINT * count:
        rows, rates = rows[apart], rates[apart]
    if len(rows) <= _LEFT:
        return rows
    # Most of the best, and some by chance for methods that look for what is far away.
    order = np.argsort(-rates, kind="stable")
    others = rng.permutation(order[_LEFT // 2 :])[: _LEFT // 2]
    return rows[np.sort(np.concatenate([order[: _LEFT // 2], others]))]


def _apart(space: Space, rows: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """The best rated of the rows in each cell of a grid, whose cells have the size of the
    tolerance by which measured values are recognized: places (m,) of them, rising."""
    order = np.argsort(-rates, kind="stable")
    cells = np.floor(space.features(rows[order]) / space.document.tolerance)
    return np.sort(order[np.unique(cells, axis=0, return_index=True)[1]])


def design(
    space: Space, count: int, taken: set[bytes], there: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    """The first rows (at most count, axes), and how they were chosen.

    Args:
        space: where.
        count: how many.
        taken: keys of rows that were measured or are planned.
        there: those rows.
        rng: where chance comes from.
    """
    kind = space.document.start.design
    plain = not space.sums and not space.rules and space.listed is None
    if kind == "auto":
        # Also for a list of cocktails, whose order means something: on five protein screens plates
        # of those farthest apart gave half the crystals of random ones, the next plates as many.
        kind = "sobol" if plain else "maximin"
    if kind == "random":
        return free(space, space.sample(count + len(taken), rng), taken)[:count], "by chance"
    if kind == "sobol":
        return _sobol(space, count, taken, rng), "Sobol points, evenly over the space"
    wanted = min(max(_PER_POINT * count, _LEAST_ROWS), _MOST_ROWS)
    rows = free(space, space.sample(wanted + len(taken), rng), taken)
    why = "far from all others, evenly over the space"
    return rows[_far_apart(space, rows, there, count)], why


def _sobol(space: Space, count: int, taken: set[bytes], rng: np.random.Generator) -> np.ndarray:
    """Sobol points that are allowed and free; by chance where too few of them are."""
    points = qmc.Sobol(len(space.axes), scramble=True, rng=rng)
    drawn = 2 ** int(np.ceil(np.log2(max(2 * count, 64))))
    rows = space.from_unit(points.random(drawn), rng)
    rows = free(space, rows[space.allowed(rows)], taken)
    if len(rows) < count:
        rows = np.vstack([rows, space.sample(count + len(taken) + len(rows), rng)])
        rows = free(space, rows, taken)
    return rows[:count]


def _far_apart(space: Space, rows: np.ndarray, there: np.ndarray, count: int) -> list[int]:
    """Rows of which each is as far as can be from those before it (maximin); each group of
    features counts as one quantity."""
    sizes = np.bincount(space.groups)
    weights = 1 / np.sqrt(sizes[space.groups])
    features = space.features(rows) * weights
    if len(there):
        known = space.features(there) * weights
        apart = np.min([((features - one) ** 2).sum(axis=1) for one in known], axis=0)
    else:
        apart = -((features - features.mean(axis=0)) ** 2).sum(axis=1) if len(rows) else []
        apart = apart - np.min(apart, initial=0) + 1e-9
    chosen: list[int] = []
    for n in range(min(count, len(rows))):
        best = int(np.argmax(apart))
        chosen.append(best)
        new = ((features - features[best]) ** 2).sum(axis=1)
        apart = new if not len(there) and n == 0 else np.minimum(apart, new)
        apart[chosen] = -1
    return chosen
