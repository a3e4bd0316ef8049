"""Tables of classifiers that do not agree: each fault is found, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from mlindex.apps.verify.classified import check_classifiers
from mlindex.apps.verify.tree import Tree
from mlindex.base.schema import write_table
from mlindex.classification.tables import (
    CLASSIFIER_IMPORTANCE,
    CLASSIFIER_OCCLUSION,
    CLASSIFIER_SCORES,
    CLASSIFIER_SEARCH,
    CLASSIFIER_TESTS,
    SYMMETRY_EXAMPLES,
)

LEARNERS = {"majority": 0.5, "boosting": 0.75}
Tables = dict[str, tuple]


def tables() -> Tables:
    """Four lists of each kind, of two entries each of cP and cF, answered by two learners."""
    lists = [(f"e{i}", m) for i in range(4) for m in (0, 1)]
    lines = [np.arange(1.0, 5.0)] * len(lists)
    examples = pd.DataFrame(lists, columns=["entry_id", "measurement"]).assign(
        **dict.fromkeys(("bravais_lattice", "structure_type", "composition_family"), ""),
        **{"wavelength_A": 1.5, "last_q2_inv_A2": 5.0, "q2_inv_A2": lines, "intensity": lines},
        features=[np.zeros(1, dtype=np.float32)] * len(lists),
        spacegroup_number=[225 if entry in ("e0", "e1") else 221 for entry, _ in lists],
    )
    tests, scores = [], []
    for learner, share in LEARNERS.items():
        given = {"e0": "cF", "e1": "cF", "e2": "cF" if share < 0.7 else "cP", "e3": "cF"}
        tests += [
            (entry, m, learner, "cF" if entry < "e2" else "cP", given[entry], 0.6, 0.5)
            for entry, m in lists
        ]
        splits = ("structure_type", "entry_id") if learner == "boosting" else ("structure_type",)
        scores += [
            ("bravais", learner, split, kind, learner == "boosting", 4, share, *[0.5] * 8)
            for split in splits
            for kind in ("calculated", "measured")
        ]
    return {
        "symmetry_examples/cubic": (SYMMETRY_EXAMPLES, examples[SYMMETRY_EXAMPLES.names]),
        "classifier_tests/bravais": _made(CLASSIFIER_TESTS, tests),
        "classifier_scores/bravais": _made(CLASSIFIER_SCORES, scores),
        "classifier_search/bravais": _made(
            CLASSIFIER_SEARCH, [("bravais", "boosting", "{}", 10, 2, 0.5, 0.5, True)]
        ),
        "classifier_importance/bravais": _made(
            CLASSIFIER_IMPORTANCE, [("bravais", "measured", "x", 4, 2, *[0.5] * 8)]
        ),
        "classifier_occlusion/bravais": _made(
            CLASSIFIER_OCCLUSION, [("bravais", "calculated", 1, 3, *[0.5] * 7)]
        ),
    }


def _made(table, rows) -> tuple:
    return table, pd.DataFrame(rows, columns=table.names)


def findings(made: Tables, folder) -> list[str]:
    for name, (table, frame) in made.items():
        write_table(folder / f"{name}.parquet", table, frame)
    tree = Tree(folder)
    check_classifiers(tree, iter)
    assert tree.checked["classifiers"] == 1
    return [finding.seen for finding in tree.findings]


def test_tables_that_agree_have_no_finding(tmp_path) -> None:
    assert findings(tables(), tmp_path) == []


def test_a_classifier_that_was_not_trained_has_none(tmp_path) -> None:
    empty = {name: (t, f if "examples" in name else t.empty()) for name, (t, f) in tables().items()}
    assert findings(empty, tmp_path) == []


def changed(column: str, row: int, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        frame.loc[frame.index[row], column] = value
        return frame

    return change


@pytest.mark.parametrize(
    ("name", "change", "seen"),
    [
        ("symmetry_examples/cubic", lambda f: f.iloc[1:], "2 lists are tested that are no example"),
        (
            "symmetry_examples/cubic",
            changed("spacegroup_number", 0, 221),
            "2 lists are of another class than their entry: e0",
        ),
        (
            "classifier_search/bravais",
            changed("learner", 0, "logistic"),
            "1 learners were searched and have no score: logistic",
        ),
        (
            "classifier_scores/bravais",
            changed("accuracy", 0, 0.75),
            "1 scores are not those of the answers in the table of tests: majority calculated",
        ),
        (
            "classifier_scores/bravais",
            changed("count", 2, 5),
            "1 scores are not those of the answers in the table of tests: boosting calculated",
        ),
        (
            "classifier_scores/bravais",
            lambda f: f.assign(chosen=f["chosen"] & (f["learner"] == "none")),
            "0 learners are chosen",
        ),
        (
            "classifier_importance/bravais",
            changed("count", 0, 5),
            "1 rows are of more lists than the test part has: measured",
        ),
        (
            "classifier_occlusion/bravais",
            changed("count", 0, 5),
            "1 rows are of more lists than the test part has: calculated",
        ),
    ],
)
def test_a_table_that_says_other_than_the_others_is_found(name, change, seen, tmp_path) -> None:
    made = tables()
    made[name] = (made[name][0], change(made[name][1]))
    found = findings(made, tmp_path)
    assert found[0].startswith(seen)


def test_a_list_that_a_learner_did_not_answer_or_twice_is_found(tmp_path) -> None:
    made = tables()
    table, frame = made["classifier_tests/bravais"]
    made["classifier_tests/bravais"] = table, frame.iloc[1:]
    found = findings(made, tmp_path)
    assert "1 lists are not answered by every learner: e0" in found
    twice = pd.concat([frame, frame.iloc[:1]])
    made["classifier_tests/bravais"] = table, twice
    assert "1 lists are answered twice by one learner: e0" in findings(made, tmp_path)


def test_another_learner_is_found(tmp_path) -> None:
    made = tables()
    table, frame = made["classifier_tests/bravais"]
    other = frame.assign(learner=frame["learner"].replace("majority", "logistic"))
    made["classifier_tests/bravais"] = table, other
    found = findings(made, tmp_path)
    assert found[0] == "2 learners are among the scores or the tests alone: logistic, majority"
