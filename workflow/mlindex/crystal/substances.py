"""Substances that are so often in a pattern that they should be named: holders, standards, ice.

The table, ``substances.csv``, has the space group, the free cell parameters (A), the atoms with
their places and the source of each. Intensities follow from the atoms.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache

import gemmi
import numpy as np

from mlindex.base.packaged import packaged
from mlindex.crystal.phase import Phase, phase_of
from mlindex.crystal.strengths import with_strengths

TABLE = packaged(__file__, "substances.csv")
#: Mean square displacement of the atoms, A²: it matters at high angles only.
_U_ISO_A2 = 0.006


@cache
def substances() -> tuple[Phase, ...]:
    """The phases of the table, with the strengths of their lines."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(_phase(row) for row in csv.DictReader(file))


def _phase(row: dict[str, str]) -> Phase:
    phase = replace(phase_of(f"{row['group']} {row['cell']}"), name=row["name"])
    small = gemmi.SmallStructure()
    small.cell = gemmi.UnitCell(*phase.cell.tolist())
    small.spacegroup_hm = row["group"]
    small.determine_and_set_spacegroup("2")
    for text in row["sites"].split(";"):
        element, *place = text.split()
        site = gemmi.SmallStructure.Site()
        site.label = site.type_symbol = element
        site.element = gemmi.Element(element)
        site.fract = gemmi.Fractional(*map(float, place))
        site.occ, site.u_iso = 1.0, _U_ISO_A2
        small.add_site(site)
    small.setup_cell_images()
    return with_strengths(phase, small)


def relative_intensity(phase: Phase, q2: np.ndarray, theta_rad: np.ndarray) -> np.ndarray:
    """See :func:`mlindex.crystal.strengths.intensity`; 1 for the strongest of the lines (m,)."""
    from mlindex.crystal.strengths import intensity

    found = np.nan_to_num(intensity(phase, q2, theta_rad))
    return found / max(found.max(initial=0.0), 1e-300)
