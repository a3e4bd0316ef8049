"""Campaigns in spaces drawn by chance: what is proposed is new and allowed, whatever is told."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.fuzz_campaigns import run


@pytest.mark.parametrize("first", range(0, 24, 8))
def test_proposals_are_new_and_allowed(first: int) -> None:
    for seed in range(first, first + 8):
        run(np.random.default_rng(seed), method="random")


def test_so_they_are_with_the_method_for_all_tables() -> None:
    for seed in range(2):
        run(np.random.default_rng(1000 + seed), method="", rounds=3)
