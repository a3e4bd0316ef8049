"""Powder standards: their certified cells, with the source of each.

Cells are at about 22.5 degrees Celsius, on the wavelength scale of Hoelzer et al. (1997) that
:mod:`mlindex.crystal.wavelengths` has too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlindex.base.errors import MlindexError
from mlindex.crystal.phase import Phase, phase_of


@dataclass(frozen=True)
class Standard:
    """A standard: its space group, free cell parameters in A, what it is, and who says so."""

    group: str
    cell: tuple[float, ...]
    title: str
    source: str


STANDARDS = {
    "Si": Standard(
        "F d -3 m",
        (5.431144,),
        "Si, NIST SRM 640f",
        "certificate of SRM 640f: a = 0.543 114 4(80) nm",
    ),
    "LaB6": Standard(
        "P m -3 m",
        (4.156826,),
        "LaB6, NIST SRM 660c",
        "certificate of SRM 660c: a = 0.415 682 6(80) nm",
    ),
    "Al2O3": Standard(
        "R -3 c",
        (4.759355, 12.99231),
        "Al2O3, NIST SRM 676a",
        "certificate of SRM 676a as revised in 2015, for information; that of 2008 had 4.759091 "
        "and 12.991779",
    ),
    "CeO2": Standard(
        "F m -3 m",
        (5.411651,),
        "CeO2, NIST SRM 674b",
        "SRM 674b, for information, as pyFAI and GSAS-II have it",
    ),
    "NAC": Standard(
        "I 21 3",
        (10.2501,),
        "NAC, Na2Ca3Al2F14",
        "the middle of 10.2496 to 10.2506, as synchrotrons found it: not certified. The structure: "
        "Courbion & Ferey, J. Solid State Chem. 76 (1988) 426",
    ),
}


def standard_named(name: str) -> Phase:
    """The phase of a standard, called by its title.

    Raises:
        MlindexError: there is none of that name.
    """
    near = {known.lower(): known for known in STANDARDS}.get(str(name).strip().lower())
    if near is None:
        raise MlindexError(f"standard {name!r}: not known; give one of {', '.join(STANDARDS)}")
    standard = STANDARDS[near]
    cell = " ".join(map(str, standard.cell))
    return replace(phase_of(f"{standard.group} {cell}"), name=standard.title)
