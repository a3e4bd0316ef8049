"""The walk meets each line of a lattice once, against all indices of a box; votes are counted."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import (
    BRAVAIS,
    CENTRING_CODES,
    CENTRING_TRANSLATIONS,
    allowed_by_centring,
    quadratic_terms,
)
from mlindex.crystal.walk import Region, form_of, k_range, l_row, last_h, present, q2_of
from mlindex.indexing.search.votes import cast, clear, open_lines, room_for, take_peak
from mlindex.indexing.search.walked import walk_of, walked_centrings

GRID = np.stack(np.meshgrid(*[np.arange(-11, 12)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
#: Cells walked (A, degrees): no ratio of axes is special.
CELLS = {
    "cubic": (5.3, 5.3, 5.3, 90.0, 90.0, 90.0),
    "tetragonal": (4.9, 4.9, 6.7, 90.0, 90.0, 90.0),
    "hexagonal": (4.9, 4.9, 6.7, 90.0, 90.0, 120.0),
    "rhombohedral": (5.7, 5.7, 9.1, 90.0, 90.0, 120.0),
    "orthorhombic": (4.3, 5.1, 6.2, 90.0, 90.0, 90.0),
    "monoclinic": (4.3, 5.1, 6.2, 90.0, 104.3, 90.0),
    "triclinic": (4.3, 5.1, 6.2, 81.2, 104.3, 95.7),
}
Q2_MAX = 1.3


@njit
def walked(x6, region, q2_max):
    """hkl (n, 3) and q² (n,) of a walk."""
    form = form_of(x6)
    hkl, q2 = [], []
    for h in range(last_h(form, q2_max) + 1):
        k_low, k_high = k_range(form, region, h, q2_max)
        for k in range(k_low, k_high + 1):
            l_low, number, step = l_row(form, region, h, k, q2_max)
            for l in range(l_low, l_low + number * step, step):
                hkl.append((h, k, l))
                q2.append(q2_of(form, h, k, l))
    return hkl, q2


def in_lattice(hkl: np.ndarray, letter: str) -> np.ndarray:
    if letter == "R":
        return (-hkl[:, 0] + hkl[:, 1] + hkl[:, 2]) % 3 == 0
    return allowed_by_centring(hkl, letter)


@pytest.mark.parametrize("letter", CENTRING_CODES)
def test_centring_rules_are_those_of_the_translations(letter: str) -> None:
    code = CENTRING_CODES[letter]
    found = [present(h, k, l, code) for h, k, l in GRID]
    assert found == list(in_lattice(GRID, letter))


@pytest.mark.parametrize("bravais", BRAVAIS.values(), ids=lambda b: b.symbol)
def test_every_line_is_met_once(bravais) -> None:
    x6 = reciprocal_from_cell(np.array(CELLS[bravais.system.name]))
    for letter in walked_centrings(bravais):
        region = Region(*walk_of(bravais.system).domain, CENTRING_CODES[letter])
        hkl, q2 = map(np.array, walked(x6, region, Q2_MAX))
        assert in_lattice(hkl, letter).all()
        np.testing.assert_allclose(q2, quadratic_terms(hkl) @ x6, rtol=1e-12)
        every = quadratic_terms(GRID[in_lattice(GRID, letter)]) @ x6
        every = np.unique(np.round(every[(every > 1e-9) & (every <= Q2_MAX)], 9))
        np.testing.assert_array_equal(np.unique(np.round(q2, 9)), every)
        # In a lattice without chance coincidences each q² is one orbit, and is met once.
        if bravais.system.n_free > 2:
            assert len(q2) == len(every)


@pytest.mark.parametrize(
    "x6",
    [
        (0.1, 0.1, -0.1, 0.0, 0.0, 0.0),
        (0.1, 0.1, 0.1, 0.25, 0.0, 0.0),
        (0.1, 0.1, 0.1, 0.0, 0.25, 0.0),
        (np.nan, 0.1, 0.1, 0.0, 0.0, 0.0),
    ],
)
def test_what_is_no_lattice_is_known(x6) -> None:
    form = form_of(np.array(x6))
    assert not form.a > 0.0


def test_all_letters_have_translations_or_thirds() -> None:
    assert set(CENTRING_CODES) == {*CENTRING_TRANSLATIONS, "R"}


def test_votes_of_neighbouring_bins_are_one_peak() -> None:
    votes, bins = room_for(50), 40
    q2 = np.array([0.1, 0.2, 0.3, 0.4])
    left, bits = open_lines(q2, 0b0010)
    np.testing.assert_array_equal(left, [0.1, 0.3, 0.4])
    np.testing.assert_array_equal(bits, [1, 4, 8])
    clear(votes, bins)
    # Lines 0 and 2 at 10.9 and 11.1, in two bins; line 3 alone, and line 0 twice elsewhere.
    cast(votes, left[:1], bits[:1], 10.0, 9.9, bins)
    cast(votes, left[1:2], bits[1:2], 10.0, 8.1, bins)
    cast(votes, left[2:], bits[2:], 10.0, 16.0, bins)
    cast(votes, left[:1], bits[:1], 10.0, 29.1, bins)
    cast(votes, left[:1], bits[:1], 10.0, 29.2, bins)
    cast(votes, left[:1], bits[:1], 10.0, 39.2, bins)
    assert take_peak(votes, bins, 2) == pytest.approx(11.0)
    assert take_peak(votes, bins, 2) == -1.0
    assert take_peak(votes, bins, 1) == pytest.approx(20.0)
