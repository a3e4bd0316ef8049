"""Candidates on the page: the ranked table and the parts about each."""

from __future__ import annotations

import numpy as np

from mlindex.indexing.result import Candidate, IndexingResult, Partner
from mlindex.reports.result.markup import facts, grid
from mlindex.reports.result.notation import (
    SYMBOLS,
    cell_numbers,
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
from mlindex.reports.result.view import Axis, candidate_lines, figure_lines


def ranked(result: IndexingResult, axis: Axis, most: int) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the table of candidates, without columns that are empty throughout."""
    n = figure_lines(result.candidates[0])
    headings = [
        *("rank", "<lattice", *(f"{s} ({u})" for s, u in zip(SYMBOLS, "ÅÅÅ°°°", strict=True))),
        *("V (Å³)", f"M{n}", f"F{n}", "Rwp (%)", "explained (%)"),
        *("probability", "indexed", "not observed", "shift (°)"),
        "<extinction symbol",
    ]
    rows = [_ranked(rank, c, axis) for rank, c in enumerate(result.candidates[:most], 1)]
    filled = [i for i in range(len(headings)) if any(row[i] for row in rows)]
    return [headings[i] for i in filled], [[row[i] for i in filled] for row in rows]


def ranking(result: IndexingResult, axis: Axis) -> str:
    """The table of all candidates; a row can be selected."""
    headings, rows = ranked(result, axis, len(result.candidates))
    attributes = [
        f'data-candidate="{i}" tabindex="0" role="button" aria-pressed="{str(i == 0).lower()}"'
        for i in range(len(rows))
    ]
    classes = ["selected"] + [""] * (len(rows) - 1)
    return f'<div id="ranking">{grid(headings, rows, classes, attributes)}</div>'


def _ranked(rank: int, candidate: Candidate, axis: Axis) -> list[str]:
    shown, profile = candidate.settings[0], candidate.profile
    return [
        str(rank),
        lattice_symbol(candidate),
        *cell_numbers(shown),
        volume(shown.volume_A3),
        figure_of_merit(candidate.m20),
        figure_of_merit(candidate.f_n),
        percentage(profile.r_wp) if profile else "",
        f"{100 * profile.explained:.1f}" if profile else "",
        percent(candidate.probability),
        f"{candidate.n_indexed}/{candidate.n_used}",
        str(len(candidate.absent)),
        signed(candidate.shift.low_deg, 3) if axis.wavelength_A else "",
        candidate.extinctions[0].symbol if candidate.extinctions else "",
    ]


def details(result: IndexingResult, axis: Axis) -> str:
    """A folded part about each candidate, the first of them open."""
    from mlindex.reports.html import fold

    return "".join(
        fold(
            f"{rank} · {lattice_name(c)} · {free_cell(c.settings[0])}",
            f'<div class="part">{_about(result, c, axis)}</div>',
            is_open=rank == 1,
        )
        for rank, c in enumerate(result.candidates, 1)
    )


def _about(result: IndexingResult, candidate: Candidate, axis: Axis) -> str:
    return (
        _facts(candidate, axis)
        + _lines(result, candidate, axis)
        + _extinctions(candidate)
        + _absent(candidate, axis)
        + _partners(candidate, axis)
    )


def _facts(candidate: Candidate, axis: Axis) -> str:
    n = figure_lines(candidate)
    shown = candidate.settings[0]
    pairs = [("cell", free_cell(shown)), *other_cells(candidate)]
    pairs += [
        ("Niggli cell", plain_cell(candidate.niggli)),
        ("volume", f"{volume(shown.volume_A3)} Å³"),
        (f"M{n} (de Wolff)", figure_of_merit(candidate.m20)),
    ]
    if candidate.f_n is not None:
        pairs.append((f"F{n} (Smith & Snyder)", figure_of_merit(candidate.f_n)))
    pairs.append((f"M{n}, reversed", figure_of_merit(candidate.m20_reversed)))
    pairs.append((f"M{n}, symmetric", figure_of_merit(candidate.m20_symmetric)))
    pairs += [
        ("probability", percent(candidate.probability)),
        ("log evidence", f"{candidate.log_evidence:.1f}"),
        ("lines indexed", f"{candidate.n_indexed} of {candidate.n_used}"),
        ("lines predicted", f"{candidate.n_calculated} up to the last line used"),
    ]
    if axis.wavelength_A:
        pairs.append(("shift of 2θ", shift_text(candidate.shift)))
    return facts(pairs + _profile(candidate))


def _profile(candidate: Candidate) -> list[tuple[str, str]]:
    profile = candidate.profile
    if profile is None:
        return []
    shifts = [
        f"{name} {signed(value, 4)}°"
        for name, value in (
            ("zero shift", profile.zero_shift_deg),
            ("displacement (times cos θ)", profile.displacement_deg),
        )
        if value
    ]
    end = f"up to {profile.two_theta_deg[-1]:.1f}°"
    return [
        ("whole profile", f"{profile_fit(profile)}; {', '.join([end, *shifts])}"),
        ("log evidence of the profile", f"{profile.log_evidence:.1f}"),
        ("probability by the lines alone", percent(profile.probability_before)),
    ]


def _lines(result: IndexingResult, candidate: Candidate, axis: Axis) -> str:
    from mlindex.reports.html import fold

    lines = candidate_lines(result.peaks, candidate, axis)
    rows = []
    for i, indexed in enumerate(lines.indexed):
        hkl, others = "not indexed", [""] * len(lines.other_hkl)
        calculated, difference = "", ""
        if indexed:
            hkl, calculated = miller(lines.hkl[i]), axis.text(lines.calculated[i])
            difference = signed(float(lines.difference[i]), axis.decimals)
            others = [miller(other[i]) for other in lines.other_hkl]
        measured = (axis.text(lines.observed[i]), axis.text(lines.corrected[i]))
        rows.append([str(lines.number[i]), hkl, *others, *measured, calculated, difference])
    headings = ["line", "h k l", *(f"h k l, {name}" for name, _ in other_cells(candidate))]
    headings += [f"observed {axis.title}", "corrected for shift"]
    classes = ["" if indexed else "lost" for indexed in lines.indexed]
    table = grid([*headings, "calculated", "obs − calc"], rows, classes)
    lost = candidate.n_used - candidate.n_indexed
    remark = f", {lost} not indexed" if lost else ", all indexed"
    return fold(f"Lines: {candidate.n_used} used{remark}", table)


def _extinctions(candidate: Candidate) -> str:
    from mlindex.reports.html import fold

    if not candidate.extinctions:
        return ""
    rows = [
        [e.symbol, percent(e.probability), str(e.contradicted), ", ".join(e.space_groups)]
        for e in candidate.extinctions
    ]
    headings = ["<extinction symbol", "probability", "lines that contradict it", "<space groups"]
    return fold(f"Extinction symbols: {rows[0][0]} most probable", grid(headings, rows))


def _absent(candidate: Candidate, axis: Axis) -> str:
    from mlindex.reports.html import fold

    if not candidate.absent:
        return ""
    q2 = np.array([a.q2_inv_A2 for a in candidate.absent])
    hkl = candidate.settings[0].axes.hkl(np.array([a.hkl for a in candidate.absent]))
    rows = [
        [miller(h), axis.text(position), axis.text(seen), f"{d:.4f}"]
        for h, d, position, seen in zip(
            hkl,
            1 / np.sqrt(q2),
            axis.positions(q2),
            axis.positions(q2, candidate.shift),
            strict=True,
        )
    ]
    where = f"calculated {axis.title}"
    table = grid(["h k l", where, "with shift", "d (Å)"], rows)
    return fold(f"Predicted, not observed: {len(rows)} lines", table)


def _partners(candidate: Candidate, axis: Axis) -> str:
    from mlindex.reports.html import fold, note

    if not candidate.partners:
        return ""
    headings = [
        "<lattice",
        "<cell",
        "<relation",
        f"<lines that only one has, {axis.title}",
    ]
    rows = [_partner(p, candidate, axis) for p in candidate.partners]
    text = note(
        "In the measured range these lattices have the same line positions as this one. Whether "
        "there is a line at one of the positions given decides between the two."
    )
    return fold(
        f"Other lattices with the same lines: {len(rows)}", text + grid(headings, rows), True
    )


def _partner(partner: Partner, candidate: Candidate, axis: Axis) -> list[str]:
    q2 = np.array(partner.distinguishing_q2_inv_A2)
    positions = axis.positions(q2, candidate.shift)
    where = ", ".join(axis.text(p) for p in positions) or "no line distinguishes the two"
    cell = plain_cell(partner.settings[0].cell)
    return [lattice_name(partner), cell, related(partner), where]
