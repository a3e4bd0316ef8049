"""How wrong answers stand to the true symmetry: sub- or supergroups of it, against chance."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from mlindex.classification.summary import coded, confusions, relation
from mlindex.crystal.subgroups import subgroups
from mlindex.crystal.symmetry_classes import classes_of

MISSED = "subgroup: symmetry was missed"
ADDED = "supergroup: symmetry was added"
NEITHER = "neither"
#: Levels whose answers are space groups or sets of them.
OF_GROUPS = ("extinction_symbol", "space_group")


def kinship(tests: pd.DataFrame, level: str, numbers: pd.Series) -> pd.DataFrame:
    """Wrong answers by how the given class stands to the true one: relation, lists, chance.

    ``chance`` is the number of lists that would stand so if the wrong classes were drawn at random,
    each as often as the learner gives it. A class of several space groups is a sub- or supergroup
    where one of its groups is.

    Args:
        tests: rows of CLASSIFIER_TESTS of one learner.
        level: their level.
        numbers: space group of each entry, by ``entry_id``.
    """
    given, true = coded(tests, level)
    wrong = given != true
    often = confusions(tests, level).sum(axis=0)
    number = numbers.reindex(tests["entry_id"]).to_numpy()
    met: dict[str, int] = {}
    chance: dict[str, float] = {}
    pairs = pd.DataFrame({"given": given, "true": true, "number": number})[wrong]
    for (t, n), rows in pairs.groupby(["true", "number"]):
        kinds = [_kind(level, int(n), t, c) for c in range(len(often))]
        for c in rows["given"]:
            met[kinds[c]] = met.get(kinds[c], 0) + 1
        weight = np.where(np.arange(len(often)) == t, 0, often)
        for kind, share in zip(kinds, weight / weight.sum(), strict=True):
            chance[kind] = chance.get(kind, 0.0) + len(rows) * float(share)
    order = sorted(met.keys() | {k for k, x in chance.items() if x}, key=lambda k: -met.get(k, 0))
    rows = [(kind, met.get(kind, 0), chance.get(kind, 0.0)) for kind in order]
    return pd.DataFrame(rows, columns=["relation", "lists", "chance"])


def _kind(level: str, number: int, true: int, given: int) -> str:
    if level in OF_GROUPS:
        return group_relation(level, number, given)
    names = classes_of(level).names
    return relation(names[true], names[given])


@cache
def group_relation(level: str, number: int, given: int) -> str:
    """How a class of space groups stands to a space group.

    Args:
        level: one of :data:`OF_GROUPS`.
        number: the true space group, 1 to 230.
        given: the class, by its place.
    """
    groups = np.flatnonzero(classes_of(level).of_group == given) + 1
    if any(g in subgroups(number) for g in groups):
        return MISSED
    if any(number in subgroups(int(g)) for g in groups):
        return ADDED
    return NEITHER
