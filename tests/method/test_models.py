import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from helpers.synthetic_examples import make_frames, reference_hkl
from mlindex.base.errors import MlindexError
from mlindex.crystal.lattice import SYSTEMS
from mlindex.crystal.reindexed import free_from_reindexed
from mlindex.learning.networks import DenseNetwork
from mlindex.learning.trees import Trees
from mlindex.method.assignment import train_assignment
from mlindex.method.draws import draw_from_network, draw_from_trees, possible_cells
from mlindex.method.forest import train_forests
from mlindex.method.models import FOREST, NETWORK, ModelSet, load_trained, write_model_set
from mlindex.method.networks import VarianceNetwork
from mlindex.method.regression import train_regression
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Assignment, Forest, Regression
from mlindex.method.tables import TEMPLATES

SYSTEM = SYSTEMS["monoclinic"]
COUNTS = {"mP_b_00": 150, "mC_a_00": 120, "mC_c_00": 20}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    frames = make_frames(SYSTEM, COUNTS, np.random.default_rng(8))
    scaling = Scaling.from_table(frames["scaling"])
    examples, hkl = frames["examples"], reference_hkl(SYSTEM)
    quick = Regression(mean_layers=(20,), variance_layers=(10,), cycles=1, epochs=2, min_train=50)
    train_regression(examples, ["mP_b_00"], SYSTEM, scaling, quick, 1, root / "batch0")
    train_regression(examples, ["mC_a_00", "mC_c_00"], SYSTEM, scaling, quick, 1, root / "batch1")
    train_forests(examples, list(COUNTS), SYSTEM, scaling, Forest(trees=10), 1, root / "forest")
    assignment = Assignment(layers=(10,), epochs=1)
    for level in (0.1, 0.01):
        path = root / f"level{level}.npz"
        train_assignment(examples, hkl, SYSTEM, scaling, level, 0.01, assignment, 1, path)
    return root, frames


def write(parts, directory):
    root, frames = parts
    write_model_set(
        directory,
        SYSTEM,
        frames["scaling"],
        frames["reference"],
        frames["groups"],
        TEMPLATES.empty(),
        [root / "batch0", root / "batch1"],
        root / "forest",
        {0.1: root / "level0.1.npz", 0.01: root / "level0.01.npz", 0.05: root / "absent.npz"},
        {"seed": 1},
    )
    return directory


@pytest.fixture(scope="module")
def models(parts, tmp_path_factory):
    return ModelSet.load(write(parts, tmp_path_factory.mktemp("set") / "monoclinic"))


def pattern(parts):
    return np.asarray(parts[1]["examples"]["q2_inv_A2"].iloc[0])


def test_all_parts_are_there(models, parts, tmp_path):
    assert [g.name for g in models.groups] == ["mC_a_00", "mC_c_00", "mP_b_00"]
    assert [g.unique_axis for g in models.groups] == ["a", "c", "b"]
    assert [g.network is None for g in models.groups] == [False, True, False]
    assert [g.forest is None for g in models.groups] == [False, True, False]
    assert models.assignment_levels == (0.1, 0.01)
    np.testing.assert_array_equal(models.reference_hkl, reference_hkl(SYSTEM))
    manifest = json.loads((write(parts, tmp_path / "m") / "model.json").read_text())
    assert "network of mC_c_00" in manifest["statement"]
    assert "assignment network 0.05" in manifest["statement"]
    assert manifest["provenance"] == {"seed": 1}
    assert [v["epsilon"] for v in manifest["assignment"]] == [0.01, 0.01]


def test_writing_twice_gives_the_same_bytes(parts, tmp_path):
    one, two = write(parts, tmp_path / "one"), write(parts, tmp_path / "two")
    assert (one / "model.json").read_bytes() == (two / "model.json").read_bytes()


def test_candidates_are_standard_cells_of_their_group(models, parts):
    drawn = models.draw_candidates(pattern(parts), 40, 25, np.random.default_rng(0))
    assert drawn.cells.shape == (len(drawn.origin), 6)
    assert len(drawn.group_index) == len(drawn.origin)
    assert possible_cells(drawn.cells).all()
    np.testing.assert_array_equal(drawn.cells[:, [3, 5]], 90.0)
    assert set(drawn.group_index) == {0, 2}
    for group in (0, 2):
        here = drawn.group_index == group
        assert (drawn.origin[here] == FOREST).sum() == 25
        assert 20 < (drawn.origin[here] == NETWORK).sum() <= 40
    again = models.draw_candidates(pattern(parts), 40, 25, np.random.default_rng(0))
    np.testing.assert_array_equal(again.cells, drawn.cells)


def test_tree_candidates_are_single_trees_in_the_standard_setting(models, parts):
    q2 = pattern(parts)
    drawn = models.draw_candidates(q2, 0, 10, np.random.default_rng(0))
    scaled = models.scaling.q2(q2).astype(np.float32)[None]
    free = models.scaling.free_inverse(models.groups[0].forest.predict(scaled)[0], SYSTEM)
    # Unique axis a: the reindexed a is the standard b, its alpha the standard beta.
    expected = free[:, [1, 0, 2, 3]]
    found = SYSTEM.free_from_cell(drawn.cells[drawn.group_index == 0])
    np.testing.assert_allclose(np.sort(found, axis=0), np.sort(expected, axis=0))
    assert free_from_reindexed(drawn.cells[0], SYSTEM, "b")[0] != free[0, 0]


def test_network_draws_follow_the_predictive_distribution():
    def constant(values):
        return DenseNetwork((), np.zeros((20, 2), np.float32), np.array(values, np.float32))

    network = VarianceNetwork(constant([0.5, -1]), constant([2.0, 4.0]), constant([0.0, -2.0]))
    mean, alpha, beta = (v[0] for v in network.predict(np.zeros((1, 20))))
    drawn = draw_from_network(network, np.zeros(20), 4000, np.random.default_rng(0))
    for column in range(2):
        exact = stats.t(2 * alpha[column], mean[column], np.sqrt(beta[column] / alpha[column]))
        assert stats.kstest(drawn[:, column], exact.cdf).pvalue > 0.01


def test_all_trees_are_drawn_before_one_is_drawn_again():
    leaf = np.full(5, -1, dtype=np.int32)
    trees = Trees(
        np.arange(5, dtype=np.int32), leaf, leaf, leaf, np.zeros(5), np.arange(5.0)[:, None]
    )
    drawn = draw_from_trees(trees, np.zeros(20), 12, np.random.default_rng(0))[:, 0]
    assert sorted(drawn[:5]) == sorted(drawn[5:10]) == [0, 1, 2, 3, 4]
    assert len(drawn) == 12
    assert draw_from_trees(trees, np.zeros(20), 0, np.random.default_rng(0)).shape == (0, 1)


def test_impossible_cells_are_seen():
    cells = np.array(
        [
            [5, 6, 7, 90, 100, 90],
            [-5, 6, 7, 90, 100, 90],
            [5, 0, 7, 90, 90, 90],
            [5, 6, np.inf, 90, 90, 90],
            [5, 6, 7, 90, 190, 90],
            [5, 6, 7, 120, 120, 120],
            [5, 6, 7, 30, 90, 140],
            [5, 6, 7, np.nan, 90, 90],
        ]
    )
    np.testing.assert_array_equal(possible_cells(cells), [True] + 7 * [False])


def test_assignment_probabilities(models, parts):
    drawn = models.draw_candidates(pattern(parts), 5, 5, np.random.default_rng(0))
    found = models.assign_probabilities(pattern(parts), drawn.cells, 0.01)
    assert found.shape == (len(drawn.cells), 20, len(models.reference_hkl))
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-5)
    one = models.assign_probabilities(pattern(parts), drawn.cells[3:4], 0.01)
    np.testing.assert_allclose(one[0], found[3], atol=1e-6)
    with pytest.raises(MlindexError, match=r"0\.1, 0\.01"):
        models.assign_probabilities(pattern(parts), drawn.cells, 0.05)


def test_a_wrong_number_of_peaks_is_refused(models):
    with pytest.raises(MlindexError, match="need 20 peaks, got 12"):
        models.draw_candidates(np.linspace(0.01, 0.2, 12), 1, 1, np.random.default_rng(0))


@pytest.mark.parametrize("harm", ["change", "remove"])
def test_a_changed_directory_is_refused(parts, tmp_path, harm):
    directory = write(parts, tmp_path / "monoclinic")
    victim = directory / "forest" / "mP_b_00.npz"
    if harm == "change":
        victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    else:
        victim.unlink()
    with pytest.raises(MlindexError, match=victim.name):
        ModelSet.load(directory)


def test_no_models_no_manifest(tmp_path):
    with pytest.raises(MlindexError, match="snakemake results/models/cubic"):
        ModelSet.load(tmp_path / "cubic")
    (tmp_path / "model.json").write_text("{broken")
    with pytest.raises(MlindexError, match="not readable"):
        ModelSet.load(tmp_path)


def test_an_untrained_system_says_so(parts, tmp_path):
    _, frames = parts
    empty = frames["groups"].iloc[:0]
    write_model_set(
        tmp_path / "m",
        SYSTEM,
        frames["scaling"],
        frames["reference"].iloc[:0],
        empty,
        TEMPLATES.empty(),
        [],
        tmp_path,
        {},
        {},
    )
    with pytest.raises(MlindexError, match="nothing was trained for monoclinic"):
        ModelSet.load(tmp_path / "m")
    assert load_trained(tmp_path / "m") is None


def test_inference_needs_neither_tensorflow_nor_scikit_learn():
    code = (
        "import sys, mlindex.method.models; "
        "print([m for m in ('tensorflow', 'keras', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
