"""Quick fits of lattices, against plain enumeration and exact lattices."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mlindex.classification.features import GRID_POINTS, GROUPS, N_FEATURES, inputs_of
from mlindex.classification.quick.fits import N_FIGURES, quick_fits
from mlindex.classification.quick.lattices import explained, indices

BOX = np.array([i for i in product(range(-12, 13), repeat=3) if i > (0, 0, 0)])
KINDS = ("cubic", "tetragonal", "hexagonal", "orthorhombic", "monoclinic")
#: x of q² = A h² + B k² + C l² + D h l, in 1/A².
LATTICES = {
    "cubic": (0.04, 0.04, 0.04, 0.0),
    "tetragonal": (0.04, 0.0137, 0.04, 0.0),
    "hexagonal": (0.04, 0.0137, 0.04, 0.04),
    "orthorhombic": (0.0301, 0.0187, 0.0093, 0.0),
    "monoclinic": (0.0301, 0.0187, 0.0093, 0.0061),
}


def q2_of(x, hkl):
    h, k, l = np.asarray(hkl).T
    return x[0] * h * h + x[1] * k * k + x[2] * l * l + x[3] * h * l


def lines_of(x, suits=lambda h, k, l: True, count=20):
    q2 = np.unique(np.round(q2_of(x, [i for i in BOX if suits(*i)]), 9))
    return q2[:count]


def fits(q2, tolerance=5e-4):
    return quick_fits(q2, np.ones(len(q2)), np.full(len(q2), tolerance))[0]


@pytest.mark.parametrize("kind", LATTICES)
def test_the_nearest_reflection_is_that_of_plain_enumeration(kind: str) -> None:
    x, rng = np.array(LATTICES[kind]), np.random.default_rng(1)
    values = q2_of(x, BOX)
    for q2 in rng.uniform(0.005, 0.5, 200):
        hkl = np.zeros(3, dtype=np.int64)
        found = indices(x, q2, 5e-4, hkl, False)
        nearest = np.abs(values - q2).min()
        assert found == (nearest < 5e-4)
        if found:
            assert abs(q2_of(x, hkl) - q2) == pytest.approx(nearest, abs=1e-12)
        assert indices(x, q2, 5e-4, hkl, True) == found
        assert explained(x, q2, 5e-4) == found


@pytest.mark.parametrize("kind", LATTICES)
def test_exact_lines_are_explained_by_their_lattice_and_by_those_below(kind: str) -> None:
    figures = fits(lines_of(LATTICES[kind]), 1e-4)
    assert figures.shape == (5, N_FIGURES)
    own = KINDS.index(kind)
    assert figures[own, 1] == pytest.approx(1)
    assert np.nanargmax(figures[:, 0]) == own or kind == "monoclinic"
    above = {"orthorhombic": ("cubic", "tetragonal", "hexagonal"), "monoclinic": KINDS[:4]}
    for name in above.get(kind, ()):
        assert figures[KINDS.index(name), 1] < 1


CENTRINGS = {
    "P": lambda h, k, l: True,
    "I": lambda h, k, l: (h + k + l) % 2 == 0,
    "F": lambda h, k, l: h % 2 == k % 2 == l % 2,
    "face": lambda h, k, l: (h + k) % 2 == 0,
}


@pytest.mark.parametrize(
    ("kind", "centring"),
    [
        *(("cubic", c) for c in "PIF"),
        *(("tetragonal", c) for c in "PI"),
        *(("orthorhombic", c) for c in ("P", "I", "face")),
    ],
)
def test_the_right_centring_has_the_most_evidence(kind: str, centring: str) -> None:
    figures = fits(lines_of(LATTICES[kind], CENTRINGS[centring]), 1e-4)[KINDS.index(kind)]
    assert figures[1] == pytest.approx(1)
    of_each = dict(zip(("P", "I", "F", "R", "face"), figures[3:8], strict=True))
    assert max(of_each, key=of_each.get) == centring


def test_lines_at_random_have_little_evidence() -> None:
    rng = np.random.default_rng(5)
    exact = fits(lines_of(LATTICES["tetragonal"]))[1, 0]
    drawn = [np.nanmax(fits(np.sort(rng.uniform(0.01, 0.3, 20)))[:, 0]) for _ in range(10)]
    assert max(drawn) < exact / 2


@pytest.mark.parametrize("count", [1, 2, 3, 5, 60])
def test_inputs_of_any_number_of_lines(count: int) -> None:
    q2 = np.linspace(0.02, 0.4, count)
    inputs = inputs_of([q2, q2], [None, q2], [0.5, 0.5], grid=True)
    assert inputs.x.shape == (2, N_FEATURES) == (2, sum(GROUPS.values()))
    assert inputs.grid.shape == (2, GRID_POINTS)
    assert np.isfinite(inputs.grid).all()
    assert not np.isinf(inputs.x).any()


def test_inputs_do_not_depend_on_the_unit_of_intensity_or_other_rows() -> None:
    q2 = lines_of(LATTICES["monoclinic"], count=30)
    height = np.random.default_rng(2).uniform(1, 9, 30)
    one = inputs_of([q2], [height], [0.5], grid=True)
    many = inputs_of([q2[:7], q2], [None, 5 * height], [0.2, 0.5], grid=True)
    assert np.array_equal(one.x[0], many.x[1], equal_nan=True)
    assert np.allclose(one.grid[0], many.grid[1])
