import hashlib

import gemmi
import numpy as np
import pytest

from helpers.synthetic_examples import group_names, make_frames, reference_hkl
from mlindex.crystal.lattice import SYSTEMS, quadratic_terms
from mlindex.crystal.reindexed import cell_to_standard
from mlindex.learning.networks import hidden_layers
from mlindex.learning.tables import METRICS, TRAINING
from mlindex.method.assignment import (
    assignment_lines,
    build_trainer,
    is_cell,
    network_arrays,
    perturb,
    reciprocal,
    train_assignment,
)
from mlindex.method.networks import AssignmentNetwork
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Assignment

QUICK = Assignment(layers=(40, 30), epochs=12, batch_size=32, dropout=0.1, learning_rate=5e-3)


def prepared(system, count=200):
    counts = dict.fromkeys(group_names(system), count // len(group_names(system)))
    frames = make_frames(system, counts, np.random.default_rng(6))
    return frames["examples"], Scaling.from_table(frames["scaling"])


def train(directory, system, examples, scaling, settings=QUICK, noise=0.01):
    path = directory / "0.01.npz"
    hkl = reference_hkl(system, 60)
    examples = examples.assign(label=[np.minimum(v, len(hkl) - 1) for v in examples["label"]])
    return path, train_assignment(examples, hkl, system, scaling, noise, 0.005, settings, 9, path)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=lambda s: s.name)
def test_lines_are_those_of_the_standard_cell(system):
    # True cell, true peaks: every labelled peak lies on its reference reflection.
    examples, scaling = prepared(system, 30)
    lines = assignment_lines(examples, system, scaling)
    hkl = reference_hkl(system)
    calculated = scaling.q2(
        reciprocal(lines.free_scaled, system, scaling) @ system.design_matrix(hkl).T
    )
    at_label = np.take_along_axis(calculated, lines.label, axis=1)
    listed = lines.label < len(hkl) - 1
    assert listed.mean() > 0.5
    np.testing.assert_allclose(at_label[listed], lines.q2_scaled[listed], atol=1e-5)


def test_networks_are_the_same_from_examples_in_blocks(tmp_path):
    system = SYSTEMS["tetragonal"]
    examples, scaling = prepared(system)
    settings = QUICK.model_copy(update={"epochs": 1})
    hkl = reference_hkl(system, 60)
    examples["label"] = [np.minimum(v, len(hkl) - 1) for v in examples["label"]]
    blocks = (examples.iloc[n : n + 70] for n in range(0, len(examples), 70))
    paths = {"whole": examples, "blocks": blocks}
    metrics = [
        train_assignment(
            given, hkl, system, scaling, 0.05, 0.01, settings, 3, tmp_path / name
        ).metrics
        for name, given in paths.items()
    ]
    assert metrics[0]["value"].tolist() == metrics[1]["value"].tolist()
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "blocks").read_bytes()


def test_noise_has_the_stated_size_and_gives_cells_only():
    system = SYSTEMS["triclinic"]
    examples, scaling = prepared(system)
    free = assignment_lines(examples, system, scaling).free_scaled
    rng = np.random.default_rng(0)
    small = perturb(free, 0.05, system, scaling, rng) - free
    assert small.std() == pytest.approx(0.05, rel=0.05)
    large = perturb(free, 3.0, system, scaling, rng)
    assert is_cell(large, system, scaling).all()
    assert not is_cell(free + rng.normal(0, 3.0, free.shape), system, scaling).all()


def test_numpy_equals_keras_with_the_closeness_in_the_graph():
    system = SYSTEMS["monoclinic"]
    examples, scaling = prepared(system, 40)
    lines = assignment_lines(examples, system, scaling)
    hkl = reference_hkl(system, 60)
    trainer = build_trainer(hkl, system, scaling, 0.01, QUICK)
    trainer.reset(np.random.default_rng(1))
    x = reciprocal(lines.free_scaled, system, scaling)
    logits = trainer.predict(lines.q2_scaled, x)
    exponential = np.exp(logits - logits.max(axis=-1, keepdims=True))
    expected = exponential / exponential.sum(axis=-1, keepdims=True)
    arrays = network_arrays(trainer.model, QUICK, 0.01, 0.1)
    network = AssignmentNetwork(
        hidden_layers(arrays, "shared"), arrays["heads/kernel"], arrays["heads/bias"], 0.01, 0.1
    )
    found = network.predict_proba(lines.q2_scaled, scaling.q2(x @ system.design_matrix(hkl).T))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_training_beats_chance_and_is_judged_against_nearest(tmp_path):
    system = SYSTEMS["cubic"]
    examples, scaling = prepared(system, 400)
    path, result = train(tmp_path, system, examples, scaling)
    TRAINING.arrow(result.training)
    METRICS.arrow(result.metrics)
    accuracy = result.metrics.set_index("estimator")["value"]
    assert accuracy["nearest"] > 0.8
    assert accuracy["assignment network"] > 0.5
    losses = result.training["validation_loss"]
    assert losses.iloc[-1] < 0.5 * losses.iloc[0]
    validation = examples.query("side == 'validation' and not augmented")
    assert set(result.metrics["entries"]) == {len(validation) // 2}
    network = AssignmentNetwork.load(path)
    assert (network.epsilon, network.noise_level) == (0.005, 0.01)


def test_same_seed_same_bytes(tmp_path):
    system = SYSTEMS["cubic"]
    examples, scaling = prepared(system)
    short = Assignment(layers=(10,), epochs=2, min_train=50)
    digests = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path, _ = train(tmp_path / name, system, examples, scaling, short)
        digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
    assert digests[0] == digests[1]


def test_augmented_entries_do_not_count(tmp_path):
    system = SYSTEMS["cubic"]
    examples, scaling = prepared(system)
    few = examples.assign(augmented=examples["augmented"] | (np.arange(len(examples)) > 60))
    path, result = train(tmp_path, system, few, scaling)
    assert not path.exists()
    assert list(result.metrics["metric"]) == ["not trained"]
    METRICS.arrow(result.metrics)
    TRAINING.arrow(result.training)


def test_the_synthetic_peaks_are_those_of_their_cells():
    # Guards the tests above: the made-up examples are consistent in themselves.
    system = SYSTEMS["monoclinic"]
    examples, _ = prepared(system, 30)
    row = examples.iloc[-1]
    cell = row[["a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg"]].to_numpy(dtype=float)
    standard = cell_to_standard(cell, system, row["unique_axis"])
    assert standard[3] == standard[5] == 90
    spacing = gemmi.UnitCell(*standard)
    hkl = np.stack([row["h"], row["k"], row["l"]], axis=1)
    expected = [1 / spacing.calculate_d([int(i) for i in v]) ** 2 for v in hkl]
    np.testing.assert_allclose(row["q2_inv_A2"], expected, rtol=1e-9)
    assert quadratic_terms(hkl).shape == (20, 6)
