"""Mixtures of two crystals: what is simulated, and what the benchmark counts."""

from types import SimpleNamespace

import numpy as np
import pytest

from helpers.benchmark_modules import benchmark
from mlindex.indexing.rates.judge import Truth


@pytest.fixture(scope="module")
def mixed():
    with benchmark("mixed") as module:
        yield module


@pytest.fixture(scope="module")
def mixtures():
    with benchmark("mixtures") as module:
        yield module


def crystal(mixed, name, *lines, a=5.0):
    q2, intensity = np.array(lines).T
    truth = Truth(np.array([a, a, a, 90.0, 90.0, 90.0]), "P")
    return mixed.Crystal(name, "cubic", truth, q2, intensity)


def test_second_phase_has_its_share_of_the_intensity(mixed):
    main = crystal(mixed, "main", (0.06, 100.0), (0.11, 40.0))
    other = crystal(mixed, "other", (0.08, 100.0))
    pair = mixed.Pair(main, other)
    alone, both = (pair.pattern(share, 1).intensity for share in (0.0, 0.2))
    x = mixed.TWO_THETA_DEG
    near = np.abs(x - 25.2) < 1.5
    far = ~near & (np.abs(x - 21.8) < 1.5) | (np.abs(x - 29.6) < 1.5)
    base = np.median(alone[near]) * near.sum()
    second = both[near].sum() - base
    first = both[far].sum() - np.median(alone[far]) * far.sum()
    assert second / (first + second) == pytest.approx(0.2, abs=0.04)
    # Nothing but noise is where the second crystal alone has a peak.
    level = np.median(alone[near])
    assert np.abs(alone[near] - level).max() < 6 * np.sqrt(level)


def test_lines_of_both_wavelengths_have_their_areas(mixed):
    curve = mixed.curve(crystal(mixed, "x", (0.08, 10.0)), 0.1, 0.5, np.array([0.05, 0.0]))
    x = mixed.TWO_THETA_DEG
    assert curve.sum() * (x[1] - x[0]) == pytest.approx(15, rel=0.03)
    assert x[curve.argmax()] == pytest.approx(25.18 + 0.05, abs=0.03)


def result(first_A, *found_A, convincing=True):
    """A result whose first candidate and phases are cubic cells."""
    cells = [np.array([a, a, a, 90.0, 90.0, 90.0]) for a in (first_A, *found_A)]
    best = SimpleNamespace(cell=cells[0], centring="P", partners=(), bravais="cP", m20=9.0)
    phases = [SimpleNamespace(kind="found", cell=cell, centring="P") for cell in cells]
    return SimpleNamespace(candidates=(best,), convincing=convincing, phases=tuple(phases))


@pytest.mark.parametrize(
    ("share", "found", "judged"),
    [
        (0.1, result(5.0), (1, 1, 1, 0, 0, 0)),
        (0.1, result(5.0, 7.0), (1, 1, 1, 0, 1, 0)),
        (0.1, result(7.0), (0, 0, 1, 1, 1, 0)),
        (0.1, result(5.0, 9.0, convincing=False), (1, 1, 0, 0, 0, 1)),
        (0.5, result(7.0, 5.0), (1, 1, 1, 0, 1, 0)),
        (0.5, result(9.0), (0, 0, 1, 1, 0, 0)),
    ],
)
def test_either_of_two_equal_phases_may_come_first(mixed, mixtures, share, found, judged):
    pair = mixed.Pair(
        crystal(mixed, "main", (0.06, 1.0)), crystal(mixed, "other", (0.06, 1.0), a=7.0)
    )
    assert mixtures._judged(found, pair, share) == tuple(map(bool, judged))
