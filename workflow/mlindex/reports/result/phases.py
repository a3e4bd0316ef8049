"""The phases of a sample as they are shown: with their cells, lines and shares of the intensity."""

from __future__ import annotations

import numpy as np

from mlindex.indexing.result import IndexingResult, SamplePhase
from mlindex.reports.result.markup import grid
from mlindex.reports.result.notation import percent, plain_cell
from mlindex.reports.result.view import Axis, joined

#: What the kinds of phases are called.
KINDS = {
    "known": "known phase",
    "standard": "standard",
    "recognized": "recognized",
    "found": "found",
}


def known_phases(result: IndexingResult) -> list[SamplePhase]:
    """The phases that were given."""
    return [phase for phase in result.phases if phase.kind != "found"]


def phase_facts(result: IndexingResult, axis: Axis, most: int) -> list[tuple[str, str]]:
    """Label and text of each phase; nothing where there is one alone."""
    facts = []
    for phase in result.phases:
        where = joined(_positions(result, phase, axis), most) or "none"
        facts.append((KINDS[phase.kind].capitalize(), f"{_named(phase)}: {_amount(phase)}"))
        facts.append((f"  lines, {axis.name}", where))
        if phase in result.further_phases:
            facts.append(("  verdict", phase.reason))
    return facts


def phase_table(result: IndexingResult, axis: Axis) -> str:
    """The table of phases for a page."""
    headings = ["<phase", "<", "<cell", "lines", "shared", "intensity"]
    rows = [
        [
            phase.name,
            KINDS[phase.kind],
            f"{phase.centring} {plain_cell(phase.cell)}",
            f"{len(phase.lines)} of {phase.expected}",
            str(int(phase.shared.sum())),
            "" if phase.share is None else percent(phase.share),
            ", ".join(_positions(result, phase, axis)),
            phase.reason,
        ]
        for phase in result.phases
    ]
    return grid([*headings, f"<lines, {axis.title}", "<verdict"], rows)


def _named(phase: SamplePhase) -> str:
    return f"{phase.name}, {phase.centring} {plain_cell(phase.cell)}"


def _amount(phase: SamplePhase) -> str:
    shared = int(phase.shared.sum())
    parts = [f"{len(phase.lines)} of {phase.expected} lines"]
    if shared:
        parts.append(f"{shared} of them shared")
    if phase.share is not None:
        parts.append(f"{percent(phase.share)} of the intensity")
    return ", ".join(parts)


def _positions(result: IndexingResult, phase: SamplePhase, axis: Axis) -> list[str]:
    """Where its lines are, a star with those that are shared."""
    positions = axis.positions(result.peaks.q2_inv_A2[phase.lines])
    marks = np.where(phase.shared, "*", "")
    return [f"{axis.text(p)}{mark}" for p, mark in zip(positions, marks, strict=True)]
