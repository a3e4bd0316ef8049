"""CIF files: what each data block says of its crystal; safe corrections are made and noted.

Tags are declared once in the dotted spelling of the newer dictionaries; the older spelling
with an underscore is found by them too. Nothing is decided here about what makes a good entry
(see :mod:`mlindex.structures.quality`).
"""

from __future__ import annotations

import gzip
import hashlib
import math
import re
import stat
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath

import numpy as np
from gemmi import cif

from mlindex.structures.composition import element_of_site, is_no_atom, parse_formula

_CELL_TAGS = (
    "_cell.length_a",
    "_cell.length_b",
    "_cell.length_c",
    "_cell.angle_alpha",
    "_cell.angle_beta",
    "_cell.angle_gamma",
)
_FORMULA_TAGS = (
    "_chemical_formula.sum",
    "_chemical_formula.moiety",
    "_chemical_formula.structural",
    "_chemical_formula.analytical",
    "_chemical_formula.iupac",
)
_SYMBOL_TAGS = (
    "_space_group.name_H-M_alt",
    "_symmetry.space_group_name_H-M",
    "_space_group.name_H-M_ref",
    "_space_group.name_H-M_full",
)
_HALL_TAGS = ("_space_group.name_Hall", "_symmetry.space_group_name_Hall")
_NUMBER_TAGS = ("_space_group.IT_number", "_symmetry.Int_Tables_number")
_OPERATION_TAGS = (
    "_space_group_symop.operation_xyz",
    "_symmetry_equiv.pos_as_xyz",
    "_symmetry_equiv_pos.as_xyz",
)
_Z_TAGS = ("_cell.formula_units_Z", "_cell.Z")
_VOLUME_TAGS = ("_cell.volume",)
_R_TAGS = (
    "_refine_ls.R_factor_gt",
    "_refine_ls.R_factor_all",
    "_refine_ls.R_factor_obs",
    "_refine_ls.R_Fsqd_factor",
    "_refine.ls_R_factor_gt",
    "_refine.ls_R_factor_all",
    "_refine.ls_R_factor_obs",
)
_WEIGHTED_R_TAGS = (
    "_refine_ls.wR_factor_gt",
    "_refine_ls.wR_factor_ref",
    "_refine_ls.wR_factor_all",
    "_refine_ls.wR_factor_obs",
    "_refine.ls_wR_factor_gt",
    "_refine.ls_wR_factor_ref",
)
_SITE_TAGS = {
    "label": ("_atom_site.label",),
    "type": ("_atom_site.type_symbol",),
    "x": ("_atom_site.fract_x",),
    "y": ("_atom_site.fract_y",),
    "z": ("_atom_site.fract_z",),
    "occupancy": ("_atom_site.occupancy",),
    "u": ("_atom_site.U_iso_or_equiv",),
    "b": ("_atom_site.B_iso_or_equiv",),
}
_USED = tuple(
    spelling.lower()
    for group in (
        _CELL_TAGS,
        _FORMULA_TAGS,
        _SYMBOL_TAGS,
        _HALL_TAGS,
        _NUMBER_TAGS,
        _OPERATION_TAGS,
        _Z_TAGS,
        _VOLUME_TAGS,
        *_SITE_TAGS.values(),
    )
    for tag in group
    for spelling in (tag, tag.replace(".", "_"))
)
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SYNTAX_PLACE = re.compile(r"^\w*:(\d+):")
_MAX_REPAIRS = 20
_PAIR_LINE = re.compile(r"^(_\S+)[ \t]+\S")
_UNCERTAIN = re.compile(r"^([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*(\(\d*\)?)?$")
_NULLS = ("", "?", ".")
_FRACTION = re.compile(r"[+-]?\d{1,12}/\d{1,12}")
_BYTES_PER_MB = 1_000_000
#: Longest block name, and longest text of a reject, in characters.
_MAX_NAME, _MAX_TEXT = 200, 500


class EntryError(Exception):
    """An entry or file that breaks a rule.

    Args:
        rule: number of the rule; 0 where the entry could not be read.
        seen: the value that broke it.
        reason: what is wrong, in a sentence.
    """

    def __init__(self, rule: int, seen: object, reason: str):
        super().__init__(reason)
        self.rule = rule
        self.seen = _shortened(str(seen))
        self.reason = _shortened(reason)


def _shortened(text: str) -> str:
    # What a file puts into one value can be as long as the file.
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}... ({len(text)} characters)"


@dataclass(frozen=True)
class Sites:
    """Atom sites of the asymmetric unit.

    ``xyz`` has shape (n, 3), fractional; ``occupancy`` and ``u_iso_A2`` have shape (n,).
    """

    elements: tuple[str, ...]
    xyz: np.ndarray
    occupancy: np.ndarray
    u_iso_A2: np.ndarray

    def __len__(self) -> int:
        return len(self.elements)


@dataclass(frozen=True)
class CifEntry:
    """What a data block says, as far as quality control asks; cell in A and degrees, (6,)."""

    block: str
    formula: str
    formula_counts: dict[str, float]
    cell: np.ndarray
    stated_volume_A3: float | None
    stated_z: float | None
    symbol: str
    hall: str
    number: int | None
    operations: tuple[str, ...]
    sites: Sites
    r_factor: float | None
    notes: tuple[str, ...]


def entry_name(path: str, root: Path) -> str:
    """The name of a file's entries: its path without suffix, unique below the root."""
    # Only this very spelling is taken off: a.CIF may stand beside a.cif.
    if path.endswith(".cif.gz"):
        return path if (root / path.removesuffix(".gz")).exists() else path.removesuffix(".cif.gz")
    return path.removesuffix(".cif")


def read_document(path: str, root: Path, max_file_MB: float) -> tuple[cif.Document, list[str]]:
    """The data blocks of a file below the root, and notes of what was corrected.

    Raises:
        EntryError: with rule 0, where the file can't be read; the reason says why.
    """
    raw = _read_bytes(path, root, int(max_file_MB * _BYTES_PER_MB))
    notes: list[str] = []
    text = _decoded(raw, notes)
    document = _parsed(text, notes)
    if not len(document):
        raise EntryError(0, f"{len(raw)} bytes", "the file holds no data block")
    return document, notes


def leads_outside(path: str) -> bool:
    """Whether a path is not one below the folder that it is relative to."""
    inside = PurePosixPath(path)
    return inside.is_absolute() or ".." in inside.parts


def _read_bytes(path: str, root: Path, limit: int) -> bytes:
    if leads_outside(path):
        raise EntryError(0, path, "the path leads outside the source's folder")
    file = root / path
    try:
        # A pipe or a device would be waited for, or read, without end.
        if not stat.S_ISREG(file.stat().st_mode):
            raise EntryError(0, path, "it is no regular file")
        with gzip.open(file) if path.lower().endswith(".gz") else file.open("rb") as stream:
            raw = stream.read(limit + 1)
    except FileNotFoundError:
        raise EntryError(0, path, "the file is no longer on disk") from None
    except (OSError, EOFError, zlib.error) as error:
        raise EntryError(0, path, f"the file can't be read: {error}") from None
    if len(raw) > limit:
        raise EntryError(
            0, f"more than {limit} bytes", "the file is larger than quality.max_file_MB allows"
        )
    return raw


def _decoded(raw: bytes, notes: list[str]) -> str:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if raw.startswith(mark)), "utf-8")
    if encoding == "utf-8" and raw[1:64:2].count(0) > 8:
        encoding = "utf-16-le"
    if encoding != "utf-8":
        notes.append(f"read as {encoding}")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise EntryError(0, encoding, f"the file is not valid {encoding}") from None
    notes.append("not UTF-8, read as Latin-1")
    return raw.decode("latin-1")


def _parsed(text: str, notes: list[str]) -> cif.Document:
    for _ in range(_MAX_REPAIRS):
        try:
            # Level 0 lets repeated blocks and tags pass: those are numbered or ignored later.
            return cif.read_string(text, 0)
        except (ValueError, RuntimeError) as error:
            message = str(error)
            repaired = _without_bad_line(text, message)
        if repaired is None:
            raise EntryError(0, message, f"the CIF syntax is wrong: {message}")
        text, tag = repaired
        notes.append(f"unreadable value of {tag} ignored")
    raise EntryError(0, message, f"the CIF syntax is wrong in more than {_MAX_REPAIRS} places")


def _without_bad_line(text: str, message: str) -> tuple[str, str] | None:
    # Only a line that is a tag with its value, and a tag that nothing here reads, is dropped.
    place = _SYNTAX_PLACE.match(message)
    lines = text.split("\n")
    if not place or int(place.group(1)) > len(lines):
        return None
    index = int(place.group(1)) - 1
    pair = _PAIR_LINE.match(lines[index])
    if not pair or pair.group(1).lower() in _USED:
        return None
    if lines[index] == f"{pair.group(1)} ?":
        return None
    lines[index] = f"{pair.group(1)} ?"
    return "\n".join(lines), pair.group(1)


def block_names(document: cif.Document) -> Iterator[tuple[cif.Block, str, list[str]]]:
    """Each block, a name that no other block of the file has, and notes."""
    seen: set[str] = set()
    copies: Counter[str] = Counter()
    for block in document:
        name = _short_name(block.name.strip())
        # Counted on from the last copy: a file may repeat a name a hundred thousand times.
        copy = copies[name] + 1
        unique = name if copy == 1 else f"{name}#{copy}"
        while unique in seen:
            copy += 1
            unique = f"{name}#{copy}"
        copies[name] = copy
        seen.add(unique)
        repeated = [f"block name {name!r} is there {copy} times"] if copy > 1 else []
        yield block, unique, repeated


def _short_name(name: str) -> str:
    """The name, or its beginning and a digest: it is repeated in every table."""
    if len(name) <= _MAX_NAME:
        return name
    return f"{name[:_MAX_NAME]}~{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def read_block(
    block: cif.Block, name: str, max_sites: int, notes: list[str], listed: bool = True
) -> CifEntry:
    """What a block says; the formula is empty where none is listed and none has to be.

    Args:
        listed: a formula must be listed; otherwise atoms are enough.

    Raises:
        EntryError: with rule 0, where it says too little or nothing that can be understood;
            with rule 1, where no formula is listed or can be read.
    """
    notes = list(notes)
    texts = [_text(block, (tag,)) for tag in _CELL_TAGS]
    n_sites = max(len(_column(block, _SITE_TAGS[key])) for key in ("x", "label"))
    if not any(texts) and not n_sites:
        raise EntryError(0, name, "the block holds neither a cell nor atoms: it is no structure")
    if n_sites > max_sites:
        raise EntryError(
            0, f"{n_sites} sites", "there are more sites than quality.max_sites allows"
        )
    cell = _cell(texts)
    formula, counts = _formula(block, notes, listed or not n_sites)
    number = _number(_text(block, _NUMBER_TAGS))
    return CifEntry(
        block=name,
        formula=formula,
        formula_counts=counts,
        cell=cell,
        stated_volume_A3=_positive(_text(block, _VOLUME_TAGS), "volume", notes),
        stated_z=_positive(_text(block, _Z_TAGS), "Z", notes),
        symbol=_text(block, _SYMBOL_TAGS),
        hall=_text(block, _HALL_TAGS),
        number=int(number) if math.isfinite(number) else None,
        operations=tuple(cif.as_string(v) for v in _column(block, _OPERATION_TAGS)),
        sites=_sites(block, counts, notes),
        r_factor=_r_factor(block),
        notes=tuple(notes),
    )


def _spellings(tags: tuple[str, ...]) -> Iterator[str]:
    for tag in tags:
        yield tag.replace(".", "_")
        yield tag


def _text(block: cif.Block, tags: tuple[str, ...]) -> str:
    for tag in _spellings(tags):
        value = block.find_value(tag)
        if value is None or value in _NULLS:
            continue
        text = " ".join(cif.as_string(value).split())
        if text not in _NULLS:
            return text
    return ""


def _column(block: cif.Block, tags: tuple[str, ...]) -> list[str]:
    for tag in _spellings(tags):
        values = block.find_values(tag)
        if values:
            return list(values)
    return []


def _number(text: str) -> float:
    """A number with or without its uncertainty, or a fraction; NaN where it is neither."""
    value = cif.as_number(text)
    if math.isfinite(value) or text in _NULLS:
        return value
    text = text.strip("'\" \t").replace("\u2212", "-")
    if match := _UNCERTAIN.match(text):
        return cif.as_number(match.group(1))
    # Fraction itself would also take 1_0e999999999, and count to it.
    if _FRACTION.fullmatch(text) and float(text.partition("/")[2]):
        return float(Fraction(text))
    return math.nan


def _cell(texts: list[str]) -> np.ndarray:
    values = np.array([_number(text) for text in texts])
    for tag, text, value in zip(_CELL_TAGS, texts, values, strict=True):
        name = tag.replace(".", "_")
        if not text:
            raise EntryError(0, f"{name} is missing", "the cell is not given in full")
        if not math.isfinite(value) and text.lower() not in ("nan", "inf", "-inf"):
            raise EntryError(0, f"{name} {text}", f"{name} is no number")
    return values


def _positive(text: str, what: str, notes: list[str]) -> float | None:
    value = _number(text) if text else math.nan
    if math.isfinite(value) and value > 0:
        return value
    if text:
        notes.append(f"{what} stated as {text!r} ignored")
    return None


def _formula(block: cif.Block, notes: list[str], required: bool) -> tuple[str, dict[str, float]]:
    seen, problem = "", "no chemical formula is listed"
    for tag in _FORMULA_TAGS:
        text = _text(block, (tag,))
        if not text:
            continue
        try:
            counts = parse_formula(text)
        except ValueError as error:
            counts, error_text = {}, str(error)
        else:
            error_text = "it counts no atom"
        if counts:
            if tag != _FORMULA_TAGS[0]:
                notes.append(f"formula from {tag.replace('.', '_')}")
            return text, counts
        seen, problem = seen or text, f"the formula can't be read: {error_text}"
    if not seen and not required:
        return "", {}
    raise EntryError(1, seen, problem)


def _sites(block: cif.Block, formula: dict[str, float], notes: list[str]) -> Sites:
    columns = {key: _column(block, tags) for key, tags in _SITE_TAGS.items()}
    n = len(columns["x"])
    if not n or len(columns["y"]) != n or len(columns["z"]) != n:
        notes.append("no atom sites with coordinates")
        return Sites((), np.empty((0, 3)), np.empty(0), np.empty(0))
    xyz = np.array([[_number(v) for v in columns[axis]] for axis in "xyz"]).T
    occupancy = _site_numbers(columns["occupancy"], n, 1.0)
    placed = np.isfinite(xyz).all(axis=1)
    filled = occupancy > 0
    elements = _elements(columns["type"], columns["label"], formula, placed & filled)
    atoms = np.array([e != "" for e in elements])
    _note_count(notes, ~placed, "without coordinates")
    _note_count(notes, placed & filled & ~atoms, "that are vacancies or dummies")
    _note_count(notes, placed & ~filled, "with no occupancy")
    keep = np.flatnonzero(placed & filled & atoms)
    u_iso = _displacement(columns["u"], columns["b"], n)
    return Sites(
        tuple(elements[i] for i in keep), xyz[keep], np.minimum(occupancy[keep], 1.0), u_iso[keep]
    )


def _note_count(notes: list[str], mask: np.ndarray, what: str) -> None:
    if mask.any():
        notes.append(f"{int(mask.sum())} sites {what} left out")


def _site_numbers(values: list[str], n: int, default: float) -> np.ndarray:
    if len(values) != n:
        return np.full(n, default)
    numbers = np.array([_number(v) for v in values])
    return np.where(np.isfinite(numbers), numbers, default)


def _displacement(u: list[str], b: list[str], n: int) -> np.ndarray:
    from_u = _site_numbers(u, n, 0.0)
    from_b = _site_numbers(b, n, 0.0) / (8 * math.pi**2)
    return np.maximum(np.where(from_u > 0, from_u, from_b), 0.0)


def _elements(
    types: list[str], labels: list[str], formula: dict[str, float], wanted: np.ndarray
) -> tuple[str, ...]:
    n = len(wanted)
    names = [
        next((t for t in pair if t not in _NULLS), "?") if ask else ""
        for *pair, ask in zip(_padded(types, n), _padded(labels, n), wanted, strict=True)
    ]
    found = {name: _element(name, formula) if name else "" for name in dict.fromkeys(names)}
    return tuple(found[name] for name in names)


def _padded(values: list[str], n: int) -> list[str]:
    return values if len(values) == n else ["?"] * n


def _element(name: str, formula: dict[str, float]) -> str:
    plain = cif.as_string(name) or name
    if is_no_atom(plain):
        return ""
    element = element_of_site(plain, formula)
    if element is None:
        raise EntryError(0, plain, f"{plain!r} is no chemical element")
    return element


def _r_factor(block: cif.Block) -> float | None:
    for tags in (_R_TAGS, _WEIGHTED_R_TAGS):
        values = [_number(_text(block, (tag,))) for tag in tags]
        # Above 1 it must be a percentage: 1 is already what a wrong structure reaches.
        shares = [v / 100 if v > 1 else v for v in values if math.isfinite(v) and 0 < v < 100]
        if shares:
            return min(shares)
    return None
