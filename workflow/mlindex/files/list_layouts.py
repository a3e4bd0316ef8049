"""Peak lists with misleading columns: what can be corrected, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlindex.base.errors import MlindexError
from mlindex.files.rows import SAMPLE_NAMES, THETA, Layout, number, only_names, split_row

Rows = list[tuple[int, list[str]]]

#: Fewer rows may look like anything.
_FEWEST_ROWS = 3
_ONE_ROW = 4


def rows_of(lines: list[str]) -> Rows:
    """Cells of the lines that are no comments, with their line numbers."""
    kept = [(n, x) for n, x in enumerate(lines, 1) if x.strip() and x.lstrip()[0] != "#"]
    tabs = {line.count("\t") for _, line in kept}
    # As many tabs in each line stand between columns, empty cells included.
    if len(tabs) != 1 or tabs == {0} or any(";" in line for _, line in kept):
        return [(n, cells) for n, line in kept if (cells := split_row(line))]
    table = [[split_row(f"{cell};") for cell in line.split("\t")] for _, line in kept]
    used = [any(cells[i] for cells in table) for i in range(len(table[0]))]
    if sum(used) < 2:
        return [(n, cells) for n, line in kept if (cells := split_row(line))]
    rows = [[cell[0] if cell else "" for cell, u in zip(r, used, strict=True) if u] for r in table]
    return [(n, cells) for (n, _), cells in zip(kept, rows, strict=True) if any(cells)]


def names_above(line: str, names: list[str], rows: Rows) -> list[str]:
    """The names of columns in a line, where some of them contain blanks.

    Args:
        line: the line itself.
        names: its words.
        rows: the rows below it, with their line numbers.
    """
    width = max((len(cells) for _, cells in rows), default=len(names))
    if len(names) <= width:
        return names
    apart = re.split(r"\s{2,}|\t", line.strip()) if len(line) < 1000 else []
    if len(apart) != width:
        return names
    return [cell.replace(" ", "_") for cell in apart]


def check_names(layout: Layout, names: list[str], rows: Rows, line: int, name: str) -> None:
    """Raise MlindexError if there are more names than columns before that of the positions."""
    width = max(len(cells) for _, cells in rows)
    if layout.position > 0 and len(names) > width and not only_names(names):
        raise MlindexError(
            f"{name}, line {line}: {len(names)} names of columns, {' '.join(names)[:80]!r}, stand "
            f"above {width} columns; put a tab or ; between them, here and in the rows"
        )


def check_first_column(rows: Rows, n_names: int | None, name: str) -> None:
    """Raise MlindexError if the first column, taken for the positions, can't hold them.

    It may count the lines, hold indices, or what stands before decimal commas.

    Args:
        rows: rows of numbers with their line numbers.
        n_names: how many names of columns the list has; None if none.
        name: for messages.
    """
    width = min(len(cells) for _, cells in rows)
    if len(rows) == 1 and n_names is None and width >= _ONE_ROW:
        raise MlindexError(
            f"{name}, line {rows[0][0]}: all {width} numbers stand in one row; begin a new line "
            "for each position"
        )
    first = [number(cells[0]) for _, cells in rows]
    if len(rows) < _FEWEST_ROWS or any(x is None or not x.is_integer() for x in first):
        return
    if n_names is None:
        others = [number(cell) for _, cells in rows for cell in cells[1:]]
        wrong = width > 2 or any(x is not None and not x.is_integer() for x in others)
    else:
        wrong = n_names < width
    if wrong:
        raise MlindexError(
            f"{name}, line {rows[0][0]}: the first column ({first[0]:g}, {first[1]:g}, "
            f"{first[2]:g}, ...) does not look like positions; write the names of all columns "
            "above them, for example: h k l d intensity (with decimal commas, put ; between them)"
        )


def check_samples(names: list[str], rows: Rows, name: str) -> None:
    """Raise MlindexError if the rows are of several samples, which a named column tells."""
    for index, one in enumerate(names):
        if one.lower() in SAMPLE_NAMES:
            one_sample(name, (cells[index] for _, cells in rows if index < len(cells)))


def one_sample(name: str, samples: Iterable[str]) -> None:
    """Raise MlindexError if these names of samples, one for each row, are different ones."""
    count = len(set(samples))
    if count > 1:
        raise MlindexError(
            f"{name}: is a table of {count} samples; index them with 'mlindex batch', or give the "
            "rows of one"
        )


def decimal_commas(rows: Rows, lines: list[str]) -> tuple[Rows, list[str]]:
    """Rows of one number each with a decimal comma, which look like two columns, and a note."""
    if len(rows) < _FEWEST_ROWS:
        return rows, []
    if not all(re.fullmatch(r"\s*\d{1,3},\d{1,9}\s*", lines[n - 1]) for n, _ in rows):
        return rows, []
    joined = [(n, [".".join(cells)]) for n, cells in rows]
    return joined, ["read as one column of numbers with decimal commas"]


def doubled(layout: Layout) -> list[str]:
    """A note on theta where it stands for 2theta."""
    theta = layout.quantity == "2theta" and layout.factor == THETA
    return ["theta was read and doubled"] if theta else []
