"""Pools of items to label: curves, what choice is worth, and the stage that says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from helpers.scripts_in_process import run
from helpers.study_examples import study_examples
from mlindex.base.errors import MlindexError
from mlindex.base.schema import Table, read_table, write_table
from mlindex.campaigns.labelling import learning_curves, worths
from mlindex.campaigns.settings import ActiveLearning
from mlindex.campaigns.tables import ACTIVE_LEARNING, ACTIVE_WORTH
from mlindex.classification.pool import CrystalPool
from mlindex.classification.settings import Classifiers
from mlindex.classification.tables import SYMMETRY_EXAMPLES
from mlindex.learning.pool import Learnt
from mlindex.structures.tables import CELLS

SETTINGS = ActiveLearning(methods=("upper_bound",), first=10, batch=10, rounds=4, repeats=3)


@dataclass(frozen=True)
class RarePool:
    """Items of which a tenth, told by the first feature, have something to be learnt from."""

    features: np.ndarray
    groups: np.ndarray
    cost: np.ndarray

    @classmethod
    def of(cls, n: int) -> RarePool:
        features = np.random.default_rng(8).uniform(size=(n, 3))
        return cls(features, np.arange(3), np.full(n, 2.0))

    def learn(self, items: np.ndarray, seed: int) -> Learnt:
        rare = self.features[items, 0] > 0.9
        left = 1 / (1 + rare.sum())
        return Learnt(np.where(rare, left, 0.0), 1 - left, left)


def test_a_method_that_finds_what_is_worth_learning_from_saves_and_says_how_much():
    pool = RarePool.of(400)
    curves = learning_curves(pool, SETTINGS, 3)
    assert set(curves["method"]) == {"random", "upper_bound"}
    assert (curves["cost"] == 2 * curves["items"]).all()
    assert (curves.groupby(["method", "repeat"])["items"].diff().dropna() == 10).all()
    starts = curves[curves["items"] == 10].pivot(
        index="repeat", columns="method", values="log_loss"
    )
    assert (starts["random"] == starts["upper_bound"]).all()
    found = worths(curves, 1).iloc[0]
    assert 1.2 < found["low"] <= found["worth"] <= found["high"]
    pd.testing.assert_frame_equal(curves, learning_curves(pool, SETTINGS, 3))


def curves_of(**losses: list[float]) -> pd.DataFrame:
    rows = [
        (name, repeat, 10 * k, 10.0 * k, 1 - loss, loss)
        for name, values in losses.items()
        for repeat in (1, 2)
        for k, loss in enumerate(values, 1)
    ]
    return pd.DataFrame(rows, columns=ACTIVE_LEARNING.names)


@pytest.mark.parametrize(
    ("chosen", "worth"),
    [
        ([4.0, 1.0, 0.5, 0.2], 3.0),
        ([4.0, 3.0, 2.0, 1.0], 1.0),
        # Random comes to a loss of 3 with one batch, this method with three.
        ([4.0, 3.5, 3.2, 3.0], 1 / 3),
        # What it chose teaches nothing, or harms.
        ([4.0, 4.0, 4.0, 4.0], 0.0),
        ([4.0, 5.0, 6.0, 7.0], 0.0),
    ],
)
def test_a_chosen_item_is_worth_the_items_at_random_that_come_to_the_same_loss(chosen, worth):
    found = worths(curves_of(random=[4.0, 3.0, 2.0, 1.0], chosen=chosen), 0)
    assert found["worth"].tolist() == pytest.approx([worth])
    assert found["low"].tolist() == found["high"].tolist() == pytest.approx([worth])


def cells_of(examples: pd.DataFrame) -> pd.DataFrame:
    """Cells of the crystals of examples, of any shape."""
    names = np.unique(examples["entry_id"])
    rng = np.random.default_rng(2)
    cells = pd.DataFrame({"entry_id": names, "volume_A3": rng.uniform(50, 500, len(names))})
    cells["n_points"] = 1
    for axis in "abc":
        cells[f"niggli_{axis}_A"] = rng.uniform(3, 9, len(names))
    for angle in ("alpha", "beta", "gamma"):
        cells[f"niggli_{angle}_deg"] = rng.uniform(60, 90, len(names))
    return cells


@pytest.fixture(scope="module")
def pool() -> CrystalPool:
    examples = study_examples()
    return CrystalPool.of(examples, cells_of(examples), "bravais", "extra_trees", Classifiers(), 5)


def test_crystals_are_judged_by_learners_that_had_not_seen_them(pool):
    order = np.random.default_rng(0).permutation(len(pool.crystals))
    items = order[:60]
    assert ((pool.features >= 0) & (pool.features <= 1)).all()
    assert pool.features.shape[1] == len(pool.groups)
    learnt = pool.learn(items, 1)
    seen = pool._learner(items, 1)
    own = pool.material.lists_of(pool.crystals[items])
    assert learnt.loss.mean() > 1.5 * pool._judged(seen, own)[1].mean()
    assert pool.learn(order[:200], 1).log_loss < pool.learn(order[:12], 1).log_loss
    parts = set(pool.material.part[np.isin(pool.material.crystal, pool.crystals)])
    assert parts == {"train"}


def test_too_few_crystals_are_said(pool):
    with pytest.raises(MlindexError, match=r"nothing is left to choose; lower active_learning"):
        learning_curves(pool, ActiveLearning(first=10_000), 1)


def test_the_stage_writes_curves_and_their_worth(tmp_path: Path, monkeypatch):
    examples = study_examples()
    for name, table, frame in (
        ("examples", SYMMETRY_EXAMPLES, examples),
        ("cells", CELLS, cells_of(examples)),
    ):
        write_table(tmp_path / name, table, filled(table, frame))
    few = {"methods": ["diversity"], "rounds": 1, "repeats": 2, "learner": "frequency"}
    monkeypatch.setattr("mlindex.config.Config.section", section_with(few))
    outputs = {"curves": "curves", "worth": "worth"}
    inputs = {"examples": ["examples"], "cells": ["cells"]}
    sections = ("active_learning", "classifiers")
    run("active_learning", tmp_path, inputs, outputs, {"level": "bravais"}, sections)
    assert len(read_table(tmp_path / "curves", ACTIVE_LEARNING)) == 2 * 2 * 2
    assert read_table(tmp_path / "worth", ACTIVE_WORTH)["method"].tolist() == ["diversity"]


def filled(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with all columns of a table; what it lacks is nothing."""
    for column in table.columns:
        if column.name not in frame:
            nothing = [] if pa.types.is_list(column.dtype) else 0
            if pa.types.is_string(column.dtype):
                nothing = ""
            frame = frame.assign(**{column.name: [nothing] * len(frame)})
    return frame


def section_with(changes: dict):
    """Config.section with other values of active learning."""
    from mlindex.config import Config

    plain = Config.section
    return lambda self, name: plain(self, name) | (changes if name == "active_learning" else {})
