"""The contract of everything that is trained, held by all five learners alike."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.indexing.ranking.meanings import FEATURES
from mlindex.indexing.ranking.network import Member, RankingModel
from mlindex.indexing.ranking.shipped import ARRAYS
from mlindex.learning.arrays import write_arrays
from mlindex.learning.learner import Learner
from mlindex.learning.networks import DenseNetwork, HiddenLayer
from mlindex.learning.trees import Trees
from mlindex.method.networks import AssignmentNetwork, VarianceNetwork

N_PEAKS, N_FREE, N_REF = 6, 3, 9


def _layer(rng, n_in, n_out):
    shapes = ((n_in, n_out), (n_out,), (n_out,), (n_out,))
    return HiddenLayer(*(rng.normal(size=shape).astype(np.float32) for shape in shapes))


def _dense(rng, n_in=N_PEAKS, n_out=N_FREE):
    kernel, bias = rng.normal(size=(4, n_out)), rng.normal(size=n_out)
    layers = (_layer(rng, n_in, 5), _layer(rng, 5, 4))
    return DenseNetwork(layers, kernel.astype(np.float32), bias.astype(np.float32))


def _trees(rng):
    """Two trees with one split each."""
    child = np.array([1, -1, -1, 4, -1, -1])
    return Trees(
        np.array([0, 3]),
        child,
        np.where(child < 0, -1, child + 1),
        np.array([N_PEAKS - 1, 0, 0, 2, 0, 0]),
        rng.normal(size=6),
        rng.normal(size=(6, N_FREE)),
    )


def _assignment(rng):
    kernel, bias = rng.normal(size=(N_PEAKS, 4, N_REF)), rng.normal(size=(N_PEAKS, N_REF))
    return AssignmentNetwork(
        (_layer(rng, N_REF, 4),), kernel.astype(np.float32), bias.astype(np.float32), 0.1, 0.02
    )


def _ranking(rng):
    n = len(FEATURES)
    members = tuple(Member(_dense(rng, n, 1), share, -1.0) for share in (0.5, 0.7))
    return RankingModel(members, rng.normal(size=n), 1 + rng.random(n))


@dataclass(frozen=True)
class Case:
    """How a learner is made, the shapes of what it takes, and shapes that do not suit it."""

    make: Callable[[np.random.Generator], Learner]
    shapes: tuple[tuple[int, ...], ...]
    wrong: tuple[tuple[tuple[int, ...], ...], ...]


CASES = {
    "dense network": Case(_dense, ((7, N_PEAKS),), (((7, N_PEAKS + 1),), ((7, 1),))),
    "variance network": Case(
        lambda rng: VarianceNetwork(_dense(rng), _dense(rng), _dense(rng)),
        ((7, N_PEAKS),),
        (((7, N_PEAKS - 1),), ((7, 1),)),
    ),
    "trees": Case(_trees, ((7, N_PEAKS),), (((7, N_PEAKS - 1),), ((N_PEAKS,),))),
    "assignment network": Case(
        _assignment,
        ((7, N_PEAKS), (7, N_REF)),
        (((7, 1), (7, N_REF)), ((7, N_PEAKS), (7, N_REF + 1))),
    ),
    "ranking": Case(_ranking, ((7, len(FEATURES)),), (((7, 1),), ((7, len(FEATURES) + 1),))),
}


@pytest.fixture(params=CASES.values(), ids=list(CASES))
def case(request) -> Case:
    return request.param


@pytest.fixture
def learner(case) -> Learner:
    return case.make(np.random.default_rng(1))


def _predict(learner, shapes):
    rng = np.random.default_rng(2)
    predict = learner.predict_proba if hasattr(learner, "predict_proba") else learner.predict
    found = predict(*(rng.random(shape) for shape in shapes))
    return found if isinstance(found, tuple) else (found,)


def test_one_way_to_predict(learner):
    assert isinstance(learner, Learner)
    assert hasattr(learner, "predict") != hasattr(learner, "predict_proba")


def test_saved_and_loaded_it_predicts_the_same_bit_for_bit(case, learner, tmp_path):
    learner.save(tmp_path / "a.npz")
    loaded = type(learner).load(tmp_path / "a.npz")
    loaded.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    pairs = zip(_predict(learner, case.shapes), _predict(loaded, case.shapes), strict=True)
    for expected, found in pairs:
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_rows_come_first(case, learner):
    assert all(len(found) == 7 for found in _predict(learner, case.shapes))


def test_probabilities_are_some(case, learner):
    if hasattr(learner, "predict_proba"):
        (found,) = _predict(learner, case.shapes)
        assert (found >= 0).all()
        assert (found <= 1).all()


def test_wrong_shapes_are_refused(case, learner):
    for shapes in case.wrong:
        with pytest.raises(ValueError, match=r"\d"):
            _predict(learner, shapes)


def test_a_missing_array_is_named_with_its_file(learner, tmp_path):
    arrays = learner.arrays()
    name = next(n for n in sorted(arrays) if n.endswith(("output/kernel", "heads/kernel", "value")))
    del arrays[name]
    write_arrays(tmp_path / "less.npz", arrays)
    with pytest.raises(MlindexError, match=r"less\.npz: .*train"):
        type(learner).load(tmp_path / "less.npz")


def test_the_shipped_ranking_is_saved_with_the_same_bytes(tmp_path):
    RankingModel.load(ARRAYS).save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == ARRAYS.read_bytes()
