"""The method of source 000: maxima of what was learnt, learnt again, until few are left.

Batra, Jayadeva and Gupta: h(1) is learnt from the scores measured; its local maxima are merged and
the worst class of them dropped; h(2) is learnt from these, h(3) from the maxima of h(2), and on,
until three or fewer are left, five rounds are done, or they stay. ``measure: none`` takes
the value that h itself predicts at a maximum, as their code does; with ``each_round`` the maxima
of a round are measured before the next h is learnt, as their text can be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlindex.base.extras import needing
from mlindex.campaigns.methods.contract import Proposals, Seen
from mlindex.campaigns.methods.options import DEFAULTS, Options
from mlindex.campaigns.models.gaussian import Gaussian

with needing("the method local_maxima", "campaigns"):
    from sklearn.svm import SVR

#: As in their code: features (x - mean) / variance, RBF kernel, maxima within 1e-4 are one,
#: it ends with three maxima or after five rounds.
GAMMA, COST, MERGED, FEW, ROUNDS = 10.0, 1000.0, 1e-4, 3, 5
#: A maximum is measured if a measured row is as near: well below a step of any real setting.
_SAME = 1e-3
#: A climb ends after so many steps, or where it is flat (tolerance of their optimizer).
_STEPS, _FLAT = 100, 1e-6

#: A function learnt: from points (m, d) to values (m,) and gradients (m, d).
Surface = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class Round(NamedTuple):
    """A round: what h was learnt from and its local maxima.

    ``rows`` (n, d) with ``scores`` (n,); ``maxima`` (k, d), highest first, with the ``values`` (k,)
    that h has there.
    """

    rows: np.ndarray
    scores: np.ndarray
    maxima: np.ndarray
    values: np.ndarray


def svr_surface(rows: np.ndarray, scores: np.ndarray) -> Surface:
    """A support vector regression as source 000's code has it."""
    centre, variance = rows.mean(axis=0), rows.var(axis=0)
    by = np.where(variance > 0, variance, 1.0)
    model = SVR(gamma=GAMMA, C=COST, max_iter=200_000).fit((rows - centre) / by, scores)
    vectors, weights = model.support_vectors_, model.dual_coef_[0]

    def surface(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        away = ((points - centre) / by)[:, None] - vectors
        share = weights * np.exp(-GAMMA * (away**2).sum(axis=2))
        gradient = -2 * GAMMA * np.einsum("ms,msd->md", share, away) / by
        return share.sum(axis=1) + model.intercept_[0], gradient

    return surface


def gaussian_surface(rows: np.ndarray, scores: np.ndarray, groups: np.ndarray) -> Surface:
    """The expected score of a Gaussian process; its gradient by central differences."""
    model = Gaussian.learnt(rows, scores, groups)
    step = 1e-4

    def surface(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        moves = step * np.eye(points.shape[1])
        moved = [model.predict(points + s * move).mean for move in moves for s in (1, -1)]
        upper, lower = np.array(moved)[::2], np.array(moved)[1::2]
        return model.predict(points).mean, ((upper - lower) / (2 * step)).T

    return surface


def climbed(
    surface: Surface, starts: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Local maxima within a box, highest first, from all starts at once.

    Projected gradients with the step of Barzilai and Borwein (a quasi-Newton step of one number;
    Birgin 2000, SIAM J. Optim. 10, 1196), halved where it does not rise.

    Args:
        surface: what is climbed.
        starts: (m, d).
        low: lower corner (d,).
        high: upper corner (d,).

    Returns:
        maxima: (k, d), those within 1e-4 of each other once.
        values: (k,).
    """
    x = np.clip(starts, low, high)
    value, gradient = surface(x)
    farthest = np.ptp(x, axis=0).max()
    step = _at_most(np.full((len(x), 1), np.inf), gradient, 0.1 * farthest)
    active = np.abs(gradient).max(axis=1) > _FLAT
    for _ in range(_STEPS):
        i = np.flatnonzero(active)
        if not len(i):
            break
        step[i] = _at_most(step[i], gradient[i], farthest)
        trial = np.clip(x[i] + step[i] * gradient[i], low, high)
        moved = trial - x[i]
        new_value, new_gradient = surface(trial)
        rises = new_value >= value[i]
        bend = -np.sum(moved * (new_gradient - gradient[i]), axis=1)
        curved = bend > 1e-15
        newton = np.sum(moved**2, axis=1) / np.where(curved, bend, 1.0)
        up = i[rises]
        step[up, 0] = np.where(curved, newton, 2 * step[i, 0])[rises]
        step[i[~rises]] *= 0.25
        x[up], value[up], gradient[up] = trial[rises], new_value[rises], new_gradient[rises]
        still = np.abs(moved).max(axis=1) < _FLAT * farthest
        active[i] = ~still & (np.abs(gradient[i]).max(axis=1) > _FLAT)
    return _merged(x, value)


def _at_most(step: np.ndarray, gradient: np.ndarray, farthest: float) -> np.ndarray:
    """Steps (m, 1), shortened where they would lead farther along any axis."""
    steepest = np.abs(gradient).max(axis=1, keepdims=True)
    return np.minimum(step, farthest / np.maximum(steepest, 1e-300))


def _merged(points: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points that are apart, highest first."""
    order = np.argsort(-values, kind="stable")
    kept: list[int] = []
    for i in order:
        if not kept or np.abs(points[kept] - points[i]).max(axis=1).min() > MERGED:
            kept.append(i)
    return points[kept], values[kept]


def without_worst_class(
    maxima: np.ndarray, values: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Maxima but those of the lowest class, where there is more than one class.

    As in their code a class holds the values of which 1 (of a range of 100) is the width.
    """
    classes = np.ceil(values / width) if width > 0 else np.zeros(len(values))
    keep = classes > classes.min()
    return (maxima[keep], values[keep]) if keep.any() else (maxima, values)


def chain(
    rows: np.ndarray,
    scores: np.ndarray,
    learn: Callable[[np.ndarray, np.ndarray], Surface],
    rng: np.random.Generator,
    starts: int = 1500,
    box: tuple[np.ndarray, np.ndarray] | None = None,
    measured: Callable[[np.ndarray], np.ndarray] | None = None,
) -> list[Round]:
    """The rounds h(1), h(2) ..., of each what it was learnt from and its maxima.

    Args:
        rows: measured (n, d).
        scores: (n,).
        learn: from rows and scores to a surface.
        rng: of the starts.
        starts: points that are climbed from, uniform in the box of the rows.
        box: corners that no climb leaves; None for none, as in their code.
        measured: scores of maxima (k, d), NaN where not measured; a round with such a one is the
            last. None takes what h predicts.
    """
    low, high = rows.min(axis=0), rows.max(axis=0)
    bounds = box or (np.full(len(low), -np.inf), np.full(len(low), np.inf))
    width = (scores.max() - scores.min()) / 100
    rounds: list[Round] = []
    while len(rounds) < ROUNDS and len(rows) > 1:
        points = rng.uniform(low, high, size=(starts, len(low)))
        maxima, values = climbed(learn(rows, scores), points, *bounds)
        rounds.append(Round(rows, scores, maxima, values))
        true = values if measured is None else measured(maxima)
        if len(maxima) <= FEW or np.isnan(true).any() or _stay(rows, maxima):
            break
        rows, scores = without_worst_class(maxima, true, width)
    return rounds


def _stay(rows: np.ndarray, maxima: np.ndarray) -> bool:
    """Whether the maxima are the rows that they were learnt from."""
    if len(rows) != len(maxima):
        return False
    apart = np.abs(rows[:, None] - maxima).max(axis=2)
    return bool((apart.min(axis=1) <= MERGED).all())


@dataclass(frozen=True)
class LocalMaxima:
    """The candidates nearest to the maxima of the last h, then to those of the rounds before."""

    options: Options = DEFAULTS

    def rounds(self, seen: Seen, rng: np.random.Generator) -> list[Round]:
        """The rounds h(1), h(2) ... of what was measured; none where all scores are equal."""
        if len(seen.scores) < 2 or np.ptp(seen.scores) == 0:
            return []
        box = np.zeros(seen.features.shape[1]), np.ones(seen.features.shape[1])
        each = self.options.measure == "each_round"
        return chain(
            seen.features,
            seen.scores,
            self._learner(seen.groups),
            rng,
            self.options.starts,
            box,
            (lambda maxima: _scores_at(seen, maxima)) if each else None,
        )

    def propose(
        self, seen: Seen, candidates: np.ndarray, count: int, rng: np.random.Generator
    ) -> Proposals:
        """The candidates nearest to maxima; by chance where there are fewer maxima."""
        chosen: list[int] = []
        expected, why = [], []
        left = np.ones(len(candidates), dtype=bool)
        rounds = self.rounds(seen, rng)
        for number, one in reversed(list(enumerate(rounds, 1))):
            for maximum, value in zip(one.maxima, one.values, strict=True):
                if len(chosen) == min(count, len(candidates)):
                    break
                apart = np.where(left, ((candidates - maximum) ** 2).sum(axis=1), np.inf)
                chosen.append(int(np.argmin(apart)))
                left[chosen[-1]] = False
                expected.append(value)
                why.append(f"nearest to a local maximum of h({number}), which is {value:.4g} there")
        more = rng.permutation(np.flatnonzero(left))[: max(0, count - len(chosen))]
        chosen += more.tolist()
        expected += [np.nan] * len(more)
        why += ["by chance, for there are no more local maxima"] * len(more)
        unknown = np.full(len(chosen), np.nan)
        return Proposals(np.array(chosen, dtype=int), np.array(expected), unknown, tuple(why))

    def rate(self, seen: Seen, candidates: np.ndarray) -> np.ndarray:
        """The last h at the candidates."""
        rounds = self.rounds(seen, np.random.default_rng(0))
        if not rounds:
            return np.zeros(len(candidates))
        surface = self._learner(seen.groups)(rounds[-1].rows, rounds[-1].scores)
        return np.concatenate([surface(part)[0] for part in _parts(candidates)])

    def _learner(self, groups: np.ndarray) -> Callable[[np.ndarray, np.ndarray], Surface]:
        if self.options.learner == "svr":
            return svr_surface
        return lambda rows, scores: gaussian_surface(rows, scores, groups)


def _scores_at(seen: Seen, maxima: np.ndarray) -> np.ndarray:
    """Scores (k,) of the measured rows at maxima (k, d), NaN where there is none as near."""
    apart = np.abs(seen.features[:, None] - maxima).max(axis=2)
    nearest = apart.argmin(axis=0)
    return np.where(apart.min(axis=0) <= _SAME, seen.scores[nearest], np.nan)


def _parts(rows: np.ndarray, size: int = 2048) -> list[np.ndarray]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
