"""Tables from CIF files to unique entries."""

from mlindex.base.columns import BRAVAIS, ENTRY_ID, LATTICE_SYSTEM, cell_columns
from mlindex.base.place import Place
from mlindex.base.schema import BOOL, FLOAT64, INT16, INT32, INT64, STRING, Column, Table, list_of

FILES = Table(
    "files",
    "a CIF file of a shard",
    (
        Column("source", STRING, "Name of the source"),
        Column("path", STRING, "Path of the file below the source's folder, with /"),
        Column("digest", STRING, "SHA-256 of the file"),
        Column("size_bytes", INT64, "Size of the file", "byte"),
    ),
    places=(Place("sources/{source}/{shard}.files.parquet"),),
)

ENTRIES = Table(
    "entries",
    "an entry that passed quality control, with all that later stages need of its CIF",
    (
        ENTRY_ID,
        Column("source", STRING, "Name of the source"),
        Column("path", STRING, "Path of the file below the source's folder"),
        Column("block", STRING, "Name of the data block"),
        Column("formula", STRING, "Chemical formula as stated"),
        Column("elements", list_of(STRING), "Elements of the cell, in alphabetical order"),
        Column("element_counts", list_of(FLOAT64), "Atoms of each element in the cell"),
        Column("formula_units", FLOAT64, "Z, formula units in the conventional cell"),
        Column("formula_units_source", STRING, "Where Z is from: stated, sites or volume"),
        Column("n_atoms", FLOAT64, "Atoms in the conventional cell, from formula and Z"),
        Column("spacegroup_number", INT16, "Space-group number"),
        Column("hm_symbol", STRING, "Hermann-Mauguin symbol of the setting, gemmi's spelling"),
        Column("hall_symbol", STRING, "Hall symbol of the setting: fixes the operations"),
        Column("hm_stated", STRING, "Symbol as the file writes it", nullable=True),
        Column("symmetry_source", STRING, "given (as the file states) or found (from the atoms)"),
        LATTICE_SYSTEM,
        BRAVAIS,
        *cell_columns("", "the conventional cell"),
        Column("volume_A3", FLOAT64, "Volume of the conventional cell", "A³"),
        Column("r_factor", FLOAT64, "Lowest reported R factor", nullable=True),
        Column("site_element", list_of(STRING), "Element of each site of the asymmetric unit"),
        Column("site_x", list_of(FLOAT64), "Fractional x of each site"),
        Column("site_y", list_of(FLOAT64), "Fractional y of each site"),
        Column("site_z", list_of(FLOAT64), "Fractional z of each site"),
        Column("site_occupancy", list_of(FLOAT64), "Occupancy of each site"),
        Column(
            "site_u_iso_A2", list_of(FLOAT64), "Isotropic displacement, 0 where not stated", "A²"
        ),
        Column(
            "notes",
            STRING,
            "What was corrected or assumed on reading, separated by ;",
            nullable=True,
        ),
    ),
    places=(Place("entries/{source}/{shard}.parquet", rule="quality", reported="entries"),),
    equally_long=(
        ("elements", "element_counts"),
        ("site_element", "site_x", "site_y", "site_z", "site_occupancy", "site_u_iso_A2"),
    ),
)

REJECTS = Table(
    "rejects",
    "an entry (or file) left out, with the reason",
    (
        ENTRY_ID,
        Column("source", STRING, "Name of the source"),
        Column("path", STRING, "Path of the file below the source's folder"),
        Column("stage", STRING, "Stage that rejected it"),
        Column("rule", INT16, "Number of the rule in its stage; 0: could not be read"),
        Column("rule_name", STRING, "The rule in two or three words"),
        Column("seen", STRING, "The value that broke the rule"),
        Column("reason", STRING, "What is wrong, in a sentence"),
    ),
    places=(
        Place(
            "rejects/quality/{source}/{shard}.parquet", rule="quality", reported="rejects_quality"
        ),
        Place(
            "rejects/reduction/{source}/{shard}.parquet",
            rule="reduce",
            reported="rejects_reduction",
        ),
        Place(
            "rejects/simulation/{source}/{shard}.parquet",
            rule="simulate",
            reported="rejects_simulation",
        ),
        Place("rejects/dataset/{system}.parquet", reported="rejects_dataset"),
    ),
)

DUPLICATES = Table(
    "duplicates",
    "an entry of a lattice system after quality control, and the entry that stands for it",
    (
        ENTRY_ID,
        BRAVAIS,
        Column("representative_id", STRING, "Entry that stands for it: itself where kept"),
        Column("kept", BOOL, "Whether the entry is kept"),
        Column("rule", STRING, "kept, composition (and volume), volume (exactly the same)"),
        Column("across_sources", BOOL, "Whether its representative is of an earlier source"),
        Column("volume_difference", FLOAT64, "Relative volume difference to the representative"),
    ),
    places=(Place("duplicates/{system}.parquet", reported="duplicates"),),
)

CELLS = Table(
    "cells",
    "an entry's three cells and what leads from one to another",
    (
        ENTRY_ID,
        LATTICE_SYSTEM,
        BRAVAIS,
        Column("spacegroup_number", INT16, "Space-group number"),
        Column("hm_symbol", STRING, "Symbol in the conventional setting"),
        Column("hall_symbol", STRING, "Hall symbol in the conventional setting"),
        *cell_columns("", "the conventional cell"),
        *cell_columns("reindexed_", "the reindexed cell"),
        Column("reindexed_hm_symbol", STRING, "Symbol in the reindexed setting"),
        Column("unique_axis", STRING, "Unique axis of the reindexed cell: a, b, c or nothing"),
        Column(
            "reindexed_operator",
            list_of(FLOAT64),
            "P, row by row: (a', b', c') = (a, b, c) P; Miller indices as rows: h' = h P",
        ),
        *cell_columns("niggli_", "the Niggli cell"),
        Column("niggli_operator", list_of(FLOAT64), "P from the conventional to the Niggli cell"),
        Column("volume_A3", FLOAT64, "Volume of the conventional cell", "A³"),
        Column("q2_discrepancy", FLOAT64, "Largest relative q² difference among the three cells"),
        Column("n_points", INT32, "Lattice points in the conventional cell"),
    ),
    places=(Place("cells/{source}/{shard}.parquet", rule="reduce"),),
)
