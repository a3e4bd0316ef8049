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
_HEAVY_HYDROGEN = ("D", "T")


class _UnknownElementError(ValueError):
    """A symbol that no element has."""


def atoms_of(text: str) -> dict[str, float]:
    """The atoms of a formula unit, by element: of ``CuO``, ``C8 H9 N O2`` or ``CuSO4·5H2O``.

    Deuterium and tritium count as hydrogen.

    Raises:
        MlindexError: it is no formula.
    """
    wrong = f"formula {text[:40]!r} can't be read; give one such as CuO, C8H9NO2 or CuSO4*5H2O"
    if _POINT.search(text):
        raise MlindexError(f"{wrong}, with * or · before the water")
    total: dict[str, float] = {}
    for part in re.split(_DOTS, text):
        times, unit = re.fullmatch(r"\s*(\d*\.?\d*)\s*(.*?)\s*", part, re.DOTALL).groups()
        try:
            found = _unit(unit, float(times or 1))
        except _UnknownElementError as error:
            raise MlindexError(wrong.replace("read;", f"read: {error} is no element;")) from error
        except ValueError as error:
            raise MlindexError(wrong) from error
        for element, n in found.items():
            total[element] = total.get(element, 0.0) + n
    if not 0 < sum(total.values()) < _LARGEST:
        raise MlindexError(wrong)
    return total


def _unit(text: str, times: float) -> dict[str, float]:
    """So many times the atoms of a unit without dots, ``Ca(OH)2``; ValueError if it is none."""
    if not text:
        raise ValueError("nothing")
    # Atoms of the unit and of each bracket that is open, the innermost last.
    levels: list[dict[str, float]] = [{}]
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise ValueError(text[at:])
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
        raise _UnknownElementError(symbol)
    return symbol
