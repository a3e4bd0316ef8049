"""Which parents are augmented how often, and what happens to their cells."""

import dataclasses

import gemmi
import numpy as np
import pandas as pd
import pytest

from mlindex.crystal.lattice import ANGLES, SYSTEMS
from mlindex.method.augmentation import Perturbation, allocate, reindexed_cells
from mlindex.method.lattices import METHOD_DEFAULTS, MethodDefaults
from mlindex.method.scaling import Scaling

SCALING = Scaling(0.1, 0.05, 8.0, 2.0, np.pi / 2, 0.15)


def free_cells(system, n, rng):
    """Free parameters of n valid cells, lengths sorted where the system's cells are."""
    angle = np.array([name in ANGLES for name in system.free_parameters])
    free = np.where(angle, rng.uniform(92, 105, (n, len(angle))), 0.0)
    lengths = rng.uniform(3, 15, (n, (~angle).sum()))
    free[:, ~angle] = np.sort(lengths, axis=1) if system.sorts_axes else lengths
    return free


def counts_of(symbols, total, cap=10, seed=0):
    symbols = pd.Series(symbols)
    counts = allocate(symbols, total, cap, np.random.default_rng(seed))
    return counts, pd.Series(counts).groupby(symbols).sum().to_dict()


def test_rarer_symbols_are_filled_up_first():
    symbols = ["common"] * 90 + ["rare"] * 5 + ["middle"] * 20
    _, by_symbol = counts_of(symbols, 60)
    # Both end at 42 and 43 entries: (60 + 5 + 20) / 2, the odd one to the rarer symbol.
    assert by_symbol == {"common": 0, "middle": 22, "rare": 38}


def test_no_parent_exceeds_its_share_and_the_rest_goes_on():
    counts, by_symbol = counts_of(["a"] + ["b"] * 4 + ["c"] * 200, 150)
    assert counts.max() == 10
    assert by_symbol == {"a": 10, "b": 40, "c": 100}


def test_parents_of_a_symbol_share_alike():
    counts, _ = counts_of(["a"] * 7, 24)
    assert counts.sum() == 24
    assert set(counts) == {3, 4}


@pytest.mark.parametrize("total", [0, 1, 17, 333, 10_000])
def test_the_total_is_met_or_the_parents_are_exhausted(total):
    rng = np.random.default_rng(5)
    symbols = rng.choice(list("abcdef"), 80, p=[0.5, 0.2, 0.15, 0.1, 0.04, 0.01])
    counts, _ = counts_of(symbols, total)
    assert counts.sum() == min(total, 800)
    assert counts.max(initial=0) <= 10


def test_nothing_to_allocate():
    assert len(counts_of([], 10)[0]) == 0
    assert counts_of(["a", "b"], 5, cap=0)[0].tolist() == [0, 0]


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_perturbed_cells_are_cells_of_the_system(system):
    rng = np.random.default_rng(1)
    train = free_cells(system, 400, rng)
    free, valid = Perturbation.fit(train, system, SCALING, 0.2).draw(train, rng)
    assert valid.mean() > 0.95
    assert np.all(np.any(free[valid] != train[valid], axis=1))
    axes = np.array(["a", "b", "c", "b"] * 100 if system.unique_axis is not None else [""] * 400)
    cells = reindexed_cells(free, axes, system)[valid]
    for cell, axis in zip(cells, axes[valid], strict=True):
        assert gemmi.UnitCell(*cell).volume > 0
        if system.unique_axis is None:
            assert system.fits(cell, 1e-12, 1e-12)
        else:
            assert [name for name, v in zip("abc", cell[3:], strict=True) if v != 90.0] == [axis]
    if system.sorts_axes:
        assert np.all(np.diff(cells[:, :3], axis=1) >= 0)
    angle = np.array([name in ANGLES for name in system.free_parameters])
    assert np.all(free[valid][:, angle] <= train[:, angle].max(axis=0))
    assert np.all(free[valid] >= train.min(axis=0))


def unbounded(perturbation):
    n = perturbation.system.n_free
    return dataclasses.replace(perturbation, low=np.zeros(n), high=np.full(n, 179.0))


def test_covariance_perturbation_has_the_covariance_of_training(monkeypatch):
    rng = np.random.default_rng(2)
    system = SYSTEMS["tetragonal"]
    monkeypatch.setitem(METHOD_DEFAULTS, system.name, MethodDefaults(perturbation="covariance"))
    scaled = rng.multivariate_normal([0, 0], [[1.0, 0.6], [0.6, 0.8]], 4000)
    train = SCALING.free_inverse(scaled, system) + 20.0
    parent = np.tile([[30.0, 30.0]], (40_000, 1))
    free, valid = unbounded(Perturbation.fit(train, system, SCALING, 0.2)).draw(parent, rng)
    assert valid.all()
    found = np.cov(SCALING.free(free, system), rowvar=False)
    expected = 0.04 * np.cov(SCALING.free(train, system), rowvar=False)
    assert np.allclose(found, expected, atol=0.001)


def test_svd_perturbation_spreads_as_each_component_does():
    rng = np.random.default_rng(3)
    system = SYSTEMS["tetragonal"]
    train = SCALING.free_inverse(
        rng.multivariate_normal([0.3, 0.1], [[1, 0.5], [0.5, 2]], 4000), system
    )
    train += 20.0
    scaled = SCALING.free(train, system)
    # Right singular vectors are eigenvectors of the second moment, not of the covariance.
    directions = np.linalg.eigh(scaled.T @ scaled)[1]
    parent = np.tile([[30.0, 30.0]], (40_000, 1))
    free, _ = unbounded(Perturbation.fit(train, system, SCALING, 0.2)).draw(parent, rng)
    found = (SCALING.free(free, system) @ directions).std(axis=0)
    assert np.allclose(found, 0.2 * (scaled @ directions).std(axis=0), rtol=0.02)


def test_random_perturbation_has_the_stated_width():
    rng = np.random.default_rng(4)
    system = SYSTEMS["cubic"]
    perturbation = Perturbation.fit(np.array([[5.0], [9.0], [30.0]]), system, SCALING, 0.2)
    free, valid = perturbation.draw(np.full((40_000, 1), 12.0), rng)
    assert valid.all()
    assert np.std(free) == pytest.approx(0.2 * SCALING.length_scale, rel=0.02)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_few_training_entries_do_not_crash(system):
    rng = np.random.default_rng(6)
    for n in (1, 2, 3):
        train = free_cells(system, n, rng)
        free, valid = Perturbation.fit(train, system, SCALING, 0.2).draw(train, rng)
        assert free.shape == train.shape
        assert np.isfinite(free[valid]).all()


def test_cells_that_leave_the_order_are_drawn_again():
    system = SYSTEMS["orthorhombic"]
    rng = np.random.default_rng(7)
    train = free_cells(system, 300, rng)
    perturbation = Perturbation.fit(train, system, SCALING, 0.2)
    swapped = train[:, ::-1]
    assert not perturbation.valid(swapped, train).any()
    tight = np.tile([[8.0, 8.001, 8.002]], (300, 1))
    free, valid = perturbation.draw(tight, rng)
    assert valid.mean() > 0.9
    assert np.all(np.diff(free[valid], axis=1) >= 0)
