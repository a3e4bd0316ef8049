"""The training and validation sides (Moreau 2.1.3).

A random split by entry would put the same structure type, refined again by other people, on
both sides, and the validation figures would be those of memory. Whole units are moved instead:
structure types, or composition families, which are stricter.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import gcd

import numpy as np
import pandas as pd

from mlindex.learning.sides import TRAIN, VALIDATION

SPLIT_UNITS = ("structure_type", "composition_family")
HYDROGEN = frozenset({"H", "D"})
_WHOLE = 0.01


def anonymous_formula(elements: Sequence[str], counts: Sequence[float]) -> str:
    """The proportions of the elements without their names, e.g. "A1 B3" for AlF3.

    Deuterium counts as hydrogen. Counts that are not whole (partial occupancy) are given as
    shares of all atoms to three decimals.
    """
    totals: dict[str, float] = {}
    for element, count in zip(elements, counts, strict=True):
        name = "H" if element in HYDROGEN else element
        totals[name] = totals.get(name, 0.0) + float(count)
    amounts = np.sort([v for v in totals.values() if v > 0])
    whole = np.rint(amounts).astype(int)
    if np.all(np.abs(amounts - whole) <= _WHOLE) and whole.all():
        divisor = reduce(gcd, whole.tolist(), 0) or 1
        texts = [str(v // divisor) for v in whole]
    else:
        texts = [f"{v:.3f}" for v in amounts / amounts.sum()]
    return " ".join(f"{_letter(i)}{text}" for i, text in enumerate(texts))


def _letter(index: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return letters[index] if index < len(letters) else f"Z{index - len(letters)}"


def structure_type(
    spacegroup_number: int,
    elements: Sequence[str],
    counts: Sequence[float],
    atoms_per_point: float,
) -> str:
    """Space group, anonymous formula and atoms for each lattice point, as one name."""
    formula = anonymous_formula(elements, counts)
    return f"{int(spacegroup_number)} | {formula} | {float(atoms_per_point):.1f}"


def composition_family(elements: Sequence[str]) -> str:
    """The elements but hydrogen, e.g. "C-N-O"; "H" where there is nothing else."""
    return "-".join(sorted(set(elements) - HYDROGEN)) or "H"


def assign_sides(
    frame: pd.DataFrame, unit: str, fraction: float, rng: np.random.Generator
) -> np.ndarray:
    """The side of each entry.

    Each unit is a whole: it belongs to the Hermann-Mauguin symbol that most of its entries have
    (the stratum) and goes to one side. Within a stratum the units are shuffled, and each that
    still fits into the stratum's share goes to validation; then one more, if it brings the
    stratum nearer to its share. What a stratum lacks or exceeds is made up for by the next, by
    no more than its smallest unit, so that symbols with one or two entries are validated on
    too, while a huge unit leaves the shares of other symbols alone.

    Args:
        frame: entries with the columns ``hm_symbol`` and ``unit``.
        unit: name of the column that holds the units.
        fraction: share of the validation side.
        rng: source of the shuffle. The result does not depend on the order of the entries.

    Returns:
        "train" or "validation" for each entry, shape (n,).
    """
    units = _strata(frame["hm_symbol"], frame[unit])
    strata = [(stratum, part) for stratum, part in units.groupby("stratum", sort=True)]
    strata.sort(key=lambda item: (int(item[1]["size"].sum()), item[0]))
    chosen: set[str] = set()
    missing = 0.0
    for _, part in strata:
        sizes = part["size"].to_numpy(dtype=float)
        share = fraction * float(sizes.sum())
        target = share + float(np.clip(missing, -sizes.min(), sizes.min()))
        rows = _fill(sizes, target, rng)
        missing += share - float(sizes[rows].sum())
        chosen.update(part["unit"].iloc[rows])
    return np.where(frame[unit].isin(chosen), VALIDATION, TRAIN).astype(object)


def _fill(sizes: np.ndarray, target: float, rng: np.random.Generator) -> list[int]:
    """Positions of shuffled units whose sizes add up to about ``target``."""
    order = [int(row) for row in rng.permutation(len(sizes))]
    taken, rows = 0.0, []
    for row in order:
        if taken + sizes[row] <= target:
            taken += sizes[row]
            rows.append(row)
    inside = set(rows)
    rest = [row for row in order if row not in inside]
    best = min(rest, key=lambda row: abs(taken + sizes[row] - target), default=None)
    if best is not None and abs(taken + sizes[best] - target) < abs(taken - target):
        rows.append(best)
    return rows


def _strata(symbols: pd.Series, units: pd.Series) -> pd.DataFrame:
    """Each unit with its size and its most frequent symbol; the first in the alphabet of equals."""
    pairs = pd.DataFrame({"stratum": symbols.to_numpy(), "unit": units.to_numpy()})
    counts = pairs.groupby(["unit", "stratum"], sort=True).size().rename("count").reset_index()
    order = counts.sort_values(["unit", "count", "stratum"], ascending=[True, False, True])
    strata = order.drop_duplicates("unit")[["unit", "stratum"]]
    sizes = counts.groupby("unit")["count"].sum().rename("size")
    return strata.join(sizes, on="unit").reset_index(drop=True)
