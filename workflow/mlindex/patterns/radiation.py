"""Wavelengths: what a file states, what was given, and which of them is used."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import (
    DOUBLET_RATIO,
    TUBES,
    UNITS_A,
    Given,
    Tube,
    given_as,
    tube_named,
)

#: Wavelengths this close in relative terms are one line, written with other digits.
_SAME_LINE_REL = 2e-4
_SHORTEST_A, _LONGEST_A = 0.01, 100.0
#: Longer lines hold data; searching them would take time for nothing.
_LONGEST_HEADER_LINE = 300
_MOST_HEADER_LINES = 1000

#: Whole or not at all: of 1.5406x, the 1 is no wavelength.
_NUMBER = r"((?>[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?))"
#: Repeats are bounded so that no line, whatever it holds, takes long.
_BETWEEN = r"""["'\])\s]{0,4}(?:[\[(][^\])]{0,12}[\])])?["'\s]{0,4}[:=,;]?["'\s]{0,9}"""


def _line_pattern(number: int) -> re.Pattern[str]:
    # Of "wavelength 1.5406" or "1,5406" the 1 is no number of a line.
    which = rf"{number}(?!\.\d|,\d{{3}})"
    names = (
        rf"k[-_ ]?(?:alpha|a|α)[-_ ]?{which}[-_ ]?(?:wave ?length)?",
        rf"(?:wave ?length|lambda)[-_ ]?{which}\b",
        rf"alpha{which}",
    )
    name = rf"\b(?:{'|'.join(names)})"
    return re.compile(rf"{name}{_BETWEEN}(\d?[.,]\d{{2,}})", re.IGNORECASE)


_FIRST, _SECOND = _line_pattern(1), _line_pattern(2)
_ANY = re.compile(
    r"(?:wave ?length|wellenl(?:ä|ae)nge|\blambda|λ)(?![-_ ]?[12]\s?[:=])(?:_(?:A|nm|pm))?"
    rf"{_BETWEEN}{_NUMBER}\s*(nm|m|pm|A|\u00c5|\u212b|angstroms?)?(?!\w)",
    re.IGNORECASE,
)
#: A unit between the name and the number.
_UNIT_BEFORE = re.compile(r"[(\[_]\s?(nm|pm|m)\b", re.IGNORECASE)
_TUBE = re.compile(
    r"\b(Cr|Fe|Co|Cu|Mo|Ag)[\s_-]*K[\s\\_-]*(?:alpha|a|α)(?![a-zA-Z])"
    r"[\s~_-]*(1(?:\s?[,+/]\s?2)?)?(?!\d)"
)


@dataclass(frozen=True)
class Radiation:
    """Wavelength (A), second line of a doublet (A) and its intensity over the first, probe.

    A ratio of 0 says that the first line is alone.
    """

    wavelength_A: float | None = None
    second_wavelength_A: float | None = None
    second_ratio: float = DOUBLET_RATIO
    probe: str | None = None
    notes: tuple[str, ...] = ()


def check_given(name: str, wavelength_A: float | None) -> None:
    """Raise MlindexError if a wavelength given is none."""
    if wavelength_A is not None and not _SHORTEST_A < wavelength_A < _LONGEST_A:
        raise MlindexError(
            f"{name}: a wavelength of {wavelength_A:g} A can't be right; give it in A, such as "
            f"1.5406 ({_SHORTEST_A:g} to {_LONGEST_A:g} are possible)"
        )


def stated(
    first_A: float | None,
    second_A: float | None = None,
    ratio: float | None = None,
    probe: str | None = None,
) -> Radiation:
    """Radiation from numbers found in a file; instruments write 0 for what they don't know."""
    if not _possible(first_A):
        return Radiation(probe=probe)
    doublet = (
        _possible(second_A)
        and 0 < second_A / first_A - 1 < 0.02
        and (ratio is None or 0 < ratio <= 1)
    )
    return Radiation(
        first_A,
        second_A if doublet else None,
        ratio if doublet and ratio is not None else DOUBLET_RATIO,
        probe,
    )


def alone(first_A: float | None) -> Radiation:
    """Radiation of one X-ray line, the other of its doublet taken out of the beam."""
    return replace(stated(first_A, probe="X-ray"), second_ratio=0.0)


def from_tube(text: str) -> Radiation:
    """Radiation from words such as ``Cu K\\a``: the doublet, or its first line for K-alpha1."""
    match = _TUBE.search(text)
    if match is None:
        return Radiation()
    first, second = TUBES[match[1]]
    note = f"the file says {match[0].strip()} without a number: {first} A was taken"
    if match[2] == "1":
        return Radiation(first, None, 0.0, "X-ray", (note,))
    return Radiation(first, second, DOUBLET_RATIO, "X-ray", (note,))


def from_header(lines: Iterable[str]) -> Radiation:
    """Radiation from lines of free text, nothing where they state none."""
    first = second = None
    others: list[float] = []
    tube = Radiation()
    for line in islice(lines, _MOST_HEADER_LINES):
        line = line[:_LONGEST_HEADER_LINE]
        first = first or _matched(_FIRST, line)
        second = second or _matched(_SECOND, line)
        other = _matched(_ANY, line)
        others += [] if other is None else [other]
        tube = tube if tube.wavelength_A else from_tube(line)
    if first or not others:
        return stated(first, second) if first else tube
    found = stated(others[0])
    differ = [x for x in others if abs(x / others[0] - 1) > _SAME_LINE_REL]
    if differ:
        note = f"the file states {others[0]:g} and {differ[0]:g} A; {others[0]:g} A is used"
        found = replace(found, notes=(note,))
    return found


def choose(found: Radiation, given: Given) -> Radiation:
    """The radiation to use: what was given wins over what the file states, with a note."""
    tube = tube_named(given) if isinstance(given, str) else None
    if tube is not None:
        return _of_tube(found, tube)
    given_A = given_as(given)
    if given_A is None:
        return found
    if found.wavelength_A is None:
        return replace(found, wavelength_A=given_A, second_wavelength_A=None, notes=())
    if abs(given_A / found.wavelength_A - 1) < _SAME_LINE_REL:
        return replace(found, wavelength_A=given_A, notes=())
    return Radiation(given_A, probe=found.probe, notes=(_differs(found, given_A),))


def _of_tube(found: Radiation, tube: Tube) -> Radiation:
    """The lines of a tube that was named, in place of those that the file states."""
    first, second = tube.lines_A
    notes = [tube.meaning]
    if found.wavelength_A and abs(first / found.wavelength_A - 1) >= _SAME_LINE_REL:
        notes.insert(0, _differs(found, first))
    if tube.single:
        return Radiation(first, None, 0.0, "X-ray", tuple(notes))
    return Radiation(first, second, DOUBLET_RATIO, "X-ray", tuple(notes))


def _differs(found: Radiation, given_A: float) -> str:
    return f"the file states {found.wavelength_A:g} A; {given_A:g} A was given and is used"


def _possible(wavelength_A: float | None) -> bool:
    return (
        wavelength_A is not None
        and math.isfinite(wavelength_A)
        and _SHORTEST_A < wavelength_A < _LONGEST_A
    )


def _matched(pattern: re.Pattern[str], line: str) -> float | None:
    match = pattern.search(line)
    if match is None:
        return None
    value = float(match[1].replace(",", "."))
    before = _UNIT_BEFORE.search(match[0][: match.start(1) - match.start()])
    unit = (match[2] or "").lower() if pattern.groups > 1 else ""
    unit = unit or (before[1].lower() if before else "")
    # Integration programs of synchrotrons write metres without saying so.
    factor = UNITS_A.get(unit, 1e10 if 1e-12 < value < 1e-8 else 1.0)
    return value * factor if _possible(value * factor) else None
