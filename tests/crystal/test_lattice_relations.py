"""Bravais lattices that are special cases of others."""

from __future__ import annotations

import pytest

from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.lattice_relations import lattices_within

#: Maximal translationengleiche subgroups of the holohedries: International Tables for
#: Crystallography A1 (2010), ch. 2.3, of Pm-3m, Fm-3m, Im-3m, P4/mmm and so on.
MAXIMAL = {
    "cP": "tP hR",
    "cF": "tI hR",
    "cI": "tI hR",
    "tP": "oP oC",
    "tI": "oI oF",
    "hP": "oC",
    "hR": "mC",
    "oP": "mP",
    "oC": "mP mC",
    "oF": "mC",
    "oI": "mC",
    "mP": "aP",
    "mC": "aP",
    "aP": "",
}


def below(symbol: str) -> set[str]:
    """All that is reached by maximal subgroups of another lattice."""
    direct = set(MAXIMAL[symbol].split())
    return direct.union(*map(below, direct))


@pytest.mark.parametrize("symbol", BRAVAIS)
def test_lattices_within_are_the_subgroups_of_the_holohedry(symbol: str) -> None:
    assert lattices_within(symbol) == below(symbol)
