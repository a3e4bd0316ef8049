"""The classifier of symmetry: its chain of probabilities, its file, and what an answer says."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.classification.answer import Answer
from mlindex.classification.classifier import FILE, Fitted, SymmetryClassifier
from mlindex.classification.shipped import ARRAYS, shipped
from mlindex.crystal.symmetry_classes import LEVELS, classes_of, prior_of_groups
from mlindex.learning.arrays import read_arrays, write_arrays
from mlindex.learning.labels import at_level
from mlindex.learning.learners.contract import Inputs, Rows
from mlindex.learning.learners.registry import kind_of
from mlindex.learning.learners.shares import Shares

N_FEATURES = 5
SYMBOLS, LATTICES = classes_of("extinction_symbol"), classes_of("bravais")


def rows(level: str, n: int = 200) -> Rows:
    """Features around a centre for each class of a level, all classes equally often."""
    rng = np.random.default_rng(3)
    y = np.arange(n) % len(classes_of(level))
    centre = np.random.default_rng(4).normal(size=(len(classes_of(level)), N_FEATURES))
    return Rows.of(y, centre[y] + 0.3 * rng.normal(size=(n, N_FEATURES)))


@cache
def fitted(level: str, kind: str = "extra_trees", temperature: float = 1.3) -> Fitted:
    learner = kind_of(kind).trained(rows(level), len(classes_of(level)), {"trees": 8}, seed=1)
    return Fitted(kind, learner, temperature)


def small() -> SymmetryClassifier:
    return SymmetryClassifier(fitted("bravais"), fitted("extinction_symbol"))


def shares(level: str, probability: np.ndarray, temperature: float = 1.0) -> Fitted:
    """A learner that always says the same."""
    probability = np.asarray(probability, dtype=float)
    assert len(probability) == len(classes_of(level))
    return Fitted("frequency", Shares(probability / probability.sum()), temperature)


INPUTS = Inputs(rows("bravais").x[:6])


def lattice_of_symbols() -> np.ndarray:
    return np.array([LATTICES.names.index(name.split()[0]) for name in SYMBOLS.names])


def test_probabilities_of_groups_add_to_those_of_the_learner_of_lattices():
    found = small().predict_proba(INPUTS)
    assert found.shape == (6, 230)
    assert (found >= 0).all()
    logits = np.where(
        (p := fitted("bravais").learner.predict_proba(INPUTS)) > 0, p ** (1 / 1.3), 0.0
    )
    expected = logits / logits.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(at_level(found, "bravais"), expected, atol=1e-12)


def test_symbols_of_a_lattice_are_the_learners_times_how_often_they_are_met():
    given = np.random.default_rng(5).dirichlet(np.ones(len(SYMBOLS)))
    lattices = np.full(len(LATTICES), 1.0)
    model = SymmetryClassifier(shares("bravais", lattices), shares("extinction_symbol", given))
    found = at_level(model.predict_proba(INPUTS), "extinction_symbol")[0]
    prior = at_level(prior_of_groups()[None], "extinction_symbol")[0]
    of = lattice_of_symbols()
    for lattice in range(len(LATTICES)):
        own = of == lattice
        weighed = given[own] * prior[own]
        np.testing.assert_allclose(found[own], weighed / weighed.sum() / 14, rtol=1e-9)


def test_below_the_learners_stands_the_prior():
    prior = prior_of_groups()
    one = np.eye(len(LATTICES))[LATTICES.names.index("mP")]
    found = SymmetryClassifier(bravais=shares("bravais", one)).predict_proba(INPUTS)[0]
    own = LATTICES.of_group == LATTICES.names.index("mP")
    np.testing.assert_allclose(found, np.where(own, prior, 0) / prior[own].sum(), atol=1e-15)


def test_without_a_learner_of_lattices_all_are_alike():
    model = SymmetryClassifier(extinction_symbol=fitted("extinction_symbol"))
    found = at_level(model.predict_proba(INPUTS), "bravais")
    np.testing.assert_allclose(found, 1 / 14)


def test_a_lattice_that_the_learner_of_symbols_gives_nothing_has_its_prior():
    given = (lattice_of_symbols() != LATTICES.names.index("oP")).astype(float)
    model = SymmetryClassifier(
        shares("bravais", np.ones(14)), shares("extinction_symbol", given, 0.01)
    )
    found = model.predict_proba(INPUTS)[0]
    own = LATTICES.of_group == LATTICES.names.index("oP")
    np.testing.assert_allclose(
        found[own], prior_of_groups()[own] / prior_of_groups()[own].sum() / 14
    )
    assert found.sum() == pytest.approx(1)


def test_a_high_temperature_makes_all_alike():
    hot = shares("bravais", np.arange(1.0, 15.0), 1e6)
    found = at_level(SymmetryClassifier(bravais=hot).predict_proba(INPUTS), "bravais")
    np.testing.assert_allclose(found, 1 / 14, atol=1e-5)


def test_a_saved_classifier_is_the_same_byte_for_byte(tmp_path):
    model = small()
    for name in ("a.npz", "b.npz"):
        model.save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    read = SymmetryClassifier.load(tmp_path / "a.npz")
    read.save(tmp_path / FILE)
    assert (tmp_path / FILE).read_bytes() == (tmp_path / "a.npz").read_bytes()
    again = SymmetryClassifier.load(tmp_path)
    assert np.array_equal(again.predict_proba(INPUTS), model.predict_proba(INPUTS))
    only = SymmetryClassifier(extinction_symbol=fitted("extinction_symbol"))
    assert SymmetryClassifier.from_arrays(only.arrays()).levels == ("extinction_symbol",)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("bravais.kind", np.array("oracle")),
        ("bravais.kind", np.array(3)),
        ("bravais.kind", np.array(["extra_trees"])),
        ("bravais.temperature", np.array(-1.0)),
        ("bravais.temperature", np.array(np.nan)),
        ("bravais.temperature", None),
        ("bravais.learner.left", None),
        ("bravais.learner.share", np.zeros(3)),
        ("prior", np.ones(230)),
        ("prior", prior_of_groups()[:-1]),
        ("prior", np.where(np.arange(230) < 2, 0.5, 0.0)),
        ("prior", None),
    ],
)
def test_arrays_that_make_no_classifier_are_refused_with_the_name_of_the_file(
    name, array, tmp_path
):
    arrays = small().arrays() | {name: array}
    path = tmp_path / "damaged.npz"
    write_arrays(path, {key: value for key, value in arrays.items() if value is not None})
    with pytest.raises(MlindexError, match=r"damaged\.npz"):
        SymmetryClassifier.load(path)


def test_a_file_without_a_learner_or_of_another_kind_is_no_classifier(tmp_path):
    path = tmp_path / "other.npz"
    write_arrays(path, {"prior": prior_of_groups()})
    with pytest.raises(MlindexError, match=r"other\.npz: its arrays are no classifier"):
        SymmetryClassifier.load(path)
    path.write_bytes(b"PK")
    with pytest.raises(MlindexError, match=r"other\.npz: not readable"):
        SymmetryClassifier.load(path)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SymmetryClassifier(),
        lambda: SymmetryClassifier(fitted("bravais"), prior=np.ones(230)),
        lambda: Fitted("oracle", fitted("bravais").learner),
        lambda: replace(fitted("bravais"), temperature=0.0),
    ],
)
def test_what_makes_no_classifier_is_a_value_error(make):
    with pytest.raises(ValueError, match=r"learner|prior|temperature"):
        make()


def test_a_learner_of_other_classes_is_a_value_error():
    wrong = SymmetryClassifier(bravais=fitted("extinction_symbol"))
    with pytest.raises(ValueError, match="97 classes, and there are 14"):
        wrong.predict_proba(INPUTS)


def test_arrays_are_those_of_the_file(tmp_path):
    small().save(tmp_path / FILE)
    read = read_arrays(tmp_path / FILE)
    assert read.keys() == small().arrays().keys()
    assert str(read["bravais.kind"]) == "extra_trees"


def test_the_shipped_classifier_is_there_or_it_is_said_how_to_make_one():
    if ARRAYS.exists():
        assert shipped().levels
    else:
        with pytest.raises(MlindexError, match="no classifier comes with this version; make one"):
            shipped()


def answer(bravais: dict[str, float], by_chance: float = 0.0, learned=("bravais",)) -> Answer:
    """An answer that gives lattices these probabilities, the others share the rest."""
    lattices = np.full(14, (1 - sum(bravais.values())) / (14 - len(bravais)))
    for name, share in bravais.items():
        lattices[LATTICES.names.index(name)] = share
    prior = prior_of_groups()
    within = prior / at_level(prior[None], "bravais")[0][LATTICES.of_group]
    return Answer("scan.xy", within * lattices[LATTICES.of_group], by_chance, learned, 20)


def test_an_answer_ranks_every_level_and_agrees_with_itself():
    said = answer({"cF": 0.6, "cI": 0.3})
    for level in LEVELS:
        ranked = said.ranked(level)
        assert len(ranked) == len(classes_of(level))
        assert sum(share for _, share in ranked) == pytest.approx(1)
        assert list(ranked) == sorted(ranked, key=lambda one: -one.probability)
        assert said.ranked(level, 2) == ranked[:2]
    assert said.best("bravais") == ("cF", pytest.approx(0.6))
    chosen = said.downward
    assert chosen["crystal_system"] == "cubic"
    assert chosen["bravais"] == "cF"
    assert chosen["extinction_symbol"].startswith("cF ")


def test_what_is_sure_has_nine_tenths_and_was_learnt():
    assert list(answer({"cF": 0.95}).sure) == ["crystal_system", "bravais"]
    assert list(answer({"cF": 0.6, "cI": 0.39}).sure) == ["crystal_system"]
    assert answer({"mP": 0.5}).sure == {}
    # Nearly all primitive triclinic crystals are P-1: its extinction symbol is alone, but a prior
    # is not what a pattern shows.
    assert "space_group" not in answer({"aP": 0.99}, learned=("bravais",)).sure
    both = answer({"aP": 0.99}, learned=("bravais", "extinction_symbol"))
    assert list(both.sure) == ["crystal_system", "bravais", "extinction_symbol"]


@pytest.mark.parametrize(
    ("share", "by_chance", "stands_out"),
    [
        (0.9, 0.5, True),
        (0.9, 0.9, False),
        (0.9, 0.95, False),
        (0.13, 0.0, False),
        (0.15, 0.1, True),
    ],
)
def test_what_stands_out_is_more_than_an_equal_share_and_more_than_chance(
    share, by_chance, stands_out
):
    said = answer({"cP": share}, by_chance)
    assert said.above_chance is stands_out
    assert ("no class stands out" in repr(said)) is not stands_out
    assert "\n" not in repr(said)
    if stands_out and share > 0.5:
        assert repr(said).startswith(f"Answer('scan.xy', cP {share:.0%}, cP P - - - ")
