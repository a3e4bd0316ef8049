import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from helpers.synthetic_examples import make_frames
from mlindex.base.schema import stack
from mlindex.crystal.lattice import SYSTEMS
from mlindex.learning.arrays import write_arrays
from mlindex.learning.tables import METRICS, TRAINING
from mlindex.method.networks import VarianceNetwork
from mlindex.method.regression import (
    build_models,
    network_arrays,
    train_group,
    train_regression,
    weighted_nll,
)
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Regression
from mlindex.method.training_data import Samples, group_batches, parameter_names, validation_halves

SYSTEM = SYSTEMS["monoclinic"]
QUICK = Regression(
    mean_layers=(20, 10),
    variance_layers=(10,),
    cycles=2,
    epochs=2,
    dropout=0.1,
    learning_rate=1e-3,
    min_train=50,
)
GROUPS = {"mP_b_00": 150, "mC_a_00": 120, "mC_c_00": 20}


def train(directory, groups=tuple(GROUPS), settings=QUICK, seed=11):
    frames = make_frames(SYSTEM, GROUPS, np.random.default_rng(4))
    scaling = Scaling.from_table(frames["scaling"])
    trained = train_regression(
        frames["examples"], groups, SYSTEM, scaling, settings, seed, directory
    )
    return frames, scaling, trained


def digests(directory):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in directory.glob("*.npz")}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = tmp_path_factory.mktemp("regression")
    return directory, *train(directory)


def test_nll_is_that_of_a_student_t():
    rng = np.random.default_rng(0)
    alpha, beta = rng.uniform(1.2, 6, (7, 3)), rng.uniform(0.1, 3, (7, 3))
    mean, target = rng.normal(size=(2, 7, 3))
    parts = [v.astype(np.float32) for v in (target, mean, alpha, beta)]
    density = stats.t.logpdf(target, 2 * alpha, mean, np.sqrt(beta / alpha))
    np.testing.assert_allclose(
        weighted_nll(*parts, 0.0), -density.sum(axis=1), rtol=2e-5, atol=2e-5
    )
    weighted = -(density * np.sqrt(beta / (alpha - 1))).sum(axis=1)
    np.testing.assert_allclose(weighted_nll(*parts, 0.5), weighted, rtol=2e-5, atol=2e-5)


def test_frames_are_as_declared(trained):
    _, _, _, result = trained
    assert TRAINING.arrow(result.training).num_rows == 2 * 2 * QUICK.cycles * QUICK.epochs
    assert METRICS.arrow(result.metrics).num_rows > 0
    assert np.isfinite(result.training[["loss", "validation_loss"]].to_numpy()).all()
    one = result.training.query("model == 'mP_b_00' and network == 'mean'")
    assert list(one["epoch"]) == [1, 2, 3, 4]


def test_numpy_equals_keras(tmp_path):
    models = build_models(20, 4, QUICK)
    rng = np.random.default_rng(3)
    models.mean.reset(rng)
    models.variance.reset(rng)
    write_arrays(tmp_path / "x.npz", network_arrays(models))
    x = rng.normal(0, 3, (50, 20)).astype(np.float32)
    mean, alpha, beta = VarianceNetwork.load(tmp_path / "x.npz").predict(x)
    np.testing.assert_allclose(mean, models.mean.predict(x), atol=1e-5)
    variance = np.concatenate([alpha, beta], axis=1)
    np.testing.assert_allclose(variance, models.variance.predict(x), atol=1e-5)


def test_small_groups_are_stated_not_trained(trained):
    directory, _, _, result = trained
    assert sorted(p.stem for p in directory.glob("*.npz")) == ["mC_a_00", "mP_b_00"]
    missing = result.metrics.query("metric == 'not trained'")
    assert list(missing["model"]) == ["mC_c_00"]
    assert list(missing["value"]) == [16]


def test_figures_are_measured_on_unaugmented_unused_entries(trained):
    directory, frames, scaling, result = trained
    part = frames["examples"].query("group == 'mC_a_00' and side == 'validation'")
    _, second = validation_halves(list(part["parent_id"]))
    part = part[second & ~part["augmented"].to_numpy(dtype=bool)]
    figures = result.metrics.query("model == 'mC_a_00'")
    assert set(figures["entries"]) == {len(part)}
    network = VarianceNetwork.load(directory / "mC_a_00.npz")
    mean, alpha, beta = network.predict(scaling.q2(stack(part["q2_inv_A2"])))
    assert (alpha > 1).all()
    assert (beta > 0).all()
    alpha_deg = np.degrees(mean[:, 3] * 0.2 + np.pi / 2)
    errors = np.abs(alpha_deg - part["alpha_deg"])
    row = figures.query("metric == 'error p90' and parameter == 'alpha'").iloc[0]
    assert row["value"] == pytest.approx(np.percentile(errors, 90), rel=1e-5)
    assert row["unit"] == "degree"
    assert list(dict.fromkeys(figures["parameter"])) == ["a", "b", "c", "alpha"]


def test_a_group_does_not_depend_on_its_batch(trained, tmp_path):
    directory, *_ = trained
    train(tmp_path, groups=("mC_a_00",))
    assert digests(tmp_path)["mC_a_00.npz"] == digests(directory)["mC_a_00.npz"]


def test_another_process_gives_the_same_bytes(trained, tmp_path):
    directory, *_ = trained
    tests = Path(__file__).parent
    code = (
        f"import sys, pathlib; sys.path[:0] = [{str(tests)!r}, {str(tests.parent)!r}]; "
        "import test_regression as t; "
        f"t.train(pathlib.Path({str(tmp_path)!r}))"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)
    assert digests(tmp_path) == digests(directory)


def test_a_group_without_entries_is_stated(tmp_path):
    *_, result = train(tmp_path, groups=("mP_a_00",))
    assert list(result.metrics["metric"]) == ["not trained"]
    assert list(result.metrics["value"]) == [0]
    assert TRAINING.arrow(result.training).num_rows == 0


def test_another_seed_gives_other_weights(trained, tmp_path):
    directory, *_ = trained
    train(tmp_path, groups=("mC_a_00",), seed=12)
    assert digests(tmp_path)["mC_a_00.npz"] != digests(directory)["mC_a_00.npz"]


def test_known_noise_is_recovered_and_calibrated():
    # The target is the first input with noise of standard deviation 0.5: so must the network say.
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3000, 20)).astype(np.float32)
    target = x[:, :4] + rng.normal(0, 0.5, (3000, 4)).astype(np.float32)
    held_out = np.arange(3000) % 3 == 0
    samples = Samples(x, target, target, ~held_out, held_out, held_out)
    settings = Regression(
        mean_layers=(60,), variance_layers=(20,), epochs=12, cycles=3, learning_rate=3e-3, dropout=0
    )
    models = build_models(20, 4, settings)
    train_group(models, samples, "known", 3)
    alpha, beta = np.split(models.variance.predict(x[held_out]), 2, axis=1)
    mean = models.mean.predict(x[held_out])
    deviation = np.abs(target[held_out] - mean) / np.sqrt(beta / alpha)
    inside = np.mean(deviation < stats.t.ppf(stats.norm.cdf(1), 2 * alpha))
    assert inside == pytest.approx(0.683, abs=0.08)
    assert np.median(np.sqrt(beta / (alpha - 1))) == pytest.approx(0.5, rel=0.25)
    assert models.mean.graphs + models.variance.graphs == 6


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=lambda s: s.name)
def test_parameter_names_follow_the_free_parameters(system):
    names, units = parameter_names(system, "")
    assert names == [("a", "b", "c", "alpha", "beta", "gamma")[p] for p in system.free_positions]
    assert [u == "A" for u in units] == [p < 3 for p in system.free_positions]


def test_groups_are_shared_out_evenly():
    sizes = {"a": 10, "b": 7, "c": 6, "d": 5, "e": 4}
    assert group_batches(sizes, 2) == [["a", "d"], ["b", "c", "e"]]
    assert group_batches(dict(reversed(sizes.items())), 2) == group_batches(sizes, 2)
    assert group_batches({"a": 1}, 3) == [["a"], [], []]


def test_halves_keep_parents_together_and_ignore_order():
    parents = [f"p{n // 3}" for n in range(30)]
    first, second = validation_halves(parents)
    assert not (first & second).any()
    assert (first | second).all()
    assert len({p for p, f in zip(parents, first, strict=True) if f}) == 5
    backwards, _ = validation_halves(parents[::-1])
    np.testing.assert_array_equal(backwards[::-1], first)
