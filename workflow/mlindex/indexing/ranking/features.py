"""Features of each candidate of a list, for the ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.indexing.ranking.meanings import EVIDENCE_UNIT, FEATURES, GAIN_UNIT
from mlindex.indexing.search.absences import Absences, absences
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.trials import Trial

#: A line is explained within this many errors.
_ERRORS = 3.0
#: Volumes this near to a whole ratio, relatively, are of derivative lattices.
_WHOLE = 3e-3
_LARGEST_INDEX = 4
_EQUAL = 0.02
#: Log-evidence is compared up to such a difference; more makes no difference.
_FAR = 40.0
_LEAST_RMS = 1e-3

_NO_ABSENCES = Absences(0.0, 0.0, 0.0, 0.0, 0, 0, 0.0)


@dataclass(frozen=True)
class Known:
    """A trial with what is derived from it once: its absences, volume, which lines it explains
    and the root mean square of their discrepancies in errors."""

    trial: Trial
    absences: Absences
    volume_A3: float
    explained: np.ndarray
    rms: float


def known(trial: Trial, observed: Observed) -> Known:
    """Derive what features need."""
    try:
        found = absences(trial, observed)
    except ValueError:
        found = _NO_ABSENCES
    z = np.abs(trial.difference / observed.sigma)
    explained = z <= _ERRORS
    rms = float(np.sqrt(np.mean(z[explained] ** 2))) if explained.any() else _ERRORS
    return Known(trial, found, trial.lattice().volume_A3, explained, max(rms, _LEAST_RMS))


def features(candidates: Sequence[Known], observed: Observed) -> np.ndarray:
    """Features (m, len(FEATURES)) of m candidates of one list, of order one each.

    Several compare a candidate with the others: how far it is ahead of the best of them, and of
    the best of its sub- and superlattices.
    """
    evidence = np.array([c.trial.evidence for c in candidates])
    supported = evidence + np.array([c.absences.gain for c in candidates])
    volume = np.array([c.volume_A3 for c in candidates])
    explained = np.array([observed.weight[c.explained].sum() for c in candidates])
    log_rms = np.log([c.rms for c in candidates])
    rows = np.zeros((len(candidates), len(FEATURES)))
    for i, candidate in enumerate(candidates):
        own = _own(candidate, observed)
        own["ahead"] = _ahead(evidence, i)
        own["ahead_with_absences"] = _ahead(supported, i)
        own["explained_ahead"] = _explained_ahead(explained, i)
        sharpest = log_rms[explained >= explained[i]].min()
        own["rms_behind"] = (log_rms[i] - sharpest) / 3
        below, above, equal = _related(volume, i)
        own["sublattice_ahead"] = _best_of(supported, below, i)
        own["superlattice_ahead"] = _best_of(supported, above, i)
        own["equal_ahead"] = _best_of(supported, equal, i)
        rows[i] = [own[name] for name in FEATURES]
    return rows


def _own(candidate: Known, observed: Observed) -> dict[str, float]:
    trial, found = candidate.trial, candidate.absences
    n = len(observed.q2)
    lost = float(observed.weight[~candidate.explained].sum())
    reduced = trial.lattice().reduced[:3]
    number = max(trial.number, 1)
    mean = max(float(np.mean(np.abs(trial.difference))), 1e-7 * observed.q2[-1])
    below, gap = _low_angle(trial, observed)
    return {
        "evidence": trial.evidence / EVIDENCE_UNIT,
        "absences": found.gain / GAIN_UNIT,
        "pseudo_centring": found.pseudo / GAIN_UNIT,
        "best_class": found.best / 5,
        "best_class_share": found.log_share / 5,
        "allowed_share": found.allowed / max(found.number, 1),
        "unseen": found.unseen,
        "reflections_per_line": np.log(number / n),
        "unexplained": lost / 3,
        "unexplained_share": 5 * lost / float(observed.weight.sum()),
        "rms_errors": np.log(candidate.rms),
        "free_parameters": trial.bravais.system.n_free / 6,
        "shift": abs(trial.shift_deg) / 0.05,
        "lines": n / 20,
        "volume": np.log(candidate.volume_A3 / 500) / 2,
        "axial_ratio": np.log(reduced[2] / reduced[0]),
        "before_first_line": below,
        "first_gap": gap,
        "figure_of_merit": np.log(observed.q2[-1] / (2 * mean * number)) / 3,
    }


def _low_angle(trial: Trial, observed: Observed) -> tuple[float, float]:
    """ln(1 + reflections expected before the first line), and (q_first / q_last)^1.5.

    A lattice has N (q / q_last)³ reflections up to q: many before the first line are all absent.
    """
    share = (observed.q2[0] / observed.q2[-1]) ** 1.5
    return float(np.log1p(trial.number * share)), float(share**0.5)


def _ahead(values: np.ndarray, i: int) -> float:
    others = np.delete(values, i)
    best = others.max() if len(others) else -np.inf
    return float(np.clip(values[i] - best, -_FAR, _FAR)) / 10


def _explained_ahead(explained: np.ndarray, i: int) -> float:
    others = np.delete(explained, i)
    best = others.max() if len(others) else 0.0
    return float(np.clip((explained[i] - best) / 3, -3, 3))


def _related(volume: np.ndarray, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which others have a volume that is a whole fraction, a whole multiple, or that of this."""
    with np.errstate(divide="ignore"):
        up, down = volume / volume[i], volume[i] / volume
    equal = np.abs(up - 1) <= _EQUAL
    equal[i] = False
    return _whole(down), _whole(up), equal


def _whole(ratio: np.ndarray) -> np.ndarray:
    index = np.rint(ratio)
    return (index >= 2) & (index <= _LARGEST_INDEX) & (np.abs(ratio - index) <= _WHOLE * index)


def _best_of(values: np.ndarray, chosen: np.ndarray, i: int) -> float:
    """How far the best of the chosen is ahead of this one, -1 where it is far behind or none."""
    if not chosen.any():
        return -1.0
    return float(np.clip(values[chosen].max() - values[i], -10, 10)) / 10
