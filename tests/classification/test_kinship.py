"""Wrong answers as sub- and supergroups of the true symmetry, against chance."""

from __future__ import annotations

import pandas as pd
import pytest

from mlindex.classification.kinship import ADDED, MISSED, NEITHER, kinship
from mlindex.crystal.symmetry_classes import classes_of

#: True and given space groups, and how often: Fm-3m, I4/mmm (within it), Pm-3m (not within it).
ANSWERS = {(225, 225): 5, (225, 139): 4, (139, 225): 2, (221, 225): 3}


def answers(level: str) -> tuple[pd.DataFrame, pd.Series]:
    classes = classes_of(level)
    pairs = [pair for pair, count in ANSWERS.items() for _ in range(count)]
    names = [[classes.names[classes.of_group[n - 1]] for n in pair] for pair in pairs]
    frame = pd.DataFrame(names, columns=["true_class", "predicted_class"])
    frame["entry_id"] = [f"e{i}" for i in range(len(frame))]
    return frame, pd.Series([true for true, _ in pairs], index=frame["entry_id"])


@pytest.mark.parametrize("level", ["bravais", "extinction_symbol", "space_group"])
def test_relations_are_counted_and_chance_is_that_of_the_given_classes(level: str) -> None:
    frame, numbers = answers(level)
    found = kinship(frame, level, numbers).set_index("relation")
    assert found.loc[MISSED, "lists"] == 4
    assert found.loc[ADDED, "lists"] == 2
    other = "same lattice system, other centring" if level == "bravais" else NEITHER
    assert found.loc[other, "lists"] == 3
    assert found["chance"].sum() == pytest.approx(9)
    # Given are cF (10 times) and tI (4 times) alone, and tI is not within cP, for it keeps the
    # translations: chance has no other choice for cF and tI, and none of kin for cP.
    assert found.loc[MISSED, "chance"] == pytest.approx(4)
    assert found.loc[ADDED, "chance"] == pytest.approx(2)
    assert found.loc[other, "chance"] >= 3 * 10 / 14


def test_nothing_wrong_has_no_relation() -> None:
    frame, numbers = answers("bravais")
    assert kinship(frame.head(5), "bravais", numbers).empty
