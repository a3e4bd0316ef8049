import numpy as np
import pandas as pd
import pytest

from helpers.synthetic_dataset import dataset_of
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.rows import observed_q2, reindexed_free
from mlindex.method.scaling import Scaling, fit_scaling, n_lengths
from mlindex.method.tables import SCALING


@pytest.mark.parametrize("name", SYSTEMS)
def test_there_and_back_and_of_the_order_of_one(name):
    system = SYSTEMS[name]
    dataset = dataset_of(system)
    table = fit_scaling(dataset, system)
    assert SCALING.arrow(table).num_rows == 3
    scaling = Scaling.from_table(table)
    train = dataset[dataset["side"] == "train"]
    free = reindexed_free(train, system)
    scaled = scaling.free(free, system)
    assert scaled.shape == (len(train), system.n_free)
    np.testing.assert_allclose(scaling.free_inverse(scaled, system), free, rtol=1e-12)
    lengths = scaled[:, : n_lengths(system)]
    assert lengths.mean() == pytest.approx(0.0, abs=1e-9)
    assert lengths.std() == pytest.approx(1.0)
    q2 = observed_q2(train, system)
    assert q2.shape == (len(train), n_peaks_of(system))
    assert scaling.q2(q2).std() == pytest.approx(1.0)
    np.testing.assert_allclose(scaling.q2_inverse(scaling.q2(q2)), q2, rtol=1e-12)


def test_angles_are_measured_from_90_degrees():
    system = SYSTEMS["triclinic"]
    scaling = Scaling(0.1, 0.05, 10.0, 2.0, np.pi / 2, np.radians(10.0))
    free = np.array([12.0, 8.0, 10.0, 90.0, 100.0, 85.0])
    np.testing.assert_allclose(
        scaling.free(free, system), [1.0, -1.0, 0.0, 0.0, 1.0, -0.5], atol=1e-12
    )


def test_only_usable_training_entries_count():
    system = SYSTEMS["monoclinic"]
    dataset = dataset_of(system)
    table = fit_scaling(dataset, system)
    spoilt = dataset.copy()
    out = (spoilt["side"] == "validation").to_numpy()
    unusable = spoilt.iloc[[0]].assign(side="train", usable=False, a_A=1e6)
    spoilt.loc[out, ["a_A", "b_A", "c_A"]] = 1e6
    spoilt = pd.concat([spoilt, unusable], ignore_index=True)
    pd.testing.assert_frame_equal(fit_scaling(spoilt, system), table)
    assert table["values"].tolist() == [
        np.count_nonzero(~out) * 20,
        np.count_nonzero(~out) * 3,
        np.count_nonzero(~out),
    ]


def test_fixed_and_right_angles_leave_the_angle_scale_alone():
    cubic = fit_scaling(dataset_of(SYSTEMS["cubic"]), SYSTEMS["cubic"]).set_index("quantity")
    assert cubic.loc["angle_rad", ["mean", "scale", "values"]].tolist() == [np.pi / 2, 1.0, 0]
    system = SYSTEMS["triclinic"]
    dataset = dataset_of(system)
    oblique = fit_scaling(dataset, system).set_index("quantity").loc["angle_rad"]
    right = dataset.assign(gamma_deg=90.0)
    fewer = fit_scaling(right, system).set_index("quantity").loc["angle_rad"]
    assert fewer["values"] == oblique["values"] * 2 / 3
    train = dataset[dataset["side"] == "train"]
    angles = train[["alpha_deg", "beta_deg"]].to_numpy()
    assert fewer["scale"] == pytest.approx(np.std(np.radians(angles)))


@pytest.mark.parametrize("bravais", BRAVAIS)
def test_no_or_one_entry_gives_finite_scales(bravais):
    system = BRAVAIS[bravais].system
    for count in (0, 1):
        table = fit_scaling(dataset_of(system, count), system)
        assert np.isfinite(table[["mean", "scale"]].to_numpy()).all()
        assert (table["scale"] > 0).all()
