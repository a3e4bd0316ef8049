"""The model of space groups: parts, choice, calibration, answers at all levels, its file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlindex.base.errors import MlindexError
from mlindex.cbed.card import MODEL_FILE, card, covered, write_model
from mlindex.cbed.model import CbedModel, answers
from mlindex.cbed.multitask import ALONE, multitask
from mlindex.cbed.settings import Cbed
from mlindex.cbed.tables import CBED_FEATURES, CBED_PARTS, CBED_SCORES, CBED_TESTS
from mlindex.cbed.training import parts_of, train
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.arrays import read_arrays, write_arrays

GROUPS = (2, 14, 62, 225)
NAMES = ("signal", "noise")
SETTINGS = Cbed(learners=("majority", "extra_trees"), trees=16)


def stacks(each: int = 60, seed: int = 1) -> pd.DataFrame:
    """Two stacks of each crystal; two crystals share a structure type; one feature tells."""
    rng, rows = np.random.default_rng(seed), []
    for k, group in enumerate(GROUPS):
        for i in range(each):
            for stack in (0, 1):
                features = [k + 0.15 * rng.normal(), rng.normal()]
                known = (f"x:{group}:{i:03d}", stack, "Na1 Cl1", group, "aP", f"{group} | {i // 2}")
                cell = [4.0 + i % 7, 5.0, 6.0, 90.0, 90.0, 90.0]
                shown = (100.0, 100.0, [1, 0, 0], "", np.array(features, dtype=np.float32))
                rows.append((*known, "Cl-Na", *cell, *cell, 120.0, 1, *shown))
    return pd.DataFrame(rows, columns=CBED_FEATURES.names)


@pytest.fixture(scope="module")
def trained():
    return train(stacks(), NAMES, SETTINGS, 3)


def test_no_structure_type_and_no_crystal_stands_in_two_parts():
    frame = stacks()
    part = parts_of(frame, SETTINGS, 3)
    assert set(part) == {"train", "validation", "calibration", "test"}
    for unit in ("structure_type", "entry_id"):
        assert (pd.Series(part).groupby(frame[unit]).nunique() == 1).all()
    shuffled = frame.sample(frac=1, random_state=1)
    again = pd.Series(parts_of(shuffled, SETTINGS, 3), index=shuffled.index).sort_index()
    assert list(again) == list(part)


def test_the_telling_learner_is_chosen_and_beats_the_majority(trained):
    scores = trained.scores.set_index(["level", "learner"])
    best, blind = (
        scores.loc[("space_group", "extra_trees")],
        scores.loc[("space_group", "majority")],
    )
    assert best["chosen"]
    assert not blind["chosen"]
    assert best["accuracy"] > 0.9
    assert blind["accuracy"] == pytest.approx(0.25, abs=0.1)
    assert best["crystals"] == trained.tests["entry_id"].nunique() == best["stacks"] / 2
    assert 0.8 < best["accuracy_low"] < best["accuracy"]
    assert scores.loc[("space_group", "random"), "accuracy"] < 0.1


def test_what_is_found_can_be_written(trained):
    tables = {"parts": CBED_PARTS, "scores": CBED_SCORES, "tests": CBED_TESTS}
    for name, table in tables.items():
        frame = getattr(trained, name)
        assert table.arrow(frame).num_rows == len(frame) > 0


def test_the_table_of_tests_agrees_with_the_scores(trained):
    tests, parts = trained.tests, trained.parts.set_index("entry_id")
    assert set(parts.loc[tests["entry_id"], "part"]) == {"test"}
    right = tests["true_group"] == tests["predicted_group"]
    assert right.mean() == trained.scores.query("chosen and level == 'space_group'").accuracy.item()
    assert ((tests["rank"] == 1) == right).all()
    assert (tests["true_probability"] <= tests["probability"] + 1e-12).all()


def test_answers_at_all_levels_are_of_one_tree(trained):
    found = answers(trained.model.predict_proba(np.array([[1.0, 0.0], [3.0, 0.5]])))
    for level, probability in found.items():
        assert probability.sum(axis=1) == pytest.approx(1)
        of_group = classes_of(level).of_group
        for k in range(len(classes_of(level))):
            summed = found["space_group"][:, of_group == k].sum(axis=1)
            assert probability[:, k] == pytest.approx(summed)


def test_a_model_predicts_the_same_from_its_file(trained, tmp_path):
    write_model(tmp_path / "model", trained, {})
    again = CbedModel.load(tmp_path / "model" / MODEL_FILE)
    x = np.random.default_rng(0).normal(size=(20, 2))
    assert np.array_equal(again.predict_proba(x), trained.model.predict_proba(x))
    assert again.names == NAMES
    assert "4 of 230 space groups" in (tmp_path / "model/README.md").read_text()
    with pytest.raises(ValueError, match="rows of 2 features"):
        again.predict_proba(x[:, :1])


@pytest.mark.parametrize("change", [{"kind": np.array("nobody")}, {"temperature": np.zeros(2)}])
def test_what_is_no_model_is_refused(trained, tmp_path, change):
    path = tmp_path / "bad.npz"
    write_arrays(path, {**trained.model.arrays(), **change})
    with pytest.raises(MlindexError, match="no model of space groups"):
        CbedModel.from_arrays(read_arrays(path))


def test_too_few_stacks_train_nothing_and_say_so():
    found = train(stacks(each=4), NAMES, SETTINGS, 3)
    assert found.model is None
    assert "32 stacks of 4 space groups" in found.reason
    assert "Nothing was trained" in card(found)
    nothing = train(CBED_FEATURES.empty(), NAMES, SETTINGS, 3)
    assert nothing.model is None
    assert "covers nothing" in covered(nothing.parts)


def test_the_same_seed_gives_the_same_model(trained):
    again = train(stacks().sample(frac=1, random_state=2), NAMES, SETTINGS, 3).model.arrays()
    first = trained.model.arrays()
    assert first.keys() == again.keys()
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_further_outputs_are_learnt_beside_the_group():
    frame = stacks()
    part = parts_of(frame, SETTINGS, 3)
    found = multitask(frame, part, SETTINGS, [1, 2], iter)
    truth = frame["spacegroup_number"].to_numpy()[part == "test"] - 1
    for name, guesses in found.groups.items():
        assert [len(guess) for guess in guesses] == [len(truth)] * 2
        assert (guesses[0] == truth).mean() > 0.8, name
    assert ALONE in found.groups
    # The axes have nothing to do with the features: the best guess is their middle.
    assert set(found.lattice) == {"lattice", "all"}
    assert 0.0 <= found.lattice["all"] < 0.5
