"""Imbalance: what helps rare classes, and what it costs.

Every variant learns from the same crystals, drawn with the shares of known structures; but for
balance at the source, which draws as many with equal shares. All are tested on the same lists,
which count once as often as their class is met ("natural"), once each class alike ("balanced"). A
test part that was drawn by natural shares would hold no list of most rare classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from mlindex.base.provenance import derive_seed
from mlindex.classification.studies.judge import Judge, Row, by_size
from mlindex.classification.studies.material import Material
from mlindex.classification.studies.sampling import (
    cut,
    drawn,
    equal_counts,
    largest,
    natural_counts,
    raised,
)
from mlindex.classification.studies.subject import Subject
from mlindex.classification.summary import TAIL
from mlindex.learning.learners.contract import Rows
from mlindex.learning.learners.registry import kind_of
from mlindex.learning.parts import CALIBRATION, TEST, TRAIN

#: The variant that all others are compared with.
PLAIN = "plain"
NATURAL, BALANCED = "natural", "balanced"
#: Over-sampling raises every class to this share of the largest one. Equal counts would be 40 times
#: the data, for what loss weights do without a copy.
_RAISED = 0.1
#: Balanced subsets of an ensemble (EasyEnsemble: Liu, Wu & Zhou 2009, IEEE Trans. Syst. Man Cybern.
#: B 39, 539).
_MEMBERS = 5
#: Pairs of classes that have a learner of their own.
_MOST_PAIRS = 20
#: Parameters of kinds of learners that are not their defaults: a comparison of strategies needs no
#: more, and takes a third of the time.
QUICK: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {"extra_trees": {"trees": 60}, "boosting": {"rounds": 40}}
)
#: Of 1, below any share that a forest of 60 trees gives: the logarithm of 0 adjusts nothing.
_LEAST = 1e-4
#: What a fitted adjustment may cost on the calibration part, half of what the goal allows.
_COST = 0.005
_STRENGTHS = np.linspace(0.0, 1.0, 11)


@dataclass(frozen=True)
class Lesson:
    """The crystals that all variants learn from with one seed; ``natural`` are their numbers."""

    subject: Subject
    material: Material
    natural: np.ndarray
    seed: int

    @classmethod
    def of(cls, subject: Subject, material: Material, seed: int) -> Lesson:
        """With crystals drawn with the shares of known structures."""
        pool = material.crystals(TRAIN)
        counts = natural_counts(
            np.bincount(material.class_of[pool], minlength=material.n_classes),
            material.prior,
            subject.settings.imbalance_crystals,
            subject.settings.least_crystals,
        )
        rng = np.random.default_rng(derive_seed(seed, "natural"))
        return cls(subject, material, drawn(pool, material.class_of, counts, rng), seed)

    @cached_property
    def counts(self) -> np.ndarray:
        """Natural crystals of each class (k,)."""
        return np.bincount(self.material.class_of[self.natural], minlength=self.material.n_classes)

    def rng(self, name: str) -> np.random.Generator:
        """A source of random numbers for one purpose."""
        return np.random.default_rng(derive_seed(self.seed, name))

    def learnt(
        self, crystals: np.ndarray, weights: np.ndarray | None = None, members: int = 1
    ) -> Learnt:
        """A learner fitted to all lists of some crystals, classes (k,) weighted.

        One of several members has its part of the trees: an ensemble is as large as what it is
        compared with.
        """
        rows = self.material.rows.take(self.material.lists_of(crystals))
        if weights is not None:
            rows = Rows(rows.x, rows.grid, rows.y, weights[rows.y])
        kind = kind_of(self.subject.settings.imbalance_learner)
        given = dict(QUICK.get(kind.name, {}))
        if "trees" in given:
            given["trees"] //= members
        seed = derive_seed(self.seed, "fit")
        learner = kind.trained(rows, self.material.n_classes, given, seed)
        lists = (self.material.judged(part) for part in (CALIBRATION, TEST))
        answers = (learner.predict_proba(self.material.rows.take(own).inputs) for own in lists)
        return Learnt(len(rows), *answers)


class Learnt(NamedTuple):
    """Lists fitted to, and the probabilities (n, k) given to calibration and test part."""

    rows: int
    calibration: np.ndarray
    test: np.ndarray


def _plain(lesson: Lesson) -> Learnt:
    return lesson.learnt(lesson.natural)


def _loss_weights(lesson: Lesson) -> Learnt:
    """Every class has the same weight in all."""
    return lesson.learnt(lesson.natural, 1 / np.maximum(lesson.counts, 1))


def _middling(lesson: Lesson) -> int:
    """Crystals that each class would have by equal shares."""
    return max(1, round(len(lesson.natural) / max(1, int((lesson.counts > 0).sum()))))


def _under(lesson: Lesson, name: str = "under", members: int = 1) -> Learnt:
    """Large classes cut to what equal shares would give them."""
    fewer = cut(lesson.natural, lesson.material.class_of, _middling(lesson), lesson.rng(name))
    return lesson.learnt(fewer, members=members)


def _over(lesson: Lesson) -> Learnt:
    """Crystals of small classes copied until each has a tenth of the largest."""
    to = max(1, round(_RAISED * lesson.counts.max()))
    return lesson.learnt(raised(lesson.natural, lesson.material.class_of, to, lesson.rng("over")))


def _mixed(lesson: Lesson) -> Learnt:
    """Source 003: the large classes cut until the score of the 20 largest falls below a threshold,
    the others raised to that level by copies.

    They are cut by halves, and the last cut before the fall is taken. The score is the mean F1 of
    these classes on the calibration part, at natural shares.
    """
    material, rng = lesson.material, lesson.rng("mixed")
    large = largest(lesson.counts)
    lists = material.judged(CALIBRATION)
    judge = _judge(lesson.subject, material, lists, {})

    def score(learnt: Learnt) -> float:
        found = judge.per_class(learnt.calibration.argmax(axis=1), judge.weights[NATURAL])
        return float(found["f1"][large].mean())

    level, kept = int(lesson.counts.max()), lesson.natural
    threshold = score(lesson.learnt(kept)) - lesson.subject.settings.threshold
    while level > 1:
        fewer = cut(kept, material.class_of, level // 2, rng)
        if score(lesson.learnt(fewer)) < threshold:
            break
        level, kept = level // 2, fewer
    return lesson.learnt(raised(kept, material.class_of, level, rng))


def _source(lesson: Lesson) -> Learnt:
    """As many crystals, drawn with equal shares: a generator that makes them so."""
    material = lesson.material
    pool = material.crystals(TRAIN)
    available = np.bincount(material.class_of[pool], minlength=material.n_classes)
    counts = equal_counts(np.where(material.prior > 0, available, 0), len(lesson.natural))
    return lesson.learnt(drawn(pool, material.class_of, counts, lesson.rng("source")))


def _half(lesson: Lesson) -> Learnt:
    """Half of the natural crystals, and as many others drawn with equal shares."""
    material, rng = lesson.material, lesson.rng("half")
    half = len(lesson.natural) // 2
    kept = rng.permutation(lesson.natural)[:half]
    others = np.setdiff1d(material.crystals(TRAIN), kept)
    available = np.bincount(material.class_of[others], minlength=material.n_classes)
    counts = equal_counts(np.where(material.prior > 0, available, 0), len(lesson.natural) - half)
    more = drawn(others, material.class_of, counts, rng)
    return lesson.learnt(np.sort(np.concatenate([kept, more])))


def _ensemble(lesson: Lesson) -> Learnt:
    """The mean of learners, each fitted to another subset with the large classes cut."""
    found = [_under(lesson, f"member {number}", _MEMBERS) for number in range(_MEMBERS)]
    means = (np.mean([getattr(one, part) for one in found], axis=0) for part in Learnt._fields[1:])
    return Learnt(sum(one.rows for one in found), *means)


def _pairs(lesson: Lesson) -> Learnt:
    """Plain training, then classifiers of pairs of classes: source 003's winner (Pan 2020).

    Of the pairs that stand first and second most often on the calibration part, each has a learner
    of its two classes, weighted alike; it divides what both have together. Nothing of the test part
    chooses a pair.
    """
    plain = _plain(lesson)
    leading = [_two_first(plain.calibration), _two_first(plain.test)]
    pairs, counts = np.unique(leading[0], axis=0, return_counts=True)
    answers = [plain.calibration.copy(), plain.test.copy()]
    seen, class_of = plain.rows, lesson.material.class_of
    for pair in pairs[np.argsort(-counts, kind="stable")][:_MOST_PAIRS]:
        own = lesson.natural[np.isin(class_of[lesson.natural], pair)]
        if len(np.unique(class_of[own])) < len(pair):
            continue
        learnt = lesson.learnt(own, 1 / np.maximum(lesson.counts, 1))
        seen += learnt.rows
        given = (learnt.calibration, learnt.test)
        for answer, two, of_pair in zip(answers, leading, given, strict=True):
            here = np.all(two == pair, axis=1)
            whole = answer[here][:, pair].sum(axis=1, keepdims=True)
            answer[np.ix_(here, pair)] = whole * of_pair[here][:, pair]
    return Learnt(seen, *answers)


def _two_first(probability: np.ndarray) -> np.ndarray:
    """The two most probable classes (n, 2), in rising order."""
    return np.sort(np.argsort(-probability, axis=1, kind="stable")[:, :2], axis=1)


TRAININGS: Mapping[str, Callable[[Lesson], Learnt]] = MappingProxyType(
    {
        PLAIN: _plain,
        "loss_weights": _loss_weights,
        "under": _under,
        "over": _over,
        "mixed": _mixed,
        "source": _source,
        "half": _half,
        "ensemble": _ensemble,
        "pairs": _pairs,
    }
)
#: Variants that are more than a training: that training, and the powers of the natural shares that
#: its probabilities may be multiplied by. Of several that one is chosen on the calibration part.
ADJUSTED: Mapping[str, tuple[str, np.ndarray]] = MappingProxyType(
    {
        "logits": (PLAIN, np.array([-1.0])),
        "logits_fitted": (PLAIN, -_STRENGTHS),
        "loss_weights_fitted": ("loss_weights", _STRENGTHS),
        "ensemble_fitted": ("ensemble", _STRENGTHS),
        "source_prior": ("source", np.array([1.0])),
        "source_fitted": ("source", _STRENGTHS),
        "half_fitted": ("half", _STRENGTHS),
    }
)


def study(subject: Subject) -> Iterator[Row]:
    """Rows of every variant at the level of the settings."""
    material = Material.of(subject.examples, subject.level, subject.classifiers, subject.seed)
    lists = material.judged()
    if not (len(lists) and len(material.judged(CALIBRATION))):
        return
    guesses: dict[str, list[np.ndarray]] = {}
    rows: dict[str, int] = {}
    for number in subject.progress(range(subject.settings.seeds)):
        lesson = Lesson.of(subject, material, derive_seed(subject.seed, "repeat", number))
        for name, (trained_on, guess) in _answers(lesson).items():
            guesses.setdefault(name, []).append(guess)
            rows[name] = trained_on
    judge = _judge(subject, material, lists, by_size(lesson.counts))
    plain = judge.judged(guesses[PLAIN])
    for name, own in guesses.items():
        judged = plain if name == PLAIN else judge.judged(own)
        yield from judged.rows(name, rows[name], None if name == PLAIN else plain)
        yield from judge.class_rows(name, rows[name], own)
    for group, classes in judge.groups.items():
        for one in np.flatnonzero(classes):
            crystals = float(lesson.counts[one])
            yield Row(PLAIN, rows[PLAIN], 0, group, "crystals", judge.names[one], crystals)


def _answers(lesson: Lesson) -> dict[str, tuple[int, np.ndarray]]:
    """Lists fitted to, and the classes (n,) given to the test part, of each variant."""
    learnt = {name: train(lesson) for name, train in TRAININGS.items()}
    found = {name: (one.rows, one.test.argmax(axis=1)) for name, one in learnt.items()}
    for name, (training, powers) in ADJUSTED.items():
        one = learnt[training]
        power = _fitted_power(lesson, one, powers, learnt[PLAIN])
        found[name] = (one.rows, _adjusted(one.test, lesson.counts, power).argmax(axis=1))
    return found


def _adjusted(probability: np.ndarray, counts: np.ndarray, power: float) -> np.ndarray:
    """Logits (n, k) of probabilities times a power of the natural shares (Menon et al. 2021, ICLR).

    The shares are those of the natural crystals, by their counts (k,): it is what plain training
    has seen.
    """
    shares = np.log(np.maximum(counts, 1) / counts.sum())
    logits = np.log(np.maximum(probability, _LEAST)) + power * shares
    return np.where(counts > 0, logits, -np.inf)


def _fitted_power(lesson: Lesson, learnt: Learnt, powers: np.ndarray, plain: Learnt) -> float:
    """The power with the greatest recall of the tail that is next to as accurate as plain training.

    Both on the calibration part; where none is so accurate, the most accurate.
    """
    if len(powers) == 1:
        return float(powers[0])
    material = lesson.material
    lists = material.judged(CALIBRATION)
    judge = _judge(lesson.subject, material, lists, by_size(lesson.counts))
    natural = judge.weights[NATURAL]
    allowed = judge.measures(plain.calibration.argmax(axis=1), natural)["accuracy"] - _COST
    found = []
    for power in powers:
        guess = _adjusted(learnt.calibration, lesson.counts, power).argmax(axis=1)
        values = judge.measures(guess, natural)
        enough = values["accuracy"] >= allowed
        rare = values.get(f"{TAIL}_recall", values["macro_recall"])
        found.append((enough, rare if enough else values["accuracy"]))
    return float(powers[max(range(len(powers)), key=lambda i: found[i])])


def _judge(
    subject: Subject, material: Material, lists: np.ndarray, groups: Mapping[str, np.ndarray]
) -> Judge:
    """What judges answers to some lists, at natural and at equal shares."""
    _, crystal = np.unique(material.crystal[lists], return_inverse=True)
    return Judge(
        material.rows.y[lists],
        crystal,
        material.names,
        {NATURAL: material.natural_weight(lists), BALANCED: material.equal_weight(lists)},
        resamples=subject.settings.resamples,
        seed=derive_seed(subject.seed, "draws"),
    ).with_groups(groups)
