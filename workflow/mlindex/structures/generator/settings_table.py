"""Settings of space groups: Bravais lattice, unique axis, frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import gemmi
import numpy as np
import pandas as pd

from mlindex.base.errors import MlindexError
from mlindex.crystal.lattice import AXES, FAMILY_OF_CRYSTAL_SYSTEM, bravais_of
from mlindex.crystal.symmetry_classes import LEVELS, classes_of

#: Classes of symmetry are as frequent as among known structures.
KNOWN = "known"
#: Weight of a setting that gemmi lists and the frequencies do not.
UNLISTED_WEIGHT = 0.2

#: Centrings that a family may carry without the lattice being another one in disguise.
_CENTRINGS = {
    "a": {"P": "P"},
    "m": {"P": "P", "A": "C", "B": "C", "C": "C", "I": "C"},
    "o": {"P": "P", "A": "C", "B": "C", "C": "C", "I": "I", "F": "F"},
    "t": {"P": "P", "I": "I"},
    "h": {"P": "P", "R": "R"},
    "c": {"P": "P", "I": "I", "F": "F"},
}


def bravais_symbol(group: gemmi.SpaceGroup) -> str | None:
    """Bravais lattice of a setting, None where its cell is no conventional one (F 4 2 2, A 1)."""
    family = FAMILY_OF_CRYSTAL_SYSTEM[group.crystal_system_str()]
    centring = _CENTRINGS[family].get(group.centring_type())
    if group.ext == "R":
        centring = "R"
    if centring is None:
        return None
    axis = group.monoclinic_unique_axis()
    # A face centred across the unique axis halves the cell to a primitive one.
    if axis.strip("\0") and group.centring_type().lower() == axis:
        return None
    return family + centring


def unique_axis(group: gemmi.SpaceGroup) -> int:
    """Position of the unique axis of a monoclinic setting; 1 for every other setting."""
    axis = group.monoclinic_unique_axis()
    return AXES.index(axis) if axis in AXES else 1


@dataclass(frozen=True)
class Settings:
    """The settings of one lattice system and the chance of each."""

    symbols: tuple[str, ...]
    bravais: tuple[str, ...]
    probabilities: np.ndarray

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Positions (count,) of settings drawn by their frequency."""
        return rng.choice(len(self.symbols), size=count, p=self.probabilities)


@lru_cache(maxsize=64)
def load_settings(resources: Path, lattice_system: str, balance: str = KNOWN) -> Settings:
    """Settings of a lattice system with their frequencies.

    Args:
        resources: folder with the file of frequencies.
        lattice_system: name of the lattice system.
        balance: a level of :data:`mlindex.crystal.symmetry_classes.LEVELS` at which, and at those
            above it, classes shall be equally frequent, or :data:`KNOWN`.

    Raises:
        MlindexError: the file of frequencies is missing or lacks a column.
    """
    path = resources / "spacegroup_frequencies.csv"
    try:
        frame = pd.read_csv(path)
        counts = dict(zip(frame["gemmi_xhm"], frame["count"], strict=True))
    except (OSError, KeyError, ValueError) as error:
        raise MlindexError(
            f"{path}: no table of space-group frequencies ({error}); restore the file that came "
            "with mlindex, columns spacegroup_number, gemmi_xhm, bravais_lattice, count"
        ) from error
    wanted = {b.symbol for b in bravais_of(lattice_system)}
    rows = {}
    for group in gemmi.spacegroup_table():
        symbol = bravais_symbol(group)
        if symbol in wanted and group.xhm() not in rows:
            weight = max(float(counts.get(group.xhm(), 0)), UNLISTED_WEIGHT)
            rows[group.xhm()] = (symbol, weight, group.number)
    weights = np.array([weight for _, weight, _ in rows.values()])
    numbers = np.array([number for *_, number in rows.values()])
    for level in reversed(LEVELS[: LEVELS.index(balance) + 1] if balance != KNOWN else ()):
        classes = classes_of(level).of(numbers)
        weights = weights / np.bincount(classes, weights)[classes]
    return Settings(
        tuple(rows), tuple(symbol for symbol, *_ in rows.values()), weights / weights.sum()
    )
