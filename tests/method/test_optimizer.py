"""The engine: kernels against numpy, the target by hand, and cells found in all systems."""

import numpy as np
import pandas as pd
import pytest

from helpers.indexing_models import Models, lines_of, reference_list
from mlindex.base.schema import write_table
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.equivalence import same_lattice
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS, quadratic_terms
from mlindex.crystal.standard import standard_cell
from mlindex.learning.lattices import n_peaks_of
from mlindex.method.optimizer.kernels import least_squares, lines_below, nearest_reflections
from mlindex.method.optimizer.likelihood import (
    explaining_threshold,
    geometric_merit,
    negative_log_likelihood,
    negative_log_posterior,
)
from mlindex.method.optimizer.optimize import optimize
from mlindex.method.optimizer.templates import learn_templates, template_cells
from mlindex.method.settings import Optimization
from mlindex.method.tables import TEMPLATES

CELLS = {
    "cP": [6.3, 6.3, 6.3, 90, 90, 90],
    "cI": [9.1, 9.1, 9.1, 90, 90, 90],
    "cF": [10.7, 10.7, 10.7, 90, 90, 90],
    "tP": [5.2, 5.2, 8.9, 90, 90, 90],
    "tI": [7.3, 7.3, 10.4, 90, 90, 90],
    "hP": [6.1, 6.1, 9.7, 90, 90, 120],
    "hR": [6.9, 6.9, 6.9, 72, 72, 72],
    "oP": [5.1, 7.3, 9.6, 90, 90, 90],
    "oC": [6.2, 8.7, 10.9, 90, 90, 90],
    "oI": [6.4, 8.3, 11.2, 90, 90, 90],
    "oF": [9.3, 11.4, 14.9, 90, 90, 90],
    "mP": [5.3, 7.7, 9.4, 90, 101, 90],
    "mC": [6.6, 8.9, 10.3, 90, 103, 90],
    "aP": [5.4, 6.8, 8.1, 97, 102, 105],
}


def test_nearest_reflections_are_those_of_a_plain_search() -> None:
    rng = np.random.default_rng(1)
    design = rng.uniform(0, 1, (80, 3))
    x = rng.uniform(0, 1, (20, 3))
    q2 = np.sort(rng.uniform(0, 2, 15))
    labels, values = nearest_reflections(x, design, q2)
    calculated = x @ design.T
    for i in range(20):
        for k in range(15):
            below = calculated[i][calculated[i] < q2[k]]
            above = calculated[i][calculated[i] >= q2[k]]
            expected = [below.max(initial=-np.inf), above.min(initial=np.inf)]
            np.testing.assert_allclose(values[i, k], expected, rtol=1e-14)
            named = labels[i, k] >= 0
            np.testing.assert_array_equal(named, np.isfinite(expected))
            chosen = calculated[i, labels[i, k][named]]
            np.testing.assert_allclose(chosen, values[i, k][named], rtol=1e-14)
    np.testing.assert_array_equal(lines_below(x, design, 1.0), (calculated <= 1.0).sum(axis=1))


@pytest.mark.parametrize("n_free", [1, 2, 4, 6])
def test_least_squares_is_that_of_numpy(n_free: int) -> None:
    rng = np.random.default_rng(2)
    design = rng.integers(-4, 5, (60, n_free)).astype(float)
    q2, x = np.sort(rng.uniform(0.1, 1, 20)), rng.uniform(0, 1, (7, n_free))
    labels, weights = rng.integers(0, 60, (7, 20)), rng.uniform(0, 3, (7, 20))
    found = least_squares(x, design, labels, q2, weights)
    for i in range(7):
        root = np.sqrt(weights[i])
        expected = np.linalg.lstsq(design[labels[i]] * root[:, None], q2 * root, rcond=None)[0]
        np.testing.assert_allclose(found[i], expected, rtol=1e-8, atol=1e-10)


def test_singular_least_squares_leave_the_cell() -> None:
    x = np.array([[0.1, 0.2]])
    design = np.array([[1.0, 1.0], [2.0, 2.0]])
    found = least_squares(x, design, np.array([[0, 1]]), np.array([0.3, 0.6]), np.ones((1, 2)))
    np.testing.assert_array_equal(found, x)


def test_target_by_hand() -> None:
    q2, difference, epsilon = np.array([0.1, 0.4]), np.array([0.01, -0.02]), 1e-3
    sigma2 = np.array([0.1 * 0.011, 0.4 * 0.021])
    expected = np.sum(0.5 * np.log(2 * np.pi * sigma2) + 0.5 * difference**2 / sigma2)
    found = negative_log_likelihood(difference, q2, epsilon)
    assert found == pytest.approx(expected)
    posterior = negative_log_posterior(found, 2, np.array(9.0))
    assert posterior == pytest.approx(expected + np.log(9.0))


def test_threshold_and_geometric_merit() -> None:
    q2 = np.linspace(0.05, 0.5, 20)
    exact = negative_log_likelihood(np.zeros(20), q2, 1e-10)
    assert exact < explaining_threshold(q2, 1e-10, 100) < -10 * 20 + 20
    off = negative_log_likelihood(np.full(20, 1e-7), q2, 1e-10)
    assert off > explaining_threshold(q2, 1e-10, 100)
    merit = geometric_merit(negative_log_posterior(off, 20, np.array(25.0)), q2)
    assert merit == pytest.approx(0.5 / (2 * 1e-7 * 25), rel=2e-3)


@pytest.mark.parametrize("symbol", CELLS)
def test_every_bravais_lattice_is_found(symbol: str) -> None:
    lattice = BRAVAIS[symbol]
    models = Models(lattice.system.name, CELLS[symbol], error=0.05)
    q2 = lines_of(CELLS[symbol], lattice.centring, n_peaks_of(lattice.system))
    rng = np.random.default_rng(3)
    cells = models.draw_candidates(q2, 0, 0, rng).cells
    found = optimize(q2, cells, lattice.system, models.reference_hkl, Optimization(), rng)
    best = found.solutions[0]
    assert best.n_indexed == len(q2)
    assert same_lattice(best.cell, best.centring, CELLS[symbol], lattice.centring, 1e-5, 1e-3)
    assert best.bravais == symbol
    q2_of_hkl = quadratic_terms(best.merit.hkl) @ reciprocal_from_cell(best.cell)
    np.testing.assert_allclose(q2_of_hkl, q2, atol=1e-8)
    merits = [s.merit.m for s in found.solutions]
    assert merits == sorted(merits, reverse=True)


@pytest.mark.parametrize("assignment", ["nearest", "network"])
@pytest.mark.parametrize("draw", ["resampling", "subsampling"])
def test_ways_of_drawing(assignment: str, draw: str) -> None:
    models = Models("monoclinic", CELLS["mP"], error=0.02, count=80)
    q2 = lines_of(CELLS["mP"], "P", 20)
    settings = Optimization(assignment=assignment, draw=draw, iterations=60)

    def probabilities(cells: np.ndarray, level: int) -> np.ndarray:
        return models.assign_probabilities(q2, cells, models.assignment_levels[level])

    results = []
    for _ in range(2):
        rng = np.random.default_rng(4)
        cells = models.draw_candidates(q2, 0, 0, rng).cells
        results.append(
            optimize(
                q2, cells, models.system, models.reference_hkl, settings, rng, probabilities, 2
            )
        )
    best = results[0].solutions[0]
    assert same_lattice(best.cell, "P", CELLS["mP"], "P", 1e-4, 1e-2)
    np.testing.assert_array_equal(results[0].cells, results[1].cells)


def test_no_candidate_gives_no_solution() -> None:
    system = SYSTEMS["cubic"]
    reference = reference_list("cubic")
    settings, rng = Optimization(), np.random.default_rng(0)
    q2 = lines_of(CELLS["cP"], "P", 10)
    for cells in (np.empty((0, 6)), np.array([[1.0, 1, 1, 90, 90, 90]])):
        found = optimize(q2, cells, system, reference, settings, rng)
        assert (len(found.solutions), found.candidates) == (0, 0)


def test_standard_cells_keep_the_lattice() -> None:
    oblique = np.array([5.0, 7.0, 14.0, 90, 140, 90])
    standard = standard_cell(oblique, SYSTEMS["monoclinic"])
    assert same_lattice(oblique, "P", standard, "P", 1e-9, 1e-6)
    assert standard[0] <= standard[2]
    assert 90 <= standard[4] < 120
    triclinic = standard_cell(np.array([5.0, 7.0, 14.0, 70, 40, 60]), SYSTEMS["triclinic"])
    assert np.all(np.diff(triclinic[:3]) >= 0)


def test_templates_are_counted_and_solved(tmp_path) -> None:
    system, reference = SYSTEMS["orthorhombic"], reference_list("orthorhombic")
    cell = np.array([5.0, 7.0, 9.0, 90, 90, 90])
    q2 = lines_of(cell, "P", 20)
    calculated = quadratic_terms(reference) @ reciprocal_from_cell(cell)
    labels = [np.argmin(np.abs(calculated - v)) for v in q2]
    examples = pd.DataFrame({"side": ["train"] * 3 + ["validation"], "label": [labels] * 4})
    templates = learn_templates(examples, reference, system, 50)
    assert set(templates["examples"]) == {3}
    write_table(tmp_path / "templates.parquet", TEMPLATES, templates)
    cells = template_cells(q2, templates, reference, system, 10, np.random.default_rng(0))
    assert len(cells) == len(templates)
    np.testing.assert_allclose(cells, np.tile(cell, (len(cells), 1)), rtol=1e-6)
