"""The complete searches find lattices whose lines are exact, and agree with plain Python."""

from __future__ import annotations

import numpy as np
import pytest

from mlindex.crystal.cell import cell_from_reciprocal, reciprocal_from_cell
from mlindex.crystal.equivalence import same_lattice
from mlindex.crystal.lattice import (
    BRAVAIS,
    CENTRING_CODES,
    SYSTEMS,
    allowed_by_centring,
    quadratic_terms,
)
from mlindex.indexing.search import exhaustive, monoclinic
from mlindex.indexing.search.kinds import general_multiplicity
from mlindex.indexing.search.lines import Lines, lines_of
from mlindex.indexing.search.pool import Pool
from mlindex.indexing.search.walked import walk_of, walked_centrings
from mlindex.learning.lattices import n_peaks_of

LETTERS = {code: letter for letter, code in CENTRING_CODES.items()}
#: Cells walked (A, degrees): no axial ratio is special.
CELLS = {
    "cubic": (9.3, 9.3, 9.3, 90.0, 90.0, 90.0),
    "tetragonal": (7.1, 7.1, 11.9, 90.0, 90.0, 90.0),
    "hexagonal": (8.3, 8.3, 13.7, 90.0, 90.0, 120.0),
    "rhombohedral": (11.3, 11.3, 17.9, 90.0, 90.0, 120.0),
    "orthorhombic": (7.3, 9.1, 12.7, 90.0, 90.0, 90.0),
    "monoclinic": (7.3, 9.1, 12.7, 90.0, 104.3, 90.0),
}
SEARCHED = [b for b in BRAVAIS.values() if b.system.name in CELLS]
GRID = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


def present(letter: str) -> np.ndarray:
    if letter == "R":
        return GRID[(-GRID[:, 0] + GRID[:, 1] + GRID[:, 2]) % 3 == 0]
    return GRID[allowed_by_centring(GRID, letter)]


def all_q2(cell: tuple[float, ...], letter: str) -> np.ndarray:
    """Every different q² of a lattice, rising."""
    q2 = quadratic_terms(present(letter)) @ reciprocal_from_cell(np.array(cell))
    return np.unique(np.round(q2[q2 > 1e-6], 12))


def observed(cell: tuple[float, ...], letter: str, n: int, seed: int) -> Lines:
    """The first n lines of those left when a fifth is missing."""
    q2 = all_q2(cell, letter)
    left = q2[np.random.default_rng(seed).random(len(q2)) > 0.2][:n]
    return lines_of(left, np.full(n, 5e-5))


def searcher(system):
    return monoclinic if system.unique_axis is not None else exhaustive


@pytest.mark.parametrize("bravais", SEARCHED, ids=lambda b: b.symbol)
@pytest.mark.parametrize("seed", [1, 2])
def test_true_lattice_is_first(bravais, seed):
    system = bravais.system
    scale = np.random.default_rng(seed).uniform(0.8, 1.2)
    cell = tuple(v * (scale if i < 3 else 1) for i, v in enumerate(CELLS[system.name]))
    letter = walked_centrings(bravais)[0]
    lines = observed(cell, letter, n_peaks_of(system), seed)
    pools = {bravais.symbol: Pool()}
    assert searcher(system).search(lines, system, pools)
    x6, scores, codes = pools[bravais.symbol].best(5)
    found = cell_from_reciprocal(x6)
    assert any(
        same_lattice(trial, LETTERS[int(code)], np.array(cell), letter, 1e-3, 0.1)
        for trial, code in zip(found, codes, strict=True)
    )
    assert np.all(np.diff(scores) <= 0)


def brute_score(x6: np.ndarray, letter: str, lines: Lines) -> float:
    """Score of a lattice from the whole grid of indices; equal q² count once."""
    q2 = quadratic_terms(present(letter)) @ x6
    q2 = q2[(q2 > 1e-9) & (q2 <= lines.q2_max)]
    explained = np.any(np.abs(q2[:, None] - lines.q2) <= lines.window, axis=0)
    return float(lines.scores[explained.sum(), len(np.unique(np.round(q2, 10)))])


@pytest.mark.parametrize("symbol", ["tI", "hP", "oC", "oF", "mC"])
def test_scores_agree_with_counting_on_a_grid(symbol):
    bravais = BRAVAIS[symbol]
    system = bravais.system
    lines = observed(CELLS[system.name], walked_centrings(bravais)[0], n_peaks_of(system), 3)
    pools = {symbol: Pool()}
    searcher(system).search(lines, system, pools)
    x6, scores, codes = pools[symbol].best(1)
    # The best is the true lattice here, so nothing lies at the edge of a window.
    assert scores[0] == pytest.approx(brute_score(x6[0], LETTERS[int(codes[0])], lines))


@pytest.mark.parametrize("symbol", ["cF", "tP", "hR", "oI"])
def test_inverses_solve_rows_that_the_centring_allows(symbol):
    bravais = BRAVAIS[symbol]
    system, letter = bravais.system, walked_centrings(bravais)[0]
    rows = {
        tuple(row) for row in quadratic_terms(np.abs(present(letter))) @ walk_of(system).matrix.T
    }
    inverses = exhaustive.row_inverses(system, letter, False)
    assert len(inverses) > 10
    for inverse in inverses[:: max(1, len(inverses) // 100)]:
        solved = np.linalg.inv(inverse)
        np.testing.assert_allclose(solved, np.rint(solved), atol=1e-9)
        assert all(tuple(row) in rows for row in np.rint(solved))


def test_a_trial_of_orthorhombic_axes_is_made_in_one_order_only():
    system = SYSTEMS["orthorhombic"]
    exact = {
        letter: len(exhaustive._column_orders(system, letter)) for letter in ("P", "C", "I", "F")
    }
    assert exact == {"P": 6, "C": 2, "I": 6, "F": 6}


@pytest.mark.parametrize(
    ("name", "multiplicity"),
    [("cubic", 48), ("tetragonal", 16), ("hexagonal", 24), ("orthorhombic", 8), ("monoclinic", 4)],
)
def test_general_multiplicity_is_the_order_of_the_holohedry(name, multiplicity):
    assert general_multiplicity(SYSTEMS[name]) == multiplicity


@pytest.mark.parametrize("name", ["orthorhombic", "monoclinic"])
def test_a_deadline_cuts_the_search_off(name):
    system = SYSTEMS[name]
    symbol = next(b.symbol for b in SEARCHED if b.system is system)
    lines = observed(CELLS[name], "P", 20, 0)
    pools = {symbol: Pool()}
    asked = []

    def late() -> bool:
        asked.append(1)
        return len(asked) > 2

    assert not searcher(system).search(lines, system, pools, late)
    assert len(asked) == 3


def test_noise_is_fitted_away():
    system = SYSTEMS["orthorhombic"]
    cell = CELLS["orthorhombic"]
    exact = observed(cell, "P", 20, 5)
    noise = np.random.default_rng(5).normal(0.0, 1.5e-5, 20)
    lines = lines_of(np.sort(exact.q2 + noise), exact.window)
    pools = {"oP": Pool()}
    exhaustive.search(lines, system, pools)
    best = np.sort(cell_from_reciprocal(pools["oP"].best(1)[0][0])[:3])
    np.testing.assert_allclose(best, cell[:3], rtol=1e-3)
