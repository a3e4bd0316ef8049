"""A result on the terminal: the ranked cells, then everything about the best one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlindex.indexing.result import Candidate, IndexingResult, Partner
from mlindex.reports.result.notation import (
    figure_of_merit,
    free_cell,
    lattice_name,
    lattice_symbol,
    miller,
    other_cells,
    percent,
    percentage,
    plain_cell,
    profile_fit,
    related,
    shift_text,
    signed,
    volume,
)
from mlindex.reports.result.phases import phase_facts
from mlindex.reports.result.symmetry import symmetry_facts
from mlindex.reports.result.view import (
    STATUS_WORDS,
    Axis,
    CandidateLines,
    by_status,
    candidate_lines,
    figure_lines,
    headline,
    joined,
    room,
    unindexed_positions,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

#: Lines, symbols and lattices named in a row of text; all of them are in the other outputs.
_MOST_LINES = 12
_MOST_SYMBOLS = 3
_LABEL = 22
_GOOD, _WARNING = "bold green", "bold yellow"


def show(
    result: IndexingResult, rows: int = 10, console: Console | None = None, lines: bool = False
) -> None:
    """Print a result so that it fits 80 columns.

    Args:
        result: what indexing returned.
        rows: candidates in the table, at most.
        console: where to, standard output by default.
        lines: whether the lines of the best candidate are listed one by one.
    """
    from rich.console import Console

    console = console or Console(highlight=False)
    for note in result.notes:
        _say(console, f"note: {note}")
    axis = Axis(result.peaks.wavelength_A)
    if result.candidates:
        console.print(_ranking(result, rows))
        if len(result.candidates) > rows:
            _say(console, f"{len(result.candidates) - rows} more candidates are not shown.")
        console.print()
        _facts(console, _about(result, result.candidates[0], axis))
        if lines:
            console.print()
            console.print(_lines(candidate_lines(result.peaks, result.candidates[0], axis), axis))
        console.print()
    if result.phases:
        _facts(console, phase_facts(result, axis, _MOST_LINES))
        console.print()
    if result.symmetry is not None:
        _facts(console, symmetry_facts(result.symmetry))
        console.print()
    _facts(console, _search(result))
    console.print()
    _say(console, headline(result), _GOOD if result.convincing else _WARNING)
    _say(console, result.reason)


def _say(console: Console, text: str, style: str = "") -> None:
    # Names and notes come from files: no markup and no control character of theirs may act.
    console.print(_clean(text), style=style, markup=False, highlight=False)


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _ranking(result: IndexingResult, rows: int) -> Table:
    # F and the shift are of 2theta: without a wavelength there are none. F stands below where
    # there is R_wp.
    has_angles = bool(result.peaks.wavelength_A)
    has_profiles = any(candidate.profile for candidate in result.candidates)
    table = _table(
        *("", "", "a/Å", "b/Å", "c/Å", "α/°", "β/°", "γ/°", "V/Å³", "M20"),
        *(["Rwp/%"] if has_profiles else ["F"] if has_angles else []),
        *("prob", "lines"),
        *(["shift/°"] if has_angles else []),
    )
    for rank, candidate in enumerate(result.candidates[:rows], 1):
        share, way = candidate.probability, candidate.settings[0]
        table.add_row(
            str(rank),
            lattice_symbol(candidate),
            *(_digits(value, 5) for value in way.cell[:3]),
            *(_angle(value) for value in way.cell[3:]),
            _digits(way.volume_A3, 5),
            figure_of_merit(candidate.m20),
            *(_third_figure(candidate, has_profiles, has_angles)),
            "<.01" if 0 < share < 0.005 else f"{share:.2f}",
            f"{candidate.n_indexed}/{candidate.n_used}",
            *([signed(candidate.shift.low_deg, 3)] if has_angles else []),
        )
    return table


def _third_figure(candidate: Candidate, has_profiles: bool, has_angles: bool) -> list[str]:
    """R_wp where candidates were fitted to the whole profile, else F."""
    if has_profiles:
        return [percentage(candidate.profile.r_wp) if candidate.profile else ""]
    return [figure_of_merit(candidate.f_n)] if has_angles else []


def _table(*names: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _digits(value: float, significant: int) -> str:
    before = len(str(int(value)))
    return f"{value:.{max(significant - before, 0)}f}"


def _angle(value: float) -> str:
    return f"{value:g}" if float(value).is_integer() else _digits(value, 4)


def _facts(console: Console, facts: list[tuple[str, str]]) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(width=_LABEL, no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in facts:
        table.add_row(label, _plain(text))
    console.print(table)


def _plain(text: str) -> object:
    from rich.text import Text

    return Text(_clean(text))


def _about(result: IndexingResult, best: Candidate, axis: Axis) -> list[tuple[str, str]]:
    """Label and text of everything about a candidate."""
    figures = [f"M{figure_lines(best)} = {figure_of_merit(best.m20)}"]
    if best.f_n is not None:
        figures.append(f"F{figure_lines(best)} = {figure_of_merit(best.f_n)}")
    figures.append(f"reversed M = {figure_of_merit(best.m20_reversed)}")
    shown = best.settings[0]
    facts = [("Best candidate", f"{lattice_name(best)}, probability {percent(best.probability)}")]
    facts.append(("  cell", f"{free_cell(shown)}; V = {volume(shown.volume_A3)} Å³"))
    facts += [("", f"{name}: {cell}") for name, cell in other_cells(best)]
    facts.append(("  Niggli cell", plain_cell(best.niggli)))
    if result.formula is not None:
        facts.append(("  formula units", room(best, result.formula)))
    facts.append(("  figures of merit", ", ".join(figures)))
    if best.profile is not None:
        facts.append(("  whole profile", profile_fit(best.profile)))
    facts.append(("  extinction symbol", _extinctions(best)))
    if axis.wavelength_A:
        facts.append(("  shift of 2θ", shift_text(best.shift)))
    lost = unindexed_positions(result.peaks, best, axis)
    facts.append((f"  not indexed, {axis.name}", joined(lost, _MOST_LINES) or "none"))
    facts.append(("  not observed", _absent(best, axis)))
    facts += [("  same lines", _partner(partner, best, axis)) for partner in best.partners]
    return facts


def _extinctions(best: Candidate) -> str:
    texts = []
    for extinction in best.extinctions:
        others = [g for g in extinction.space_groups if g != extinction.symbol]
        groups = f": {', '.join(extinction.space_groups)}" if others else ""
        texts.append(f"{extinction.symbol} ({percent(extinction.probability)}{groups})")
    return joined(texts, _MOST_SYMBOLS, "; ") or "not determined"


def _absent(best: Candidate, axis: Axis) -> str:
    positions = axis.positions(np.array([a.q2_inv_A2 for a in best.absent]), best.shift)
    hkl = best.settings[0].axes.hkl(np.array([a.hkl for a in best.absent]))
    texts = [f"({miller(h)}) {axis.text(p)}" for h, p in zip(hkl, positions, strict=True)]
    return joined(texts, _MOST_LINES // 2) or "none"


def _partner(partner: Partner, best: Candidate, axis: Axis) -> str:
    q2 = np.array(partner.distinguishing_q2_inv_A2)
    positions = axis.positions(q2, best.shift)
    where = ", ".join(axis.text(p) for p in positions)
    differing = f"differs at {axis.name} {where}" if where else "no line distinguishes the two"
    return (
        f"{lattice_name(partner)}, {plain_cell(partner.settings[0].cell)}: {related(partner)}; "
        f"{differing}"
    )


def _lines(lines: CandidateLines, axis: Axis) -> Table:
    table = _table("", "h k l", f"observed {axis.name}/{axis.unit}", "calculated", "obs − calc")
    for n, indexed in enumerate(lines.indexed):
        table.add_row(
            str(lines.number[n]),
            miller(lines.hkl[n]) if indexed else "not indexed",
            axis.text(lines.observed[n]),
            axis.text(lines.calculated[n]) if indexed else "",
            signed(float(lines.difference[n]), axis.decimals) if indexed else "",
        )
    return table


def _search(result: IndexingResult) -> list[tuple[str, str]]:
    facts = [
        (STATUS_WORDS.get(status, status).capitalize(), " ".join(lattices))
        for status, lattices in by_status(result).items()
    ]
    if np.isfinite(result.seconds):
        facts.append(("Time", f"{result.seconds:.1f} s"))
    return facts
