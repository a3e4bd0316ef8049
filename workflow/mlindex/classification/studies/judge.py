"""Answers of a variant as rows of CLASSIFIER_STUDIES: measures, their intervals, gains.

Intervals are those of 95 % over crystals of the test part drawn again (the bootstrap of Efron
1979, Ann. Stat. 7, 1), all lists of a crystal together. All variants are judged on the same draws,
so that the interval of a gain is that of a paired comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from mlindex.base.provenance import derive_seed
from mlindex.classification.studies.material import Material
from mlindex.classification.studies.subject import Subject
from mlindex.classification.summary import CALCULATED, FEW, HEAD, MANY, MEASURED, MIDDLE, TAIL

#: ``seed`` of a row that is the mean of all.
ALL_SEEDS = 0
_QUANTILES = (0.025, 0.975)
#: Suffix of a measure less that of the variant which it is compared with.
GAIN = "_gain"


class Row(NamedTuple):
    """A row of CLASSIFIER_STUDIES but for the study and the level; NaN has no interval."""

    variant: str
    rows: int
    seed: int
    part: str
    metric: str
    class_name: str
    value: float
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True)
class Judge:
    """What answers are judged by.

    ``truth`` (n,) the classes of the lists, ``crystal`` (n,) which one each is of, from 0,
    ``names`` (k,) of the classes; ``weights`` how much the lists (n,) count in each part;
    ``groups`` classes by the name of a group, whose mean recall is a measure; ``resamples`` is the
    number of draws, ``seed`` theirs.
    """

    truth: np.ndarray
    crystal: np.ndarray
    names: Sequence[str]
    weights: Mapping[str, np.ndarray]
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)
    resamples: int = 200
    seed: int = 0

    @cached_property
    def _draws(self) -> np.ndarray:
        return crystal_draws(self.crystal, self.resamples, self.seed)

    def per_class(self, guess: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
        """Weight, precision, recall and F1 of each class (k,), 0 where nothing is to divide."""
        k = len(self.names)
        count, given = (np.bincount(of, weight, k) for of in (self.truth, guess))
        hit = guess == self.truth
        right = np.bincount(guess[hit], weight[hit], k)

        def over(whole: np.ndarray) -> np.ndarray:
            return np.divide(right, whole, out=np.zeros(k), where=whole > 0)

        precision, recall, f1 = over(given), over(count), 2 * over(count + given)
        return {"count": count, "precision": precision, "recall": recall, "f1": f1}

    def measures(self, guess: np.ndarray, weight: np.ndarray) -> dict[str, float]:
        """Accuracy, macro and weighted F1, macro recall, and the recall of each group."""
        found = self.per_class(guess, weight)
        count, occurs = found["count"], found["count"] > 0
        values = {
            "accuracy": float((count * found["recall"]).sum() / count.sum()),
            "macro_f1": float(found["f1"][occurs].mean()),
            "weighted_f1": float(np.average(found["f1"], weights=count)),
            "macro_recall": float(found["recall"][occurs].mean()),
        }
        for name, classes in self.groups.items():
            seen = classes & occurs
            # No crystal of the group may be in a draw.
            values[f"{name}_recall"] = float(found["recall"][seen].mean()) if seen.any() else np.nan
        return values

    def with_groups(self, groups: Mapping[str, np.ndarray]) -> Judge:
        """The same with those groups of classes of which there is a list."""
        occurs = np.bincount(self.truth, minlength=len(self.names)) > 0
        return replace(self, groups={n: c for n, c in groups.items() if (c & occurs).any()})

    def judged(self, guesses: Sequence[np.ndarray]) -> Judged:
        """Measures of the classes (n,) that a variant gives with each seed."""
        values, spread = {}, {}
        for part, weight in self.weights.items():
            each = [self.measures(guess, weight) for guess in guesses]
            values[part] = {name: np.array([v[name] for v in each]) for name in each[0]}
            means = []
            for times in self._draws:
                weighed = weight * times[self.crystal]
                drawn = [self.measures(guess, weighed) for guess in guesses]
                means.append({name: np.mean([v[name] for v in drawn]) for name in drawn[0]})
            spread[part] = {name: np.array([m[name] for m in means]) for name in means[0]}
        return Judged(values, spread)

    def class_rows(
        self, variant: str, trained_on: int, guesses: Sequence[np.ndarray]
    ) -> Iterator[Row]:
        """Precision, recall and F1 of each class that occurs, means over the seeds."""
        for part, weight in self.weights.items():
            each = [self.per_class(guess, weight) for guess in guesses]
            occurs = np.flatnonzero(each[0]["count"] > 0)
            for metric in ("precision", "recall", "f1"):
                mean = np.mean([found[metric] for found in each], axis=0)
                for one in occurs:
                    name, value = self.names[one], float(mean[one])
                    yield Row(variant, trained_on, ALL_SEEDS, part, metric, name, value)


class Judged(NamedTuple):
    """Measures of each part: ``values`` (seeds,), and the ``spread`` (resamples,) of means."""

    values: dict[str, dict[str, np.ndarray]]
    spread: dict[str, dict[str, np.ndarray]]

    def rows(self, variant: str, trained_on: int, against: Judged | None = None) -> Iterator[Row]:
        """Rows of each seed, and of the mean of all; and what it gains over another variant.

        Args:
            variant: its name.
            trained_on: lists that it was fitted to.
            against: of the variant that it is compared with; None compares with none.
        """
        for part, values in self.values.items():
            spread = self.spread[part]
            for name, each in values.items():
                for seed, value in enumerate(each, start=1):
                    yield Row(variant, trained_on, seed, part, name, "", float(value))
                mean = float(each.mean())
                yield _with_interval(variant, trained_on, part, name, mean, spread[name])
                if against is not None:
                    gain = mean - float(against.values[part][name].mean())
                    change = spread[name] - against.spread[part][name]
                    yield _with_interval(variant, trained_on, part, f"{name}{GAIN}", gain, change)


def _with_interval(
    variant: str, trained_on: int, part: str, name: str, value: float, spread: np.ndarray
) -> Row:
    low, high = (float(v) for v in np.nanquantile(spread, _QUANTILES))
    return Row(variant, trained_on, ALL_SEEDS, part, name, "", value, low, high)


def judge_by_kind(subject: Subject, material: Material, lists: np.ndarray) -> Judge:
    """What judges answers to some lists, calculated and measured ones apart."""
    measured = material.measured[lists]
    parts = {CALCULATED: ~measured, MEASURED: measured}
    return Judge(
        material.rows.y[lists],
        np.unique(material.crystal[lists], return_inverse=True)[1],
        material.names,
        {part: which.astype(float) for part, which in parts.items() if which.any()},
        resamples=subject.settings.resamples,
        seed=derive_seed(subject.seed, "draws"),
    )


def crystal_draws(crystal: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """How often each crystal is in each draw (resamples, crystals), crystals numbered from 0."""
    count = int(crystal.max()) + 1
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), resamples)


def mean_interval(
    values: np.ndarray, crystal: np.ndarray, draws: np.ndarray
) -> tuple[float, float]:
    """95 % interval of the mean of values (n,) of lists, from draws of their crystals."""
    total, count = np.bincount(crystal, values), np.bincount(crystal)
    low, high = np.quantile((draws @ total) / (draws @ count), _QUANTILES)
    return float(low), float(high)


def by_size(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Head, middle and tail as masks of classes (k,), by their crystals (k,) in training."""
    head, tail = counts > MANY, (counts > 0) & (counts < FEW)
    return {HEAD: head, MIDDLE: (counts > 0) & ~head & ~tail, TAIL: tail}
