"""Cells that only the lines of one zone speak for are searched for more closely."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.made_trials import generic_cell, trial_of
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.equivalence import lattice_of, same
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.indexing.search import plan
from mlindex.indexing.search.dominant import is_open, rests_on_one_zone
from mlindex.indexing.search.observed import observe
from mlindex.indexing.search.run import Run
from mlindex.patterns.peaklist import PeakList

FLAT = {
    "aP": (np.array([4.5, 5.1, 31.0, 91.0, 94.0, 104.0]), "P"),
    "mC": (np.array([19.3, 4.9, 22.7, 90.0, 93.3, 90.0]), "C"),
}


def reflections_of(cell: np.ndarray, centring: str, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Miller indices (r, 3) and q² (r,), rising."""
    hkl = reflections(cell, centring, reach)
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    order = np.argsort(q2, kind="stable")
    return hkl[order], q2[order]


def flat_lines(bravais: str, seed: int) -> np.ndarray:
    """20 lines of a flat cell, most of h0l, fewer of 0kl and fewest of the rest."""
    hkl, q2 = reflections_of(*FLAT[bravais], 0.25)
    share = np.where(hkl[:, 1] == 0, 0.4, np.where(hkl[:, 0] == 0, 0.3, 0.15))
    return q2[np.random.default_rng(seed).random(len(q2)) < share][:20]


def one_zone(bravais: str, outside: int) -> np.ndarray:
    """Lines of h0l and so many others of no other zone, 20 in all."""
    hkl, q2 = reflections_of(*FLAT[bravais], 0.4)
    inside, general = hkl[:, 1] == 0, np.all(hkl != 0, axis=1)
    return np.sort(np.concatenate([q2[inside][: 20 - outside], q2[general][: 3 * outside : 3]]))


@pytest.mark.parametrize(("bravais", "seed"), [("aP", 6), ("mC", 0), ("mC", 8), ("mC", 13)])
def test_a_flat_cell_that_the_quick_search_leaves_out_is_found(bravais, seed, monkeypatch):
    q2 = flat_lines(bravais, seed)
    observed = observe(PeakList("made", q2, None, 1.5406), 20, None)
    true = lattice_of(*FLAT[bravais])

    def first() -> plan.Trial:
        return plan.search(observed, [bravais], Run())[0][0]

    assert same(first().lattice(), true, 1e-3, 0.05)
    # Without the closer stages it is not.
    monkeypatch.setattr(plan, "CLOSER", ())
    assert not same(first().lattice(), true, 1e-2, 0.5)


@pytest.mark.parametrize("bravais", BRAVAIS)
def test_the_first_lines_of_an_ordinary_cell_are_not_of_one_zone(bravais):
    cell, letter = generic_cell(bravais), BRAVAIS[bravais].centring
    _, q2 = reflections_of(cell, letter, 40 / lattice_of(cell, letter).volume_A3 ** (2 / 3))
    q2 = q2[np.concatenate([[True], np.diff(q2) > 1e-6])][:20]
    trial, observed = trial_of(bravais, cell, letter, q2)
    assert len(q2) == 20
    assert not rests_on_one_zone(trial, observed)


@pytest.mark.parametrize("bravais", FLAT)
def test_lines_outside_the_zone_are_counted(bravais):
    cell, letter = FLAT[bravais]
    free = BRAVAIS[bravais].system.n_free
    assert rests_on_one_zone(*trial_of(bravais, cell, letter, one_zone(bravais, free)))
    assert not rests_on_one_zone(*trial_of(bravais, cell, letter, one_zone(bravais, free + 3)))


def test_lines_that_are_not_exact_tell_nothing():
    cell, letter = FLAT["aP"]
    q2 = one_zone("aP", 4)
    exact, observed = trial_of("aP", cell, letter, q2)
    noise = np.random.default_rng(2).normal(0.0, 1.0, 20) * observed.sigma
    off, observed = trial_of("aP", cell, letter, np.sort(q2 + noise))
    assert exact.evidence > off.evidence > 0
    assert not rests_on_one_zone(off, observed)


@pytest.mark.parametrize("bravais", FLAT)
def test_lines_of_one_zone_leave_a_cell_open(bravais):
    cell, letter = FLAT[bravais]
    assert is_open(*trial_of(bravais, cell, letter, one_zone(bravais, 0)))
    assert not is_open(*trial_of(bravais, cell, letter, one_zone(bravais, 6)))
