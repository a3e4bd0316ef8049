"""Indexing rates that the method's author reports, beside which validation puts its own.

They are a column of the table of validation, so that a change here reruns that stage, the model
card and the report, and nothing else.
"""

from __future__ import annotations

#: Rate in percent for calculated patterns, by Bravais lattice. Of two figures the lower counts
#: exact or equivalent cells, the higher any that explain all lines.
PUBLISHED_RATES: dict[str, str] = {
    "cP": "99.7",
    "cI": "100",
    "cF": "99.5",
    "tP": "99.5",
    "tI": "99.0",
    "hP": "99.5",
    "hR": "92 to 99.4",
    "oP": "99.5",
    "oC": "98.5",
    "oI": "99.0",
    "oF": "99.0",
    "mP": "85",
    "mC": "81 to 92",
    "aP": "61 to 84",
}
