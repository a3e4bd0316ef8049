"""A batch in numbers: samples by verdict, the first failures, and whether it ended early."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from mlindex.apps.batch.tables import FAILED

_TOLD = 5
#: Characters of a failure that are shown; the table has all of it.
_LONGEST = 300


@dataclass
class Summary:
    """Samples by verdict, the first few failures with their errors, and whether it ended early."""

    verdicts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    interrupted: bool = False
    #: Why not all samples were done, other than that.
    ended: str = ""
    #: Why fewer workers were used than asked for.
    note: str = ""
    #: What was met among the sources and is no sample.
    passed: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Samples done."""
        return sum(self.verdicts.values())

    @property
    def failed(self) -> bool:
        """Whether there were samples, but none could be read and indexed."""
        return 0 < self.total == self.verdicts[FAILED]

    def add(self, row: dict[str, Any]) -> None:
        """Count a row of ``batch_samples``."""
        self.verdicts[row["verdict"]] += 1
        if row["error"] is not None and len(self.failures) < _TOLD:
            # Readers name their file themselves.
            name = "" if row["error"].startswith(row["sample"]) else f"{row['sample']}: "
            self.failures.append(name + row["error"])

    def told(self, done: str) -> list[str]:
        """What to say besides the numbers, line by line; ``done`` is what was to be done, such as
        "indexed"."""
        lines = [self.note] if self.note else []
        lines += [f"not {done}: {_short(failure)}" for failure in self.failures]
        more = self.verdicts[FAILED] - len(self.failures)
        lines += [f"and {more} more were not {done}"] if more > 0 else []
        return lines + (
            ["passed over:", *(f"  {phrase}" for phrase in self.passed)] if self.passed else []
        )

    def replace(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Count a row in place of one that was counted before."""
        self.verdicts[old["verdict"]] -= 1
        self.add(new)


def _short(failure: str) -> str:
    """A failure in a line or two."""
    return failure if len(failure) <= _LONGEST else f"{failure[:_LONGEST].rsplit(' ', 1)[0]} ..."
