"""The next round: what is known goes to a method, and what it chooses becomes proposals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.stats import norm

from mlindex.base.errors import MlindexError
from mlindex.campaigns.experiments import FAILED, MEASURED, OPEN, Experiment
from mlindex.campaigns.methods import DEFAULT, method
from mlindex.campaigns.methods.contract import Method, Past, Proposals, Seen
from mlindex.campaigns.objectives import Goal, complete, goals, score_of, sign_of, top_of
from mlindex.campaigns.reading import read_rows
from mlindex.campaigns.space.axes import Number
from mlindex.campaigns.space.candidates import candidates, design
from mlindex.campaigns.space.settings import Objective, SpaceFile
from mlindex.campaigns.space.space import Space
from mlindex.campaigns.stopping import chance_of_any, cost_at

#: Goals that a batch is shared out among where there are several objectives.
_MOST_GOALS = 8
#: Digits of what is expected, as it is written.
_DIGITS = 6
_OWN_ID = re.compile(r"^E(\d+)$")


@dataclass(frozen=True)
class Plan:
    """A round that may be proposed: its rows as fields of experiments, and what it promises.

    ``better`` is the probability that any is better than the best so far, ``gain_per_cost`` the
    expected gain divided by the cost; None where the method has no model.
    """

    rows: tuple[dict[str, Any], ...]
    method: str
    better: float | None
    gain_per_cost: float | None


@dataclass(frozen=True)
class Known:
    """What was measured and tried, as rows of codes: ``done`` (n, axes) with the mean ``values``
    (n, objectives) of replicates, ``open`` (m, axes) and ``failed`` (f, axes)."""

    done: np.ndarray
    values: np.ndarray
    replicates: np.ndarray
    open: np.ndarray
    failed: np.ndarray
    taken: set[bytes]
    ids: tuple[str, ...]


def known_of(space: Space, experiments: Iterable[Experiment]) -> Known:
    """What is known of experiments; replicates of one are a row."""
    objectives = tuple(space.document.objectives)
    by_id: dict[str, list[Experiment]] = {}
    open_ones, failed, taken = {}, {}, set()
    for one in experiments:
        codes = space.codes(one.values)
        taken.update(space.keys(codes[None]))
        if one.planned is not None:
            taken.update(space.keys(space.codes(one.planned)[None]))
        if one.status == MEASURED and complete(one.scores, objectives):
            by_id.setdefault(one.id, []).append(one)
        elif one.status in OPEN:
            open_ones[one.id] = codes
        elif one.status == FAILED:
            failed[one.id] = codes
    done = [np.mean([space.codes(o.values) for o in ones], axis=0) for ones in by_id.values()]
    values = [np.mean([[o.scores[n] for n in objectives] for o in ones], axis=0)
              for ones in by_id.values()]  # fmt: skip
    return Known(
        _rows(done, len(space.axes)),
        _rows(values, len(objectives)),
        np.array([len(ones) for ones in by_id.values()], dtype=int),
        _rows([codes for name, codes in open_ones.items() if name not in by_id], len(space.axes)),
        # What gave a score in another replicate has not failed for good.
        _rows([codes for name, codes in failed.items() if name not in by_id], len(space.axes)),
        taken,
        tuple(by_id),
    )


def _rows(found: Sequence[np.ndarray], columns: int) -> np.ndarray:
    return np.array(found, dtype=float) if len(found) else np.empty((0, columns))


def seen_of(space: Space, known: Known, goal: Goal) -> Seen:
    """What a method is told, for one goal."""
    noise = next(iter(space.document.objectives.values())).noise if goal.is_single else None
    return _seen(space, known, goal.scores(known.values), noise, _past(space, goal))


def seen_for(space: Space, known: Known, name: str) -> Seen:
    """What a method is told of one objective, others aside."""
    objectives = space.document.objectives
    number, given = list(objectives).index(name), objectives[name]
    alone = Goal(np.array([sign_of(given)]), np.zeros(1), np.ones(1), np.ones(1))
    scores = alone.scores(known.values[:, [number]])
    return _seen(space, known, scores, given.noise, _past(space, alone, (name,)))


def _seen(
    space: Space, known: Known, scores: np.ndarray, noise: float | None, past: tuple[Past, ...]
) -> Seen:
    rows = (space.features(some) for some in (known.open, known.failed))
    return Seen.of(space.features(known.done), scores, space.groups, *rows, noise, past)


def predicted(chooser: Method, seen: Seen, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a method expects of rows (m, d) of features, and its error, each (m,); NaN where it has
    no model."""
    found = chooser.propose(seen, rows, len(rows), np.random.default_rng(0))
    expected, error = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    expected[found.chosen], error[found.chosen] = found.expected, found.error
    return expected, error


def plan(space: Space, experiments: Sequence[Experiment], number: int, count: int) -> Plan:
    """The round of that number, of at most ``count`` measurements.

    Raises:
        MlindexError: a method that doesn't exist.
    """
    document = space.document
    name = document.method or DEFAULT
    chooser = method(name, document.options)
    rng = np.random.default_rng(np.random.SeedSequence([document.seed, number]))
    known = known_of(space, experiments)
    conditions = -(-count // document.replicates)
    if len(known.done) < document.start.least:
        there = np.vstack([known.done, known.open, known.failed])
        if document.past and len(document.objectives) == 1 and getattr(chooser, "uses_past", False):
            chosen = _by_past(space, chooser, known, conditions, rng)
        else:
            rows, why = design(space, conditions, known.taken, there, rng)
            chosen = [_unknown(row, why) for row in rows]
            name = "design"
    else:
        chosen = _chosen(space, chooser, known, conditions, rng)
    return _plan(space, experiments, chosen, name, count)


def require_plannable(space: Space) -> None:
    """Raise MlindexError where a method doesn't exist or a past campaign doesn't fit."""
    method(space.document.method or DEFAULT, space.document.options)
    signs = np.array([sign_of(one) for one in space.document.objectives.values()])
    nothing = np.zeros(len(signs))
    _past(space, Goal(signs, nothing, nothing + 1, nothing + 1 / len(signs)))


@dataclass(frozen=True)
class _Chosen:
    """A row that was chosen. ``gain`` is the score that it is expected to add to the best, ``each``
    what is expected of each of several objectives, and its error."""

    codes: np.ndarray
    expected: float | None
    error: float | None
    better: float | None
    gain: float
    why: str
    each: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def _unknown(codes: np.ndarray, why: str) -> _Chosen:
    """A row that was chosen without a model."""
    return _Chosen(codes, None, None, None, 0.0, why)


def _by_past(
    space: Space, chooser: Method, known: Known, count: int, rng: np.random.Generator
) -> list[_Chosen]:
    """What is chosen by past campaigns, where there are too few results for a model."""
    sign = sign_of(next(iter(space.document.objectives.values())))
    seen = seen_of(space, known, Goal(np.array([sign]), np.zeros(1), np.ones(1), np.ones(1)))

    def rate(rows: np.ndarray) -> np.ndarray:
        return chooser.rate(seen, rows)

    rows = candidates(space, known.taken, known.done, rate, rng, count)
    found = chooser.propose(seen, space.features(rows), min(count, len(rows)), rng)
    return [_unknown(rows[one], why) for one, why in zip(found.chosen, found.why, strict=True)]


def _chosen(
    space: Space, chooser: Method, known: Known, count: int, rng: np.random.Generator
) -> list[_Chosen]:
    several = len(known.values[0]) > 1
    aims = goals(space.document, known.values, min(count, _MOST_GOALS), rng)
    found: list[_Chosen] = []
    for n, goal in enumerate(aims):
        share = len(range(n, count, len(aims)))
        planned = _rows([one.codes for one in found], len(space.axes))
        taken = known.taken | set(space.keys(planned))
        seen = seen_of(space, known, goal)
        # What other goals have chosen is planned.
        seen = _with_pending(seen, space.features(planned))
        best = known.done[np.argsort(-seen.scores, kind="stable")[:20]]
        rows = candidates(
            space, taken, best, lambda x, seen=seen: chooser.rate(seen, x), rng, count
        )
        if not len(rows):
            break
        rows = _worth_their_cost(space, rows, lambda x, seen=seen: chooser.rate(seen, x), share)
        proposed = chooser.propose(seen, space.features(rows), min(share, len(rows)), rng)
        found += _with_chances(rows, proposed, seen, goal, space.document, several)
    return _with_each_expectation(space, chooser, known, found) if several else found


def _with_each_expectation(
    space: Space, chooser: Method, known: Known, found: list[_Chosen]
) -> list[_Chosen]:
    """What was chosen, with what is expected of each of several objectives."""
    rows = space.features(_rows([one.codes for one in found], len(space.axes)))
    each: list[dict[str, tuple[float, float]]] = [{} for _ in found]
    for name, given in space.document.objectives.items():
        seen, sign = seen_for(space, known, name), sign_of(given)
        if not len(rows) or np.ptp(seen.scores) == 0:
            continue
        for one, mean, error in zip(each, *predicted(chooser, seen, rows), strict=True):
            if np.isfinite(mean) and np.isfinite(error):
                one[name] = (_short(sign * mean), _short(error))
    return [replace(one, each=guess) for one, guess in zip(found, each, strict=True)]


def _with_pending(seen: Seen, more: np.ndarray) -> Seen:
    if not len(more):
        return seen
    pending = np.vstack([seen.pending, more])
    return Seen.of(seen.features, seen.scores, seen.groups, pending, seen.failed, seen.noise,
                   seen.priors)  # fmt: skip


def _worth_their_cost(space: Space, rows: np.ndarray, rate: Any, count: int) -> np.ndarray:
    """Where costs differ, the rows that are worth most for their cost; else all."""
    if not space.document.cost.of:
        return rows
    costs = np.array([cost_at(space, space.values(row)) for row in rows])
    rates = rate(space.features(rows))
    if np.ptp(costs) == 0 or np.ptp(rates) == 0 or costs.min() <= 0:
        return rows
    # Rates have an order only: their ranks are what is divided.
    ranks = (np.argsort(np.argsort(rates)) + 1) / len(rates)
    order = np.argsort(-(ranks / costs), kind="stable")
    return rows[np.sort(order[: max(10 * count, len(rows) // 10)])]


def _with_chances(
    rows: np.ndarray,
    proposed: Proposals,
    seen: Seen,
    goal: Goal,
    document: SpaceFile,
    several: bool,
) -> list[_Chosen]:
    """What was chosen, with the chance that it is better than the best so far."""
    best, top = float(seen.scores.max()), top_of(document, goal)
    aim = _aim(document, goal) if several else ""
    # Where all results are the same, nothing can be expected from them.
    learnt = np.ptp(seen.scores) > 0
    aim += "" if learnt else "all results so far are the same; "
    found = []
    for place, expected, error, why in zip(
        proposed.chosen, proposed.expected, proposed.error, proposed.why, strict=True
    ):
        better, gain = None, 0.0
        if learnt and np.isfinite(expected) and np.isfinite(error):
            spread = max(float(error), 1e-12)
            z = (float(expected) - best) / spread
            better = float(norm.cdf(z))
            gain = float(spread * (z * norm.cdf(z) + norm.pdf(z)))
        shown = goal.is_single and better is not None
        if np.isfinite(expected):
            # Methods don't know which way scores go, nor what several together mean.
            why, expected = why.partition("; ")[2] or why, min(expected, top)
        if shown:
            why = f"{_expectation(expected, error, best, goal)}; {why}"
        if best >= top:
            # Nothing is better than the highest level.
            better, gain = None, 0.0
        found.append(
            _Chosen(
                rows[place],
                _short(float(expected) * goal.signs[0]) if shown else None,
                _short(float(error)) if shown else None,
                _short(better) if better is not None else None,
                gain,
                f"{aim}{why}",
            )
        )
    return found


def _expectation(expected: float, error: float, best: float, goal: Goal) -> str:
    sign = goal.signs[0]
    return f"expected {sign * expected:.3g} ± {error:.2g}, the best so far is {sign * best:.3g}"


def _aim(document: SpaceFile, goal: Goal) -> str:
    shares = zip(document.objectives, goal.weights, strict=True)
    return f"for {', '.join(f'{100 * share:.0f} % {name}' for name, share in shares)}: "


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _plan(
    space: Space, experiments: Sequence[Experiment], chosen: list[_Chosen], name: str, count: int
) -> Plan:
    numbers = [int(m[1]) for one in experiments if (m := _OWN_ID.match(one.id))]
    first = max(numbers, default=0) + 1
    rows: list[dict[str, Any]] = []
    for n, one in enumerate(chosen):
        guess = {"expected": one.expected, "error": one.error, "better": one.better}
        if one.each:
            guess["each"] = {name: list(both) for name, both in one.each.items()}
        values = space.values(one.codes)
        rows += [
            {"id": f"E{first + n:04d}", "replicate": r, "values": values, **guess, "why": one.why}
            for r in range(1, space.document.replicates + 1)
        ]
    chances = [one.better for one in chosen if one.better is not None]
    cost = sum(cost_at(space, one_row["values"]) for one_row in rows[:count])
    gain = max((one.gain for one in chosen), default=0.0)
    return Plan(
        tuple(rows[:count]),
        name,
        chance_of_any(chances) if chances else None,
        gain / cost if chances and cost > 0 else None,
    )


def _past(space: Space, goal: Goal, objectives: tuple[str, ...] = ()) -> tuple[Past, ...]:
    """Past campaigns as features and scores; of all objectives together, or of some."""
    wanted = {name: given for name, given in space.document.objectives.items()
              if not objectives or name in objectives}  # fmt: skip
    found = (_one_past(space, name, wanted) for name in space.document.past)
    return tuple((features, goal.scores(values)) for features, values in found)


def _one_past(
    space: Space, name: str, objectives: Mapping[str, Objective]
) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, d) and values (n, objectives) of a past campaign where it has all objectives.

    Raises:
        MlindexError: a row of it that doesn't fit the space, or none with all objectives.
    """
    rows = read_rows(space.folder / name)
    codes, values = [], []
    for line, row in rows.rows:
        if not complete(row, tuple(objectives)):
            continue
        try:
            plain = {a.name: rows.number(row[a.name]) if isinstance(a, Number) else row[a.name]
                     for a in space.axes}  # fmt: skip
            codes.append(space.codes(plain))
            values.append([score_of(given, row[one], rows) for one, given in objectives.items()])
        except KeyError as missing:
            raise MlindexError(f"{rows.where(line)}: has no {missing.args[0]}") from None
        except ValueError as problem:
            raise MlindexError(f"{rows.where(line)}: {problem}") from None
    if not codes:
        raise MlindexError(f"{rows.path}: no row has a result for {' and '.join(objectives)}")
    return space.features(_rows(codes, len(space.axes))), _rows(values, len(objectives))
