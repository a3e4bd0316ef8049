"""Which entries are duplicates of which, and the merge of the sources by priority.

Two entries are duplicates (Moreau, ML-Index Methods, 2.1.1) if they have the same Bravais
lattice and either the same composition of the cell and volumes that differ by no more than the
tolerance (of the larger volume), or exactly the same volume.

The relation is not transitive, so the result depends on the order of comparison; it is fixed:

1. Within a source, entries are taken by rising R factor (missing last, ties by identifier). An
   entry is kept unless it duplicates one already kept; the kept one of closest volume (of equally
   close ones, the one kept first) stands for it.
2. Sources follow in order of priority. What a source keeps joins the merged set, unless it
   duplicates an entry of an earlier source in it; that one then stands for it and for all that it
   stood for.

Kept volumes of one composition lie further apart than the tolerance, so that their sorted list
stays short however many entries there are, and the time grows as the number of entries.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mlindex.base.errors import MlindexError
from mlindex.structures.settings import Deduplication
from mlindex.structures.tables import DUPLICATES

#: The columns of entries that are needed here; scripts read no others.
COLUMNS = (
    "entry_id",
    "source",
    "bravais_lattice",
    "elements",
    "element_counts",
    "volume_A3",
    "r_factor",
)
KEPT, COMPOSITION, VOLUME = "kept", "composition", "volume"

_HYDROGEN = ("H", "D", "T")
#: Counts that agree to this many decimals are the same: they come from rounded occupancies.
_COUNT_DECIMALS = 2


def deduplicate(
    entries: pd.DataFrame, source_order: Sequence[str], settings: Deduplication
) -> pd.DataFrame:
    """Table of duplicates, a row for each entry, in the order of ``entries``.

    Where an entry's representative turned out to be a duplicate of an entry of an earlier source,
    the table names the latter, with the rule by which the entry itself was found a duplicate.

    Args:
        entries: the columns :data:`COLUMNS` of the table of entries.
        source_order: names of the sources, highest priority first.
        settings: what counts as a duplicate.

    Raises:
        MlindexError: an identifier occurs twice, a source is not in the order, or a volume is
            not a positive number.
    """
    entries = entries.reset_index(drop=True)
    priority = _checked_priority(entries, source_order)
    lattice = pd.factorize(entries["bravais_lattice"])[0]
    volumes = entries["volume_A3"].to_numpy(float)
    keys = composition_keys(entries, settings.minor_element_fraction)
    buckets = pd.factorize(lattice.astype(np.int64) * (keys.max(initial=0) + 1) + keys)[0]
    exact = pd.factorize(pd.MultiIndex.from_arrays([lattice, volumes]))[0]
    found = _walk_sources(
        _walk_order(entries, priority), priority, volumes, buckets, exact, settings
    )
    return _table(entries, priority, volumes, buckets, *found)


def _checked_priority(entries: pd.DataFrame, source_order: Sequence[str]) -> np.ndarray:
    repeated = entries["entry_id"][entries["entry_id"].duplicated()]
    if len(repeated):
        raise MlindexError(
            f"entry {repeated.iloc[0]!r} occurs more than once ({len(repeated)} repetitions in "
            "all): give each source its own name and list each folder once"
        )
    volumes = entries["volume_A3"].to_numpy(float)
    bad = np.flatnonzero(~(np.isfinite(volumes) & (volumes > 0)))
    if len(bad):
        raise MlindexError(
            f"entry {entries['entry_id'][bad[0]]!r} has volume {volumes[bad[0]]}: volumes must be "
            "positive; run quality control on it again"
        )
    position = {name: n for n, name in enumerate(source_order)}
    unknown = sorted(set(entries["source"]) - set(position))
    if unknown:
        raise MlindexError(
            f"sources {unknown} are not in the order of priority {list(source_order)}: add them "
            "to 'sources' in the config"
        )
    return entries["source"].map(position).to_numpy(np.int64)


def composition_keys(entries: pd.DataFrame, minor_fraction: float) -> np.ndarray:
    """An integer for each entry, the same for entries whose compositions count as the same.

    Hydrogen and elements below ``minor_fraction`` of all atoms of the cell are left out; where
    that leaves nothing, every element counts.

    Args:
        entries: columns ``elements`` and ``element_counts``.
        minor_fraction: share of the atoms below which an element is left out.
    """
    n = len(entries)
    lengths = entries["elements"].map(len).to_numpy(np.int64)
    rows = np.repeat(np.arange(n), lengths)
    if not len(rows):
        return np.zeros(n, dtype=np.int64)
    elements = np.concatenate([np.asarray(e, dtype=object) for e in entries["elements"]])
    counts = np.concatenate([np.asarray(c, dtype=float) for c in entries["element_counts"]])
    total = np.bincount(rows, weights=counts, minlength=n)
    codes, names = pd.factorize(elements)
    hydrogen = np.isin(names.astype(str), _HYDROGEN)[codes]
    counted = ~hydrogen & (counts >= minor_fraction * total[rows])
    counted |= np.bincount(rows, weights=counted, minlength=n)[rows] == 0
    rounded = np.round(counts[counted], _COUNT_DECIMALS)
    tokens = pd.factorize(pd.MultiIndex.from_arrays([codes[counted], rounded]))[0]
    return _set_keys(rows[counted], tokens, n)


def _set_keys(rows: np.ndarray, tokens: np.ndarray, n: int) -> np.ndarray:
    """An integer for each of ``n`` rows, equal where the rows have equal sets of tokens."""
    order = np.lexsort((tokens, rows))
    rows, tokens = rows[order], tokens[order]
    position = np.arange(len(rows)) - np.searchsorted(rows, rows)
    base = tokens.max(initial=0) + 2
    keys = np.zeros(n, dtype=np.int64)
    for step in range(position.max(initial=-1) + 1):
        here = position == step
        digit = np.zeros(n, dtype=np.int64)
        digit[rows[here]] = tokens[here] + 1
        # Numbering the distinct prefixes anew at each step keeps the product within 64 bits.
        keys = pd.factorize(keys * base + digit)[0]
    return keys


def _walk_order(entries: pd.DataFrame, priority: np.ndarray) -> np.ndarray:
    r_factor = pd.to_numeric(entries["r_factor"]).to_numpy(float, na_value=np.nan)
    identifiers = np.argsort(entries["entry_id"].to_numpy(str), kind="stable")
    rank = np.empty(len(entries), dtype=np.int64)
    rank[identifiers] = np.arange(len(entries))
    return np.lexsort((rank, np.where(np.isnan(r_factor), np.inf, r_factor), priority))


@dataclass
class _KeptSet:
    """Entries kept so far, found again by exact volume or by composition and near volume."""

    tolerance: float
    by_volume: dict[int, int] = field(default_factory=dict)
    volumes: dict[int, list[float]] = field(default_factory=dict)
    rows: dict[int, list[int]] = field(default_factory=dict)
    #: Place of each kept entry in the walk: earlier ones win where volumes are equally close.
    place: dict[int, int] = field(default_factory=dict)

    def match(self, volume: float, bucket: int, exact: int) -> int:
        """The kept entry of closest volume that this one duplicates, or -1."""
        same = self.by_volume.get(exact, -1)
        if same >= 0 or bucket not in self.volumes:
            return same
        kept = self.volumes[bucket]
        at = bisect_left(kept, volume)
        near = [
            (abs(kept[i] - volume), self.place[self.rows[bucket][i]], self.rows[bucket][i])
            for i in (at - 1, at)
            if 0 <= i < len(kept) and volume_difference(kept[i], volume) <= self.tolerance
        ]
        return min(near)[2] if near else -1

    def add(self, row: int, volume: float, bucket: int, exact: int) -> None:
        """Keep an entry."""
        at = bisect_left(self.volumes.setdefault(bucket, []), volume)
        self.volumes[bucket].insert(at, volume)
        self.rows.setdefault(bucket, []).insert(at, row)
        self.by_volume.setdefault(exact, row)
        self.place[row] = len(self.place)


def volume_difference(first: float, second: float) -> float:
    """Difference of two volumes relative to the larger one."""
    return abs(first - second) / max(first, second)


def _walk_sources(
    order: np.ndarray,
    priority: np.ndarray,
    volumes: np.ndarray,
    buckets: np.ndarray,
    exact: np.ndarray,
    settings: Deduplication,
) -> tuple[np.ndarray, np.ndarray]:
    """Final representative of each row, and the row that each was first found to duplicate."""
    n = len(order)
    first = np.arange(n)
    final = np.arange(n)
    lonely = (np.bincount(buckets, minlength=1)[buckets] == 1) & (
        np.bincount(exact, minlength=1)[exact] == 1
    )
    order = order[~lonely[order]]
    values = [column[order].tolist() for column in (priority, volumes, buckets, exact)]
    merged = _KeptSet(settings.volume_tolerance)
    own = _KeptSet(settings.volume_tolerance)
    waiting: list[tuple[int, float, int, int]] = []
    source = -1
    for row, place, volume, bucket, same in zip(order.tolist(), *values, strict=True):
        if place != source:
            _join(merged, waiting)
            source, own, waiting = place, _KeptSet(settings.volume_tolerance), []
        match = own.match(volume, bucket, same)
        if match >= 0:
            first[row], final[row] = match, final[match]
            continue
        own.add(row, volume, bucket, same)
        match = merged.match(volume, bucket, same)
        if match >= 0:
            first[row] = final[row] = match
        else:
            waiting.append((row, volume, bucket, same))
    return first, final


def _join(merged: _KeptSet, waiting: list[tuple[int, float, int, int]]) -> None:
    for kept in waiting:
        merged.add(*kept)


def _table(
    entries: pd.DataFrame,
    priority: np.ndarray,
    volumes: np.ndarray,
    buckets: np.ndarray,
    first: np.ndarray,
    final: np.ndarray,
) -> pd.DataFrame:
    rows = np.arange(len(entries))
    kept = final == rows
    same_composition = buckets == buckets[first]
    larger = np.maximum(volumes, volumes[final])
    rule = np.where(kept, KEPT, np.where(same_composition, COMPOSITION, VOLUME))
    identifiers = entries["entry_id"].to_numpy(object)
    frame = pd.DataFrame(
        {
            "entry_id": identifiers,
            "bravais_lattice": entries["bravais_lattice"].to_numpy(object),
            "representative_id": identifiers[final],
            "kept": kept,
            "rule": rule.astype(object),
            "across_sources": priority[final] < priority,
            "volume_difference": np.abs(volumes - volumes[final]) / larger,
        }
    )
    return frame[DUPLICATES.names]
