"""Config of the stages that turn CIF files into peak lists."""

from __future__ import annotations

from typing import Literal

from mlindex.base.section import Section, setting


class Quality(Section):
    """The seven rules that an entry must meet (Moreau 2.1.1)."""

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


class Simulation(Section):
    """The calculated powder pattern (Moreau 2.1.1)."""

    wavelength_A: float = setting(1.5406, "Wavelength (Cu K-alpha1).", "A", gt=0.1, lt=10)
    two_theta_max_deg: float = setting(60.0, "End of the pattern.", "degree", gt=0, lt=180)
    two_theta_step_deg: float = setting(0.02, "Step of the pattern.", "degree", gt=0)
    fwhm_deg: float = setting(0.1, "Full width at half maximum of a peak.", "degree", gt=0)
    displacement: bool = setting(
        True, "Use the isotropic displacement parameters that the entry states."
    )


class Peaks(Section):
    """Which reflections make the two peak lists (Moreau 2.1.1)."""

    length: int = setting(60, "Reflections in each list, at most.", gt=0, le=60)
    min_intensity: float = setting(
        0.005, "Least intensity of an observed peak in the pattern with sum(I²) = 1.", gt=0
    )
    max_curvature_inv_deg2: float = setting(
        -1.0, "An observed peak's second derivative lies below this.", "1/degree²"
    )
    min_separation_fwhm: float = setting(
        1 / 1.5, "Closer than this many widths, only the stronger of two peaks is observed.", gt=0
    )


class Grouping(Section):
    """How entries are grouped by reflection conditions (Moreau 2.1.2)."""

    min_entries: int = setting(
        400,
        "Patterns of reflection conditions with fewer usable entries, training and validation "
        "together, are joined to the most similar pattern of the same Bravais lattice and unique "
        "axis.",
        gt=0,
    )


class Split(Section):
    """Training and validation sides (Moreau 2.1.3)."""

    validation_fraction: float = setting(0.2, "Share of the validation side.", gt=0, lt=1)
    unit: Literal["structure_type", "composition_family"] = setting(
        "structure_type",
        "What never stands on both sides: a structure type (space group, anonymous formula, "
        "atoms in the primitive cell) or a composition family (set of elements but hydrogen).",
    )


class Augmentation(Section):
    """How training entries are perturbed and their peaks drawn anew (Moreau 2.1.5)."""

    max_per_parent: int = setting(10, "Augmented entries of one parent, at most.", ge=0)
    fraction: float = setting(
        1.0, "Augmented entries for each entry of the lattice system, rarer symbols first.", ge=0
    )
    perturbation_scale: float = setting(
        0.2, "Standard deviation of a perturbation, in scaled units.", gt=0
    )
    separation_bins: int = setting(50, "Bins in the peak separation (eq. 19).", gt=1)
