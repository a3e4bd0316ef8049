"""How good predicted classes are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.base.statistics import wilson_interval

#: Bins of confidence of the calibration error.
BINS = 10
#: Smaller probabilities of the true class count as this one in the log-loss, so that the mean is
#: not that of the few lists whose class a learner calls impossible.
LEAST = 1e-6


@dataclass(frozen=True)
class Score:
    """Share of right answers with its 95 % interval, among the first k, and means over classes.

    ``macro_f1`` is the mean of F1 over the classes that occur, ``weighted_f1`` the same by their
    counts; ``log_loss`` is in nats, of probabilities of :data:`LEAST` or more;
    ``calibration_error`` the mean distance of confidence and share of right answers, over ten bins
    of confidence, by their counts.
    """

    count: int
    accuracy: float
    low: float
    high: float
    top: dict[int, float]
    macro_f1: float
    weighted_f1: float
    log_loss: float
    calibration_error: float


def score(probability: np.ndarray, truth: np.ndarray, tops: tuple[int, ...] = (3, 5)) -> Score:
    """The score of probabilities (n, k) against classes (n,), n at least 1."""
    guess = np.argmax(probability, axis=1)
    right = guess == truth
    low, high = wilson_interval(int(right.sum()), len(right))
    of_truth = probability[np.arange(len(truth)), truth]
    before = (probability > of_truth[:, None]).sum(axis=1)
    alike = (probability == of_truth[:, None]).sum(axis=1)
    table = per_class(guess, truth, probability.shape[1])
    occurs = table["count"] > 0
    return Score(
        len(truth),
        float(right.mean()),
        low,
        high,
        # Of classes that are alike each is as probable to be named before the others.
        {k: float(np.clip((k - before) / alike, 0, 1).mean()) for k in tops},
        float(table["f1"][occurs].mean()),
        float(np.average(table["f1"], weights=table["count"])),
        float(-np.log(np.maximum(of_truth, LEAST)).mean()),
        calibration_error(probability.max(axis=1), right),
    )


def per_class(guess: np.ndarray, truth: np.ndarray, n_classes: int) -> dict[str, np.ndarray]:
    """Count, precision, recall and F1 of each class (n_classes,); 0 where nothing is to divide."""
    count = np.bincount(truth, minlength=n_classes)
    guessed = np.bincount(guess, minlength=n_classes)
    right = np.bincount(truth[guess == truth], minlength=n_classes)
    precision = right / np.maximum(guessed, 1)
    recall = right / np.maximum(count, 1)
    f1 = 2 * right / np.maximum(count + guessed, 1)
    return {"count": count, "precision": precision, "recall": recall, "f1": f1}


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error of answers (n,) with their confidence (n,)."""
    at = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count = np.bincount(at, minlength=BINS)
    off = np.abs(np.bincount(at, confidence, BINS) - np.bincount(at, right, BINS))
    return float(off.sum() / count.sum())


def fitted_temperature(probability: np.ndarray, truth: np.ndarray) -> float:
    """The temperature T of p ** (1 / T) that makes the log-loss of some answers least.

    From 0.2 to 5 in steps of 3 %, so that it is the same on every machine.
    """
    tried = 0.2 * 1.03 ** np.arange(110)
    logs = np.log(np.maximum(probability, 1e-12))
    losses = [log_loss(logs / t, truth) for t in tried]
    return float(tried[int(np.argmin(losses))])


def warmed(probability: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (n, k) as p ** (1 / T), made to add to 1; those that are 0 stay so."""
    logs = np.log(np.maximum(probability, 1e-12)) / temperature
    odds = np.where(probability > 0, np.exp(logs - logs.max(axis=1, keepdims=True)), 0.0)
    return odds / odds.sum(axis=1, keepdims=True)


def log_loss(logits: np.ndarray, truth: np.ndarray) -> float:
    """Mean of -log p of the true classes (n,) for logits (n, k), in nats."""
    top = logits.max(axis=1)
    total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return float((total - logits[np.arange(len(truth)), truth]).mean())
