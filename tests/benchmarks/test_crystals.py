"""The benchmark of crystals that searches find hard: which crystals, and which lists of them."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.benchmark_modules import benchmark
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import quadratic_terms
from mlindex.indexing.rates.judge import Truth

ORTHORHOMBIC = Truth(np.array([4.1, 7.3, 41.0, 90.0, 90.0, 90.0]), "P")


@pytest.fixture(scope="module")
def crystals():
    with benchmark("crystals") as module:
        yield module


def lines(truth, hkl):
    return np.sort(quadratic_terms(np.array(hkl)) @ reciprocal_from_cell(truth.cell))


@pytest.mark.parametrize(
    ("cell", "bravais", "kind"),
    [
        ((4.1, 7.3, 41.0, 90.0, 90.0, 90.0), "oP", "LONG"),
        ((11.3, 12.1, 14.2, 90.0, 90.0, 90.0), "oP", "LARGE"),
        ((5.3, 6.1, 7.2, 85.0, 95.0, 100.0), "aP", "TRICLINIC"),
        ((5.3, 6.1, 7.2, 90.0, 90.0, 90.0), "oP", ""),
        ((5.3, 6.1, 61.0, 90.0, 90.0, 90.0), "oP", ""),
        ((19.0, 19.0, 19.0, 90.0, 90.0, 90.0), "cP", ""),
    ],
)
def test_crystals_are_told_by_their_reduced_cells(crystals, cell, bravais, kind):
    found = crystals.kind_of(Truth(np.array(cell), "P"), bravais)
    assert found == (getattr(crystals, kind) if kind else "")


@pytest.mark.parametrize(
    ("hkl", "told"),
    [
        ([(1, 0, 0), (2, 0, 0), (0, 1, 0), (0, 2, 0), (0, 0, 1), (0, 0, 2)], True),
        ([(1, 0, 0), (0, 1, 0), (0, 2, 0), (0, 0, 1), (0, 0, 2)], False),
        ([(1, 0, 0), (2, 0, 0), (0, 1, 0), (0, 2, 0), (0, 0, 2), (0, 0, 4)], False),
    ],
)
def test_lists_tell_a_lattice_or_do_not(crystals, hkl, told):
    assert crystals.tells(ORTHORHOMBIC, lines(ORTHORHOMBIC, hkl)) is told
