"""Peak lists from files and columns.

A list is text or CSV with columns separated by blanks, tabs, commas or semicolons. Lines that
begin with # are comments; ``# wavelength: 1.5406`` in one of them states the wavelength. The first
line that is not a comment may name the columns, and so may the last comment above the numbers:

- position: d (or d_A), 2theta (two_theta, two_theta_deg), q (q_inv_A), Q (q_2pi), q2 (q2_inv_A2);
  also theta, which is doubled. Units in brackets (nm, pm, rad) are converted.
  Lower-case q is 1/d, as everywhere in mlindex; capital Q, q_2pi and the names that pyFAI
  writes are 2 pi/d. A note says which was taken;
- optional: intensity (I), fwhm (degrees 2theta), 2theta_error (degrees).

Without names, the first column is 2theta where a wavelength is given and d otherwise, the second
the intensity. Other formats: :mod:`mlindex.files`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.files import list_layouts as layouts
from mlindex.files import peak_checks as checks
from mlindex.files import rows as table_rows
from mlindex.files.rounding import rounding_error
from mlindex.files.source import load
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.radiation import check_given as check_wavelength
from mlindex.patterns.radiation import choose, from_header

Q_NOTES = {
    "q": "q was read as 1/d; name the column Q if it is 2 pi/d",
    "Q": "Q was read as 2 pi/d; name the column q if it is 1/d",
}


def read_peak_list(path: str | Path, wavelength_A: float | None = None) -> PeakList:
    """Read and check a peak list of text.

    Args:
        path: the file.
        wavelength_A: wavelength in A, needed for 2theta unless the file states it.

    Raises:
        MlindexError: what is wrong, in which line, and what to do.
    """
    source = load(path)
    stated = from_header(line for line in source.lines if line.lstrip().startswith("#"))
    used = choose(stated, wavelength_A)
    return parse_peak_list(source.text, source.name, used.wavelength_A, used.notes)


def parse_peak_list(
    text: str, name: str, wavelength_A: float | None, notes: Sequence[str] = ()
) -> PeakList:
    """Like :func:`read_peak_list`, from text."""
    check_wavelength(name, wavelength_A)
    lines = text.splitlines()
    rows = layouts.rows_of(lines)
    if not rows:
        raise MlindexError(f"{name}: no line with numbers in it")
    table = _table(rows, lines, wavelength_A, name)
    layout, rows = table.layout, table.rows
    put_right = table.notes
    if _cell(rows[0][1], layout.position).endswith(")"):
        put_right = [*put_right, "uncertainties in brackets were not used"]

    def column(role: str) -> np.ndarray | None:
        index = layout.columns.get(role)
        if index is None or not all(_cell(fields, index) for _, fields in rows):
            return None
        return _numbers(rows, index, name)

    return peaks_from_columns(
        name,
        layout.quantity,
        _numbers(rows, layout.position, name) * layout.factor,
        wavelength_A,
        intensity=column("intensity"),
        fwhm_deg=column("fwhm") if layout.quantity == "2theta" else None,
        two_theta_error_deg=column("two_theta_error"),
        lines=[number for number, _ in rows],
        named=table.named,
        notes=(*notes, *put_right),
    )


def peaks_from_columns(
    name: str,
    quantity: str,
    values: np.ndarray,
    wavelength_A: float | None,
    *,
    intensity: np.ndarray | None = None,
    fwhm_deg: np.ndarray | None = None,
    two_theta_error_deg: np.ndarray | None = None,
    lines: Sequence[int] | None = None,
    named: bool = True,
    notes: Sequence[str] = (),
) -> PeakList:
    """A checked peak list from columns.

    Args:
        name: where they come from, for messages.
        quantity: d (A), 2theta (degrees), q = 1/d, Q = 2 pi/d (1/A) or q2 = 1/d² (1/A²).
        values: positions (n,).
        wavelength_A: needed for 2theta; otherwise positions are held against it.
        intensity: (n,) or None.
        fwhm_deg: full widths at half maximum in 2theta (n,), or None.
        two_theta_error_deg: standard uncertainties of 2theta (n,), or None.
        lines: line numbers (n,) for messages.
        named: whether the file names the quantity; otherwise more is done to find a mistake.
        notes: what to pass on.

    Raises:
        MlindexError: what is wrong, in which line, and what to do.
    """
    check_wavelength(name, wavelength_A)
    values = np.asarray(values, dtype=float)
    if not len(values):
        raise MlindexError(f"{name}: no line with numbers in it")
    where = list(lines) if lines is not None else list(range(1, len(values) + 1))
    checks.positions(quantity, values, where, name)
    checks.confusion(quantity, values, named, name)
    q2 = checks.to_q2(quantity, values, wavelength_A, name)
    checks.reach(quantity, values, q2, wavelength_A, where, name)
    extra = {
        "intensity": intensity,
        "fwhm_deg": fwhm_deg,
        "two_theta_error_deg": two_theta_error_deg,
    }
    for role, column in extra.items():
        checks.extra(role, column, where, name)
    # Lists of q² are made by programs, and made-up ones are round numbers.
    extra["rounding_inv_A2"] = (
        None
        if quantity == "q2"
        else rounding_error(values, lambda v: checks.to_q2(quantity, v, wavelength_A, name))
    )
    note = Q_NOTES.get(quantity)
    if quantity == "d" and not named:
        rising = f", rising to {values[-1]:g}" if np.all(np.diff(values) > 0) else ""
        note = (
            f"the column has no name and was read as d in A{rising}: if these are 2theta, give the "
            "wavelength or name the column"
        )
    said = [*notes, note, checks.unusual(quantity, q2)]
    return _ordered(name, q2, extra, wavelength_A, [one for one in said if one])


@dataclass(frozen=True)
class _Table:
    """Rows of numbers with their line numbers, what their columns are, whether the list names
    these, and notes on what was corrected."""

    layout: table_rows.Layout
    rows: layouts.Rows
    named: bool
    notes: list[str]


def _table(rows: layouts.Rows, lines: list[str], wavelength_A: float | None, name: str) -> _Table:
    first = "d" if wavelength_A is None else "2theta"
    if table_rows.number(rows[0][1][0]) is None:
        return _below_names(rows, lines, first, name)
    return _below_comment(rows, lines, first, name)


def _below_comment(rows: layouts.Rows, lines: list[str], first: str, name: str) -> _Table:
    """Numbers from the first row on; the last comment above them may name the columns."""
    above = [line for line in lines[: rows[0][0] - 1] if line.strip()]
    names = table_rows.split_row(above[-1].lstrip(" #")) if above else []
    layout = table_rows.layout(names, first) if table_rows.only_names(names) else None
    if layout is None:
        rows, notes = layouts.decimal_commas(rows, lines)
        layouts.check_first_column(rows, None, name)
        return _Table(table_rows.Layout(first, 0, 1.0, {"intensity": 1}), rows, False, notes)
    if layout.position == 0:
        layouts.check_first_column(rows, len(names), name)
    return _Table(layout, rows, True, layouts.doubled(layout))


def _below_names(rows: layouts.Rows, lines: list[str], first: str, name: str) -> _Table:
    """The first row names the columns."""
    number, fields = rows[0]
    rows = rows[1:]
    fields = layouts.names_above(lines[number - 1], fields, rows)
    layout = table_rows.layout(fields, first)
    if layout is None:
        raise MlindexError(
            f"{name}, line {number}: {' '.join(fields)[:80]!r} is neither numbers nor names of "
            "columns; name one of them d, 2theta, q, Q or q2, and put # before comments"
        )
    if not rows:
        raise MlindexError(f"{name}: there is no line below the column names")
    layouts.check_samples(fields, rows, name)
    layouts.check_names(layout, fields, rows, number, name)
    rows, notes = layouts.decimal_commas(rows, lines) if len(fields) == 1 else (rows, [])
    if layout.position == 0:
        layouts.check_first_column(rows, len(fields), name)
    return _Table(layout, rows, True, notes + layouts.doubled(layout))


def _cell(fields: list[str], column: int) -> str:
    """A cell of a row; empty where the row is too short."""
    return fields[column] if column < len(fields) else ""


def _numbers(rows: layouts.Rows, column: int, name: str) -> np.ndarray:
    values = []
    for number, fields in rows:
        cell = _cell(fields, column)
        value = table_rows.number(cell)
        if value is None:
            seen = cell[:40] or "nothing"
            raise MlindexError(
                f"{name}, line {number}: expected a number in column {column + 1}, got {seen!r}; "
                "correct it or put # before the line"
            )
        values.append(value)
    return np.array(values)


def _ordered(
    name: str,
    q2: np.ndarray,
    extra: dict[str, np.ndarray | None],
    wavelength_A: float | None,
    notes: list[str],
) -> PeakList:
    steps = np.diff(q2)
    order = np.argsort(q2, kind="stable")
    # A list of falling 2theta, or of rising d, is in order, too.
    if not (np.all(steps >= 0) or np.all(steps <= 0)):
        notes.append("the lines were not in order of q and have been sorted")
    q2 = q2[order]
    keep = np.concatenate([[True], np.diff(q2) > checks.LISTED_LINE_REL * q2[1:]])
    if not keep.all():
        notes.append(f"{int((~keep).sum())} lines were given twice and count once")
    columns = {
        k: None if v is None else np.asarray(v, float)[order][keep] for k, v in extra.items()
    }
    return PeakList(
        name,
        q2[keep],
        columns["intensity"],
        wavelength_A,
        tuple(notes),
        columns["two_theta_error_deg"],
        columns["fwhm_deg"],
        columns["rounding_inv_A2"],
    )
