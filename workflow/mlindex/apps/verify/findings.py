"""The report of a check of the results: findings, what was checked, and both as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: An error makes results wrong or unusable; a warning only costs room or a check.
ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is not as it should be.

    ``file`` is a path below the results (or of a source), ``seen`` what was found there and
    ``advice`` what to do about it.
    """

    file: str
    severity: str
    seen: str
    advice: str


@dataclass(frozen=True)
class Report:
    """The outcome of :func:`mlindex.apps.verify.verify_results`.

    ``checked`` counts what was looked at, by kind; ``notes`` say what could not be looked at
    and what is worth knowing without being wrong.
    """

    root: Path
    findings: tuple[Finding, ...]
    checked: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 where nothing was found, 1 otherwise."""
        return 1 if self.findings else 0

    def as_data(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        return {
            "root": str(self.root),
            "findings": [dict(vars(finding)) for finding in self.findings],
            "checked": dict(self.checked),
            "notes": list(self.notes),
        }

    def as_text(self) -> str:
        """The report as lines of text: a paragraph each finding, then what was checked."""
        lines = []
        for finding in self.findings:
            lines.append(f"{finding.severity}: {finding.file}: {finding.seen}")
            lines.append(f"    {finding.advice}")
        lines += [f"note: {note}" for note in self.notes]
        looked = ", ".join(f"{count} {kind}" for kind, count in self.checked.items())
        lines.append(f"checked: {looked}")
        count = len(self.findings)
        lines.append(
            f"{count} finding{'s' if count > 1 else ''}" if count else "everything is in order"
        )
        return "\n".join(lines) + "\n"
