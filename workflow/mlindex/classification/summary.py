"""Tables of the classifiers summed up: sizes of classes, comparisons, confusions, calibration."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlindex.base.statistics import wilson_interval
from mlindex.classification.paired import disagreements, mcnemar
from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.lattice_relations import lattices_within
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.scores import BINS, per_class

#: Classes of more crystals are the head, of fewer than the second number the tail (Liu et al. 2019,
#: CVPR, 2537: many, medium and few shots).
MANY, FEW = 100, 20
HEAD, MIDDLE, TAIL = "head", "middle", "tail"
CALCULATED, MEASURED = "calculated", "measured"


def class_counts(examples: pd.DataFrame, level: str) -> pd.DataFrame:
    """Classes of a level by size: class, crystals, lists, part (head, middle or tail).

    Args:
        examples: SYMMETRY_EXAMPLES, with ``entry_id`` and ``spacegroup_number``.
        level: one of :data:`mlindex.crystal.symmetry_classes.LEVELS`.
    """
    classes = classes_of(level)
    code = classes.of(examples["spacegroup_number"].to_numpy())
    k = len(classes)
    lists = np.bincount(code, minlength=k)
    crystals = np.bincount(code[~examples["entry_id"].duplicated().to_numpy()], minlength=k)
    part = np.where(crystals > MANY, HEAD, np.where(crystals < FEW, TAIL, MIDDLE))
    frame = pd.DataFrame(
        {"class": classes.names, "crystals": crystals, "lists": lists, "part": part}
    )
    order = np.lexsort((np.arange(k), -crystals))
    return frame.iloc[order[crystals[order] > 0]].reset_index(drop=True)


def of_lists(tests: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Rows of CLASSIFIER_TESTS of calculated, or of measured lists."""
    return tests[(tests["measurement"] > 0) == (kind == MEASURED)]


def is_right(tests: pd.DataFrame) -> np.ndarray:
    """Whether the answer (n,) is right."""
    return (tests["true_class"] == tests["predicted_class"]).to_numpy()


def paired(tests: pd.DataFrame, chosen: str) -> pd.DataFrame:
    """The chosen learner against each other one, on one list of each crystal of the test part.

    Columns: learner, crystals, only_chosen and only_other (lists that one alone has right), p (the
    exact McNemar test). Lists of one crystal are alike, so that only the first of them counts.

    Args:
        tests: rows of CLASSIFIER_TESTS, calculated or measured.
        chosen: name of the learner.
    """
    keys = ["entry_id", "measurement"]
    once = tests.sort_values([*keys, "learner"]).drop_duplicates(["entry_id", "learner"])
    right = {
        name: pd.Series(is_right(rows), index=rows["entry_id"])
        for name, rows in once.groupby("learner", sort=False)
    }
    rows = []
    for name in dict.fromkeys(tests["learner"]):
        if name != chosen:
            own = right[chosen]
            counts = disagreements(own.to_numpy(), right[name].reindex(own.index).to_numpy())
            rows.append((name, len(own), *counts, mcnemar(*counts)))
    return pd.DataFrame(rows, columns=["learner", "crystals", "only_chosen", "only_other", "p"])


def coded(tests: pd.DataFrame, level: str) -> tuple[np.ndarray, np.ndarray]:
    """Given and true classes (n,) as their places among the classes of the level."""
    at = {name: i for i, name in enumerate(classes_of(level).names)}
    columns = (tests["predicted_class"], tests["true_class"])
    given, true = (names.map(at).to_numpy(dtype=np.int64) for names in columns)
    return given, true


def class_scores(tests: pd.DataFrame, level: str) -> pd.DataFrame:
    """Lists, precision, recall and F1 of each class that occurs, from rows of one learner."""
    found = pd.DataFrame(per_class(*coded(tests, level), len(classes_of(level))))
    found.insert(0, "class", classes_of(level).names)
    return found[found["count"] > 0].reset_index(drop=True)


def part_scores(tests: pd.DataFrame, counts: pd.DataFrame, level: str) -> pd.DataFrame:
    """Head, middle and tail: classes, lists, right (with its interval), recall and F1 (means).

    Args:
        tests: rows of CLASSIFIER_TESTS of one learner.
        counts: what :func:`class_counts` gives.
        level: the level of both.
    """
    scores = class_scores(tests, level)
    part_of = dict(zip(counts["class"], counts["part"], strict=True))
    part = scores["class"].map(part_of)
    own, right = tests["true_class"].map(part_of).to_numpy(), is_right(tests)
    rows = []
    for name in (HEAD, MIDDLE, TAIL):
        inside, n = scores[part == name], int((own == name).sum())
        if n:
            successes = int(right[own == name].sum())
            means = inside[["recall", "f1"]].mean()
            shares = (successes / n, *wilson_interval(successes, n), *means)
            rows.append((name, len(inside), n, *shares))
    columns = ["part", "classes", "lists", "right", "low", "high", "recall", "f1"]
    return pd.DataFrame(rows, columns=columns)


def confusions(tests: pd.DataFrame, level: str) -> np.ndarray:
    """Counts (k, k) of true (rows) and given classes, from rows of one learner."""
    given, true = coded(tests, level)
    counts = np.zeros((len(classes_of(level)),) * 2, dtype=int)
    np.add.at(counts, (true, given), 1)
    return counts


def relation(true: str, given: str) -> str:
    """How the lattice that was given stands to the true one, by their symbols."""
    if true == given:
        return "the same"
    if given in lattices_within(true):
        return "subgroup: symmetry was missed"
    if true in lattices_within(given):
        return "supergroup: symmetry was added"
    if BRAVAIS[true].system is BRAVAIS[given].system:
        return "same lattice system, other centring"
    return "neither"


def reliability(tests: pd.DataFrame) -> pd.DataFrame:
    """Bins of confidence that hold answers: low, high, count, confidence, right, its interval."""
    confidence, right = tests["probability"].to_numpy(), is_right(tests)
    at = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = []
    for number in range(BINS):
        inside = at == number
        n, successes = int(inside.sum()), int(right[inside].sum())
        if n:
            shares = (confidence[inside].mean(), successes / n, *wilson_interval(successes, n))
            rows.append((number / BINS, (number + 1) / BINS, n, *shares))
    columns = ["low", "high", "count", "confidence", "right", "right_low", "right_high"]
    return pd.DataFrame(rows, columns=columns)


def answered(tests: pd.DataFrame, shares: np.ndarray) -> pd.DataFrame:
    """Answers at least so probable that about these shares (m,) are given: threshold, share, right.

    Equal probabilities stand or fall together, so that the share may be larger.
    """
    confidence, right = tests["probability"].to_numpy(), is_right(tests)
    ordered = np.sort(confidence)[::-1]
    rows = []
    for share in shares:
        threshold = ordered[max(int(np.ceil(share * len(ordered))), 1) - 1]
        given = confidence >= threshold
        rows.append((threshold, given.mean(), right[given].mean()))
    return pd.DataFrame(rows, columns=["threshold", "share", "right"])


def against_search(tests: pd.DataFrame, evidence: pd.DataFrame) -> pd.DataFrame:
    """Answers of one learner beside what the search for the cell says of the same lists.

    Args:
        tests: rows of CLASSIFIER_TESTS of one learner at the level of Bravais lattices.
        evidence: rows of SYMMETRY_EVIDENCE.

    Returns:
        The rows of lists that were searched, with ``right``, ``searched`` (the lattice that the
        search makes most probable, "" where it found none), ``search_right`` and ``convincing``.
    """
    names = np.array([*classes_of("bravais").names, ""])
    share = np.nan_to_num(np.stack(evidence["probability"].to_list()))
    best = np.where(share.max(axis=1) > 0, share.argmax(axis=1), -1)
    found = evidence[["entry_id", "measurement"]].assign(
        searched=names[best], convincing=evidence["convincing"].notna().to_numpy()
    )
    both = tests.merge(found, on=["entry_id", "measurement"], validate="1:1")
    search_right = (both["searched"] == both["true_class"]).to_numpy()
    return both.assign(right=is_right(both), search_right=search_right)


def surest_mistakes(tests: pd.DataFrame, count: int) -> pd.DataFrame:
    """Wrong answers of the highest probability, one of each crystal, from rows of one learner."""
    wrong = tests[~is_right(tests)]
    order = ["probability", "entry_id", "measurement"]
    ordered = wrong.sort_values(order, ascending=[False, True, True])
    return ordered.drop_duplicates("entry_id").head(count).reset_index(drop=True)
