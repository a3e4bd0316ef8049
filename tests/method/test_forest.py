import hashlib

import numpy as np
import pytest

from helpers.synthetic_examples import group_names, make_frames
from mlindex.crystal.lattice import SYSTEMS
from mlindex.learning.arrays import write_arrays
from mlindex.learning.tables import METRICS
from mlindex.learning.trees import Trees
from mlindex.method.forest import fit_forest, forest_arrays, train_forests
from mlindex.method.overlap import compare_estimators
from mlindex.method.regression import train_regression
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Forest, Regression
from mlindex.method.training_data import regression_samples

QUICK = Forest(trees=12)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=lambda s: s.name)
def test_trees_equal_scikit_learn(system, tmp_path):
    group = group_names(system)[-1]
    frames = make_frames(system, {group: 150}, np.random.default_rng(2))
    samples = regression_samples(frames["examples"], system, Scaling.from_table(frames["scaling"]))
    forest = fit_forest(samples, QUICK, seed=2**40 + 1)
    write_arrays(tmp_path / "x.npz", forest_arrays(forest))
    found = Trees.load(tmp_path / "x.npz").predict(samples.q2_scaled)
    assert found.shape == (150, 12, system.n_free)
    single = np.stack([t.predict(samples.q2_scaled) for t in forest.estimators_], axis=1)
    np.testing.assert_array_equal(found, single.reshape(found.shape))
    whole = forest.predict(samples.q2_scaled).reshape(150, -1)
    np.testing.assert_allclose(found.mean(axis=1), whole, rtol=1e-12)
    assert len(np.unique(found[:, :, 0])) > 12


def test_small_groups_split_all_the_same_and_tiny_ones_are_stated(tmp_path):
    system = SYSTEMS["orthorhombic"]
    frames = make_frames(system, {"oP_0_00": 60, "oI_0_00": 10}, np.random.default_rng(3))
    scaling = Scaling.from_table(frames["scaling"])
    metrics = train_forests(
        frames["examples"], ["oP_0_00", "oI_0_00"], system, scaling, QUICK, 5, tmp_path
    )
    METRICS.arrow(metrics)
    assert [p.stem for p in tmp_path.glob("*.npz")] == ["oP_0_00"]
    assert list(metrics.query("metric == 'not trained'")["model"]) == ["oI_0_00"]
    assert (Trees.load(tmp_path / "oP_0_00.npz").left >= 0).any()


def test_same_seed_same_bytes(tmp_path):
    system = SYSTEMS["cubic"]
    frames = make_frames(system, {"cF_0_00": 80}, np.random.default_rng(3))
    scaling = Scaling.from_table(frames["scaling"])
    digests = []
    for number, seed in enumerate((5, 5, 6)):
        directory = tmp_path / str(number)
        train_forests(frames["examples"], ["cF_0_00"], system, scaling, QUICK, seed, directory)
        digests.append(hashlib.sha256((directory / "cF_0_00.npz").read_bytes()).hexdigest())
    assert digests[0] == digests[1] != digests[2]


def test_comparison_adds_up(tmp_path):
    system = SYSTEMS["cubic"]
    frames = make_frames(system, {"cF_0_00": 150, "cP_0_00": 150}, np.random.default_rng(3))
    scaling = Scaling.from_table(frames["scaling"])
    examples = frames["examples"]
    settings = Regression(
        mean_layers=(20,),
        variance_layers=(10,),
        cycles=1,
        epochs=3,
        learning_rate=1e-2,
        min_train=1,
    )
    for number, group in enumerate(("cF_0_00", "cP_0_00")):
        directory = tmp_path / f"network{number}"
        train_regression(examples, [group], system, scaling, settings, 1, directory)
    train_forests(examples, ["cF_0_00"], system, scaling, QUICK, 1, tmp_path / "forest")
    found = compare_estimators(
        examples,
        [tmp_path / "network0", tmp_path / "network1"],
        tmp_path / "forest",
        system,
        scaling,
    )
    METRICS.arrow(found)
    assert set(found["model"]) == {"cF_0_00"}
    values = found.set_index("metric")["value"]
    assert values["network closer"] + values["forest closer"] == pytest.approx(1)
    shares = values[[n for n in values.index if n.endswith("within 5 %")]]
    assert len(shares) == 4
    assert shares.sum() == pytest.approx(1)
    assert -1 <= values["correlation of errors"] <= 1
    assert (found["entries"] > 5).all()
