"""The options of indexing, written once: names, defaults, units, ranges and help texts.

The flags of the command, the settings of the workflow's samples and the keywords of
:func:`mlindex.index` are made from the fields of :class:`Options`. A new option is one field here,
and its use.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import Field, dataclass, field, fields
from numbers import Real
from typing import Any, get_type_hints

from mlindex.base.errors import MlindexError


@dataclass(frozen=True)
class About:
    """What people read of an option, and which values it takes.

    ``noun`` names the option in messages, ``help`` says what it does; ``flag`` is its name on the
    command line and ``key`` that in the config. Numbers lie above ``above``, from ``least`` on and
    up to ``most``, and are ``whole``; ``check`` raises MlindexError for other wrong values, also
    for words in place of a number.
    ``of_file``: it is for reading a file. ``shown``: results say what was asked for.
    """

    noun: str
    help: str
    unit: str
    flag: str
    key: str
    above: float | None
    least: float | None
    most: float | None
    whole: bool
    check: Callable[[Any], object] | None
    of_file: bool
    shown: bool

    @property
    def range(self) -> str:
        """The numbers that are allowed in words; empty if any is."""
        if self.least is not None:
            return f"{self.least:g} or more" if self.most is None else self._both("to")
        if self.above is None:
            return ""
        return f"above {self.above:g}" if self.most is None else f"above {self._both('and up to')}"

    def _both(self, words: str) -> str:
        low = self.above if self.least is None else self.least
        return f"{low:g} {words} {self.most:g}"

    def checked(self, value: Any) -> None:
        """Raise MlindexError if a value is not allowed."""
        if value is None:
            return
        if self.range and not (isinstance(value, str) and self.check is not None):
            self._in_range(value)
        if self.check is not None:
            self.check(value)

    def _in_range(self, value: Any) -> None:
        number = isinstance(value, Real) and not isinstance(value, bool)
        fits = number and not (
            not math.isfinite(value)
            or (self.above is not None and value <= self.above)
            or (self.least is not None and value < self.least)
            or (self.most is not None and value > self.most)
            or (self.whole and value % 1)
        )
        if not fits:
            seen = f"{value:g}" if number else repr(value)
            unit = f" {self.unit}" if self.unit else ""
            kind = "a whole number" if self.whole else "a number"
            raise MlindexError(f"{self.noun} {seen}{unit}: give {kind}, {self.range}")


def _option(
    default: Any,
    noun: str,
    help: str,
    unit: str = "",
    *,
    flag: str,
    key: str,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    whole: bool = False,
    check: Callable[[Any], object] | None = None,
    of_file: bool = False,
    shown: bool = True,
) -> Any:
    about = About(noun, help, unit, flag, key, above, least, most, whole, check, of_file, shown)
    return field(default=default, metadata={"about": about})


def check_lattices(lattices: tuple[str, ...]) -> None:
    """Raise MlindexError if one is neither a lattice system nor a Bravais lattice."""
    # Here and below: the help of the command needs neither numpy nor the tables of lattices.
    from mlindex.crystal.lattice import system_of

    for name in lattices:
        try:
            system_of(name)
        except ValueError as error:
            raise MlindexError(str(error)) from None


def _check_formula(formula: str) -> None:
    from mlindex.crystal.formula import atoms_of

    if not isinstance(formula, str):
        raise MlindexError(f"formula {formula!r}: give it as text, such as 'C8H9NO2'")
    atoms_of(formula)


def names_file(phase: object) -> bool:
    """Whether a known phase is given as the name of a CIF file."""
    return isinstance(phase, str) and phase.lower().endswith(".cif")


def _check_phases(phases: tuple[Any, ...]) -> None:
    # Files are read where the sample is.
    for text in (one for one in phases if isinstance(one, str) and not names_file(one)):
        from mlindex.crystal.phase import phase_of, wrong

        try:
            phase_of(text)
        except MlindexError:
            if os.path.isdir(text):
                raise wrong(text, "is a folder") from None
            if os.path.isfile(text):
                raise wrong(text, "is a file, but its name does not end in .cif") from None
            raise


def _check_standard(name: str) -> None:
    from mlindex.crystal.standards import standard_named

    standard_named(name)


def _check_wavelength(wavelength: float | str) -> None:
    from mlindex.crystal.wavelengths import given_as

    given_as(wavelength)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is asked of indexing, checked.

    Raises:
        MlindexError: a value is out of range, a lattice is unknown, or the formula can't be read.
    """

    wavelength_A: float | str | None = _option(
        None,
        "wavelength",
        "Wavelength, or a tube: Cu for both K-alpha lines, CuKa1 for the first alone, likewise "
        "Cr, Fe, Co, Mo and Ag; needed for 2theta where the file does not state it.",
        "A",
        flag="--wavelength",
        key="wavelength_A",
        above=0,
        check=_check_wavelength,
        of_file=True,
        shown=False,
    )
    time_limit_s: float = _option(
        60.0,
        "time limit",
        "The search ends then with what it has found. Only a search that ends by itself gives the "
        "same result each time.",
        "s",
        flag="--time-limit",
        key="time_limit_s",
        above=0,
    )
    lattices: tuple[str, ...] = _option(
        (),
        "lattices",
        "Lattice systems or Bravais lattices to search, one or more; all 14 Bravais lattices if "
        "none is given.",
        flag="--lattice",
        key="lattices",
        check=check_lattices,
    )
    two_theta_error_deg: float | None = _option(
        None,
        "error of 2theta",
        "Standard error of 2theta; if not given, that of the list, or 0.02 (less in proportion to "
        "wavelengths below 1.54 A).",
        "degrees",
        flag="--error",
        key="two_theta_error_deg",
        above=0,
        most=2,
    )
    n_lines: int | None = _option(
        None,
        "lines to use",
        "Lines to use, from the first; if not given, 20 to search with and up to 40 to compare the "
        "cells found.",
        flag="--lines",
        key="lines",
        least=4,
        most=60,
        whole=True,
    )
    formula: str | None = _option(
        None,
        "formula",
        "Chemical formula of the crystal, such as C8H9NO2: cells that do not hold a whole number "
        "of formula units become less probable.",
        flag="--formula",
        key="formula",
        check=_check_formula,
    )
    known_phases: tuple[str, ...] = _option(
        (),
        "known phases",
        "A phase that is known to be there: a CIF file, or lattice and cell such as "
        "'cF 5.4312' or 'hR 4.7587 12.9929'; its lines are left out of the search.",
        flag="--known-phase",
        key="known_phases",
        check=_check_phases,
    )
    standard: str | None = _option(
        None,
        "standard",
        "A powder standard in the sample, whose lines calibrate 2theta and are left out of the "
        "search: Si (NIST SRM 640f), LaB6 (660c), Al2O3 (676a), CeO2 (674b) or NAC.",
        flag="--standard",
        key="standard",
        check=_check_standard,
    )
    keep: int = _option(
        20,
        "candidates to keep",
        "Candidates to keep, at most.",
        flag="--keep",
        key="keep",
        least=1,
        whole=True,
        shown=False,
    )

    def __post_init__(self) -> None:
        # One name alone is meant as it is, not as a row of letters.
        given = (self.lattices,) if isinstance(self.lattices, str) else self.lattices
        if not isinstance(given, Iterable) or not all(isinstance(one, str) for one in given):
            raise MlindexError(f"lattices {given!r}: give names, such as ('monoclinic', 'cF')")
        object.__setattr__(self, "lattices", tuple(given))
        phases = self.known_phases
        # In Python, a phase may also be what mlindex.read_phase returned.
        several = isinstance(phases, (tuple, list))
        object.__setattr__(self, "known_phases", tuple(phases) if several else (phases,))
        for one in fields(self):
            about(one).checked(getattr(self, one.name))

    def bravais_lattices(self) -> list[str]:
        """Symbols of the Bravais lattices to search, in the order of the table."""
        from mlindex.crystal.lattice import BRAVAIS, bravais_of, system_of

        chosen: set[str] = set()
        for name in self.lattices:
            of_system = {b.symbol for b in bravais_of(system_of(name).name)}
            chosen |= {name} if name in BRAVAIS else of_system
        return [symbol for symbol in BRAVAIS if not chosen or symbol in chosen]

    def shown(self) -> dict[str, Any]:
        """What results say of the options, by name."""
        values = {o.name: getattr(self, o.name) for o in fields(self) if about(o).shown}
        words = {"lattices": ", ".join(self.lattices) or "all"}
        words["known_phases"] = "; ".join(map(str, self.known_phases)) or None
        return values | words


def about(option: Field) -> About:
    """What there is to say of a field of :class:`Options`."""
    return option.metadata["about"]


def types() -> dict[str, Any]:
    """The type of each option."""
    return get_type_hints(Options)
