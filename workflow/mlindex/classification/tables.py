"""Tables of the classification of symmetry."""

from __future__ import annotations

from mlindex.base.columns import BRAVAIS, ENTRY_ID
from mlindex.base.place import Place
from mlindex.base.schema import FLOAT64, INT16, INT32, STRING, Column, Table, list_of

SYMMETRY_EXAMPLES = Table(
    "symmetry_examples",
    "a list of lines of an entry, as calculated or as one measurement of it finds them",
    (
        ENTRY_ID,
        Column("spacegroup_number", INT16, "Space group, 1 to 230"),
        BRAVAIS,
        Column("structure_type", STRING, "Space group, anonymous formula, atoms a lattice point"),
        Column("composition_family", STRING, "Elements but hydrogen"),
        Column("measurement", INT32, "0 as calculated, else the number of the measurement"),
        Column("wavelength_A", FLOAT64, "Wavelength", "A"),
        Column("q2_inv_A2", list_of(FLOAT64), "q² of the lines", "1/A²"),
        Column("intensity", list_of(FLOAT64), "Their intensities, the strongest 1"),
        Column("last_q2_inv_A2", FLOAT64, "End of the pattern", "1/A²"),
    ),
    places=(Place("symmetry_examples/{system}.parquet"),),
    equally_long=(("q2_inv_A2", "intensity"),),
)
