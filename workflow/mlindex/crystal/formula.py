"""Chemical formulas as people write them, read into atoms."""

from __future__ import annotations

import re

import gemmi

from mlindex.base.errors import MlindexError

#: Between the parts of a hydrate or a salt, such as CuSO4·5H2O.
_DOTS = "[·•∙⋅*]"
#: CuSO4.5H2O would be read as four and a half oxygen atoms.
_POINT = re.compile(r"\d\.\d*\(?H2O")
_LARGEST = 1e5
#: An element or a closing bracket with its number, or an opening bracket.
_PIECE = re.compile(r"\s*(?:(?:([A-Z][a-z]?)|([(\[{])|([)\]}]))\s*(\d+\.?\d*|\.\d+)?)\s*")
#: A formula in small letters, not too long to say how it is written.
_SMALL = re.compile(r"[a-z][a-z0-9.()]{0,39}")
#: Plutonium: NO2 is no nobelium.
_LAST_ELEMENT = 94
_MOST_WAYS = 3
_HEAVY_HYDROGEN = ("D", "T")


def atoms_of(text: str) -> dict[str, float]:
    """The atoms of a formula unit, by element: of ``CuO``, ``C8 H9 N O2`` or ``CuSO4·5H2O``.

    Deuterium and tritium count as hydrogen.

    Raises:
        MlindexError: it is no formula.
    """
    if _POINT.search(text):
        raise MlindexError(f"{_wrong(text)}, with * or · before the water")
    total: dict[str, float] = {}
    for part in re.split(_DOTS, text):
        times, unit = re.fullmatch(r"\s*(\d*\.?\d*)\s*(.*?)\s*", part, re.DOTALL).groups()
        try:
            found = _unit(unit, float(times or 1))
        except ValueError as error:
            raise MlindexError(_wrong(text, str(error))) from error
        for element, n in found.items():
            total[element] = total.get(element, 0.0) + n
    atoms = sum(total.values())
    if not atoms > 0:
        raise MlindexError(_wrong(text, "it has no atoms"))
    if not atoms < _LARGEST:
        raise MlindexError(_wrong(text, f"it has more than {_LARGEST:g} atoms"))
    return total


def _wrong(text: str, why: str = "") -> str:
    """What to say of a text that is no formula."""
    hint = _hint(text)
    why = f": {why}" if why and not hint.startswith("write") else ""
    return f"formula {text[:40]!r} can't be read{why}; {hint}"


def _hint(text: str) -> str:
    """What to write instead of a text that is no formula."""
    usual = "give one such as CuO, C8H9NO2 or CuSO4*5H2O"
    if text != text.lower() or not (found := _SMALL.fullmatch(text)):
        return usual
    written = " or ".join(_with_capitals(found[0]))
    return f"write {written}: elements begin with a capital letter" if written else usual


def _with_capitals(text: str) -> list[str]:
    """What a formula in small letters may stand for, those of few elements first, at most 3."""
    ways: list[list[str]] = [[""]]
    for end in range(1, len(text) + 1):
        pieces = [text[end - n : end] for n in (2, 1) if n <= end]
        longer = [
            before + piece.capitalize()
            for piece in pieces
            if _means(piece)
            for before in ways[end - len(piece)]
        ]
        ways.append(sorted(longer, key=lambda way: sum(c.isupper() for c in way))[:_MOST_WAYS])
    return ways[-1]


def _means(piece: str) -> bool:
    """Whether one or two letters name an element that formulas have, or it is a sign."""
    if not piece.isalpha():
        return len(piece) == 1
    return 0 < gemmi.Element(piece.capitalize()).atomic_number <= _LAST_ELEMENT


def _unit(text: str, times: float) -> dict[str, float]:
    """So many times the atoms of a unit without dots, ``Ca(OH)2``; ValueError if it is none."""
    if not text:
        raise ValueError("no element is named")
    # Atoms of the unit and of each bracket that is open, the innermost last.
    levels: list[dict[str, float]] = [{}]
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise ValueError(f"{text[at : at + 20]!r} is no element with its number")
        symbol, opened, _, count = piece.groups()
        at = piece.end()
        if opened:
            levels.append({})
            continue
        group = {_element(symbol): 1.0} if symbol else levels.pop()
        if not levels:
            raise ValueError("a bracket closes that none opens")
        for element, n in group.items():
            levels[-1][element] = levels[-1].get(element, 0.0) + n * float(count or 1)
    if len(levels) > 1:
        raise ValueError("a bracket is open")
    return {element: n * times for element, n in levels[0].items() if n}


def _element(symbol: str) -> str:
    if symbol in _HEAVY_HYDROGEN:
        return "H"
    if gemmi.Element(symbol).atomic_number == 0:
        raise ValueError(f"{symbol} is no element")
    return symbol
