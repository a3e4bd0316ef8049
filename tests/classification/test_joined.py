"""Classifier and search joined: the model, its fit, and figures out of fold."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlindex.base.errors import MlindexError
from mlindex.classification.joined import (
    FEATURES,
    FILE,
    SYMBOL,
    SYMBOL_FEATURES,
    Joined,
    SearchEvidence,
    features_of,
    lattice_of_symbol,
    within_lattice,
)
from mlindex.classification.joined_card import card, write_joined
from mlindex.classification.joining import (
    CLASSIFIER,
    JOINED,
    SEARCH,
    Join,
    Material,
    OutOfFold,
    choose_lists,
    evidence_of_rows,
    evidence_rows,
    fit_joined,
    join,
    joined_scores,
    out_of_fold,
)
from mlindex.classification.tables import JOINED_SCORES, SYMMETRY_EVIDENCE
from mlindex.crystal.group_shares import log_weights
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.arrays import write_arrays
from mlindex.learning.labels import at_level

LATTICES, SYMBOLS = classes_of("bravais"), classes_of(SYMBOL)
K = len(SYMBOLS)
MODEL = Joined(np.array([0.5, 1.0, 1.0, 3.0]), np.array([0.5, 1.0, -1.0]))


def nothing(n: int) -> SearchEvidence:
    """Searches that find nothing."""
    unknown = np.full((n, 14), np.nan)
    return SearchEvidence(
        np.zeros((n, 14)),
        unknown,
        np.zeros((n, 14), dtype=bool),
        unknown.copy(),
        np.full((n, K), np.nan),
    )


def material(n: int = 280, seed: int = 1, sees: float = 2.0, finds: float = 0.8) -> Material:
    """Lists of all lattices: how clearly the classifier sees the group, how often a search finds
    the lattice. Forty structure types."""
    rng = np.random.default_rng(seed)
    first = np.array([np.flatnonzero(LATTICES.of_group == b) for b in range(14)], dtype=object)
    number = np.array([rng.choice(first[i % 14]) + 1 for i in range(n)])
    lattice, every = LATTICES.of(number), np.arange(n)
    logits = rng.normal(size=(n, 230)) + sees * (LATTICES.of_group == lattice[:, None])
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    evidence = nothing(n)
    found = rng.random(n) < finds
    where = np.where(found, lattice, rng.integers(14, size=n))
    evidence.probability[every, where] = np.where(found, 0.95, 0.4)
    evidence.log_evidence[every, where] = np.where(found, 30.0, 4.0)
    evidence.convincing[every[found], lattice[found]] = rng.random(found.sum()) < 0.9
    for i in every[found]:
        own = lattice_of_symbol() == lattice[i]
        evidence.symbols[i, own] = (0.1 + (np.flatnonzero(own) == SYMBOLS.of(number[i]))) / (
            1 + 0.1 * own.sum()
        )
    return Material(
        probability, evidence, number, np.array([f"t{i % 40}" for i in every]), every % 2 > 0
    )


MATERIAL = material(140)


@cache
def answers() -> OutOfFold:
    return out_of_fold(MATERIAL, 5)


def lattices(probability: np.ndarray) -> np.ndarray:
    return at_level(probability, "bravais")


def test_without_a_search_the_weighted_classifier_speaks():
    alone = Joined(np.array([0.5, 0.5, 0.0, 0.0]), np.array([0.5, 1.0, -1.0]))
    found = alone.predict_proba(MATERIAL.probability, nothing(len(MATERIAL.number)))
    # All 14 are above the least probability that is told apart.
    np.testing.assert_allclose(lattices(found), lattices(MATERIAL.probability), atol=1e-12)
    own = within_lattice(at_level(MATERIAL.probability, SYMBOL))
    np.testing.assert_allclose(within_lattice(at_level(found, SYMBOL)), own, rtol=0.02)


@pytest.mark.parametrize("volume_A3", [np.nan, 60.0, 900.0])
def test_groups_of_a_symbol_are_as_often_met_as_in_cells_of_that_size(volume_A3):
    evidence = MATERIAL.evidence._replace(volume_A3=np.full((len(MATERIAL.number), 14), volume_A3))
    found = MODEL.predict_proba(MATERIAL.probability, evidence)
    met, of = np.exp(log_weights(volume_A3)), SYMBOLS.of_group
    share = met / at_level(met[None], SYMBOL)[0][of]
    np.testing.assert_allclose(found, at_level(found, SYMBOL)[:, of] * share, rtol=1e-9)


def test_the_symbol_that_the_cell_shows_wins_within_its_lattice():
    evidence = nothing(1)
    own = np.flatnonzero(lattice_of_symbol() == LATTICES.names.index("oP"))
    evidence.symbols[0, own] = 1e-3
    evidence.symbols[0, own[5]] = 1 - 1e-3 * (len(own) - 1)
    found = at_level(MODEL.predict_proba(np.full((1, 230), 1 / 230), evidence), SYMBOL)[0]
    assert own[np.argmax(found[own])] == own[5]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.floats(0, 3), st.floats(0, 1))
def test_answers_are_probabilities_each_of_its_own_list(seed, sees, finds):
    some = material(12, seed, sees, finds)
    found = MODEL.predict_proba(some.probability, some.evidence)
    assert found.shape == (12, 230)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    order = np.random.default_rng(seed).permutation(12)
    other = some.take(order)
    again = MODEL.predict_proba(other.probability, other.evidence)
    np.testing.assert_allclose(again, found[order], atol=1e-14)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(0, 13))
def test_more_evidence_for_a_lattice_never_makes_it_less_probable(seed, lattice):
    some = material(6, seed)
    before = lattices(MODEL.predict_proba(some.probability, some.evidence))[:, lattice]
    evidence = some.evidence._replace(log_evidence=some.evidence.log_evidence.copy())
    evidence.log_evidence[:, lattice] = 50.0
    after = lattices(MODEL.predict_proba(some.probability, evidence))[:, lattice]
    assert (after >= before - 1e-12).all()


def test_features_are_named_and_finite():
    x = features_of(lattices(MATERIAL.probability), MATERIAL.evidence)
    assert x.shape == (len(MATERIAL.number), 14, len(FEATURES))
    assert np.isfinite(x).all()
    nowhere = features_of(lattices(MATERIAL.probability), nothing(len(MATERIAL.number)))
    # What no search finds is not behind anything, and the classifier's share is all there is.
    assert len(np.unique(nowhere[:, :, 2])) == 1
    np.testing.assert_allclose(nowhere[:, :, 0], nowhere[:, :, 1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("probability", np.zeros((3, 13))),
        ("probability", np.full((3, 14), 1.2)),
        ("probability", np.full((3, 14), np.nan)),
        ("log_evidence", np.full((3, 14), np.inf)),
        ("log_evidence", np.zeros((2, 14))),
        ("convincing", np.zeros((3, 15), dtype=bool)),
        ("symbols", np.zeros((3, 14))),
        ("symbols", np.full((3, K), -0.1)),
    ],
)
def test_what_is_no_evidence_is_refused(name, value):
    with pytest.raises(ValueError, match=r"shape|probabilities|infinite"):
        MODEL.predict_proba(np.full((3, 230), 1 / 230), nothing(3)._replace(**{name: value}))


def test_other_numbers_of_probabilities_are_refused():
    for shape in ((3, 14), (2, 230), (230,)):
        with pytest.raises(ValueError, match="probabilities"):
            MODEL.predict_proba(np.full(shape, 0.1), nothing(3))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("lattice_weights", np.zeros(3)),
        ("lattice_weights", np.array([0.0, np.nan, 1.0, 1.0])),
        ("symbol_weights", np.zeros(3, dtype=np.int64)),
        ("symbol_weights", np.zeros((1, 3))),
    ],
)
def test_arrays_of_no_model_are_refused_by_name(tmp_path, name, array):
    path = tmp_path / FILE
    write_arrays(path, MODEL.arrays() | {name: array})
    with pytest.raises(MlindexError, match=r"joined\.npz: its arrays are no model that joins"):
        Joined.load(path)
    write_arrays(path, {name: array})
    with pytest.raises(MlindexError, match=r"joined\.npz: no array"):
        Joined.load(path)


def test_a_fit_is_repeatable_and_no_side_speaks_against_itself():
    model, again = fit_joined(MATERIAL), fit_joined(MATERIAL)
    assert (model.lattice_weights == again.lattice_weights).all()
    assert (model.symbol_weights == again.symbol_weights).all()
    for finds in (0.0, 1.0):
        other = fit_joined(material(84, finds=finds))
        assert (other.lattice_weights >= 0).all()
        assert (other.symbol_weights[:2] >= 0).all()


def test_what_sees_more_counts_more():
    blind, sharp = (fit_joined(material(84, sees=sees)).lattice_weights for sees in (0.0, 4.0))
    assert blind[0] < sharp[0]


def test_without_a_cell_of_the_true_lattice_symbols_are_the_classifiers():
    lost = MATERIAL._replace(evidence=nothing(len(MATERIAL.number)))
    np.testing.assert_array_equal(fit_joined(lost).symbol_weights, [1.0, 0.0, 0.0])
    assert len(SYMBOL_FEATURES) == 3


def test_out_of_fold_means_that_a_list_never_teaches_its_own_answer():
    before = answers().probability[JOINED]
    own = MATERIAL.unit == "t7"
    number = MATERIAL.number.copy()
    number[own] = number[own][::-1] % 230 + 1
    changed = out_of_fold(MATERIAL._replace(number=number), 5).probability[JOINED]
    np.testing.assert_array_equal(changed[own], before[own])
    assert not np.array_equal(changed[~own], before[~own])


def test_joined_is_better_than_either_side():
    table = joined_scores(answers())
    assert list(table.columns) == JOINED_SCORES.names
    all_lists = table[(table["lists"] == "all") & (table["level"] == "bravais")]
    loss = all_lists.set_index("way")["log_loss"]
    assert loss[JOINED] < min(loss[CLASSIFIER], loss[SEARCH])
    sure = table[(table["lists"] == "convincing cell") & (table["level"] == "bravais")]
    assert (sure.set_index("way").loc[JOINED, ["accuracy", "only_other"]] == [1.0, 0]).all()
    counts = table[table["way"] == JOINED].groupby("lists")["count"].first()
    assert counts["calculated"] + counts["measured"] == counts["all"]
    assert counts["convincing cell"] + counts["no convincing cell"] == counts["all"]


def examples(n: int = 30) -> pd.DataFrame:
    """Rows of SYMMETRY_EXAMPLES, three of each crystal, but for lines."""
    entries = [f"made:{i}:1" for i in range(n)]
    return pd.DataFrame(
        {
            "entry_id": np.repeat(entries, 3),
            "measurement": np.tile([0, 1, 2], n).astype(np.int32),
            "spacegroup_number": np.repeat(np.where(np.arange(n) % 2, 225, 14), 3).astype(np.int16),
            "bravais_lattice": np.repeat(np.where(np.arange(n) % 2, "cF", "mP"), 3),
            "structure_type": np.repeat([f"t{i // 2}" for i in range(n)], 3),
        }
    )


def test_lists_to_search_are_of_crystals_that_no_level_was_fitted_to():
    frame = examples()
    tests = [frame[frame["entry_id"] < "made:5"], frame[frame["entry_id"] > "made:2"]]
    chosen = choose_lists(frame, tests, 4, 9)
    assert chosen.groupby("bravais_lattice")["entry_id"].nunique().to_dict() == {"cF": 4, "mP": 4}
    assert all("made:2" < entry < "made:5" for entry in chosen["entry_id"])
    assert set(chosen["measurement"]) == {0, 1}
    shuffled = frame.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(choose_lists(shuffled, tests, 4, 9), chosen)
    fewer = choose_lists(frame, tests, 2, 9)
    assert set(fewer["entry_id"]) < set(chosen["entry_id"])
    assert choose_lists(frame, [frame, frame.iloc[:0]], 4, 9).empty


def test_rows_hold_the_evidence():
    lists = examples(7).iloc[:12]
    some = material(12).evidence
    rows = evidence_rows(lists, list(zip(*some, strict=True)))
    assert list(rows.columns) == SYMMETRY_EVIDENCE.names
    for array, again in zip(
        some, evidence_of_rows(SYMMETRY_EVIDENCE.arrow(rows).to_pandas()), strict=True
    ):
        np.testing.assert_array_equal(again, array)
    assert SYMMETRY_EVIDENCE.arrow(evidence_rows(lists.iloc[:0], [])).num_rows == 0


def test_too_few_lists_are_said_and_not_fitted(tmp_path):
    rows = evidence_rows(examples(2), list(zip(*nothing(6), strict=True)))
    done = join(rows, pd.DataFrame(), SimpleNamespace(), 5)
    assert done.model is None
    assert done.reason == "6 lists of 1 structure types; 50 of 5 are needed"
    write_joined(tmp_path / "joined_symmetry", done, {"rule": "test"})
    assert {p.name for p in (tmp_path / "joined_symmetry").iterdir()} == {
        "README.md",
        "provenance.json",
    }


def test_the_card_names_weights_and_figures():
    text = card(Join(MODEL, joined_scores(answers())))
    assert "| Bravais lattice | 1 if a convincing cell has this lattice | 3.000 |" in text
    assert "| no convincing cell | bravais | joined |" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("| all ")}
    assert widths == {10}


def test_no_lattice_is_more_probable_than_that_of_a_convincing_cell():
    distrusts = Joined(np.array([5.0, 0.0, 0.0, 0.0]), np.array([0.5, 1.0, -1.0]))
    found = lattices(distrusts.predict_proba(MATERIAL.probability, MATERIAL.evidence))
    lists, lattice = np.nonzero(MATERIAL.evidence.convincing)
    assert np.array_equal(found[lists].argmax(axis=1), lattice)
    others = ~MATERIAL.evidence.convincing.any(axis=1)
    alone = lattices(MATERIAL.probability)
    assert np.array_equal(found[others].argmax(axis=1), alone[others].argmax(axis=1))
