"""Translationengleiche subgroups, against International Tables for Crystallography A1 (2010)."""

from __future__ import annotations

import pytest

from mlindex.crystal.subgroups import subgroups

#: Types of the maximal ones.
MAXIMAL = {
    225: {139, 166, 202, 209, 216},
    227: {141, 166, 203, 210, 216},
    194: {63, 163, 164, 176, 182, 186, 187, 190},
    167: {15, 148, 155, 161},
}


@pytest.mark.parametrize("number", MAXIMAL)
def test_maximal_subgroups_and_theirs_are_among_them(number: int) -> None:
    found = subgroups(number)
    assert found >= MAXIMAL[number]
    assert 1 in found
    # Whatever is a subgroup of a subgroup is one, and there is no other beside the maximal ones.
    below = set().union(*(subgroups(one) for one in MAXIMAL[number])) | MAXIMAL[number]
    assert found == below - {number}


def test_all_of_one_are_those_of_the_tables() -> None:
    # P n m a: P 21/m, P 21/c (two ways), P 21 21 21, P m c 21, P m n 21, P n a 21, what is below.
    assert subgroups(62) == {11, 14, 19, 26, 31, 33, 2, 4, 6, 7, 1}
    assert subgroups(2) == {1}
    assert subgroups(1) == frozenset()
