"""The contract of everything that is trained, held by all learners alike."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.classification.classifier import Fitted, SymmetryClassifier
from mlindex.indexing.ranking.meanings import FEATURES
from mlindex.indexing.ranking.network import Member, RankingModel
from mlindex.indexing.ranking.shipped import ARRAYS
from mlindex.learning.arrays import write_arrays
from mlindex.learning.boosting import Boosting
from mlindex.learning.learner import Learner
from mlindex.learning.learners.boosted import Boosted
from mlindex.learning.learners.contract import Inputs
from mlindex.learning.learners.convolution import Convolution, ConvolutionalNetwork
from mlindex.learning.learners.forest import Forest
from mlindex.learning.learners.logistic import Logistic
from mlindex.learning.learners.neighbours import Neighbours
from mlindex.learning.learners.shares import Shares
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


def _boosting(rng):
    """Two trees with one split each, of two classes."""
    trees = _trees(rng)
    walk = trees.root, np.array([0, 2]), trees.left, trees.right, trees.feature, trees.threshold
    return Boosting(*walk, trees.left > 0, rng.normal(size=6), rng.normal(size=3))


def _forest(rng):
    """Four leaves with one class each."""
    leaf = np.array([0, 0, 1, 0, 2, 3])[:, None]
    trees = replace(_trees(rng), value=leaf)
    fill = np.zeros(N_PEAKS, dtype=np.float32)
    return Forest(trees, fill, np.arange(5), np.array([0, 1, 2, 0]), np.ones(4), np.array(3))


def _standardized(rng):
    mean, scale = rng.normal(size=N_PEAKS), 1 + rng.random(N_PEAKS)
    return mean.astype(np.float32), scale.astype(np.float32)


def _logistic(rng):
    return Logistic(*_standardized(rng), rng.normal(size=(N_PEAKS, 3)), rng.normal(size=3))


def _neighbours(rng):
    rows = rng.normal(size=(N_PEAKS, 5)).astype(np.float32)
    y = np.array([0, 1, 2, 0, 1])
    return Neighbours(*_standardized(rng), rows, y, rng.random(5), np.array(3), np.array(3))


def _convolutional(rng):
    """Two convolutions by three points of the grid, pooled by two."""
    kernels = (rng.normal(size=(3, *shape)).astype(np.float32) for shape in ((1, 4), (4, 2)))
    blocks = (Convolution(kernel, kernel[0, 0]) for kernel in kernels)
    numbers, layers = (np.array(2), np.array(N_REF)), (_layer(rng, 4 + N_PEAKS, 5),)
    output = rng.normal(size=(5, 3)).astype(np.float32), np.zeros(3, dtype=np.float32)
    return ConvolutionalNetwork(tuple(blocks), *numbers, *_standardized(rng), layers, *output)


def _symmetry(rng):
    lattices = Logistic(*_standardized(rng), rng.normal(size=(N_PEAKS, 14)), rng.normal(size=14))
    return SymmetryClassifier(bravais=Fitted("logistic", lattices, 1.5))


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
    given: Callable[..., tuple] = lambda *arrays: arrays


def _of_patterns(make: Callable[[np.random.Generator], Learner], *shapes, wrong) -> Case:
    """A case of what classifies patterns, which takes its arrays together."""
    return Case(make, shapes, wrong, lambda *arrays: (Inputs(*arrays),))


_OTHER_FEATURES = (((7, N_PEAKS + 1),), ((N_PEAKS,),))

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
    "boosting": Case(_boosting, ((7, N_PEAKS),), (((7, N_PEAKS - 1),), ((N_PEAKS,),))),
    "shares": _of_patterns(
        lambda rng: Shares(np.array([0.75, 0.25])), (7, N_PEAKS), wrong=(((7,),),)
    ),
    "logistic": _of_patterns(_logistic, (7, N_PEAKS), wrong=_OTHER_FEATURES),
    "neighbours": _of_patterns(_neighbours, (7, N_PEAKS), wrong=_OTHER_FEATURES),
    "forest": _of_patterns(_forest, (7, N_PEAKS), wrong=_OTHER_FEATURES),
    "boosted": _of_patterns(
        lambda rng: Boosted(_boosting(rng), np.array(N_PEAKS)), (7, N_PEAKS), wrong=_OTHER_FEATURES
    ),
    "convolutional network": _of_patterns(
        _convolutional,
        (7, N_PEAKS),
        (7, N_REF),
        wrong=(((7, N_PEAKS),), ((7, N_PEAKS), (7, 1)), ((7, 1), (7, N_REF))),
    ),
    "symmetry": _of_patterns(_symmetry, (7, N_PEAKS), wrong=_OTHER_FEATURES),
    "ranking": Case(_ranking, ((7, len(FEATURES)),), (((7, 1),), ((7, len(FEATURES) + 1),))),
}


#: How the names of arrays end that some learner can't do without.
NEEDED = ("output/kernel", "heads/kernel", "value", "probability", "coefficients", "rows")


@pytest.fixture(params=CASES.values(), ids=list(CASES))
def case(request) -> Case:
    return request.param


@pytest.fixture
def learner(case) -> Learner:
    return case.make(np.random.default_rng(1))


def _predict(case, learner, shapes):
    rng = np.random.default_rng(2)
    predict = learner.predict_proba if hasattr(learner, "predict_proba") else learner.predict
    found = predict(*case.given(*(rng.random(shape) for shape in shapes)))
    return found if isinstance(found, tuple) else (found,)


def test_one_way_to_predict(learner):
    assert isinstance(learner, Learner)
    assert hasattr(learner, "predict") != hasattr(learner, "predict_proba")


def test_saved_and_loaded_it_predicts_the_same_bit_for_bit(case, learner, tmp_path):
    learner.save(tmp_path / "a.npz")
    loaded = type(learner).load(tmp_path / "a.npz")
    loaded.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    before, after = (_predict(case, model, case.shapes) for model in (learner, loaded))
    for expected, found in zip(before, after, strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_rows_come_first(case, learner):
    assert all(len(found) == 7 for found in _predict(case, learner, case.shapes))


def test_probabilities_are_some(case, learner):
    if hasattr(learner, "predict_proba"):
        (found,) = _predict(case, learner, case.shapes)
        assert (found >= 0).all()
        assert (found <= 1).all()


def test_wrong_shapes_are_refused(case, learner):
    for shapes in case.wrong:
        with pytest.raises(ValueError, match=r"\d"):
            _predict(case, learner, shapes)


def test_a_missing_array_is_named_with_its_file(learner, tmp_path):
    arrays = learner.arrays()
    name = next(n for n in sorted(arrays) if n.endswith(NEEDED))
    del arrays[name]
    write_arrays(tmp_path / "less.npz", arrays)
    with pytest.raises(MlindexError, match=r"less\.npz: .*train"):
        type(learner).load(tmp_path / "less.npz")


def test_the_shipped_ranking_is_saved_with_the_same_bytes(tmp_path):
    RankingModel.load(ARRAYS).save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == ARRAYS.read_bytes()
