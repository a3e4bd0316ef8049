"""The phases of a sample as they are shown: with their cells, lines and shares of the intensity."""

from __future__ import annotations

import numpy as np

from mlindex.indexing.profile import PhaseShare
from mlindex.indexing.result import IndexingResult, SamplePhase
from mlindex.reports.result.markup import grid
from mlindex.reports.result.notation import percent, phases_fit, plain_cell
from mlindex.reports.result.together_plot import together_figure
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
    for phase, part in zip(result.phases, _parts(result), strict=True):
        where = joined(_positions(result, phase, axis), most) or "none"
        facts.append((KINDS[phase.kind].capitalize(), f"{_named(phase)}: {_amount(phase)}"))
        facts.append((f"  lines, {axis.name}", where))
        if part is not None:
            facts.append(("  whole profile", f"{share_with_error(part)} of the intensity"))
        if phase in result.further_phases:
            facts.append(("  verdict", phase.reason))
    if result.together is not None:
        facts.append(("All phases together", phases_fit(result.together)))
    return facts


def phase_section(result: IndexingResult, axis: Axis) -> str:
    """The phases on a page: their table, and their fit together to the whole profile."""
    from mlindex.reports import html

    text = phase_table(result, axis)
    if result.together is None:
        return text
    fit = phases_fit(result.together)
    text += html.note(
        f"All phases together (Pawley, the lines of each with intensities of their own): {fit}. "
        "What each adds to the background is drawn below."
    )
    names = [phase.name for phase in result.phases]
    return text + html.figure(together_figure(result.together, names, axis))


def share_with_error(part: PhaseShare) -> str:
    """The share of a phase in the fit of all, with the uncertainty of its last digit, which is a
    tenth of a percent, in brackets: 18.9(4) %."""
    tenths = max(round(1000 * part.share_error), 1)
    return f"{100 * part.share:.1f}({tenths}) %"


def _parts(result: IndexingResult) -> list[PhaseShare | None]:
    """What each phase has in the fit of all; None for each where there is no such fit."""
    fit = result.together
    return [None] * len(result.phases) if fit is None else list(fit.phases)


def phase_table(result: IndexingResult, axis: Axis) -> str:
    """The table of phases for a page."""
    headings = ["<phase", "<", "<cell", "lines", "shared", "intensity"]
    headings += ["whole profile"] if result.together is not None else []
    rows = [
        [
            phase.name,
            KINDS[phase.kind],
            f"{phase.centring} {plain_cell(phase.cell)}",
            f"{len(phase.lines)} of {phase.expected}",
            str(int(phase.shared.sum())),
            "" if phase.share is None else percent(phase.share),
            *([] if part is None else [share_with_error(part)]),
            ", ".join(_positions(result, phase, axis)),
            phase.reason,
        ]
        for phase, part in zip(result.phases, _parts(result), strict=True)
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
