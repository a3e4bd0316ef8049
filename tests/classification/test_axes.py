"""Axes at right angles, by repeated differences of q²."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mlindex.classification.quick.axes import AXES, axes_of
from mlindex.classification.quick.fits import quick_fits

HKL = np.array([i for i in product(range(-9, 10), repeat=3) if i > (0, 0, 0)])
TOLERANCE = 5e-5


def drawn(kind: str, rng: np.random.Generator, suits=lambda h, k, l: True) -> np.ndarray:
    """The first 30 lines of a lattice at random."""
    a, b, c = rng.uniform(0.004, 0.03, 3)
    h, k, l = HKL.T
    q2 = a * h * h + b * k * k + c * l * l
    if kind != "orthorhombic":
        q2 = q2 + rng.uniform(0.2, 0.8) * np.sqrt(a * c) * h * l
    if kind == "triclinic":
        q2 = q2 + rng.uniform(0.2, 0.6) * np.sqrt(b) * (np.sqrt(c) * k * l + np.sqrt(a) * h * k)
    seen = np.array([suits(*i) for i in HKL])
    values = np.unique(np.round(q2[seen], 9))
    apart = np.concatenate([[True], np.diff(values) > 2 * TOLERANCE])
    return values[apart][:30]


def found(q2: np.ndarray, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    axes = np.zeros(AXES)
    surprises = axes_of(scale * q2, np.full(len(q2), scale * TOLERANCE), axes)
    return axes, surprises


def test_the_axis_of_a_monoclinic_lattice_is_among_them() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        b = np.random.default_rng(seed).uniform(0.004, 0.03, 3)[1]
        axes, surprises = found(drawn("monoclinic", rng))
        assert np.all(np.diff(surprises) <= 0)
        assert min(abs(axes[:2] - multiple * b).min() for multiple in (1, 4)) < 4 * TOLERANCE


def test_differences_of_a_triclinic_lattice_surprise_less() -> None:
    of_each = {
        kind: [found(drawn(kind, np.random.default_rng(seed)))[1][0] for seed in range(20)]
        for kind in ("triclinic", "monoclinic", "orthorhombic")
    }
    assert np.median(of_each["triclinic"]) < np.percentile(of_each["monoclinic"], 10)
    assert np.median(of_each["monoclinic"]) < np.median(of_each["orthorhombic"])


def test_axes_scale_with_the_lattice() -> None:
    q2 = drawn("monoclinic", np.random.default_rng(3))
    axes, surprises = found(q2)
    larger, same = found(q2, 4.0)
    assert larger == pytest.approx(4 * axes)
    assert same == pytest.approx(surprises)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_lines_have_no_axis_that_surprises(count: int) -> None:
    axes, surprises = found(np.array([0.013, 0.0177, 0.0291])[:count])
    assert np.all(surprises == 0)
    assert np.all(axes == 0)


@pytest.mark.parametrize(
    ("kind", "suits"),
    [
        ("monoclinic", lambda h, k, l: True),
        ("monoclinic", lambda h, k, l: (h + k) % 2 == 0),
        ("orthorhombic", lambda h, k, l: True),
        ("orthorhombic", lambda h, k, l: h % 2 == k % 2 == l % 2),
    ],
    ids=["mP", "mC", "oP", "oF"],
)
def test_most_exact_lists_are_explained_by_their_lattice(kind: str, suits) -> None:
    row = {"orthorhombic": 3, "monoclinic": 4}[kind]
    explained = 0
    for seed in range(12):
        q2 = drawn(kind, np.random.default_rng(seed), suits)
        fits, _ = quick_fits(q2, np.ones(len(q2)), np.full(len(q2), TOLERANCE))
        explained += fits[row, 1] > 0.98
    assert explained >= 9


def test_lines_that_are_orders_of_magnitude_apart_come_to_an_end() -> None:
    # Some trial has thousands of reflections for each line: without a bound this took minutes.
    rng = np.random.default_rng(8)
    q2 = np.sort(np.where(rng.random(16) < 0.5, 1e-7, 1.0) + 1e-8 * rng.random(16))
    fits, _ = quick_fits(q2, np.ones(16), np.full(16, 1e-9))
    assert not np.isinf(fits).any()
