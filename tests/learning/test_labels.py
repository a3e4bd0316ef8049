"""Probabilities and answers at all levels of symmetry classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlindex.crystal.symmetry_classes import LEVELS, N_GROUPS, classes_of, prior_of_groups
from mlindex.learning.labels import at_level, downward


# The classes are found at the first call.
@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_an_answer_from_the_top_down_never_contradicts_itself(seed: int) -> None:
    probability = np.random.default_rng(seed).dirichlet(np.full(N_GROUPS, 0.03), 4)
    chosen = downward(probability)
    for row in range(4):
        groups = np.ones(N_GROUPS, dtype=bool)
        for level in LEVELS:
            groups &= classes_of(level).of_group == chosen[level][row]
            assert groups.any()
    assert np.array_equal(
        chosen["crystal_system"], at_level(probability, "crystal_system").argmax(axis=1)
    )


@pytest.mark.parametrize("level", LEVELS)
def test_probabilities_add_up_at_every_level(level: str) -> None:
    prior = prior_of_groups()[None]
    assert at_level(prior, level).sum() == pytest.approx(1)
    counted = np.bincount(classes_of(level).of_group, prior[0])
    assert np.allclose(at_level(prior, level)[0], counted)
