"""Where files of a table lie below the results, declared with the table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

_WILDCARD = re.compile(r"{(\w+)}")
#: The folder of results, as the rules call it.
RESULTS = "results"


@dataclass(frozen=True)
class Place:
    """A pattern of paths below the results, with Snakemake's wildcards in braces.

    ``rule`` names the rule that writes the files of several tables together, so that none may be
    there without the others. ``reported`` is the name under which the report reads the files;
    places of the same name are read one after the other, in the order of declaration.
    """

    pattern: str
    rule: str = ""
    reported: str = ""

    @property
    def path(self) -> str:
        """The pattern as rules name it, with the folder of results."""
        return f"{RESULTS}/{self.pattern}"

    @property
    def wildcards(self) -> list[str]:
        """Names of its wildcards in order."""
        return _WILDCARD.findall(self.pattern)

    @property
    def glob(self) -> str:
        """The pattern with a star for each wildcard."""
        return _WILDCARD.sub("*", self.pattern)

    def fits(self, path: PurePath) -> bool:
        """Whether a path below the results is one of this place."""
        return len(path.parts) == self.pattern.count("/") + 1 and path.match(self.glob)
