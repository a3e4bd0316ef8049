"""Space groups as entries state them: symbols as people write them, numbers, operations.

:func:`resolve` brings what an entry says to one setting of gemmi's table, or to the operations
themselves where the table does not hold their setting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import gemmi
import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.space_groups import Operations, group_of, operation_arrays
from mlindex.structures.cif import EntryError

#: Atoms on the sites and in the formula agree when they differ by less than this share.
_COUNT_MISMATCH = 0.05
_TERM = re.compile(r"(?=.)([+-]?)(\d+(?:\.\d*)?(?:/\d+)?|\.\d+)?([xyz])?")
_SCREW = re.compile(r"([2346])\s*[_~({\[]+\s*([1-5])\s*[~)}\]]*")
_BAR_BEHIND = re.compile(r"(?<![\d/-])([1346])-(?=$|[\sa-z0-9])")
_FULL_TWOFOLD = re.compile(r"2[13]?/([abcdemn])")
_FULL_FOURFOLD = re.compile(r"4[123]?/([abcdmn])(?=\s*-?3)")
_EXTENSIONS = tuple(
    (re.compile(pattern), extension)
    for pattern, extension in (
        (r"(?i)[\s({\[:,]+(hexagonal|hex\.?)(\s+(axes|setting))?[\s)}\]]*$", "H"),
        (r"(?i)[\s({\[:,]+(rhombohedral|rhomb\.?)(\s+(axes|setting))?[\s)}\]]*$", "R"),
        (r"(?i)[\s({\[:,]+origin\s*@\s*cent.*$", "2"),
        (r"(?i)[\s({\[:,]+(origin\s*(choice)?\s*[=:]?\s*|o)2[\s)}\]]*$", "2"),
        (r"(?i)[\s({\[:,]+(origin\s*(choice)?\s*[=:]?\s*|o)1[\s)}\]]*$", "1"),
        (r"[\s({\[:]+[hH][\s)}\]]*$", "H"),
        (r"[\s({\[:]+[rR][\s)}\]]*$", "R"),
        (r"(?<=.)[\s:]*Z$", "2"),
        (r"(?<=.)[\s:]*S$", "1"),
        (r"\s*:\s*([12])$", None),
    )
)


@dataclass(frozen=True)
class Stated:
    """What an entry says of its symmetry, as written; "" or None where it says nothing."""

    symbol: str
    hall: str
    number: int | None
    operations: tuple[str, ...]


@dataclass(frozen=True)
class Resolved:
    """The setting, or where it is not tabulated the operations; and what was assumed."""

    group: gemmi.SpaceGroup | None
    operations: Operations | None
    notes: tuple[str, ...]


def resolve(
    stated: Stated,
    cell: np.ndarray,
    fits: Callable[[gemmi.SpaceGroup], bool],
    mismatch: Callable[[gemmi.SpaceGroup], float],
) -> Resolved:
    """The setting that an entry means.

    A list of operations decides; then a Hall symbol; then the Hermann-Mauguin symbol, which
    must agree with the number. Where a symbol fits several settings, the cell decides, then
    the sites.

    Args:
        stated: what the entry says.
        cell: its cell (6,), which tells hexagonal from rhombohedral axes.
        fits: whether the cell obeys a setting.
        mismatch: how far the atoms on the sites are from the formula in a setting.

    Raises:
        EntryError: with rule 2, where no number can be had; with rule 3, where the symbol
            can't be read or contradicts the number.
    """
    named, explicit = group_by_symbol(stated.symbol, cell)
    notes: list[str] = []
    listed = _listed_operations(stated.operations, notes)
    group, own = listed if listed else (_by_hall(stated, named), None)
    if group is None and own is None:
        group = _by_symbol_and_number(stated, named, explicit, fits, mismatch, notes)
    elif _atoms_deny(group, named, stated, fits, mismatch):
        notes.append(f"operations of {group.xhm()} ignored: the atoms are those of {named.xhm()}")
        group = named
    else:
        # One setting can have two symbols in the table (C m c a, C m c e): the author's stands.
        group = named if group and named and named.hall == group.hall else group
        notes += _contradictions(stated, named, group)
    return Resolved(group, own, tuple(notes))


def _atoms_deny(
    group: gemmi.SpaceGroup | None,
    named: gemmi.SpaceGroup | None,
    stated: Stated,
    fits: Callable[[gemmi.SpaceGroup], bool],
    mismatch: Callable[[gemmi.SpaceGroup], float],
) -> bool:
    # A list that lacks operations makes a group too; symbol, number, cell and the count of
    # atoms together say so.
    agreed = named is not None and stated.number in (None, named.number)
    if group is None or not agreed or group.number == named.number or not fits(named):
        return False
    return mismatch(named) < _COUNT_MISMATCH < mismatch(group)


def _by_symbol_and_number(
    stated: Stated,
    named: gemmi.SpaceGroup | None,
    explicit: bool,
    fits: Callable[[gemmi.SpaceGroup], bool],
    mismatch: Callable[[gemmi.SpaceGroup], float],
    notes: list[str],
) -> gemmi.SpaceGroup:
    valid = stated.number is not None and 1 <= stated.number <= 230
    if named is None and not valid:
        seen = f"symbol {stated.symbol!r}, number {stated.number}"
        because = "".join(f"; {note}" for note in notes)
        raise EntryError(
            2, seen, f"no space-group number from 1 to 230 is listed or follows{because}"
        )
    if named is None and stated.symbol:
        raise EntryError(3, stated.symbol, "the space-group symbol can't be read")
    if named is not None and valid and named.number != stated.number:
        seen = f"symbol {stated.symbol!r} (number {named.number}), number {stated.number}"
        raise EntryError(3, seen, "symbol and number contradict, and no operations decide")
    if named is None:
        named = gemmi.find_spacegroup_by_number(stated.number)
        notes.append(f"no symbol: {named.xhm()} taken for number {stated.number}")
    elif not valid:
        notes.append(f"number {stated.number or 'missing'}: {named.number} follows from symbol")
    return _setting(named, explicit, fits, mismatch, notes)


def _setting(
    named: gemmi.SpaceGroup,
    explicit: bool,
    fits: Callable[[gemmi.SpaceGroup], bool],
    mismatch: Callable[[gemmi.SpaceGroup], float],
    notes: list[str],
) -> gemmi.SpaceGroup:
    if explicit and fits(named):
        return named
    others = [g for g in _settings_alike(named.number, _bare(named.hm)) if g.hall != named.hall]
    fitting = [g for g in (named, *others) if fits(g)]
    if len(fitting) < 2:
        chosen = fitting[0] if fitting else named
        if chosen.hall != named.hall:
            notes.append(f"{named.xhm()} read as {chosen.xhm()}, which the cell fits")
    else:
        # Rounded, so that a tie is one and gemmi's own choice, first in the list, stands.
        chosen = min(fitting, key=lambda g: round(mismatch(g), 3))
        notes.append(f"of several settings {chosen.xhm()} taken")
    return chosen


@lru_cache(maxsize=2048)
def _settings_alike(number: int, bare: str) -> tuple[gemmi.SpaceGroup, ...]:
    table = gemmi.spacegroup_table()
    return tuple(g for g in table if g.number == number and _bare(g.hm) == bare)


def _bare(symbol: str) -> str:
    return "".join(word for word in symbol.split() if word != "1")


def _contradictions(
    stated: Stated, named: gemmi.SpaceGroup | None, group: gemmi.SpaceGroup | None
) -> Iterator[str]:
    name = group.xhm() if group else "a setting of their own"
    if group and stated.number is not None and stated.number != group.number:
        yield f"number stated as {stated.number}, operations are of {group.number}"
    if group and named and named.number != group.number:
        yield f"symbol stated as {stated.symbol!r}, operations are of {name}"
    if named is None and stated.symbol:
        yield f"symbol {stated.symbol!r} not understood, operations are of {name}"


def _listed_operations(
    triplets: tuple[str, ...], notes: list[str]
) -> tuple[gemmi.SpaceGroup | None, Operations | None] | None:
    """The setting of a list of operations, or where it is not tabulated they themselves."""
    if not triplets:
        return None
    try:
        return _tabulated(triplets, notes)
    except (RuntimeError, ValueError) as error:
        try:
            parsed = [_parsed(triplet) for triplet in triplets]
        except (ValueError, ZeroDivisionError):
            notes.append(f"operations ignored: {error}")
            return None
        return None, Operations(*(np.array(part) for part in zip(*parsed, strict=True)))


def _tabulated(
    triplets: tuple[str, ...], notes: list[str]
) -> tuple[gemmi.SpaceGroup | None, Operations | None] | None:
    distinct = dict.fromkeys(_operation(triplet).triplet() for triplet in ("x,y,z", *triplets))
    operations = gemmi.GroupOps([gemmi.Op(triplet) for triplet in distinct])
    listed = len(operations)
    operations.add_missing_elements()
    group = gemmi.find_spacegroup_by_ops(operations)
    if len(operations) == listed:
        return group, None if group else operation_arrays(operations)
    if group is None:
        notes.append("operations ignored: they form no group")
        return None
    notes.append(f"operations completed from {listed} to {len(operations)}")
    return group, None


def _operation(triplet: str) -> gemmi.Op:
    operation = gemmi.Op("".join(triplet.split())).wrap()
    if abs(operation.det_rot()) != gemmi.Op.DEN**3:
        raise ValueError(f"{triplet!r} is no symmetry operation")
    return operation


def _parsed(triplet: str) -> tuple[np.ndarray, np.ndarray]:
    """Rotation and translation of an operation whose translation is no multiple of 1/24."""
    rows = [_row(part) for part in "".join(triplet.split()).lower().split(",")]
    matrix = np.array(rows)
    if matrix.shape != (3, 4) or abs(round(np.linalg.det(matrix[:, :3]))) != 1:
        raise ValueError(f"{triplet!r} is no symmetry operation")
    return matrix[:, :3], matrix[:, 3]


def _row(text: str) -> list[float]:
    terms = _TERM.findall(text)
    if "".join("".join(term) for term in terms) != text:
        raise ValueError(f"{text!r} is no row of a symmetry operation")
    row = [0.0, 0.0, 0.0, 0.0]
    for sign, number, axis in terms:
        value = float(Fraction(number or 1)) * (-1 if sign == "-" else 1)
        row["xyz".index(axis) if axis else 3] += value
    return row


def _by_hall(stated: Stated, named: gemmi.SpaceGroup | None) -> gemmi.SpaceGroup | None:
    if not stated.hall:
        return None
    try:
        group = group_of(stated.hall)
    except MlindexError:
        return None
    numbers = {n for n in (stated.number, named and named.number) if n}
    return group if group and (not numbers or group.number in numbers) else None


def group_by_symbol(symbol: str, cell: np.ndarray) -> tuple[gemmi.SpaceGroup | None, bool]:
    """The group of a Hermann-Mauguin symbol as people write it, or of a Hall symbol.

    Returns:
        The group, None where the symbol can't be read, and whether the symbol says which
        origin or axes are meant.
    """
    return _group_by_symbol(symbol, round(float(cell[3]), 3), round(float(cell[5]), 3))


@lru_cache(maxsize=8192)
def _group_by_symbol(
    symbol: str, alpha_deg: float, gamma_deg: float
) -> tuple[gemmi.SpaceGroup | None, bool]:
    if not symbol:
        return None, False
    bare, extension = _split_extension(_tidied(symbol))
    for spelling in _spellings(symbol, bare, extension):
        group = gemmi.find_spacegroup_by_name(spelling, alpha_deg, gamma_deg)
        if group is not None:
            return group, bool(extension) or group.ext == "\0"
    return _by_qualifier(bare), True


def _spellings(symbol: str, bare: str, extension: str) -> Iterator[str]:
    short = _FULL_TWOFOLD.sub(r"\1", _FULL_FOURFOLD.sub(r"\1", bare))
    for spelling in (bare, short):
        if extension:
            yield f"{spelling}:{extension}"
        yield spelling
    yield symbol


def _tidied(symbol: str) -> str:
    text = symbol.strip("'\" ").replace("\u2212", "-").replace("\u2013", "-").replace("$", "")
    text = _SCREW.sub(r"\1\2", text.replace("\\bar", "-").replace("{-}", "-"))
    text = re.sub(r"\s*/\s*", "/", text.replace("_", " ").replace("~", ""))
    return _BAR_BEHIND.sub(r"-\1", " ".join(text.split()))


def _split_extension(symbol: str) -> tuple[str, str]:
    for pattern, extension in _EXTENSIONS:
        if match := pattern.search(symbol):
            return symbol[: match.start()].rstrip(), extension or match.group(1)
    return symbol, ""


def _by_qualifier(symbol: str) -> gemmi.SpaceGroup | None:
    base, colon, qualifier = symbol.partition(":")
    group = gemmi.find_spacegroup_by_name(base) if colon else None
    if group is None:
        return None
    alike = (g for g in gemmi.spacegroup_table() if g.number == group.number)
    return next((g for g in alike if g.qualifier == qualifier.strip()), None)
