"""Columns of Parquet that hold numbers: as such, as decimals, or written as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.files.rows import layout, number

if TYPE_CHECKING:
    import pyarrow as pa

#: What to call columns of positions, for messages.
POSITION_NAMES = "d_A, two_theta_deg, q_inv_A (1/d), Q (2 pi/d) or q2_inv_A2 (1/d²)"
_LONGEST_NUMBER = 60


def usable(name: str, schema: pa.Schema, first: str, without: str | None = None) -> list[str]:
    """The names of the columns that hold numbers, in order.

    Columns of text are among them only where no other holds positions.

    Args:
        name: of the file, for messages.
        schema: the columns.
        first: the quantity taken where there are several; see :func:`mlindex.files.rows.layout`.
        without: a column that is left out, such as that of the samples.

    Raises:
        MlindexError: the column named as a position holds something else, such as dates.
    """
    fields = [field for field in schema if field.name != without]
    for kinds in ((_is_number,), (_is_number, is_text)):
        names = [f.name for f in fields if any(kind(f.type) for kind in kinds)]
        if layout(names, first) is not None:
            return names
    all_names = [field.name for field in fields]
    found = layout(all_names, first)
    if found is not None:
        _wrong_type(name, fields[found.position], "a position")
    return []


def check_numbers(name: str, field: pa.Field, what: str) -> None:
    """Raise MlindexError unless a column can hold ``what``, a number in each row."""
    if not _is_number(field.type) and not is_text(field.type):
        _wrong_type(name, field, what)


def _wrong_type(name: str, field: pa.Field, what: str) -> NoReturn:
    raise MlindexError(
        f"{name}: the column {field.name!r} is of type {field.type}, but {what} is one number in "
        "each row; write it as double"
    )


def check_samples(name: str, schema: pa.Schema, column: str) -> None:
    """Raise MlindexError unless a column can hold names of samples: text or numbers."""
    import pyarrow as pa

    kind = schema.field(column).type
    if pa.types.is_nested(kind):
        raise MlindexError(
            f"{name}: the column {column!r} is of type {kind}, but names of samples are text or "
            "numbers"
        )


def is_text(kind: pa.DataType) -> bool:
    """Whether a column is of text."""
    import pyarrow as pa

    kind = _value_type(kind)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def floats(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """The numbers (n,) of a column; NaN where a cell is empty or its text is no number."""
    import pyarrow as pa

    if is_text(column.type):
        return np.array([from_text(cell) for cell in column.to_pylist()], dtype=float)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    # Whole numbers beyond 2^53 are rounded, which makes no difference to a position.
    found = column.cast(pa.float64(), safe=False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=float)


def from_text(cell: str | None) -> float:
    """The number in a cell of text, with a point or a comma; NaN if it holds none."""
    plain = (cell or "").strip()[:_LONGEST_NUMBER]
    value = number(plain)
    if value is None and plain.count(",") == 1:
        value = number(plain.replace(",", "."))
    return float("nan") if value is None else value


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    kind = _value_type(kind)
    tests: tuple[Callable[[pa.DataType], bool], ...] = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
    )
    return any(test(kind) for test in tests)


def _value_type(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return kind.value_type if pa.types.is_dictionary(kind) else kind
