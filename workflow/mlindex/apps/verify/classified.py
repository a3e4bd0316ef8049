"""The classifiers of symmetry: their tables agree with one another and with the examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from mlindex.apps.verify.tree import Tree, some
from mlindex.classification.tables import (
    CLASSIFIER_IMPORTANCE,
    CLASSIFIER_OCCLUSION,
    CLASSIFIER_SCORES,
    CLASSIFIER_SEARCH,
    CLASSIFIER_TESTS,
    SYMMETRY_EXAMPLES,
)
from mlindex.crystal.symmetry_classes import classes_of

_LIST = ["entry_id", "measurement"]
_SAME = 1e-9
_EXPLAINED = {
    "classifier_importance": CLASSIFIER_IMPORTANCE,
    "classifier_occlusion": CLASSIFIER_OCCLUSION,
}


def check_classifiers(tree: Tree, progress: Callable[[Iterable], Iterable]) -> None:
    """Check the tables of each level together."""
    levels = tree.names("classifier_tests")
    if not levels:
        return
    examples = _examples(tree)
    for level in progress(levels):
        tests_at, scores_at, search_at = (
            f"classifier_{kind}/{level}.parquet" for kind in ("tests", "scores", "search")
        )
        if not tree.has(tests_at, scores_at, search_at):
            continue
        tree.checked["classifiers"] += 1
        tests = tree.table(tests_at, CLASSIFIER_TESTS)
        tests["lists"] = np.where(tests["measurement"] > 0, "measured", "calculated")
        scores = tree.table(scores_at, CLASSIFIER_SCORES)
        # Where nothing was trained, all are empty.
        if len(tests):
            _check_tests(tree, tests_at, tests, examples, level)
        if len(tests) or len(scores):
            _check_scores(tree, scores_at, scores, tests)
        search = tree.table(search_at, CLASSIFIER_SEARCH, ["learner"])
        unknown = set(search["learner"]) - set(scores["learner"])
        _report(tree, search_at, unknown, "learners were searched and have no score")
        for kind, table in _EXPLAINED.items():
            if tree.has(f"{kind}/{level}.parquet"):
                found = tree.table(f"{kind}/{level}.parquet", table, ["lists", "count"])
                _check_explained(tree, f"{kind}/{level}.parquet", found, tests)


def _examples(tree: Tree) -> pd.DataFrame:
    """Space group of each list of the examples, by entry and measurement."""
    names = [f"symmetry_examples/{name}.parquet" for name in tree.names("symmetry_examples")]
    columns = [*_LIST, "spacegroup_number"]
    frames = [tree.table(name, SYMMETRY_EXAMPLES, columns) for name in names if tree.has(name)]
    whole = pd.concat([SYMMETRY_EXAMPLES.empty()[columns], *frames], ignore_index=True)
    return whole.drop_duplicates(_LIST).set_index(_LIST)


def _check_tests(
    tree: Tree, name: str, tests: pd.DataFrame, examples: pd.DataFrame, level: str
) -> None:
    """Every list is an example of the class that is stated, and each learner answers each once."""
    numbers = examples.reindex(pd.MultiIndex.from_frame(tests[_LIST]))["spacegroup_number"]
    known = numbers.notna().to_numpy()
    _report(tree, name, tests.loc[~known, "entry_id"], "lists are tested that are no example")
    true = np.array(classes_of(level).names)[classes_of(level).of(numbers[known].to_numpy())]
    other = tests.loc[known, "entry_id"][tests.loc[known, "true_class"].to_numpy() != true]
    _report(tree, name, other, "lists are of another class than their entry")
    twice = tests.loc[tests.duplicated([*_LIST, "learner"]), "entry_id"]
    _report(tree, name, twice, "lists are answered twice by one learner")
    answers = tests.drop_duplicates([*_LIST, "learner"]).groupby(_LIST).size()
    lacking = answers[answers < tests["learner"].nunique()].index.get_level_values("entry_id")
    _report(tree, name, lacking, "lists are not answered by every learner")


def _check_scores(tree: Tree, name: str, scores: pd.DataFrame, tests: pd.DataFrame) -> None:
    """One learner is chosen; learners, counts and shares are those of the tests."""
    _report(
        tree,
        name,
        set(scores["learner"]) ^ set(tests["learner"]),
        "learners are among the scores or the tests alone",
    )
    chosen = set(scores.loc[scores["chosen"], "learner"])
    if len(chosen) != 1:
        tree.add(tree.path(name), f"{len(chosen)} learners are chosen: {some(chosen)}")
    right = tests["true_class"] == tests["predicted_class"]
    counted = right.groupby([tests["learner"], tests["lists"]]).agg(["size", "mean"])
    # The chosen learner is scored on the other splits, too, which have other tests.
    own = scores[scores["split"].isin(scores.loc[~scores["chosen"], "split"])]
    both = own.set_index(["learner", "lists"])[["count", "accuracy"]].join(counted, how="outer")
    same = (both["accuracy"] - both["mean"]).abs() <= _SAME
    wrong = both[(both["count"] != both["size"]) | ~same]
    if len(own):
        _report(
            tree,
            name,
            [" ".join(key) for key in wrong.index],
            "scores are not those of the answers in the table of tests",
        )


def _check_explained(tree: Tree, name: str, found: pd.DataFrame, tests: pd.DataFrame) -> None:
    """No more lists are looked at than there are in the test part."""
    number = tests.drop_duplicates(_LIST)["lists"].value_counts().to_dict()
    most = np.array([number.get(kind, 0) for kind in found["lists"]])
    wrong = found.loc[found["count"].to_numpy() > most, "lists"]
    _report(tree, name, wrong, "rows are of more lists than the test part has")


def _report(tree: Tree, name: str, names: Iterable[str], what: str) -> None:
    if len(found := list(names)):
        tree.add(tree.path(name), f"{len(found)} {what}: {some(found)}")
