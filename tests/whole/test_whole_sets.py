"""Stages that see a whole lattice system give the same block by block as all at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from helpers.synthetic_dataset import crystal, frames
from helpers.synthetic_examples import group_names, make_frames
from helpers.whole_examples import make_examples
from mlindex.base.errors import MlindexError
from mlindex.base.schema import write_table
from mlindex.crystal.lattice import SYSTEMS, bravais_of
from mlindex.learning.dataset import Shard, build_dataset, stream_dataset
from mlindex.learning.grouping import operator_key, operator_keys
from mlindex.learning.settings import Grouping, Split
from mlindex.learning.tables import DATASET, GROUPS
from mlindex.method.examples import stream_examples
from mlindex.method.forest import train_forests
from mlindex.method.optimizer.templates import learn_templates
from mlindex.method.reference import reference_list
from mlindex.method.scaling import Moments, Scaling, fit_scaling
from mlindex.method.settings import Augmentation, Forest
from mlindex.method.split_comparison import compare_splits
from mlindex.method.tables import EXAMPLES
from mlindex.patterns.settings import Peaks, Simulation
from mlindex.patterns.tables import PEAKS
from mlindex.structures.tables import CELLS, ENTRIES, REJECTS

TABLES = {"entries": ENTRIES, "cells": CELLS, "peaks": PEAKS}
BLOCKS = [1, 7, 1000]
SETTINGS = (Grouping(min_entries=3), Split())


def crystals(system, count=20):
    rng = np.random.default_rng(3)
    return [
        crystal(f"made:{b.symbol}{n:03d}:x", b.symbol, rng, counts=(n % 7 + 1.0, 8.0, 4.0))
        for b in bravais_of(system.name)
        for n in range(count)
    ]


def blocks(frame, rows):
    return [frame.iloc[n : n + rows].reset_index(drop=True) for n in range(0, len(frame), rows)]


def filled(frame, table):
    """With something in every column that may not be empty."""
    frame = frame.copy()
    for column in table.columns:
        if frame[column.name].isna().all() and not column.nullable:
            nothing = [] if pa.types.is_list(column.dtype) else ""
            nothing = nothing if pa.types.is_string(column.dtype) or nothing == [] else 0
            frame[column.name] = [nothing] * len(frame)
    return frame


def in_shards(folder, tables, bounds):
    """The tables as files of shards, rows up to each bound; the shards."""
    shards = []
    for number, (low, high) in enumerate(zip([0, *bounds], [*bounds, None], strict=True)):
        for name, table in TABLES.items():
            part = filled(tables[name], table).iloc[low:high]
            write_table(folder / f"{name}{number}", table, part)
        shards.append(Shard(*(folder / f"{name}{number}" for name in TABLES)))
    return shards


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_dataset_from_shards_is_that_of_all_entries(tmp_path, name):
    system = SYSTEMS[name]
    made = sorted(crystals(system), key=lambda c: c["cells"]["entry_id"])
    made[4]["duplicates"] |= {"kept": False, "representative_id": "made:other:x"}
    made[7]["peaks"]["n_observed"] = 3
    tables = frames(made)
    whole = build_dataset(system, **tables, grouping=SETTINGS[0], split=SETTINGS[1], rng=rng())
    shards = in_shards(tmp_path, tables, [5, 5, 12])
    parts = []
    groups, rejects = stream_dataset(
        system, shards, tables["duplicates"], *SETTINGS, rng(), parts.append
    )
    found = pd.concat([part for part in parts if len(part)], ignore_index=True)
    assert DATASET.arrow(found).equals(DATASET.arrow(whole.dataset))
    assert GROUPS.arrow(groups).equals(GROUPS.arrow(whole.groups))
    assert REJECTS.arrow(rejects).equals(REJECTS.arrow(whole.rejects))
    assert len(found) == len(made) - 1
    assert rejects["entry_id"].tolist() == [made[7]["peaks"]["entry_id"]]


def test_duplicates_of_other_entries_are_refused(tmp_path):
    system = SYSTEMS["cubic"]
    tables = frames(crystals(system))
    shards = in_shards(tmp_path, tables, [5])
    other = tables["duplicates"].iloc[::-1]
    with pytest.raises(MlindexError, match="duplicates of cubic and run again"):
        stream_dataset(system, shards, other, *SETTINGS, rng(), print)


def rng():
    return np.random.default_rng(1)


@pytest.fixture(scope="module", params=list(SYSTEMS))
def dataset(request):
    """A lattice system and a dataset of it."""
    system = SYSTEMS[request.param]
    built = build_dataset(
        system, **frames(crystals(system)), grouping=SETTINGS[0], split=SETTINGS[1], rng=rng()
    )
    return system, built.dataset


@pytest.mark.parametrize("rows", BLOCKS)
def test_what_is_fitted_to_a_dataset_is_the_same_in_blocks(dataset, rows):
    system, frame = dataset
    scaling = fit_scaling(iter(blocks(frame, rows)), system)
    pd.testing.assert_frame_equal(scaling, fit_scaling(frame, system), rtol=1e-12)
    reference = reference_list(iter(blocks(frame, rows)), system)
    pd.testing.assert_frame_equal(reference, reference_list(frame, system))
    forest = Forest(trees=2, min_samples_leaf=2)
    splits = compare_splits(iter(blocks(frame, rows)), system, forest, rng())
    pd.testing.assert_frame_equal(splits, compare_splits(frame, system, forest, rng()))


@pytest.mark.parametrize("rows", BLOCKS)
def test_examples_are_the_same_in_blocks(dataset, rows):
    system, frame = dataset
    scaling = Scaling.from_table(fit_scaling(frame, system))
    reference = reference_list(frame, system)
    given = (reference, scaling, system, Augmentation(max_per_parent=3), Peaks(), Simulation())
    whole = make_examples(frame, *given, rng())
    parts = []
    made = stream_examples(lambda _: iter(blocks(frame, rows)), *given, rng(), parts.append)
    found = pd.concat([part for part in parts if len(part)], ignore_index=True)
    assert EXAMPLES.arrow(found).equals(EXAMPLES.arrow(whole.examples))
    assert found["example_id"].is_unique
    assert found["augmented"].any()
    pd.testing.assert_frame_equal(made.acceptance, whole.acceptance)
    assert made.given_up == whole.given_up
    ours, theirs = (
        learn_templates(examples, reference[["h", "k", "l"]].to_numpy(), system, 50)
        for examples in (iter(blocks(found, rows)), found)
    )
    pd.testing.assert_frame_equal(ours, theirs)


def test_moments_are_those_of_numpy():
    values = np.random.default_rng(0).normal(7.0, 3.0, 1000)
    moments = Moments()
    for part in np.split(values, [0, 1, 10, 500]):
        moments = moments.with_values(part)
    row = moments.row("x")
    assert row["mean"] == pytest.approx(values.mean(), rel=1e-13)
    assert row["scale"] == pytest.approx(values.std(), rel=1e-13)
    assert row["values"] == 1000


def test_forests_are_the_same_with_blocks_of_one_group_in_memory(tmp_path):
    system = SYSTEMS["orthorhombic"]
    names = group_names(system)
    made = make_frames(system, dict.fromkeys(names, 60), np.random.default_rng(3))
    examples, scaling = made["examples"], Scaling.from_table(made["scaling"])

    def one(group):
        return examples[examples["group"] == group].reset_index(drop=True)

    def cut(group):
        return iter(blocks(one(group), 7))

    given = {"whole": examples, "single": one, "blocks": cut}
    metrics = {
        folder: train_forests(some, names, system, scaling, Forest(trees=3), 5, tmp_path / folder)
        for folder, some in given.items()
    }
    for folder in ("single", "blocks"):
        pd.testing.assert_frame_equal(metrics[folder], metrics["whole"])
        for path in (tmp_path / "whole").glob("*.npz"):
            assert path.read_bytes() == (tmp_path / folder / path.name).read_bytes()
        assert len(list((tmp_path / folder).glob("*.npz"))) == len(names)


def test_equal_operators_are_one_object():
    operators = [np.eye(3).ravel(), [1, 0, 0, 0, 1, 0, 0, 0, 1 + 1e-12], -np.eye(3).ravel()]
    keys = operator_keys(operators)
    assert keys == [operator_key(operator) for operator in operators]
    assert keys[0] is keys[1]
    assert keys[2] is not keys[0]
