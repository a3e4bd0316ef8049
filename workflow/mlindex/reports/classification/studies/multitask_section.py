"""The section on further outputs of the network."""

from __future__ import annotations

import pandas as pd

from mlindex.reports.classification.pieces import drawn
from mlindex.reports.classification.studies.pieces import (
    GAINS,
    columns,
    gains,
    means,
    measures_table,
)
from mlindex.reports.html import note, table

_TITLES = {
    "alone": "the group alone",
    "crystal_system": "with the crystal system",
    "extinction_symbol": "with the extinction symbol",
    "volume": "with the volume",
    "axes": "with the axes",
    "angles": "with the angles",
    "all": "with all of them",
}
_COLUMNS = columns("gain")


def multitask_part(frame: pd.DataFrame) -> str:
    """What each further output adds, on calculated and on measured lists."""
    body = note(
        "A small convolutional network is trained to the space group, and to one quantity more "
        "by an output of its own; the group alone is asked. Gains are over the group alone, in "
        "points, means over the seeds with 95 % intervals over test crystals, paired."
    )
    for part in dict.fromkeys(frame["part"]):
        rows = means(frame, str(part))
        body += note(f"{str(part).capitalize()} lists.")
        body += table(measures_table(rows, _TITLES, _COLUMNS))
        body += drawn(gains(rows, _TITLES, GAINS), 330)
    return body
