"""Config of the stages that turn CIF files into peak lists."""

from __future__ import annotations

from typing import Literal

from mlindex.base.section import Section, setting


class Quality(Section):
    """The seven rules that an entry must meet (Moreau 2.1.1)."""

    formula: Literal["listed", "atoms"] = setting(
        "atoms",
        "Rule 1: where an entry lists no formula, reject it ('listed', as the method says), or "
        "take the formula from its atoms ('atoms'; the notes of the entry then say so).",
    )
    volume_per_atom_min_A3: float = setting(
        1.8, "Rule 7: least volume of the cell for each atom in it.", "A³", gt=0
    )
    volume_per_atom_max_A3: float = setting(
        180.0, "Rule 7: greatest volume of the cell for each atom in it.", "A³", gt=0
    )
    volume_tolerance: float = setting(
        0.01,
        "Rule 6: greatest relative difference between the stated volume, that of the cell and "
        "that of its reduced cell.",
        gt=0,
        lt=1,
    )
    cell_length_tolerance: float = setting(
        2e-3, "Rule 4: relative difference of lengths that symmetry makes equal.", gt=0
    )
    cell_angle_tolerance_deg: float = setting(
        0.2, "Rule 4: difference of an angle from what symmetry makes it.", "degree", gt=0
    )
    max_file_MB: float = setting(50.0, "Larger files are rejected unread.", "MB", gt=0)
    max_sites: int = setting(
        20000, "Entries with more atom sites are rejected: they are no small structures.", gt=0
    )
    max_entry_s: float = setting(
        60.0,
        "Entries that take more processor time, or wait ten times as long for anything else, are "
        "rejected; so are whole files at 60 times as much.",
        "s",
        gt=0,
    )
    max_entry_memory_MB: float = setting(
        1000.0, "Entries that take more memory to read and check are rejected.", "MB", gt=0
    )


class Deduplication(Section):
    """What counts as a duplicate (Moreau 2.1.1)."""

    volume_tolerance: float = setting(
        0.05, "Relative volume difference up to which equal compositions are duplicates.", gt=0
    )
    minor_element_fraction: float = setting(
        0.05, "Elements below this share of the atoms do not count in the composition.", ge=0, lt=1
    )


class Reduction(Section):
    """How the reindexed cell is chosen."""

    reduce_plane: bool = setting(
        True,
        "Before sorting the axes, take the reduced cell (triclinic) or the two shortest vectors "
        "of the plane across the unique axis (monoclinic), so that a lattice has one reindexed "
        "cell whatever setting its author chose; false sorts the axes as given.",
    )
