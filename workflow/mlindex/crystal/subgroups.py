"""Translationengleiche subgroups of space groups: the lattice stays, some of the rotations go."""

from __future__ import annotations

from functools import cache

import gemmi
import numpy as np
import spglib

_DEN = gemmi.Op.DEN
#: Metrics on whose axes the rotations of all groups are rotations: cubic, and hexagonal.
_SQUARE = np.eye(3)
_HEXAGONAL = np.array([[1.0, 0.0, 0.0], [-0.5, np.sqrt(0.75), 0.0], [0.0, 0.0, 1.6]])

Rotation = tuple[int, ...]


@cache
def subgroups(number: int) -> frozenset[int]:
    """Numbers of the other space-group types that its translationengleiche subgroups have.

    International Tables for Crystallography A1 (2010) lists the maximal ones; here are all, down to
    P 1. A group of the same type may be among the subgroups, and is left out.

    Args:
        number: space group, 1 to 230.
    """
    group = gemmi.find_spacegroup_by_number(number)
    operations = group.operations()
    shifts = {_rotation(op): np.array(op.tran) / _DEN for op in operations.sym_ops}
    centring = np.array(operations.cen_ops) / _DEN
    hexagonal = group.crystal_system_str() in ("trigonal", "hexagonal")
    lattice = _HEXAGONAL if hexagonal else _SQUARE
    found = {_type(kept, shifts, centring, lattice) for kept in _closed(frozenset(shifts))}
    return frozenset(found - {number})


def _rotation(op: gemmi.Op) -> Rotation:
    return tuple(int(x) // _DEN for row in op.rot for x in row)


def _type(
    kept: frozenset[Rotation],
    shifts: dict[Rotation, np.ndarray],
    centring: np.ndarray,
    lattice: np.ndarray,
) -> int:
    """The number of the group with these rotations, as spglib finds it."""
    each = sorted(kept)
    rotations = np.array(each, dtype=np.intc).reshape(-1, 3, 3)
    translations = np.array([shifts[rotation] for rotation in each])
    found = spglib.get_spacegroup_type_from_symmetry(
        np.repeat(rotations, len(centring), axis=0),
        np.mod(translations[:, None] + centring, 1.0).reshape(-1, 3),
        lattice,
    )
    if found is None:
        raise ValueError("spglib finds no space group of these operations")
    return found.number


@cache
def _closed(whole: frozenset[Rotation]) -> frozenset[frozenset[Rotation]]:
    """All subgroups of a point group, itself included."""
    each = sorted(whole)
    table = _products(each)
    one = each.index((1, 0, 0, 0, 1, 0, 0, 0, 1))
    #: Of each subgroup that was found some rotations that generate it.
    generators: dict[frozenset[int], tuple[int, ...]] = {frozenset([one]): ()}
    rest = list(generators)
    while rest:
        group = rest.pop()
        for rotation in range(len(each)):
            if rotation not in group:
                larger = (*generators[group], rotation)
                found = _generated(one, larger, table)
                if found not in generators:
                    generators[found] = larger
                    rest.append(found)
    return frozenset(frozenset(each[i] for i in group) for group in generators)


def _products(each: list[Rotation]) -> list[list[int]]:
    """The place of the product of each two rotations."""
    at = {rotation: place for place, rotation in enumerate(each)}
    matrices = np.array(each).reshape(-1, 3, 3)
    products = matrices[:, None] @ matrices
    return [[at[tuple(p.ravel().tolist())] for p in row] for row in products]


def _generated(one: int, generators: tuple[int, ...], table: list[list[int]]) -> frozenset[int]:
    """The smallest group with these rotations."""
    found, members = {one}, [one]
    for member in members:
        for generator in generators:
            product = table[member][generator]
            if product not in found:
                found.add(product)
                members.append(product)
    return frozenset(found)
