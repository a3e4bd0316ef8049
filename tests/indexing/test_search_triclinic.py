"""Lattices without symmetry are found from lines with gaps; the zone kernels count right."""

from __future__ import annotations

import numpy as np
import pytest

from mlindex.crystal.cell import cell_from_reciprocal
from mlindex.crystal.equivalence import same_lattice
from mlindex.crystal.reduction_kernels import reduce_form, reduce_x6
from mlindex.indexing.search import triclinic, zones
from mlindex.indexing.search.kernels import Kind, Tables, explain, line_table
from mlindex.indexing.search.lines import Lines, lines_of
from mlindex.indexing.search.polish import fit
from mlindex.indexing.search.pool import Pool, consider, determinant

WAVELENGTH_A = 1.5406
WINDOW_DEG = 0.0125
#: Explaining lines takes no scores.
NO_SCORES = np.empty((0, 0))
ALL = Kind(1, 1, 0, 0)


def x6_of(cell: np.ndarray) -> np.ndarray:
    """Reciprocal parameters of a direct cell (A, degrees)."""
    g = np.linalg.inv(_metric(cell))
    return np.array([g[0, 0], g[1, 1], g[2, 2], 2 * g[1, 2], 2 * g[0, 2], 2 * g[0, 1]])


def all_q2(x6: np.ndarray, reach: int) -> np.ndarray:
    """q² of every index triple up to ``reach``, one of each pair of opposites."""
    h, k, l = np.indices((2 * reach + 1,) * 3).reshape(3, -1) - reach
    half = (h > 0) | ((h == 0) & ((k > 0) | ((k == 0) & (l > 0))))
    h, k, l = h[half], k[half], l[half]
    return np.stack([h * h, k * k, l * l, k * l, h * l, h * k], axis=1) @ x6


def random_cell(rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([rng.uniform(4.0, 11.0, 3), rng.uniform(75.0, 105.0, 3)])


def random_pattern(rng: np.random.Generator) -> tuple[np.ndarray, Lines]:
    """A cell and its first 20 lines, 40 % missing and the rest off by a fifth of the window."""
    cell = random_cell(rng)
    q2 = np.sort(all_q2(x6_of(cell), 6))[:60]
    q2 = q2[rng.random(60) > 0.4][:20]
    half = np.arcsin(WAVELENGTH_A * np.sqrt(q2) / 2)
    half = half + np.radians(rng.normal(0.0, WINDOW_DEG / 5, 20)) / 2
    q2 = np.sort((2 * np.sin(half) / WAVELENGTH_A) ** 2)
    window = 2 * np.sin(2 * half) / WAVELENGTH_A**2 * np.radians(WINDOW_DEG)
    return cell, lines_of(q2, window)


def found_rank(cell: np.ndarray, pool: Pool, most: int) -> int:
    """Place of a lattice among the best trials, or -1."""
    wanted = determinant(x6_of(cell))
    for rank, x6 in enumerate(pool.best(most)[0]):
        # Volumes are compared first because the comparison of lattices is slow.
        near = abs(determinant(x6) / wanted - 1) < 0.2
        if near and same_lattice(cell, "P", cell_from_reciprocal(x6), "P", 0.02, 1.0):
            return rank
    return -1


def test_random_lattices_are_found() -> None:
    rng = np.random.default_rng(11)
    ranks = []
    for _ in range(30):
        cell, lines = random_pattern(rng)
        pool = Pool()
        assert triclinic.search(lines, pool)
        ranks.append(found_rank(cell, pool, 50))
    assert sum(rank >= 0 for rank in ranks) >= 27
    assert sum(rank == 0 for rank in ranks) >= 24


def test_search_is_repeatable_and_trials_are_reduced() -> None:
    _, lines = random_pattern(np.random.default_rng(5))
    first, second = Pool(), Pool()
    triclinic.search(lines, first)
    triclinic.search(lines, second)
    for one, two in zip(first.best(100), second.best(100), strict=True):
        np.testing.assert_array_equal(one, two)
    x6, scores, _ = first.best(100)
    # The walk's innermost index belongs to the shortest vector, no product exceeds it.
    assert (x6[:, 0] >= x6[:, 1]).all()
    assert (x6[:, 1] >= x6[:, 2]).all()
    assert (np.abs(x6[:, 3:5]) <= x6[:, 2:3] * (1 + 1e-6)).all()
    assert (np.abs(x6[:, 5]) <= x6[:, 1] * (1 + 1e-6)).all()
    assert (np.diff(scores) <= 0).all()


def test_deadline_ends_the_search() -> None:
    _, lines = random_pattern(np.random.default_rng(6))
    asked = []

    def at_once() -> bool:
        asked.append(1)
        return True

    pool = Pool()
    assert triclinic.search(lines, pool, at_once) is False
    assert len(asked) == 1
    assert pool.count[0] == 0


@pytest.mark.parametrize("form", [(0.01, 0.013, 0.004), (0.004, 0.03, 0.0), (0.02, 0.021, 0.019)])
def test_zone_lines_agree_with_brute_force(form: tuple[float, float, float]) -> None:
    A, B, X = form
    h, k = np.indices((41, 41)).reshape(2, -1) - 20
    half = (h > 0) | ((h == 0) & (k > 0))
    q2 = np.sort((A * h * h + B * k * k + X * h * k)[half])
    q2_max = 0.3
    inside = q2[q2 <= q2_max]
    observed = np.append(inside[::3][:20], [0.2711, 0.2913])
    window = np.full(len(observed), 1e-4)
    table, scale = line_table(observed, window, q2_max)
    mask, number = zones.explain_zone(A, B, X, Tables(table, scale, q2_max, 500, NO_SCORES))
    assert number == len(inside)
    # The table rounds to its cells: lines nearer to the edge of the window than that may differ.
    far = np.abs(observed[:, None] - inside[None]).min(axis=1)
    for line, distance in enumerate(far):
        if abs(distance - 1e-4) > 2 / scale:
            assert bool(mask >> line & 1) == (distance < 1e-4)
    assert zones.explain_zone(A, B, X, Tables(table, scale, q2_max, 5, NO_SCORES))[1] == 6


def test_reduced_form_is_equivalent() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        A, B = rng.uniform(0.005, 0.05, 2)
        X = rng.uniform(-2, 2) * np.sqrt(A * B)
        a, b, x = reduce_form(A, B, X)
        assert 0 <= x <= a * (1 + 1e-12)
        assert a <= b
        assert a * b - x * x / 4 == pytest.approx(A * B - X * X / 4, rel=1e-9)
    assert reduce_form(0.01, 0.01, 0.03) == (0.0, 0.0, 0.0)


def test_true_zone_is_refined_to_its_lines() -> None:
    form = np.array([0.011, 0.0143, 0.0031])
    h, k = np.indices((13, 13)).reshape(2, -1) - 6
    half = (h > 0) | ((h == 0) & (k > 0))
    terms = np.stack([h * h, k * k, h * k], axis=1)[half]
    q2 = np.sort(terms @ form)[:10]
    window = np.full(10, 2e-4)
    table, scale = line_table(q2, window, float(q2[-1] + 2e-4))
    forms = (form * (1 + np.array([1e-3, -1e-3, 2e-3])))[None].copy()
    tables = Tables(table, scale, float(q2[-1] + 2e-4), 60, NO_SCORES)
    zones.refine_zones(forms, q2, window, tables)
    np.testing.assert_allclose(forms[0], form, rtol=1e-4)


def test_shared_rows_keep_the_zone() -> None:
    forms = np.array([[0.011, 0.0143, 0.0031], [0.02, 0.05, 0.017]])
    rows = zones.shared_rows(forms, zones.ROWS)
    area = rows[:, :, 0] * rows[:, :, 1] - rows[:, :, 2] ** 2 / 4
    wanted = forms[:, 0] * forms[:, 1] - forms[:, 2] ** 2 / 4
    np.testing.assert_allclose(area, np.repeat(wanted[:, None], len(zones.ROWS), axis=1))
    assert (rows[:, :, 2] >= 0).all()
    assert (rows[:, :, 2] <= rows[:, :, 0] * (1 + 1e-9)).all()


def test_reduction_keeps_the_lattice() -> None:
    rng = np.random.default_rng(8)
    for _ in range(20):
        cell = random_cell(rng)
        basis = np.linalg.cholesky(np.linalg.inv(_metric(cell)))
        skewed = np.array([[1, 2, -1], [0, 1, 3], [0, 0, 1]]) @ basis
        g = skewed @ skewed.T
        x6 = np.array([g[0, 0], g[1, 1], g[2, 2], 2 * g[1, 2], 2 * g[0, 2], 2 * g[0, 1]])
        volume = determinant(x6)
        assert reduce_x6(x6)
        assert determinant(x6) == pytest.approx(volume, rel=1e-9)
        assert same_lattice(cell, "P", cell_from_reciprocal(x6), "P", 1e-6, 1e-4)


def test_fit_recovers_the_lattice() -> None:
    cell = np.array([6.1, 7.3, 8.9, 84.0, 97.0, 102.0])
    x6 = x6_of(cell)
    q2 = np.sort(all_q2(x6, 6))[:20]
    window = np.full(20, 3e-4)
    q2_max = float(q2[-1] + 3e-4)
    table, scale = line_table(q2, window, q2_max)
    moved = x6 * (1 + np.array([5, -4, 3, 6, -5, 4]) * 1e-4)
    hkl, far = np.zeros((20, 3), dtype=np.int64), np.empty(20)
    for _ in range(3):
        fit(moved, q2, window, table, scale, q2_max, hkl, far)
    np.testing.assert_allclose(moved, x6, atol=1e-6)
    mask, _, _ = explain(moved, ALL, Tables(table, scale, q2_max, 200, NO_SCORES))
    assert bin(mask).count("1") == 20


def test_derivatives_have_whole_indices() -> None:
    x6 = x6_of(np.array([5.0, 6.0, 7.0, 80.0, 95.0, 100.0]))[None]
    related = triclinic.derivatives(x6)
    ratio = np.array([determinant(x) for x in related]) / determinant(x6[0])
    # 1/V² of sublattices and superlattices of index 1 (others of equal volume), 2 and 3.
    allowed = np.array([1 / 9, 1 / 4, 1.0, 4.0, 9.0])
    assert np.abs(ratio[:, None] / allowed - 1).min(axis=1).max() < 1e-9
    # 7 sublattices of index 2 and 13 of index 3, and as many superlattices.
    for value, number in ((4.0, 7), (0.25, 7), (9.0, 13), (1 / 9, 13)):
        assert np.isclose(ratio, value).sum() == number


def _metric(cell: np.ndarray) -> np.ndarray:
    cos = np.cos(np.radians(cell[3:]))
    unit = np.array([[1, cos[2], cos[1]], [cos[2], 1, cos[0]], [cos[1], cos[0], 1]])
    return unit * np.outer(cell[:3], cell[:3])


def test_lattices_without_a_reflection_in_reach_and_no_lattices_are_passed_over() -> None:
    lines = lines_of(np.linspace(0.01, 0.2, 20), np.full(20, 1e-4))
    beyond = np.array([1.0, 1.1, 1.2, 0.1, 0.1, 0.1])
    indefinite = np.array([0.0, -0.05, 0.05, 0.0, 0.1, 0.1])
    flat = np.zeros(6)
    for kind in (Kind(1, 1, 0, 0), Kind(1, 1, 0, 0, 1e-9, 1.0)):
        pool = Pool()
        triclinic._try_all(np.array([beyond, indefinite, flat]), kind, lines.tables, pool.arrays())
        assert pool.count[0] == 0
        consider(beyond, determinant(beyond), Kind(1, 1, 0, 0), lines.tables, pool.arrays())
        assert pool.count.tolist()[0] == 0
    assert not reduce_x6(indefinite)
