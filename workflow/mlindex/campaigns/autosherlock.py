"""AutoSherlock's screens (.mso): what each cocktail holds, and the classes seen in its drops.

A tab-separated row for each well: its number, the cocktail, its commercial code; an additive with
its formula and concentration; a buffer with its concentration, and the pH; then further additives
with their concentrations; last the classes that were seen in the drop (``50-90``). Rows differ in
length, and headings come again in between. Nagel et al. (2008), J. Appl. Cryst. 41, 1173.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlindex.base.errors import MlindexError, explained
from mlindex.base.names import printable, shown
from mlindex.campaigns.reading import decoded

#: A screen has 1,536 wells of some hundred bytes.
_MOST_BYTES = 20_000_000
#: Cells before the composition, and in it before the further additives.
_HEAD, _FIRST = 3, 6
_AMOUNT = re.compile(r"^(\d*\.?\d+)\s*(mM|M|%)?")
_MASS = re.compile(r"(\d{3,5})$")
_PH_IN_NAME = re.compile(r",?\s*pH\s*([\d.]+)$", re.IGNORECASE)
_CLASSES = re.compile(r"^\d+(?:-\d+)*$")
_WATER = re.compile(
    r"\s+(?:anhydrous|hydrate|(?:mono|di|tri|tetra|penta|hexa|hepta|deca)hydrate|reagent)$"
)
_POLYMERS = ("peg ", "jeffamine", "ethoxylate", "propoxylate", "poly")
#: Ions by the words that names of salts have for them.
_CATIONS = (
    *("ammonium", "lithium", "sodium", "potassium", "rubidium", "cesium", "magnesium", "calcium"),
    *("manganese", "zinc", "cobalt", "nickel", "cadmium", "iron", "copper"),
)
_ANIONS = (
    *("chloride", "bromide", "iodide", "fluoride", "nitrate", "sulfate", "thiosulfate"),
    *("phosphate", "acetate", "formate", "citrate", "tartrate", "malonate", "succinate", "malate"),
    *("thiocyanate", "carbonate", "molybdate", "cacodylate"),
)
#: Spellings of the screens, and the one that stands for them.
_SPELLINGS = (
    *(("flouride", "fluoride"), ("phophate", "phosphate"), ("ferric", "iron"), ("prg", "peg")),
    *(("polyethylene glycol", "peg"), ("hepes - na", "hepes"), ("hepes-na", "hepes")),
    *(("hepes sodium", "hepes"), ("tris hydrochloride", "tris")),
    ("mpd", "2-methyl-2,4-pentanediol"),
    *(("iso-propanol", "2-propanol"), ("citric acid", "citrate"), ("succinic acid", "succinate")),
    *(("dl-malic acid", "malate"), ("tri-", ""), ("di-", "")),
    *(("dihydrogen ", ""), ("hydrogen ", "")),
    *((" monobasic", ""), (" dibasic", ""), (" tribasic", "")),
    *(("-monobasic", ""), ("-dibasic", ""), ("-tribasic", "")),
)  # fmt: skip
#: An additive has a column of its own from so many cocktails on: fewer tell a model nothing that
#: ions, polymer and pH don't. It makes about 110 columns of a screen; not tuned.
_LEAST_COCKTAILS = 12


@dataclass(frozen=True)
class Additive:
    """Something in a cocktail and how much of it, in M (mol/l) or % (of mass or volume).

    ``name`` is in small letters, without water of crystallization; ``amount`` NaN if not stated.
    """

    name: str
    amount: float
    unit: str

    @property
    def is_polymer(self) -> bool:
        """Whether it is a polymer."""
        return any(word in self.name for word in _POLYMERS)

    @property
    def molar_mass(self) -> float:
        """Molar mass in g/mol that the name of a polymer states; NaN where it states none."""
        found = _MASS.search(self.name) if self.is_polymer else None
        return float(found[1]) if found else math.nan

    @property
    def ions(self) -> tuple[str, ...]:
        """Ions that its name holds."""
        words = re.sub(r"\([il]+\)", "", self.name)
        found = re.split(r"[ /]", words)
        return tuple(ion for ion in (*_CATIONS, *_ANIONS) if ion in found)


@dataclass(frozen=True)
class Cocktail:
    """A well of a screen; ``buffer`` is its name, ``classes`` those seen in the drop, in order."""

    well: int
    name: str
    code: str
    additives: tuple[Additive, ...]
    buffer: str | None
    pH: float | None
    classes: tuple[int, ...]

    @property
    def text(self) -> str:
        """What is in it, as a person says it."""
        parts = [
            one.name if math.isnan(one.amount) else f"{one.amount:g} {one.unit} {one.name}"
            for one in self.additives
        ]
        return ", ".join(parts + ([] if self.pH is None else [f"pH {self.pH:g}"]))


def read_screen(path: str | Path) -> tuple[Cocktail, ...]:
    """The wells of an AutoSherlock screen.

    Raises:
        MlindexError: it can't be read, or is no such screen.
    """
    name = shown(path)
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise MlindexError(f"{name}: can't be read: {explained(error, False)}") from None
    lines = decoded(content).splitlines()
    if len(content) > _MOST_BYTES or not lines or "\tmsoversion" not in lines[0]:
        raise MlindexError(f"{name}: is no AutoSherlock screen; its first line names msoversion")
    rows = [(n, line.split("\t")) for n, line in enumerate(lines[1:], 2) if line.strip()]
    wells = [_cocktail(row, f"{name}, line {n}") for n, row in rows if not _is_heading(row)]
    if not wells:
        raise MlindexError(f"{name}: holds no well")
    twice = [one for one, count in Counter(well.name for well in wells).items() if count > 1]
    if twice:
        raise MlindexError(f"{name}: the cocktail {printable(twice[0])} stands in two wells")
    return tuple(wells)


def _is_heading(cells: list[str]) -> bool:
    return cells[0].strip().lower().startswith("well")


def _cocktail(cells: list[str], where: str) -> Cocktail:
    cells = [cell.strip().strip('"').strip() for cell in cells]
    if len(cells) < _HEAD + _FIRST or not cells[0].isdigit() or not cells[1]:
        raise MlindexError(f"{where}: expected a well, a cocktail, its composition and its classes")
    if cells[-1] and not _CLASSES.match(cells[-1]):
        raise MlindexError(
            f"{where}: expected classes such as 10 or 50-90 in the last cell, got "
            f"{printable(cells[-1][:40])!r}"
        )
    classes = tuple(int(one) for one in cells[-1].split("-")) if cells[-1] else ()
    additives, buffer, pH = composition(cells[_HEAD:-1], where)
    return Cocktail(int(cells[0]), cells[1], cells[2], additives, buffer, pH, classes)


def composition(
    cells: Sequence[str], where: str
) -> tuple[tuple[Additive, ...], str | None, float | None]:
    """Additives, name of the buffer, and pH from the cells of a well between code and classes.

    Raises:
        MlindexError: an amount or a pH that is no number; ``where`` names the row.
    """
    salt, _formula, amount, buffer, of_buffer, pH = (*cells[:_FIRST], *[""] * _FIRST)[:_FIRST]
    rest = cells[_FIRST:]
    pairs = [(salt, amount), (buffer, of_buffer), *zip(rest[::2], rest[1::2], strict=False)]
    additives, stated = [], None
    for name, much in pairs:
        if name:
            in_name = _PH_IN_NAME.search(name)
            stated = float(in_name[1]) if in_name else stated
            additives.append(Additive(plain_name(name), *_amount(much, where)))
    try:
        acidity = float(pH) if pH else stated
    except ValueError:
        raise MlindexError(f"{where}: expected a pH, got {printable(pH[:40])!r}") from None
    return tuple(additives), plain_name(buffer) if buffer else None, acidity


def _amount(text: str, where: str) -> tuple[float, str]:
    # "0 01 M" has lost its point.
    found = _AMOUNT.match(re.sub(r"^0 (?=\d)", "0.", text))
    if text and not found:
        raise MlindexError(f"{where}: expected a concentration, got {printable(text[:40])!r}")
    if not found:
        return math.nan, "M"
    unit = found[2] or "M"
    return float(found[1]) * (1e-3 if unit == "mM" else 1), "%" if unit == "%" else "M"


def plain_name(name: str) -> str:
    """A name of an additive in one spelling, without its pH and water of crystallization."""
    text = _PH_IN_NAME.sub("", name).encode("ascii", "ignore").decode()
    plain = " ".join(text.lower().split())
    for spelling, usual in _SPELLINGS:
        plain = plain.replace(spelling, usual)
    return _WATER.sub("", plain)


@dataclass(frozen=True)
class Composition:
    """Cocktails as numbers: ``values`` (n, columns), the names of columns, and their kinds."""

    values: np.ndarray
    columns: tuple[str, ...]
    kinds: tuple[str, ...]


def features(cocktails: Sequence[Cocktail]) -> Composition:
    """The composition of cocktails as a table of numbers.

    Amounts of the additives that many of them hold, of ions in M, polymers in % and by molar mass,
    which buffer, pH, and how much there is in all.
    """
    counts = Counter(one.name for well in cocktails for one in well.additives)
    common = sorted(name for name, count in counts.items() if count >= _LEAST_COCKTAILS)
    buffers = Counter(well.buffer for well in cocktails if well.buffer)
    known = sorted(name for name, count in buffers.items() if count >= _LEAST_COCKTAILS)
    acidities = [well.pH for well in cocktails if well.pH is not None]
    usual_pH = float(np.median(acidities)) if acidities else 7.0
    rows = [dict(_described(well, common, known, usual_pH)) for well in cocktails]
    labels = list(dict.fromkeys(label for row in rows for label in row))
    values = np.array([[row.get(label, 0.0) for label in labels] for row in rows])
    varied = np.flatnonzero(np.ptp(values, axis=0) > 0) if len(values) else []
    kinds = tuple(labels[i][0] for i in varied)
    columns = tuple(" ".join(labels[i]) for i in varied)
    return Composition(values[:, varied], columns, kinds)


def _described(
    well: Cocktail, common: Sequence[str], buffers: Sequence[str], usual_pH: float
) -> Iterator[tuple[tuple[str, str], float]]:
    """Each column, as its kind and name, and its number; what a cocktail hasn't is left out."""
    ions: Counter[str] = Counter()
    salts, organics, polymers = 0.0, 0.0, 0.0
    for one in well.additives:
        # What is there without an amount counts a little.
        amount = one.amount if one.amount == one.amount else 0.1
        if one.name in common:
            # Roots: from 0.1 to 0.2 M matters more than from 2.1 to 2.2 M.
            yield ("additive", one.name), math.sqrt(amount)
        for ion in one.ions:
            ions[ion] += amount
        if one.is_polymer:
            polymers += amount
            if not math.isnan(one.molar_mass):
                yield ("polymer", "log10 molar mass"), math.log10(one.molar_mass)
        elif one.unit == "%":
            organics += amount
        else:
            salts += amount
    yield from ((("ion", ion), math.sqrt(amount)) for ion, amount in ions.items())
    yield from {("polymer", "%"): polymers, ("total", "% of solvents"): organics}.items()
    yield from {("total", "M of salts"): salts, ("total", "additives"): len(well.additives)}.items()
    if well.buffer in buffers:
        yield ("buffer", well.buffer), 1.0
    yield ("pH", "pH"), usual_pH if well.pH is None else well.pH
    yield ("pH", "stated"), float(well.pH is not None)
