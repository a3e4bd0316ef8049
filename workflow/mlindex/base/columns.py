"""Columns that many tables share."""

from mlindex.base.schema import FLOAT64, INT16, STRING, Column, list_of

ENTRY_ID = Column("entry_id", STRING, "Identifier of the entry: source:name:block")
LATTICE_SYSTEM = Column("lattice_system", STRING, "Lattice system, one of seven")
BRAVAIS = Column("bravais_lattice", STRING, "Bravais lattice, one of 14, e.g. mC")


def cell_columns(prefix: str, what: str, nullable: bool = False) -> tuple[Column, ...]:
    """Six columns of a unit cell, named ``{prefix}a_A`` to ``{prefix}gamma_deg``."""
    lengths = (Column(f"{prefix}{n}_A", FLOAT64, f"{n} of {what}", "A", nullable) for n in "abc")
    angles = (
        Column(f"{prefix}{n}_deg", FLOAT64, f"{n} of {what}", "degree", nullable)
        for n in ("alpha", "beta", "gamma")
    )
    return (*lengths, *angles)


def cell_names(prefix: str) -> list[str]:
    """Names of the columns of :func:`cell_columns`."""
    return [column.name for column in cell_columns(prefix, "")]


def miller_columns(prefix: str, what: str) -> tuple[Column, ...]:
    """Three list columns of Miller indices, named ``{prefix}h`` to ``{prefix}l``."""
    return tuple(
        Column(f"{prefix}{n}", list_of(INT16), f"Miller index {n} of {what}") for n in "hkl"
    )
