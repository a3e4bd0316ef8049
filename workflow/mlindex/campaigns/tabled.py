"""Measured tables as spaces and pools: what a replay needs, from columns alone or from a space."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.campaigns.methods import DEFAULT, method
from mlindex.campaigns.objectives import score_of
from mlindex.campaigns.reading import Rows
from mlindex.campaigns.replay import Pool, acceleration, enhancement, found, replayed, with_interval
from mlindex.campaigns.settings import Replay
from mlindex.campaigns.space.axes import Number
from mlindex.campaigns.space.space import RESERVED, Space
from mlindex.campaigns.spelling import meant

#: Shares of the best whose acceleration is told.
SHARES = (0.3, 0.5, 0.8)
#: Fewer conditions can't be told from chance.
_FEWEST = 10
_SAYS_NOTHING = RESERVED | {"replicates"}


def space_of(rows: Rows, objective: str, minimized: bool, levels: Sequence[str] = ()) -> Space:
    """The space of a table: columns of numbers are continuous, others categorical.

    Raises:
        MlindexError: it has no such objective, or nothing is varied in it.
    """
    if objective not in rows.names:
        close = meant(objective, rows.names)
        hint = f"did you mean {close!r}?" if close else f"there are {', '.join(rows.names)[:300]}"
        raise MlindexError(f"{rows.path}: no column is named {objective!r}; {hint}")
    quantities = {}
    for name in rows.names:
        if name and name != objective and name.lower() not in _SAYS_NOTHING:
            given = _quantity(rows, name)
            if given is not None:
                quantities[name] = given
    if not quantities:
        raise MlindexError(f"{rows.path}: nothing is varied in it but {objective}")
    wanted: dict[str, Any] = {"direction": "minimize" if minimized else "maximize"}
    if levels:
        wanted["levels"] = list(levels)
    return Space.from_dict({"quantities": quantities, "objectives": {objective: wanted}})


def _quantity(rows: Rows, name: str) -> dict[str, Any] | None:
    """A column as a quantity; None where it is the same in all rows."""
    cells = [row[name] for _, row in rows.rows if name in row]
    try:
        values = [rows.number(cell) for cell in cells]
    except ValueError:
        names = list(dict.fromkeys(str(cell) for cell in cells))
        return {"kind": "categorical", "values": names} if len(names) > 1 else None
    if not values or min(values) == max(values):
        return None
    return {"kind": "continuous", "low": min(values), "high": max(values)}


def pool_of(space: Space, rows: Rows) -> Pool:
    """The conditions of a table as a pool; rows without a score are left out.

    Raises:
        MlindexError: a row that doesn't fit the space, or too few of them.
    """
    name, given = next(iter(space.document.objectives.items()))
    codes, scores = [], []
    for line, row in rows.rows:
        if name not in row:
            continue
        try:
            plain = {
                axis.name: rows.number(row[axis.name])
                if isinstance(axis, Number)
                else row[axis.name]
                for axis in space.axes
            }
            codes.append(space.codes(plain))
        except KeyError as missing:
            raise MlindexError(f"{rows.where(line)}: has no {missing.args[0]}") from None
        except ValueError as problem:
            raise MlindexError(f"{rows.where(line)}: {problem}") from None
        try:
            scores.append(score_of(given, row[name], rows))
        except ValueError as problem:
            levels = "" if given.levels else "; of an ordinal score name the levels (--levels)"
            raise MlindexError(f"{rows.where(line)}, {name}: {problem}{levels}") from None
    sign = 1.0 if given.direction == "maximize" else -1.0
    features = space.features(np.array(codes)) if codes else np.empty((0, len(space.groups)))
    pool = Pool.of(features, sign * np.array(scores), space.groups) if codes else None
    if pool is None or len(pool) < _FEWEST:
        count = 0 if pool is None else len(pool)
        raise MlindexError(
            f"{rows.path}: has {count} conditions with a {name}; a replay needs {_FEWEST}"
        )
    return pool


def steps_of(pool: Pool, settings: Replay) -> int:
    """Measurements of a replay: as the settings say, else a quarter of the pool, 60 at least."""
    return min(len(pool), settings.steps or max(60, len(pool) // 4))


def replay(
    space: Space,
    pool: Pool,
    settings: Replay,
    seed: int,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of the tables REPLAY and REPLAY_FIGURES.

    Args:
        space: with the method and its options.
        pool: what was measured.
        settings: how often and how long.
        seed: of all replays.
        progress: shows how many are done.
    """
    name = settings.method or space.document.method or DEFAULT
    chooser = method(name, space.document.options)
    steps, rows, shares = steps_of(pool, settings), [], []
    sign = 1.0
    if next(iter(space.document.objectives.values())).direction == "minimize":
        sign = -1.0
    for n in progress(range(settings.seeds)):
        number = int(np.random.SeedSequence([seed, n]).generate_state(1)[0])
        order = replayed(pool, chooser, number, steps, batch=settings.batch)
        share = found(pool, order, steps)
        shares.append(share)
        rows += [
            {
                "replay": n + 1,
                "step": step + 1,
                "condition": int(row) + 1,
                "score": float(sign * pool.scores[row]),
                "found": float(share[step]),
            }
            for step, row in enumerate(order)
        ]
    return rows, _figures(np.array(shares), pool, name)


def _figures(shares: np.ndarray, pool: Pool, name: str) -> list[dict[str, Any]]:
    size = len(pool)
    asked: dict[str, Callable[[np.ndarray], float]] = {
        "enhancement": lambda some: enhancement(some, size)
    }
    for share in SHARES:
        asked[f"acceleration_{100 * share:.0f}"] = lambda some, share=share: acceleration(
            some, size, share
        )
    rows = []
    for figure, of in asked.items():
        one = with_interval(shares, of)
        values = {"value": one.value, "low": one.low, "high": one.high}
        known = {key: float(v) if np.isfinite(v) else None for key, v in values.items()}
        rows.append({"method": name, "figure": figure, "conditions": size, **known})
    return rows


def beside(path: Path) -> Path | None:
    """The space.yaml that lies beside a table under its name, if there is one."""
    space = path.with_suffix(".yaml")
    return space if space.is_file() else None
