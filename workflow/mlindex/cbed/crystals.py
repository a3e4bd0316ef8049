"""Crystals that stacks are made of: generated from a seed, or entries of the configured sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pandas as pd

from mlindex.base.errors import MlindexError
from mlindex.base.provenance import derive_seed
from mlindex.cbed.atoms import Atoms, atoms_of
from mlindex.cbed.settings import Cbed
from mlindex.crystal.space_groups import bravais_symbol
from mlindex.crystal.symmetry_classes import N_GROUPS, classes_of, prior_of_groups
from mlindex.structures.cif import EntryError, Sites
from mlindex.structures.generator.crystal import GeneratedCrystal, make_crystal
from mlindex.structures.sources import GeneratorSource
from mlindex.structures.symmetry import Crystal, find_symmetry

#: Columns of ENTRIES that :func:`entry_crystals` needs.
COLUMNS = (
    *("entry_id", "spacegroup_number", "hall_symbol"),
    *("a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg"),
    *("site_element", "site_x", "site_y", "site_z", "site_occupancy", "site_u_iso_A2"),
)
#: Draws until a cell is small enough: of all but a few groups one in three to thirty is.
_DRAWS = 100
#: Displacement of an atom by which a generated crystal has more symmetry than its group.
_TOLERANCE_A = 0.02


@dataclass(frozen=True)
class Left:
    """What was left out: a crystal or file, a sample of it or "", what was seen, and why."""

    entry_id: str
    sample: str
    seen: str
    reason: str

    @property
    def row(self) -> dict[str, Any]:
        """A row of CBED_REJECTS."""
        return vars(self)


def generated_crystals(
    first: int, count: int, settings: Cbed, resources: Path, seed: int
) -> Iterator[tuple[str, Atoms] | Left]:
    """Crystals by their numbers; each is the same whatever others are made with it.

    Args:
        first, count: number of the first, and how many.
        settings: shares of the groups, longest axis.
        resources: the folder with spacegroup_frequencies.csv and cell_statistics.json.
        seed: of the whole source.
    """
    groups = commonest(settings.groups)
    share = prior_of_groups()[groups - 1]
    for number in range(first, first + count):
        rng = np.random.default_rng(derive_seed(seed, "crystal", number))
        group = int(groups[number % len(groups)])
        if settings.balance == "natural":
            group = int(rng.choice(groups, p=share / share.sum()))
        name = f"cbed:generated:{number:06d}"
        atoms = _generated(group, settings.longest_axis_A, Path(resources), rng)
        reason = f"no generated crystal of the group had axes up to {settings.longest_axis_A:g} A"
        yield (name, atoms) if atoms else Left(name, "", f"space group {group}", reason)


def commonest(count: int) -> np.ndarray:
    """The numbers of so many space groups, in rising order.

    Crystal systems take turns, and give their commonest ones among known structures first: the
    commonest ones of all would be triclinic, monoclinic and orthorhombic.
    """
    system, share = classes_of("crystal_system").of_group, prior_of_groups()
    order = np.lexsort((np.arange(N_GROUPS), -share))
    turn = pd.Series(system[order]).groupby(system[order]).cumcount().to_numpy()
    return np.sort(order[np.lexsort((-share[order], turn))][:count]) + 1


def _generated(
    number: int, longest_axis_A: float, resources: Path, rng: np.random.Generator
) -> Atoms | None:
    group = gemmi.find_spacegroup_by_number(number)
    source = GeneratorSource()
    for _ in range(_DRAWS):
        try:
            made = make_crystal(group.xhm(), bravais_symbol(group), source, resources, rng)
        except MlindexError:
            continue
        if made.cell[:3].max() <= longest_axis_A and _has_group(made, group):
            sites = made.sites
            return atoms_of(
                made.cell,
                group.hall,
                number,
                tuple(made.elements[i] for i in sites.elements),
                sites.fractions,
                np.ones(len(sites.fractions)),
                made.u_iso_A2,
            )
    return None


def _has_group(made: GeneratedCrystal, group: gemmi.SpaceGroup) -> bool:
    """Whether the atoms have the symmetry of the group and no more."""
    n = len(made.sites.fractions)
    elements = tuple(made.elements[i] for i in made.sites.elements)
    sites = Sites(elements, made.sites.fractions, np.ones(n), made.u_iso_A2)
    try:
        found = find_symmetry(Crystal(made.cell, group, sites), _TOLERANCE_A)
    except EntryError:
        return False
    return found.group.number == group.number


def entry_crystals(
    entries: pd.DataFrame, most: int, settings: Cbed, seed: int
) -> Iterator[tuple[str, Atoms] | Left]:
    """Crystals of entries; those with too long axes are left out without being counted.

    Args:
        entries: rows of ENTRIES, :data:`COLUMNS` at least.
        most: crystals at most; which ones does not depend on the order of the rows.
        settings: longest axis, specimen.
        seed: of the choice.
    """
    keys = [derive_seed(seed, "entry", entry) for entry in entries["entry_id"]]
    chosen = 0
    for entry in entries.assign(_key=keys).sort_values(["_key", "entry_id"]).itertuples():
        if chosen == most:
            return
        longest = max(entry.a_A, entry.b_A, entry.c_A)
        if longest > settings.longest_axis_A:
            limit = f"its longest axis is more than cbed.longest_axis_A, {settings.longest_axis_A}"
            yield Left(entry.entry_id, "", f"{longest:g} A", limit)
            continue
        chosen += 1
        try:
            yield entry.entry_id, _entry_atoms(entry, settings.specimen.u_iso_A2)
        except MlindexError as error:
            yield Left(entry.entry_id, "", f"{len(entry.site_x)} sites", str(error))


def _entry_atoms(entry: Any, u_iso_A2: float) -> Atoms:
    stated = np.asarray(entry.site_u_iso_A2, dtype=float)
    return atoms_of(
        np.array([getattr(entry, name) for name in COLUMNS[3:9]], dtype=float),
        entry.hall_symbol,
        int(entry.spacegroup_number),
        tuple(entry.site_element),
        np.column_stack([entry.site_x, entry.site_y, entry.site_z]),
        np.asarray(entry.site_occupancy, dtype=float),
        np.where(stated > 0, stated, u_iso_A2),
    )
