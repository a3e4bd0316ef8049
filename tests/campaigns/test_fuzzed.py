"""Campaigns in spaces drawn by chance: what is proposed is new and allowed, whatever is told."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.benchmark_modules import benchmark


@pytest.mark.parametrize("first", range(0, 24, 8))
def test_proposals_are_new_and_allowed(first: int) -> None:
    with benchmark("fuzzed_campaigns") as fuzzed:
        for seed in range(first, first + 8):
            fuzzed.run(np.random.default_rng(seed), method="random")


def test_so_they_are_with_the_method_for_all_tables() -> None:
    with benchmark("fuzzed_campaigns") as fuzzed:
        for seed in range(2):
            fuzzed.run(np.random.default_rng(1000 + seed), method="", rounds=3)
