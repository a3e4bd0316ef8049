"""The best trials of pools, for what tells them apart where the lines do not."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.made_trials import generic_cell, trial_of
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.equivalence import same
from mlindex.crystal.lattice import BRAVAIS, CENTRING_CODES, quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.indexing.search.open_trials import OF_POOL, open_trials, pooled
from mlindex.indexing.search.plan import Progress, SearchStage, run_stage
from mlindex.indexing.search.pool import Pool
from mlindex.indexing.search.run import Run

PRIMITIVE = CENTRING_CODES["P"]


def case(bravais, n=20):
    """A trial that is right, and the first lines of its lattice as they are observed."""
    cell = generic_cell(bravais)
    hkl = reflections(cell, "P", 0.4)
    q2 = np.unique(np.round(quadratic_terms(hkl) @ reciprocal_from_cell(cell), 9))[:n]
    return trial_of(bravais, cell, "P", q2)


def pool_of(x6, scores):
    pool = Pool()
    pool.x6[: len(x6)], pool.score[: len(x6)], pool.centring[: len(x6)] = x6, scores, PRIMITIVE
    pool.count[:] = len(x6)
    return pool


@pytest.mark.parametrize("bravais", ["oP", "mP", "aP"])
def test_the_right_cell_comes_from_far_down_a_pool(bravais):
    right, observed = case(bravais)
    rng = np.random.default_rng(5)
    x6 = reciprocal_from_cell(right.cell)
    wrong = x6 * rng.uniform(0.7, 1.4, (200, 1)) * np.where(x6 == 0, 0, rng.uniform(0.8, 1.2))
    near = x6 * (1 + 1e-3 * rng.normal(size=6))
    pools = pooled(BRAVAIS[bravais], pool_of([*wrong, near], -np.arange(201.0)), 0.0)
    found = open_trials([*pools, *pools], observed)
    best = max(found, key=lambda trial: trial.evidence)
    assert same(best.lattice(), right.lattice(), 1e-4, 1e-2)
    # Each lattice once, though the pools have it twice.
    again = [t for t in found if same(t.lattice(), right.lattice(), 1e-4, 1e-2)]
    assert len(again) == 1


def test_the_best_of_a_pool_are_kept():
    x6 = np.arange(6.0) + np.arange(OF_POOL + 30.0)[:, None]
    scores = np.random.default_rng(1).permutation(len(x6))
    (kept,) = pooled(BRAVAIS["aP"], pool_of(x6, scores), 0.05)
    assert kept.shift_deg == 0.05
    assert len(kept.x) == OF_POOL
    assert sorted(kept.x[:, 0]) == sorted(x6[scores >= 30, 0])


def test_lattices_that_are_searched_exhaustively_have_none():
    assert pooled(BRAVAIS["tP"], pool_of(np.ones((3, 6)), np.ones(3)), 0.0) == []
    assert pooled(BRAVAIS["oP"], Pool(), 0.0) == []


def test_no_time_gives_none():
    right, observed = case("oP")
    pools = pooled(BRAVAIS["oP"], pool_of([reciprocal_from_cell(right.cell)], [0.0]), 0.0)
    assert open_trials(pools, observed)
    assert open_trials(pools, observed, lambda: True) == []


def test_threads_change_nothing_of_what_is_kept():
    _, observed = case("oP", 12)
    kept = []
    for workers in (1, 3):
        progress = Progress(status={})
        run_stage(
            observed, SearchStage(0.3), ("mC", "tP", "oP", "oC"), Run(workers=workers), progress
        )
        kept.append(progress.pools)
    assert [one.bravais.symbol for one in kept[0]] == ["mC", "oP", "oC"]
    for one, other in zip(*kept, strict=True):
        assert one.bravais == other.bravais
        assert np.array_equal(one.x, other.x)
