"""Expected information of lines that may be seen or not, exactly, by all outcomes.

Hypotheses (h,) say how probable each of ``m`` places is to show a line; given a hypothesis, places
are independent. What is asked is which of several answers (a,) holds, and an answer may be that of
several hypotheses, such as one cell with different extinction symbols. The expected information of
looking at the places is the mutual information of answer and outcome (Lindley 1956, Ann. Math.
Stat. 27, 986).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Places that are looked at together, at most: 2 to that many outcomes. Of more the most telling
#: ones count, and the information is a lower bound. Not tuned: 1,024 outcomes take a millisecond.
MOST_PLACES = 10
_TINY = 1e-300


class Outcomes(NamedTuple):
    """All outcomes (o,) of looking at ``m`` places.

    ``seen`` (o, m) says which places show a line, ``joint`` (o, a) how probable each outcome is
    together with each answer.
    """

    seen: np.ndarray
    joint: np.ndarray


def entropy_bits(shares: np.ndarray) -> float:
    """Entropy in bits of probabilities (...), which are normalised."""
    shares = np.asarray(shares, dtype=float)
    total = shares.sum()
    if not total > 0:
        return 0.0
    p = shares / total
    return float(-np.sum(p * np.log2(np.maximum(p, _TINY))))


def outcomes(prior: np.ndarray, answers: np.ndarray, seen: np.ndarray) -> Outcomes:
    """All outcomes of looking at a few places.

    Args:
        prior: probabilities (h,) of the hypotheses, which add up to 1.
        answers: which answer (h,) each is for, from 0.
        seen: probability (h, m) that each place shows a line.
    """
    m = seen.shape[1]
    bits = (np.arange(2**m)[:, None] >> np.arange(m)) & 1 == 1
    given = np.ones((len(bits), len(prior)))
    for place in range(m):
        given *= np.where(bits[:, [place]], seen[:, place], 1 - seen[:, place])
    return Outcomes(bits, given * prior @ belonging(answers))


def belonging(answers: np.ndarray) -> np.ndarray:
    """Whether each hypothesis is for each answer, as numbers (h, a)."""
    return (answers[:, None] == np.arange(int(answers.max(initial=-1)) + 1)).astype(float)


def information_bits(prior: np.ndarray, answers: np.ndarray, seen: np.ndarray) -> float:
    """Expected information in bits on the answer; arguments as for :func:`outcomes`.

    Of more than :data:`MOST_PLACES` places those count that tell most alone: a lower bound.
    """
    return _gain(outcomes(prior, answers, most_telling(prior, answers, seen)).joint)


def chance_right(prior: np.ndarray, answers: np.ndarray, seen: np.ndarray) -> float:
    """How probable it is that the answer that is then the most probable is right."""
    joint = outcomes(prior, answers, most_telling(prior, answers, seen)).joint
    return float(joint.max(axis=1).sum())


def most_telling(prior: np.ndarray, answers: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The columns (h, k) of the places that tell most alone, at most :data:`MOST_PLACES`."""
    return seen[:, most_telling_numbers(prior, answers, seen)]


def most_telling_numbers(prior: np.ndarray, answers: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The numbers (k,), rising, of these places."""
    if seen.shape[1] <= MOST_PLACES:
        return np.arange(seen.shape[1])
    order = np.argsort(-alone_bits(prior, answers, seen), kind="stable")
    return np.sort(order[:MOST_PLACES])


def alone_bits(prior: np.ndarray, answers: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Expected information (m,) of each place alone, in bits; their sum is no less than that of all
    together."""
    member = belonging(answers)
    yes, no = (prior * seen.T) @ member, (prior * (1 - seen).T) @ member  # (m, a)
    return np.array([_gain(np.stack(both)) for both in zip(yes, no, strict=True)]).reshape(-1)


def _gain(joint: np.ndarray) -> float:
    """Mutual information in bits of outcome and answer, by their joint probabilities (o, a)."""
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    ratio = np.maximum(joint, _TINY) / np.maximum(product, _TINY)
    return max(0.0, float(np.sum(np.where(joint > 0, joint * np.log2(ratio), 0.0))))


def updated(prior: np.ndarray, seen: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Probabilities (h,) of the hypotheses once it is known which places (m,) show a line."""
    chance = np.where(found, seen, 1 - seen)
    log = np.log(np.maximum(prior, _TINY)) + np.log(np.maximum(chance, _TINY)).sum(axis=1)
    share = np.where(prior > 0, np.exp(log - log[prior > 0].max()), 0.0)
    return share / share.sum()
