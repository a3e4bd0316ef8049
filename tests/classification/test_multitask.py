"""The study of further outputs of the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers.study_examples import small_subject, study_examples
from mlindex.classification.settings import ClassifierStudies
from mlindex.classification.studies import multitask
from mlindex.classification.studies.carrying import carried_out
from mlindex.classification.studies.material import Material
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.learners.registry import kind_of
from mlindex.learning.parts import TRAIN


def cells_of(examples: pd.DataFrame) -> pd.DataFrame:
    entries = examples.drop_duplicates("entry_id")["entry_id"]
    frame = pd.DataFrame({"entry_id": entries, "volume_A3": 400.0, "n_points": 2})
    return frame.assign(
        **{f"reindexed_{n}_A": np.exp(i) for i, n in enumerate("abc")},
        **{
            f"reindexed_{n}_deg": angle
            for n, angle in zip(("alpha", "beta", "gamma"), (90, 120, 60), strict=True)
        },
    )


def test_heads_hold_what_their_lists_are(monkeypatch):
    frame = study_examples({14: 60, 225: 60})
    cells = cells_of(frame).set_index("entry_id").loc[frame["entry_id"]]
    told = multitask.heads_of(frame["spacegroup_number"].to_numpy(), cells)
    assert told["volume"].values[0] == pytest.approx(np.log(200))
    assert told["axes"].values[0] == pytest.approx([0, 1, 2])
    assert told["angles"].values[0] == pytest.approx([0, -0.5, 0.5])
    system = classes_of("crystal_system").names
    assert system[int(told["crystal_system"].values[0, 0])] == "monoclinic"
    assert told["extinction_symbol"].head.outputs == len(classes_of("extinction_symbol"))

    asked = []

    def trained(subject, material, train, heads, seed):
        asked.append(tuple(one.head.name for one in heads))
        assert all(len(one.values) == len(frame) for one in heads)
        return kind_of("frequency").trained(material.rows.take(train), material.n_classes)

    monkeypatch.setattr(multitask, "_trained", trained)
    settings = ClassifierStudies(seeds=1, resamples=20, crystals=100)
    found = carried_out("multitask", small_subject(settings, frame, cells_of(frame)))
    assert asked == [(), *((name,) for name in told), tuple(told)]
    gains = found[found["metric"] == "accuracy_gain"]
    assert (gains["value"] == 0).all()
    assert set(gains["variant"]) == {*told, "all"}


def test_a_network_with_all_heads_answers_the_group_alone():
    frame = study_examples({14: 30, 225: 30})
    cells = cells_of(frame).set_index("entry_id").loc[frame["entry_id"]]
    told = multitask.heads_of(frame["spacegroup_number"].to_numpy(), cells)
    settings = ClassifierStudies(epochs=1)
    subject = replace(small_subject(settings, frame), level="space_group")
    material = Material.of(frame, "space_group", subject.classifiers, 5, grid=True)
    train = material.lists(TRAIN)
    learner = multitask._trained(subject, material, train, (*told.values(),), 3)
    probability = learner.predict_proba(material.rows.take(train).inputs)
    assert probability.shape == (len(train), 230)
    assert probability[:, [13, 224]].sum(axis=1) == pytest.approx(1)


def test_too_few_lists_make_an_empty_study():
    few = small_subject(ClassifierStudies(), study_examples({14: 10, 2: 10}))
    assert carried_out("multitask", few).empty
