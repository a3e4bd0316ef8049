"""Symmetry classes at all levels."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest

from mlindex.crystal.symmetry_classes import LEVELS, N_GROUPS, classes_of

NUMBERS = np.arange(1, N_GROUPS + 1)


@pytest.mark.parametrize(("level", "count"), zip(LEVELS, (7, 14, 97, 230), strict=True))
def test_every_class_of_a_level_has_space_groups(level: str, count: int) -> None:
    classes = classes_of(level)
    assert len(classes) == len(set(classes.names)) == count
    assert set(classes.of(NUMBERS)) == set(range(count))


def test_groups_of_an_extinction_symbol_share_their_lattice_and_absences() -> None:
    box = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3, indexing="ij"), axis=-1)
    hkl = np.ascontiguousarray(box.reshape(-1, 3), dtype=np.int32)
    # Absences in all settings of a group, by gemmi: groups of one symbol have one in common.
    settings: dict[int, set[bytes]] = {}
    for group in gemmi.spacegroup_table():
        absent = group.operations().systematic_absences(hkl)
        settings.setdefault(group.number, set()).add(np.asarray(absent).tobytes())
    symbols, lattices = classes_of("extinction_symbol"), classes_of("bravais")
    for number in range(len(symbols)):
        groups = np.flatnonzero(symbols.of_group == number) + 1
        assert len(set(lattices.of(groups))) == 1
        assert set.intersection(*(settings[n] for n in groups)), symbols.names[number]


def test_groups_of_different_symbols_of_a_lattice_have_other_absences() -> None:
    symbols = classes_of("extinction_symbol").names
    of = dict(
        zip(
            (14, 62, 33, 61, 227, 216),
            classes_of("extinction_symbol").of(np.array([14, 62, 33, 61, 227, 216])),
            strict=True,
        )
    )
    assert symbols[of[14]] == "mP P 1 21/c 1"
    assert of[62] == of[33] != of[61]
    assert symbols[of[227]] == "cF F d - -"
    assert symbols[of[216]] == "cF F - - -"
