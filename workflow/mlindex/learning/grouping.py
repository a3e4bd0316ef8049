"""Groups of entries whose reflections are absent in the same pattern (Moreau 2.1.2).

What is absent follows from the symmetry operations alone: reflection h' of the reindexed
setting is reflection h = h' P⁻¹ of the conventional one, and is absent where h is not integral
or where an operation maps h to itself with another phase (International Tables A, 1.6.3).
Entries of one Bravais lattice and unique axis with the same absences share a pattern; patterns
with too few usable entries, of both sides of the split, are joined to the most similar one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import gcd

import numpy as np
import pandas as pd

from mlindex.crystal.space_groups import operations_of, symmetry_of
from mlindex.learning.settings import Grouping
from mlindex.learning.tables import GROUPS

#: Absences are compared over |h|, |k|, |l| <= BOX_LIMIT and, on the axes, up to AXIS_LIMIT, so
#: that 2n, 3n, 4n and 6n are distinguished.
BOX_LIMIT = 6
AXIS_LIMIT = 12

#: Columns that :func:`group_entries` needs.
ENTRY_COLUMNS = (
    "bravais_lattice",
    "unique_axis",
    "hm_symbol",
    "hall_symbol",
    "reindexed_operator",
    "usable",
)

# The classes in which reflections can have a condition of their own, the general one first.
# Those left out, such as h -h l, are equivalent by symmetry to one of these wherever they occur.
_CLASSES = (
    *("hkl", "0kl", "h0l", "hk0", "hhl", "hkh", "hkk"),
    *("h00", "0k0", "00l", "hh0", "h0h", "0kk", "hhh"),
)
# Phases are whole multiples of 1/144: gemmi's translations are of 1/24, and the inverse of a
# change of basis between lattices of one crystal adds a factor of 2 or 3.
_TURN = 144

Vector = tuple[int, ...]
Operator = tuple[float, ...]


@cache
def probe_reflections() -> np.ndarray:
    """The reflections over which absences are compared, one of each Friedel pair: (n, 3)."""
    span = np.arange(-BOX_LIMIT, BOX_LIMIT + 1)
    box = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3)
    # The box is in lexicographic order: Friedel opposites mirror one another in it.
    box = box[len(box) // 2 + 1 :]
    further = np.arange(BOX_LIMIT + 1, AXIS_LIMIT + 1)
    axes = np.concatenate([np.outer(further, unit) for unit in np.eye(3, dtype=int)])
    return np.concatenate([box, axes]).astype(np.int32)


def operator_key(operator: Iterable[float]) -> Operator:
    """A change of basis P (nine numbers, row by row) as a key that equal ones share."""
    return tuple(float(v) + 0.0 for v in np.round(np.asarray(operator, dtype=float).ravel(), 9))


def operator_keys(operators: Iterable[Iterable[float]]) -> list[Operator]:
    """:func:`operator_key` of each; equal ones are one object, for there are few different ones."""
    known: dict[Operator, Operator] = {}
    keys = []
    for operator in operators:
        raw = tuple(operator)
        if raw not in known:
            key = operator_key(raw)
            known[raw] = known.setdefault(key, key)
        keys.append(known[raw])
    return keys


def is_absent(hkl: np.ndarray, hall_symbol: str, operator: Operator) -> np.ndarray:
    """Whether reflections are systematically absent.

    Args:
        hkl: Miller indices in the reindexed setting, shape (n, 3).
        hall_symbol: the operations of the conventional setting.
        operator: P from the conventional to the reindexed setting, row by row.

    Returns:
        Booleans, shape (n,).
    """
    conventional = np.asarray(hkl) @ np.linalg.inv(np.reshape(operator, (3, 3)))
    whole = np.rint(conventional)
    integral = np.all(np.abs(conventional - whole) < 1e-6, axis=1)
    return ~integral | np.asarray(symmetry_of(hall_symbol).absent(whole))


@cache
def fingerprint(hall_symbol: str, operator: Operator) -> bytes:
    """The absences among :func:`probe_reflections`, a bit each: the name of a pattern."""
    return np.packbits(is_absent(probe_reflections(), hall_symbol, operator)).tobytes()


def distance(first: bytes, second: bytes) -> int:
    """Probe reflections that are absent in one of two patterns only."""
    a, b = (np.frombuffer(f, dtype=np.uint8) for f in (first, second))
    return int(np.bitwise_count(a ^ b).sum())


@cache
def conditions(hall_symbol: str, operator: Operator) -> str:
    """The reflection conditions in the reindexed setting, e.g. "h0l: l=2n; 0k0: k=2n".

    A class is named only where it has more conditions than it inherits from the classes that
    contain it, and only once among classes equivalent by symmetry (in a cubic crystal "0kl"
    stands for h0l and hk0 too, with the indices permuted cyclically, as in the International
    Tables). The text is empty where there are no conditions.
    """
    operations = operations_of(hall_symbol)
    rotations, translations = operations.rotations, operations.translations
    inverse = np.linalg.inv(np.reshape(operator, (3, 3)))
    found = {c: _shifts(_rows(c) @ inverse, rotations, translations) for c in _CLASSES}
    told: list[str] = []
    for name in _CLASSES:
        zero = {(0,) * len(_letters(name))}
        wider = [c for c in _CLASSES if c != name and _embedding(name, c) is not None]
        inherited = _closure((_project(v, name, c) for c in wider for v in found[c]), zero)
        equivalent = any(
            _same_class(_rows(t) @ inverse, _rows(name) @ inverse, rotations) for t in told
        )
        if found[name] != inherited and not equivalent:
            told.append(name)
    return "; ".join(f"{name}: {_text(found[name], name)}" for name in told)


def _letters(name: str) -> list[str]:
    return sorted(set(name) - {"0"})


def _rows(name: str) -> np.ndarray:
    return np.array([[float(c == letter) for c in name] for letter in _letters(name)])


def _shifts(rows: np.ndarray, rotations: np.ndarray, translations: np.ndarray) -> set[Vector]:
    """All v, in turns of 1/144, such that m · v must be whole for m · rows to be present."""
    fixing = np.all(np.abs(rows @ rotations - rows) < 1e-6, axis=(1, 2))
    phases = translations[fixing] @ rows.T
    turns = np.rint(np.concatenate([phases, rows.T]) * _TURN).astype(int) % _TURN
    return _closure(tuple(v) for v in turns.tolist())


def _closure(generators: Iterable[Vector], known: set[Vector] | None = None) -> set[Vector]:
    """The group that vectors and a known group generate under addition modulo a turn."""
    group = set(known or ())
    for vector in generators:
        group = group or {tuple(0 for _ in vector)}
        if vector in group:
            continue
        multiples = {tuple(n * v % _TURN for v in vector) for n in range(_order(vector))}
        group = {
            tuple((a + b) % _TURN for a, b in zip(x, m, strict=True))
            for x in group
            for m in multiples
        }
    return group


def _order(vector: Vector) -> int:
    return _TURN // gcd(_TURN, *vector)


@cache
def _embedding(narrow: str, wide: str) -> tuple[tuple[int, ...], ...] | None:
    """S with rows(narrow) = S rows(wide), or None where one does not contain the other."""
    inner, outer = _rows(narrow), _rows(wide)
    if len(inner) >= len(outer):
        return None
    steps = inner @ outer.T / outer.sum(axis=1)
    if not np.array_equal(steps @ outer, inner):
        return None
    return tuple(tuple(int(v) for v in row) for row in steps)


def _project(vector: Vector, narrow: str, wide: str) -> Vector:
    steps = _embedding(narrow, wide) or ()
    return tuple(sum(s * v for s, v in zip(row, vector, strict=True)) % _TURN for row in steps)


def _same_class(first: np.ndarray, second: np.ndarray, rotations: np.ndarray) -> bool:
    if len(first) != len(second):
        return False
    pairs = np.concatenate(
        [first @ rotations, np.broadcast_to(second, (len(rotations), *second.shape))], axis=1
    )
    return bool(np.any(np.linalg.matrix_rank(pairs, tol=1e-6) == len(first)))


def _text(group: set[Vector], name: str) -> str:
    """A readable set of congruences that is equivalent to a class's group of shifts."""
    chosen: set[Vector] = set()
    by_modulus: dict[int, list[str]] = {}
    for vector in sorted(group, key=_simplicity):
        if any(vector) and vector not in chosen:
            chosen = _closure([vector], chosen)
            modulus = _order(vector)
            terms = _terms(_coefficients(vector), _letters(name))
            by_modulus.setdefault(modulus, []).append(terms)
    return " and ".join(f"{','.join(terms)}={m}n" for m, terms in by_modulus.items())


def _coefficients(vector: Vector) -> Vector:
    order = _order(vector)
    reduced = (v * order // _TURN for v in vector)
    return tuple(v - order if v > order / 2 else v for v in reduced)


def _simplicity(vector: Vector) -> tuple:
    coefficients = _coefficients(vector)
    return (
        sum(c != 0 for c in coefficients),
        -_order(vector),
        sum(abs(c) for c in coefficients),
        sum(c < 0 for c in coefficients),
        [-c for c in coefficients],
    )


def _terms(coefficients: Vector, letters: Sequence[str]) -> str:
    terms = [
        f"{'-' if c < 0 else '+'}{abs(c) if abs(c) > 1 else ''}{letter}"
        for c, letter in zip(coefficients, letters, strict=True)
        if c
    ]
    return "".join(terms).removeprefix("+")


@dataclass(frozen=True)
class AbsencePattern:
    """A pattern of reflection conditions within a Bravais lattice and unique axis."""

    bits: bytes
    conditions: str
    hm_symbols: str
    entries: int
    usable: int


def group_entries(frame: pd.DataFrame, settings: Grouping) -> tuple[pd.Series, pd.DataFrame]:
    """Groups of entries by reflection conditions.

    Args:
        frame: entries of one lattice system with :data:`ENTRY_COLUMNS`; ``hm_symbol`` in the
            reindexed, ``hall_symbol`` in the conventional setting.
        settings: the least number of usable entries, of both sides, of a pattern that is not
            joined to another.

    Returns:
        The group of each entry, in the index of ``frame``, and the table GROUPS.
    """
    keys = operator_keys(frame["reindexed_operator"])
    shared: dict[tuple[str, Operator], tuple[str, Operator]] = {}
    pairs = [shared.setdefault(p, p) for p in zip(frame["hall_symbol"], keys, strict=True)]
    work = frame[["bravais_lattice", "unique_axis", "hm_symbol", "usable"]].assign(
        pair=pd.Series(pairs, index=frame.index, dtype=object),
        bits=pd.Series([fingerprint(*p) for p in pairs], index=frame.index, dtype=object),
    )
    names: dict[tuple[str, str, bytes], str] = {}
    rows: list[dict] = []
    for (bravais, axis), part in work.groupby(["bravais_lattice", "unique_axis"], sort=True):
        clusters = join_rare(_patterns(part), settings.min_entries)
        stem = f"{bravais}_{axis}" if axis else str(bravais)
        for number, cluster in enumerate(clusters):
            group = f"{stem}_{number:02d}"
            names.update({(bravais, axis, p.bits): group for p in cluster})
            rows += _rows_of_group(group, bravais, axis, cluster, settings.min_entries)
    columns = (work["bravais_lattice"], work["unique_axis"], work["bits"])
    found = [names[key] for key in zip(*columns, strict=True)]
    groups = pd.DataFrame(rows, columns=GROUPS.names) if rows else GROUPS.empty()
    return pd.Series(found, index=frame.index, name="group", dtype=object), groups


def _patterns(part: pd.DataFrame) -> list[AbsencePattern]:
    patterns = []
    for bits, rows in part.groupby("bits", sort=True):
        common = Counter(rows["pair"]).most_common()
        pair = min(p for p, count in common if count == common[0][1])
        symbols = sorted(Counter(rows["hm_symbol"]).items(), key=lambda item: (-item[1], item[0]))
        patterns.append(
            AbsencePattern(
                bits,
                conditions(*pair),
                ", ".join(f"{symbol} ({count})" for symbol, count in symbols),
                len(rows),
                int(rows["usable"].sum()),
            )
        )
    return patterns


def join_rare(patterns: Sequence[AbsencePattern], min_entries: int) -> list[list[AbsencePattern]]:
    """Clusters of patterns, largest first, after joining the rare ones.

    While a cluster has fewer usable entries than ``min_entries``, the rarest one joins the
    cluster whose leading (most common) pattern differs least from its own leading pattern by
    :func:`distance`; of equally near ones the most common. When none is large enough, all end
    in one cluster. Within a cluster the most common pattern comes first.
    """
    clusters = [[pattern] for pattern in sorted(patterns, key=_rank)]
    while len(clusters) > 1 and _usable(clusters[-1]) < min_entries:
        rare = clusters.pop()
        near = min(clusters, key=lambda c: (distance(c[0].bits, rare[0].bits), _cluster_rank(c)))
        near += rare
        near.sort(key=_rank)
        clusters.sort(key=_cluster_rank)
    return clusters


def _usable(cluster: Sequence[AbsencePattern]) -> int:
    return sum(p.usable for p in cluster)


def _rank(pattern: AbsencePattern) -> tuple:
    return -pattern.usable, -pattern.entries, pattern.bits


def _cluster_rank(cluster: Sequence[AbsencePattern]) -> tuple:
    return -_usable(cluster), -sum(p.entries for p in cluster), cluster[0].bits


def _rows_of_group(
    group: str, bravais: str, axis: str, cluster: Sequence[AbsencePattern], min_entries: int
) -> list[dict]:
    return [
        {
            "group": group,
            "bravais_lattice": bravais,
            "unique_axis": axis,
            "conditions": pattern.conditions or "none",
            "hm_symbols": pattern.hm_symbols,
            "entries": pattern.entries,
            "usable": pattern.usable,
            "group_entries": sum(p.entries for p in cluster),
            "merged": pattern.usable < min_entries,
        }
        for pattern in cluster
    ]
