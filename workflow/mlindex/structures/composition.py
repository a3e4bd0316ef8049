"""Chemical formulas and element names as CIF files write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from math import gcd

import gemmi

_UNKNOWN = "X"
#: Relative difference within which a count is whole: occupancies have two or three digits.
_WHOLE = 0.01
_GROUP = re.compile(r"\(([^()]*)\)(\d+(?:\.\d+)?|\.\d+)?")
_TOKEN = re.compile(r"([A-Z][a-z]?)(\d+(?:\.\d*)?|\.\d+)?")
_CHARGE = re.compile(r"(?<![A-Za-z\d.])\d*[+-](?!\d)|[+-]\d*(?=\s|,|$)|(?<=[A-Za-z\d)])\d?[+-]\d*$")
_PART = re.compile(r"(\d+(?:\.\d+)?|\.\d+)?\s*(.*)")
_SPLIT_DECIMAL = re.compile(r"(\d)\s+(\.\d)")
_LETTERS = re.compile(r"[A-Za-z]+")
#: Names that stand for no atom: vacancies, dummies and centres of gravity.
_NO_ATOM = re.compile(r"^(va|vac|vacancy|dum|dummy|cg\d|centroid)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def element_symbol(name: str) -> str | None:
    """Chemical symbol in its usual spelling ("D" is deuterium), None where there is none."""
    if not name.isalpha() or len(name) > 2:
        return None
    symbol = gemmi.Element(name).name
    return None if symbol == _UNKNOWN else symbol


def element_of_site(text: str, formula: Mapping[str, float]) -> str | None:
    """Element of an atom-site type or label such as Fe3+, C12, Ow or CA1.

    Two letters are read as one element where the formula holds it, else as the first letter's
    element where the formula holds that, else as whatever exists.
    """
    letters = _LETTERS.match(text.strip())
    if not letters:
        return None
    candidates = [element_symbol(letters.group()[:n]) for n in (2, 1)]
    known = [c for c in candidates if c]
    return next((c for c in known if c in formula), known[0] if known else None)


def is_no_atom(text: str) -> bool:
    """Whether a site's type or label names a vacancy or a dummy."""
    return bool(_NO_ATOM.match(text.strip()))


def parse_formula(text: str) -> dict[str, float]:
    """Atoms of each element in a chemical formula, zero counts left out.

    Understands sums ("C12 H8 O2", "Al2O3"), groups ("Ca (O H)2"), moieties with multipliers and
    charges ("0.5(C6 H6), Cl 1-") and middle dots ("CaSO4.2H2O" needs a star or dot with blanks).

    Raises:
        ValueError: the text holds something that is neither element, number nor group.
    """
    counts: dict[str, float] = {}
    for part in re.split(r"[,;*·•]|\s\.\s", _tidied(text)):
        part = _CHARGE.sub("", part.strip()).strip()
        if not part:
            continue
        multiplier, rest = _PART.fullmatch(part).groups()
        for element, count in _part_counts(rest).items():
            counts[element] = counts.get(element, 0.0) + count * float(multiplier or 1)
    return {element: count for element, count in sorted(counts.items()) if count > 0}


def _tidied(text: str) -> str:
    text = " ".join(text.translate(str.maketrans("[]{}", "()()")).split())
    return _SPLIT_DECIMAL.sub(r"\1\2", text)


def _part_counts(text: str) -> dict[str, float]:
    while match := _GROUP.search(text):
        multiplier = float(match.group(2) or 1)
        inner = _flat_counts(_CHARGE.sub("", match.group(1).strip()))
        flat = " ".join(f"{e}{c * multiplier:.10g}" for e, c in inner.items())
        text = f"{text[: match.start()]} {flat} {text[match.end() :]}"
    return _flat_counts(_CHARGE.sub("", text))


def _flat_counts(text: str) -> dict[str, float]:
    counts: dict[str, float] = {}
    for word in text.split():
        for symbol, number in _tokens(word):
            counts[symbol] = counts.get(symbol, 0.0) + float(number or 1)
    return counts


def _tokens(word: str) -> list[tuple[str, str]]:
    for spelling in (word, word.capitalize()):
        found = _TOKEN.findall(spelling)
        symbols = [element_symbol(symbol) for symbol, _ in found]
        complete = "".join(symbol + number for symbol, number in found) == spelling
        if found and complete and all(symbols):
            return [(symbol, pair[1]) for symbol, pair in zip(symbols, found, strict=True)]
    raise ValueError(f"{word!r} is no element with a number")


def formula_of(
    content: Mapping[str, float], z: float | None = None
) -> tuple[str, dict[str, float]]:
    """The formula of a cell's atoms, elements in alphabetical order, as text and as counts.

    Args:
        content: atoms of each element in the cell, above 0.
        z: formula units in the cell; without it the greatest number that leaves whole counts, or
            1 where the counts are not whole, as in a disordered crystal.
    """
    whole = {element: round(count) for element, count in content.items()}
    exact = all(n and abs(content[element] - n) <= _WHOLE * n for element, n in whole.items())
    units = z or (gcd(*whole.values()) if exact else 1)
    counts = {element: round(count / units, 6) for element, count in sorted(content.items())}
    return " ".join(f"{e}{'' if n == 1 else f'{n:g}'}" for e, n in counts.items()), counts
