"""Objectives: scores as they are told, and as methods see them (larger is better)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.campaigns.reading import Rows
from mlindex.campaigns.space.settings import Objective, SpaceFile
from mlindex.campaigns.spelling import meant

#: How much of the mean counts beside the worst objective, so that better ones still count where
#: the worst is the same (Knowles 2006, ParEGO).
_MEAN_SHARE = 0.05
#: The highest scores that are made from files.
HIGHEST = {"mlindex": 3.0}
#: What stands between several levels that one drop shows.
_BETWEEN = re.compile(r"\s*[-/;+]\s*")


def sign_of(given: Objective) -> float:
    """What turns a score so that larger ones are better: 1 or -1."""
    return 1.0 if given.direction == "maximize" else -1.0


def level_numbers(given: Objective) -> dict[str, float]:
    """The levels of an ordinal score with their numbers; none where it is a number."""
    if isinstance(given.levels, Mapping):
        return dict(given.levels)
    try:
        numbers = [float(level) for level in given.levels]
    except ValueError:
        numbers = [float(n) for n in range(len(given.levels))]
    return dict(zip(given.levels, numbers, strict=True))


def level_of(given: Objective, score: float) -> str:
    """A score in words: the name of its level, where it has one, else four digits."""
    for level, number in level_numbers(given).items():
        if number == score:
            return level
    return f"{score:.4g}"


def score_of(given: Objective, cell: str | float, rows: Rows) -> float:
    """A score from a cell of a table.

    Raises:
        ValueError: it is no finite number, or none of the levels.
    """
    levels = level_numbers(given)
    if not levels:
        return rows.number(cell)
    text = f"{cell:.12g}" if isinstance(cell, int | float) else str(cell).strip()
    seen = [_level(part, levels) for part in (text, *_BETWEEN.split(text))]
    if seen[0] is not None:
        return seen[0]
    if len(seen) > 2 and None not in seen[1:]:
        best = max if given.direction == "maximize" else min
        return best(seen[1:])
    close = meant(text, levels)
    hint = f"did you mean {close!r}?" if close else f"there are {', '.join(levels)}"
    raise ValueError(f"{text[:40]!r} is no level; {hint}")


def _level(text: str, levels: Mapping[str, float]) -> float | None:
    """The number of a level by its name or number; None where it is none."""
    named = {level.casefold(): number for level, number in levels.items()}
    if text.casefold() in named:
        return named[text.casefold()]
    try:
        return float(text) if float(text) in levels.values() else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Goal:
    """One score out of all objectives: signs (k,) that make larger ones better, ranges (k,) low and
    high, weights (k,) that add up to 1. A single objective stays in its own units."""

    signs: np.ndarray
    low: np.ndarray
    high: np.ndarray
    weights: np.ndarray

    @property
    def is_single(self) -> bool:
        """Whether there is one objective."""
        return len(self.signs) == 1

    def scores(self, measured: np.ndarray) -> np.ndarray:
        """Scores (n,) from values of the objectives (n, k)."""
        better = measured * self.signs
        if self.is_single:
            return better[:, 0]
        shares = (better - self.low) / np.where(self.high > self.low, self.high - self.low, 1)
        missed = (1 - shares) * self.weights
        return -missed.max(axis=1) - _MEAN_SHARE * missed.sum(axis=1)


def goals(
    document: SpaceFile, measured: np.ndarray, count: int, rng: np.random.Generator
) -> list[Goal]:
    """Goals that a batch is shared out among: one, or with several objectives weights drawn anew.

    Args:
        document: the space.
        measured: values of the objectives (n, k), n at least 1.
        count: how many goals at most.
        rng: where the weights come from.
    """
    given = document.objectives.values()
    signs = np.array([sign_of(one) for one in given])
    better = measured * signs
    low, high = better.min(axis=0), better.max(axis=0)
    wanted = np.array([one.weight for one in given])
    if len(signs) == 1:
        return [Goal(signs, low, high, np.ones(1))]
    drawn = rng.dirichlet(np.ones(len(signs)), count) * wanted
    # The first is what the weights say.
    drawn[0] = wanted
    return [Goal(signs, low, high, one / one.sum()) for one in drawn]


def top_of(document: SpaceFile, goal: Goal) -> float:
    """The highest score that there is for a goal: that of the best level or of files, else
    infinite."""
    given = next(iter(document.objectives.values()))
    levels = level_numbers(given)
    if not goal.is_single or not levels:
        return HIGHEST.get(given.score, np.inf) if goal.is_single else np.inf
    return max(goal.signs[0] * number for number in levels.values())


def front(document: SpaceFile, measured: np.ndarray) -> np.ndarray:
    """Which rows (n,) of values of the objectives (n, k) no other is better than in all of them."""
    better = measured * np.array([sign_of(one) for one in document.objectives.values()])
    beaten = [
        bool(((better >= row).all(axis=1) & (better > row).any(axis=1)).any()) for row in better
    ]
    return ~np.array(beaten, dtype=bool)


def complete(scores: Mapping[str, float], objectives: Sequence[str]) -> bool:
    """Whether there is a score for every objective."""
    return all(name in scores for name in objectives)
