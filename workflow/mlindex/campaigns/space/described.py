"""Tables that describe the values of a categorical quantity by numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.campaigns import autosherlock
from mlindex.campaigns.reading import Rows, read_rows

_SCREEN = ".mso"
#: Columns of a long table: quantity, name, descriptor, number.
_LONG = 4


@dataclass(frozen=True)
class Described:
    """What a table says of names: ``values`` (names, k), scaled to [0, 1]; the kind of each column;
    a text on each name, where there is one."""

    names: tuple[str, ...]
    values: np.ndarray
    kinds: tuple[str, ...]
    texts: tuple[str, ...] = ()

    def of(self, wanted: tuple[str, ...], where: str) -> Described:
        """The rows of some names, in their order.

        Raises:
            MlindexError: a name that the table lacks.
        """
        place = {name: n for n, name in enumerate(self.names)}
        missing = [name for name in wanted if name not in place]
        if missing:
            raise MlindexError(f"{where}: describes no {', '.join(missing[:8])}")
        rows = [place[name] for name in wanted]
        texts = tuple(self.texts[n] for n in rows) if self.texts else ()
        return Described(wanted, self.values[rows], self.kinds, texts)


def described(path: Path, quantity: str) -> Described:
    """What a table of descriptors, or a screen, says of the names of a quantity.

    Raises:
        MlindexError: it can't be read, or describes nothing by numbers.
    """
    if path.suffix.lower() == _SCREEN:
        wells = autosherlock.read_screen(path)
        found = autosherlock.features(wells)
        names, texts = tuple(well.name for well in wells), tuple(well.text for well in wells)
        return Described(names, _scaled(found.values), found.kinds, texts)
    rows = read_rows(path)
    by_name, columns = _long(rows, quantity) if _is_long(rows) else _wide(rows)
    values = np.array([[row.get(column, np.nan) for column in columns] for row in by_name.values()])
    if not by_name or not columns or np.isnan(values).any():
        empty = f"{rows.path}: a descriptor is missing for {_first_empty(by_name, columns)}"
        raise MlindexError(empty if by_name and columns else f"{rows.path}: describes nothing")
    kinds = tuple(f"{quantity} ({column})" for column in columns)
    twins = _twins(values)
    kinds += (f"{quantity} (name)",) * twins.shape[1]
    return Described(tuple(by_name), np.hstack([_scaled(values), twins]), kinds)


def _twins(values: np.ndarray) -> np.ndarray:
    """A column for each name of which another has the same descriptors (names, k): they are two
    substances all the same. Two wells of a screen with the same cocktail are not."""
    _, place, counts = np.unique(values, axis=0, return_inverse=True, return_counts=True)
    return np.eye(len(values))[:, counts[place.ravel()] > 1]


def _is_long(rows: Rows) -> bool:
    """Whether it has no header, but quantity, name, descriptor and a number in each row."""
    if len(rows.names) != _LONG:
        return False
    try:
        rows.number(rows.names[-1])
    except ValueError:
        return False
    return True


def _long(rows: Rows, quantity: str) -> tuple[dict[str, dict[str, float]], list[str]]:
    found: dict[str, dict[str, float]] = {}
    columns: dict[str, None] = {}
    first = (1, dict(zip(rows.names, rows.names, strict=True)))
    for line, row in (first, *rows.rows):
        of, name, column, number = (str(row.get(one, "")) for one in rows.names)
        if of == quantity:
            columns[column] = None
            found.setdefault(name, {})[column] = _number(rows, line, column, number)
    return found, list(columns)


def _wide(rows: Rows) -> tuple[dict[str, dict[str, float]], list[str]]:
    """The first column holds the names, those of numbers are descriptors."""
    found: dict[str, dict[str, float]] = {}
    for line, row in rows.rows:
        name = str(row.get(rows.names[0], ""))
        if not name or name in found:
            raise MlindexError(
                f"{rows.where(line)}: {'two rows describe ' + name if name else 'names nothing'}"
            )
        cells = {column: cell for column, cell in row.items() if column != rows.names[0]}
        found[name] = {c: _number(rows, line, c, cell) for c, cell in cells.items()}
    return found, list(rows.names[1:])


def _number(rows: Rows, line: int, column: str, cell: str | float) -> float:
    try:
        return rows.number(cell)
    except ValueError as problem:
        raise MlindexError(f"{rows.where(line)}, descriptor {column}: {problem}") from None


def _first_empty(by_name: dict[str, dict[str, float]], columns: list[str]) -> str:
    return next(
        f"{name}: {column}"
        for name, row in by_name.items()
        for column in columns
        if column not in row
    )


def _scaled(values: np.ndarray) -> np.ndarray:
    low, high = values.min(axis=0), values.max(axis=0)
    return (values - low) / np.where(high > low, high - low, 1.0)
