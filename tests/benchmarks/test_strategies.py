"""The benchmark on sources of candidates: what becomes of those of several together."""

import numpy as np
import pytest

from helpers.benchmark_modules import benchmark
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.equivalence import same_lattice
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.lines import distinct, reflections

RIGHT = np.array([5.43, 7.81, 11.92, 90.0, 90.0, 90.0])


@pytest.fixture(scope="module")
def strategies():
    with benchmark("strategies") as module:
        yield module


def test_cells_of_all_sources_are_ranked_by_evidence_each_lattice_once(strategies):
    q2 = quadratic_terms(reflections(RIGHT, "P", 0.4)) @ reciprocal_from_cell(RIGHT)
    other, shuffled = RIGHT * [1.07, 1, 1, 1, 1, 1], RIGHT[[1, 0, 2, 3, 4, 5]]
    cells = [strategies.Cell("oP", cell, "P") for cell in (other, RIGHT, shuffled)]
    united = strategies._united(cells, q2[distinct(q2)][:20])
    right = [same_lattice(c.cell, c.centring, RIGHT, "P") for c in united]
    assert right[0]
    assert sum(right) == 1
