"""The table of what to measure next."""

from mlindex.base.schema import FLOAT64, INT32, STRING, Column, Table

NEXT_REGIONS = Table(
    "next_regions",
    "a region of 2theta to measure, in the order in which to measure them",
    (
        Column("sample", STRING, "Where the lines came from"),
        Column("order", INT32, "Which to measure first, from 1"),
        Column("wavelength_A", FLOAT64, "Wavelength to measure with", "A"),
        Column("two_theta_first_deg", FLOAT64, "Begin of the region", "degree"),
        Column("two_theta_last_deg", FLOAT64, "End of the region", "degree"),
        Column("step_deg", FLOAT64, "Step of the scan", "degree"),
        Column("time", FLOAT64, "Counting time over that of the first scan"),
        Column("cost_deg", FLOAT64, "Degrees times counting time", "degree"),
        Column("bits", FLOAT64, "Expected information on which cell is right", "bit"),
        Column("more_bits", FLOAT64, "The same beyond the regions before", "bit"),
        Column("left_bits", FLOAT64, "What is expected to stay open then", "bit"),
        Column("chance_right", FLOAT64, "Chance that the most probable cell is right then"),
        Column("advice", STRING, "What to do and what each outcome would mean, in words"),
    ),
)
