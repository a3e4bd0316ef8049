"""A result as one HTML page that loads nothing from elsewhere."""

from __future__ import annotations

from html import escape
from math import isfinite
from pathlib import PurePath

from mlindex import __version__
from mlindex.indexing.result import IndexingResult
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import ERROR_WAVELENGTH_A
from mlindex.reports.result.candidates import details, ranking
from mlindex.reports.result.markup import cards, facts, grid
from mlindex.reports.result.notation import (
    figure_of_merit,
    intensity_share,
    lattice_symbol,
    percent,
    percentage,
    signed,
    volume,
)
from mlindex.reports.result.phases import phase_section
from mlindex.reports.result.plot import MOST_ROWS, PatternFit, axis_of, figure_of
from mlindex.reports.result.profile_plot import SCRIPT as PROFILE_SCRIPT
from mlindex.reports.result.profile_plot import packed
from mlindex.reports.result.symmetry import symmetry_section
from mlindex.reports.result.view import (
    STATUS_WORDS,
    Axis,
    by_status,
    duration,
    figure_lines,
    formula_units,
    headline,
)

#: Probability from which a partner is named beside the verdict.
_WORTH_SAYING = 0.01
_STYLE = """
main { max-width: 1280px; } h1 { overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; } .figure { overflow: hidden; }
.verdict { border-left: 5px solid; border-radius: 4px; padding: 12px 18px; margin: 16px 0; }
.verdict.good { background: #ebfbee; border-color: #2b8a3e; }
.verdict.unsure { background: #fff9db; border-color: #e67700; }
.verdict h2 { border: 0; margin: 0 0 4px; padding: 0; font-size: 18px; line-height: 1.4; }
.verdict p { margin: 4px 0; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 10px;
margin: 16px 0; }
.card { border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px; }
.card span { display: block; color: var(--soft); font-size: 12px; }
.card b { font-size: 17px; font-weight: 600; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 8px 0;
font-size: 14px; } dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0;
overflow-wrap: anywhere; }
.part { border-left: 3px solid var(--line); padding-left: 16px; margin-bottom: 12px; }
.part .scroll { max-height: none; } .grid th, .grid td { text-align: right; }
.grid td { font-variant-numeric: tabular-nums; white-space: nowrap; }
.grid th.text, .grid td.text { text-align: left; } .grid td.text { white-space: normal; }
#ranking tbody tr { cursor: pointer; } #ranking tbody tr:hover { background: #f1f3f5; }
#ranking tbody tr.selected { background: #e7f1ff; box-shadow: inset 3px 0 var(--accent); }
#ranking tbody tr:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
#ranking td { white-space: nowrap; } tr.lost td { background: #fff4e6; color: #a61e4d; }
.key i { display: inline-block; width: 3px; height: 13px; margin: 0 5px 0 12px;
vertical-align: -2px; } .key i:first-child { margin-left: 0; }
@media (max-width: 640px) { main { padding: 14px 14px 40px; } h1 { font-size: 22px; }
dl.facts { grid-template-columns: 1fr; } dl.facts dd { margin-bottom: 6px; } }
"""
#: Selecting a row of the ranking, or a row of ticks, shows that candidate in the pattern.
_SCRIPT = """
const plot = document.querySelector("#s0 .figure");
const rows = [...document.querySelectorAll("#ranking tbody tr")];
function select(chosen) {
  const guides = [], ticks = [];
  plot.data.forEach((trace, i) => {
    if (!trace.meta || trace.meta.curve) return;
    (trace.meta.selected ? guides : ticks).push(i);
  });
  const own = i => plot.data[i].meta.candidate === chosen;
  if (guides.length) Plotly.restyle(plot, {visible: guides.map(own)}, guides);
  if (ticks.length) Plotly.restyle(plot, {opacity: ticks.map(i => own(i) ? 1 : 0.35)}, ticks);
  showProfile(chosen);
  rows.forEach((row, i) => {
    row.classList.toggle("selected", i === chosen);
    row.setAttribute("aria-pressed", i === chosen);
  });
}
rows.forEach((row, i) => {
  row.addEventListener("click", () => select(i));
  row.addEventListener("keydown", event => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    select(i);
  });
});
plot.on("plotly_click", event => {
  const meta = event.points[0].data.meta;
  if (meta && !meta.curve) select(meta.candidate);
});
"""
_KEY = (
    '<p class="note key"><i style="background:#1f6feb"></i>indexes an observed line'
    '<i style="background:#e8590c"></i>predicted, not observed'
    '<i style="background:#868e96"></i>beyond the lines used. Hover over a tick for h k l; click '
    "a row of ticks or of the table to overlay that candidate on the pattern.</p>"
)


def page(
    result: IndexingResult,
    pattern: MeasuredPattern | None = None,
    found_peaks: PatternFit | None = None,
) -> str:
    """The page of a result.

    Args:
        result: what indexing returned.
        pattern: the pattern that the lines were picked from; sticks are drawn without it, and
            over 2theta where no wavelength is known.
        found_peaks: what the peak search fitted, on the grid of ``pattern``.
    """
    from mlindex.reports import html

    axis = axis_of(result, pattern)
    fig = figure_of(result, pattern, found_peaks if pattern is not None else None, axis)
    curves = packed(result, MOST_ROWS) if pattern is not None else None
    stored = "" if curves is None else html.data("curves", curves)
    sections = [("Pattern", html.figure(fig) + stored + _below(result, pattern, axis))]
    if result.candidates:
        sections += [
            ("Candidates", ranking(result, axis)),
            ("Each candidate", details(result, axis)),
        ]
    if result.phases:
        sections.append(("Phases", phase_section(result, axis)))
    if result.symmetry is not None:
        sections.append(("Symmetry", symmetry_section(result.symmetry)))
    sections += [
        ("Search", _search(result)),
        ("Peak list", _peak_list(result, axis)),
        ("About this result", _provenance(result)),
    ]
    name = PurePath(result.peaks.name).name or result.peaks.name
    lead = f"Indexing of {len(result.peaks)} lines by mlindex {__version__}."
    top = _verdict(result) + _figures(result, axis)
    return html.page(f"Unit cell of {name}", lead, sections, top, _STYLE, PROFILE_SCRIPT + _SCRIPT)


def _verdict(result: IndexingResult) -> str:
    kind, sign = ("good", "✓") if result.convincing else ("unsure", "!")
    texts = [result.reason]
    partners = result.candidates[0].partners if result.candidates else ()
    # Improbable ones stand in the best candidate's own table only.
    worth_saying = [p for p in partners if p.probability is None or p.probability >= _WORTH_SAYING]
    if worth_saying:
        number = len(worth_saying)
        noun = "Another lattice has" if number == 1 else f"{number} other lattices have"
        texts.append(f"{noun} the same lines: see the best candidate below.")
    unfinished = [s.bravais for s in result.searched if s.status != "complete"]
    if unfinished:
        texts.append(f"Not fully searched: {', '.join(unfinished)}.")
    texts += [f"Note: {text}." for text in result.notes]
    body = "".join(f"<p>{escape(text)}</p>" for text in texts)
    # Browsers break a line between a number and its unit unless these are joined.
    joined = headline(result).replace("°", "\N{WORD JOINER}°").replace(" Å", "\N{NO-BREAK SPACE}Å")
    title = escape(f"{sign} {joined}")
    return f'<div class="verdict {kind}" role="status"><h2>{title}</h2>{body}</div>'


def _figures(result: IndexingResult, axis: Axis) -> str:
    if not result.candidates:
        return ""
    best = result.candidates[0]
    n, units = figure_lines(best), formula_units(best, result.formula)
    profile = best.profile
    groups = best.extinctions[0].space_groups if best.extinctions else ()
    return cards(
        [
            ("lattice", lattice_symbol(best)),
            ("volume", f"{volume(best.settings[0].volume_A3)} Å³"),
            ("probability", percent(best.probability)),
            ("formula units", f"{units:.2g}" if units else ""),
            (f"M{n}", figure_of_merit(best.m20)),
            (f"F{n}", figure_of_merit(best.f_n)),
            ("Rwp", f"{percentage(profile.r_wp)} %" if profile else ""),
            ("intensity explained", intensity_share(profile.explained) if profile else ""),
            ("lines indexed", f"{best.n_indexed} of {best.n_used}"),
            ("shift of 2θ", f"{signed(best.shift.low_deg, 3)}°" if axis.wavelength_A else ""),
            ("space group, suggested", groups[0] if groups else ""),
        ]
    )


def _below(result: IndexingResult, pattern: MeasuredPattern | None, axis: Axis) -> str:
    from mlindex.reports.html import note

    text = _KEY if result.candidates else ""
    if result.candidates and result.candidates[0].profile is not None:
        text += note(
            "Calculated: the lines of the candidate shown with intensities of their own (Pawley), "
            "and the background. The difference, on the same scale, is what it leaves."
        )
    if pattern is not None and axis.of_pattern(pattern) is None:
        text += note("Wavelength unknown: lines are drawn against 1/d, without the pattern.")
    elif pattern is None and result.peaks.intensity is None:
        text += note("The list has no intensities: all lines are drawn at one height.")
    if len(result.candidates) > MOST_ROWS:
        text += note(f"Ticks are drawn for the first {MOST_ROWS} candidates.")
    return text


def _search(result: IndexingResult) -> str:
    summary = facts(
        (STATUS_WORDS.get(status, status), ", ".join(lattices))
        for status, lattices in by_status(result).items()
    )
    rows = [[s.bravais, s.status, f"{s.trials:,}", duration(s.seconds, 2)] for s in result.searched]
    classes = ["" if s.status == "complete" else "lost" for s in result.searched]
    headings = ["<lattice", "<searched", "cells tried", "seconds"]
    return summary + grid(headings, rows, classes)


def _peak_list(result: IndexingResult, axis: Axis) -> str:
    from mlindex.reports.html import fold

    peaks = result.peaks
    n = len(peaks)
    # Lists without a wavelength have these as they would be at that of Cu.
    at = "" if axis.wavelength_A else f", at {ERROR_WAVELENGTH_A} Å"
    positions = axis.positions(peaks.q2_inv_A2)
    columns = {
        "line": [str(i + 1) for i in range(n)],
        axis.title: [axis.text(p) for p in positions],
        "d (Å)": [f"{d:.5f}" for d in peaks.q2_inv_A2**-0.5],
    }
    for heading, values, form in (
        ("intensity", peaks.intensity, ".6g"),
        (f"uncertainty of 2θ (°{at})", peaks.two_theta_error_deg, ".4f"),
        (f"width (°{at})", peaks.fwhm_deg, ".3f"),
    ):
        if values is not None:
            columns[heading] = [format(float(v), form) for v in values]
    if result.phases:
        columns["<phase"] = result.phase_of_lines
    table = grid(list(columns), zip(*columns.values(), strict=True))
    return fold(f"{n} lines", table)


def _provenance(result: IndexingResult) -> str:
    wavelength = result.peaks.wavelength_A
    pairs = [
        ("peak list", result.peaks.name),
        ("wavelength", f"{wavelength:g} Å" if wavelength else "unknown"),
        *([("time of the search", f"{result.seconds:.2f} s")] if isfinite(result.seconds) else []),
        ("version", f"mlindex {__version__}"),
        *((f"option {name}", _option(value)) for name, value in result.options.items()),
    ]
    return facts(pairs)


def _option(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
