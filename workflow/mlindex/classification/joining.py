"""Fitting of the model that joins search and classifier, and what it is worth out of fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.model_selection import GroupKFold

from mlindex.base.provenance import derive_seed
from mlindex.classification.classifier import SymmetryClassifier
from mlindex.classification.features import grids_of
from mlindex.classification.joined import (
    FEATURES,
    SYMBOL,
    SYMBOL_FEATURES,
    Joined,
    SearchEvidence,
    features_of,
    groups_of,
    lattice_of_symbol,
    require_evidence,
    symbol_features,
    within_lattice,
)
from mlindex.classification.paired import disagreements, mcnemar
from mlindex.classification.tables import JOINED_SCORES, SYMMETRY_EVIDENCE
from mlindex.crystal.symmetry_classes import LEVELS, classes_of
from mlindex.learning.labels import at_level
from mlindex.learning.learners.contract import Inputs
from mlindex.learning.scores import score

#: Half the square of how far a weight is from where it is drawn to costs so many nats of all lists
#: together. Weak: it holds a weight finite that nothing contradicts, such as that of a convincing
#: cell that is always right.
_RIDGE = 1.0
#: Weights of lattices are drawn to the mixture of search and classifier. None is below 0, for more
#: of what speaks for a lattice, or for a symbol, must not speak against it; the prior is free.
_MIXTURE = np.array([0.0, 1.0, 0.0, 0.0])
_LEAST_OF_SYMBOLS = np.array([0.0, 0.0, -np.inf])
#: Ways to answer that are compared.
CLASSIFIER, SEARCH, JOINED = "classifier", "search", "joined"
#: With fewer lists seven weights are not determined.
_FEWEST_LISTS = 50
_COLUMNS = ("probability", "log_evidence", "volume_A3", "symbols")


class Material(NamedTuple):
    """Lists of known space group with what both sides say of them.

    ``probability`` (n, 230) is the classifier's; ``number`` (n,) the space group; ``unit`` (n,)
    what no fold may cut, such as the structure type; ``measured`` (n,) whether the list is of a
    measurement, not as calculated.
    """

    probability: np.ndarray
    evidence: SearchEvidence
    number: np.ndarray
    unit: np.ndarray
    measured: np.ndarray

    def take(self, rows: np.ndarray) -> Material:
        """Some of the lists, by their positions or a mask (n,)."""
        evidence = SearchEvidence(*(array[rows] for array in self.evidence))
        rest = (self.number[rows], self.unit[rows], self.measured[rows])
        return Material(self.probability[rows], evidence, *rest)


def choose_lists(
    examples: pd.DataFrame, tests: Sequence[pd.DataFrame], crystals: int, seed: int
) -> pd.DataFrame:
    """Lists to search, of crystals that no learner of the classifier was fitted to.

    Args:
        examples: rows of SYMMETRY_EXAMPLES.
        tests: rows of CLASSIFIER_TESTS of each level.
        crystals: of each Bravais lattice, at most.
        seed: of the choice, which does not depend on the order of the rows.

    Returns:
        The lists of the crystals chosen: as calculated, and the first measurement.
    """
    unseen = set.intersection(*(set(rows["entry_id"]) for rows in tests))
    own = examples[examples["entry_id"].isin(unseen) & (examples["measurement"] <= 1)]
    entries = own[["entry_id", "bravais_lattice"]].drop_duplicates("entry_id")
    keys = [derive_seed(seed, "choose", entry) for entry in entries["entry_id"]]
    ordered = entries.assign(_key=keys).sort_values(["_key", "entry_id"])
    chosen = ordered.groupby("bravais_lattice").head(crystals)["entry_id"]
    own = own[own["entry_id"].isin(set(chosen))]
    return own.sort_values(["entry_id", "measurement"], ignore_index=True)


def evidence_rows(lists: pd.DataFrame, found: Sequence[tuple[np.ndarray, ...]]) -> pd.DataFrame:
    """Rows of SYMMETRY_EVIDENCE.

    Args:
        lists: rows of SYMMETRY_EXAMPLES.
        found: the evidence of each: the fields of :class:`.joined.SearchEvidence`, one row each.
    """
    names = np.array(classes_of("bravais").names)
    same = [name for name in SYMMETRY_EVIDENCE.names if name in lists.columns]
    each = [SearchEvidence(*fields) for fields in found]
    columns = {name: [getattr(one, name) for one in each] for name in _COLUMNS}
    convincing = [next(iter(names[one.convincing]), None) for one in each]
    frame = lists[same].reset_index(drop=True).assign(**columns, convincing=convincing)
    return frame[SYMMETRY_EVIDENCE.names]


def evidence_of_rows(rows: pd.DataFrame) -> SearchEvidence:
    """The evidence in rows of SYMMETRY_EVIDENCE."""
    names = np.array(classes_of("bravais").names)
    arrays = {name: np.stack(rows[name].to_list()).astype(float) for name in _COLUMNS}
    convincing = rows["convincing"].to_numpy()[:, None] == names
    evidence = SearchEvidence(convincing=convincing.astype(bool), **arrays)
    require_evidence(evidence)
    return evidence


def material_of(rows: pd.DataFrame, probability: np.ndarray) -> Material:
    """Rows of SYMMETRY_EVIDENCE with the probabilities of their space groups (n, 230)."""
    return Material(
        np.asarray(probability, dtype=float),
        evidence_of_rows(rows),
        rows["spacegroup_number"].to_numpy(),
        rows["structure_type"].to_numpy(),
        rows["measurement"].to_numpy() > 0,
    )


def fit_joined(material: Material) -> Joined:
    """The model with the largest likelihood on some lists."""
    bravais, symbols = (classes_of(level).of(material.number) for level in ("bravais", SYMBOL))
    x = features_of(at_level(material.probability, "bravais"), material.evidence)
    lattices = _fitted(x, bravais, _MIXTURE, np.zeros(len(FEATURES)))
    within = within_lattice(at_level(material.probability, SYMBOL))
    seen = symbol_features(within, material.evidence)
    told = np.isfinite(seen[np.arange(len(symbols)), symbols, 1])
    if not told.any():
        return Joined(lattices, np.array([1.0, 0.0, 0.0]))
    inside = lattice_of_symbol() == bravais[told, None]
    # Each symbol of a lattice is shown equally often: the fit takes off what both sides have of
    # the prior.
    middle = np.zeros(len(SYMBOL_FEATURES))
    weights = _fitted(np.nan_to_num(seen[told]), symbols[told], middle, _LEAST_OF_SYMBOLS, inside)
    return Joined(lattices, weights)


def _fitted(
    x: np.ndarray,
    truth: np.ndarray,
    middle: np.ndarray,
    least: np.ndarray,
    possible: np.ndarray | None = None,
) -> np.ndarray:
    """Weights (m,) of a conditional logit of classes with features (n, k, m).

    They are drawn to ``middle`` and not below ``least`` (m,); of each list only some of the classes
    may be ``possible`` (n, k).
    """
    every = np.arange(len(truth))
    shut = 0.0 if possible is None else np.where(possible, 0.0, -np.inf)

    def cost(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores = x @ weights + shut
        total = logsumexp(scores, axis=1)
        share = np.exp(scores - total[:, None])
        off = weights - middle
        loss = float((total - scores[every, truth]).sum() + _RIDGE * off @ off / 2)
        slope = np.einsum("nk,nkm->m", share, x) - x[every, truth].sum(axis=0) + _RIDGE * off
        return loss, slope

    bounds = [(low, None) for low in least]
    return minimize(cost, middle, jac=True, method="L-BFGS-B", bounds=bounds).x


@dataclass(frozen=True)
class OutOfFold:
    """Probabilities (n, 230) of lists by models that were fitted to others, by way."""

    material: Material
    probability: dict[str, np.ndarray]


def out_of_fold(material: Material, folds: int) -> OutOfFold:
    """Answers for each list by a model that saw no list of its unit.

    Raises:
        ValueError: there are fewer units than folds.
    """
    joined = np.empty_like(material.probability)
    for train, test in GroupKFold(folds).split(joined, groups=material.unit):
        held_out = material.take(test)
        model = fit_joined(material.take(train))
        joined[test] = model.predict_proba(held_out.probability, held_out.evidence)
    return OutOfFold(material, ways(material, joined))


def ways(material: Material, joined: np.ndarray) -> dict[str, np.ndarray]:
    """Probabilities (n, 230) of some lists by classifier, search and both."""
    return {
        CLASSIFIER: material.probability,
        SEARCH: by_search(material.evidence),
        JOINED: joined,
    }


def by_search(evidence: SearchEvidence) -> np.ndarray:
    """Probability of each space group (n, 230) by searches alone.

    What a search gives no lattice is for all alike; where it says nothing of the symbols of a
    lattice, they are as often met as among known structures.
    """
    found = evidence.probability
    lacking = np.maximum(1 - found.sum(axis=1, keepdims=True), 0.0)
    lattices = found + lacking / found.shape[1]
    lattices /= lattices.sum(axis=1, keepdims=True)
    return groups_of(lattices, within_lattice(np.nan_to_num(evidence.symbols)), evidence.volume_A3)


@dataclass(frozen=True)
class Join:
    """The model and its figures out of fold; where nothing could be fitted, ``model`` is None and
    ``reason`` says why."""

    model: Joined | None
    scores: pd.DataFrame
    reason: str = ""


def join(
    rows: pd.DataFrame, examples: pd.DataFrame, classifier: SymmetryClassifier, folds: int
) -> Join:
    """Fit the model to all lists, and measure out of fold what it is worth.

    Args:
        rows: of SYMMETRY_EVIDENCE.
        examples: rows of SYMMETRY_EXAMPLES of the same lists, others among them, with what the
            classifier sees.
        classifier: fitted to other crystals.
        folds: of the figures.
    """
    units = rows["structure_type"].nunique()
    if len(rows) < _FEWEST_LISTS or units < folds:
        reason = (
            f"{len(rows)} lists of {units} structure types; {_FEWEST_LISTS} of {folds} are needed"
        )
        return Join(None, JOINED_SCORES.empty(), reason)
    keys = ["entry_id", "measurement"]
    seen = rows[keys].merge(examples, on=keys, how="left", validate="1:1")
    grids = grids_of(*(seen[name].tolist() for name in ("q2_inv_A2", "intensity")))
    inputs = Inputs(np.stack(seen["features"].to_list()), grids)
    material = material_of(rows, classifier.predict_proba(inputs))
    return Join(fit_joined(material), joined_scores(out_of_fold(material, folds)))


def joined_scores(answers: OutOfFold) -> pd.DataFrame:
    """Rows of JOINED_SCORES: each way at each level, on each kind of lists."""
    material = answers.material
    convincing = material.evidence.convincing.any(axis=1)
    kinds = {
        "all": np.ones(len(convincing), dtype=bool),
        "calculated": ~material.measured,
        "measured": material.measured,
        "convincing cell": convincing,
        "no convincing cell": ~convincing,
    }
    rows = [
        (lists, level, way, *numbers)
        for lists, which in kinds.items()
        if which.any()
        for level in LEVELS
        for way, numbers in _compared(answers, which, level)
    ]
    return pd.DataFrame(rows, columns=JOINED_SCORES.names)


def _compared(answers: OutOfFold, which: np.ndarray, level: str) -> Iterator[tuple[str, tuple]]:
    """Each way with its figures on some lists: the last columns of JOINED_SCORES."""
    truth = classes_of(level).of(answers.material.number[which])
    shares = {way: at_level(p[which], level) for way, p in answers.probability.items()}
    right = {way: share.argmax(axis=1) == truth for way, share in shares.items()}
    for way, share in shares.items():
        s = score(share, truth)
        alone = disagreements(right[JOINED], right[way])
        yield (
            way,
            (
                *(s.count, s.accuracy, s.low, s.high, s.top[3], s.macro_f1, s.log_loss),
                *(s.calibration_error, *alone, mcnemar(*alone)),
            ),
        )
