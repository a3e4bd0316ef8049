"""What is wrong with a CIF file that can't be read, in words."""

from __future__ import annotations

import re

#: Line and message of the parser's errors, such as ``string:2:0(7): parse error``.
_AT = re.compile(r":(\d+)(?::\d+\(\d+\))?(?: in [^:]*)?: (.*)")
#: What it says, by how it begins, and what that means in a line.
_MEANINGS = (
    ("expected block header", "line {line} stands before any that begins with data_"),
    ("Wrong number of values", "values are missing in the loop of line {line}"),
    ("unterminated", "a text that begins in line {line} has no end"),
)
_LONGEST = 80


def cif_problem(error: Exception) -> str:
    """What gemmi says of a text that is no CIF, as a sentence without subject."""
    text = " ".join(str(error).split())
    found = _AT.search(text)
    if found is None:
        return f"is a damaged CIF file, or none: {text.rpartition(': ')[2][:_LONGEST]}"
    line, said = found.groups()
    said = said[:_LONGEST]
    meant = next((meaning for begin, meaning in _MEANINGS if said.startswith(begin)), None)
    if meant is None:
        meant = "line {line} can't be read" + ("" if said == "parse error" else f" ({said})")
    return f"is a damaged CIF file, or none: {meant.format(line=line)}"
