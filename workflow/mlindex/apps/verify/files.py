"""Every file by itself: no leftovers, tables that fit their declaration, arrays that are sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlindex.apps.declared import declared
from mlindex.apps.verify.findings import WARNING
from mlindex.apps.verify.layout import table_at
from mlindex.apps.verify.tree import Tree, some
from mlindex.base.errors import MlindexError
from mlindex.base.leftovers import is_temporary
from mlindex.base.schema import Table
from mlindex.learning.arrays import read_arrays

_TABLE_KEY = b"mlindex.table"
_ROWS = 2000
#: Folders of classifiers, in which a class that was never seen has the logit -inf, and a split by
#: what is unknown the threshold inf.
_CLASSIFIERS = ("classifiers", "pretrained_symmetry")
_UNREADABLE = (OSError, ValueError, pa.ArrowException)


def check_files(tree: Tree, progress: Callable[[Iterable], Iterable]) -> None:
    """Check what can be said of each file without the others."""
    _note_leftovers(tree)
    tables = {table.name: table for table in declared()}
    for path in progress(tree.files):
        if path.suffix == ".parquet":
            tree.checked["tables"] += 1
            _check_table(tree, path, tables)
        elif path.suffix == ".npz":
            tree.checked["array files"] += 1
            _check_arrays(tree, path)


def _note_leftovers(tree: Tree) -> None:
    temporary = [path for path in tree.leftovers if is_temporary(path.name)]
    if temporary:
        names = some([tree.name(path) for path in temporary])
        tree.notes.append(
            f"{len(temporary)} temporary files or folders of jobs that were stopped, or are at "
            f"work now ({names}); nothing reads them, and the next start of snakemake removes them"
        )
    for path in tree.leftovers:
        if path not in temporary:
            seen = "a hidden file or folder that is no part of the results"
            tree.add(path, seen, "nothing reads it: remove it, or keep it elsewhere", WARNING)


def _check_table(tree: Tree, path: Path, tables: dict[str, Table]) -> None:
    try:
        with pq.ParquetFile(path) as file:
            stated = (file.schema_arrow.metadata or {}).get(_TABLE_KEY, b"").decode()
            table = table_at(path.relative_to(tree.root)) or tables.get(stated)
            problem = _misfit(file, table, stated) or _content_problem(file, table)
    except _UNREADABLE as error:
        problem = f"not readable as a table ({' '.join(str(error).split())})"
    if problem:
        tree.break_(path, problem)


def _misfit(file: pq.ParquetFile, table: Table | None, stated: str) -> str:
    if table is None:
        return f"calls itself a table {stated!r}, which this version of mlindex does not know"
    found = file.schema_arrow
    if table.extended:
        found = pa.schema(list(found)[: len(table.columns)], table.schema.metadata)
    if found.equals(table.schema):
        return ""
    expected = {f.name: f for f in table.schema}
    wrong = [f.name for f in found if f.name not in expected or f != expected[f.name]]
    missing = [name for name in expected if name not in found.names]
    order = [] if wrong or missing else ["order of columns"]
    return f"does not fit the table {table.name!r}: {', '.join([*wrong, *missing, *order])}"


def _content_problem(file: pq.ParquetFile, table: Table) -> str:
    rows = 0
    for batch in file.iter_batches(_ROWS):
        batch.validate(full=True)
        for column in table.columns:
            if not column.nullable and batch[column.name].null_count:
                return f"column {column.name} has empty values, where the table allows none"
        rows += batch.num_rows
        if problem := _length_problem(batch, table):
            return problem
    stated = file.metadata.num_rows
    return "" if rows == stated else f"holds {rows} rows and states {stated}"


def _length_problem(batch: pa.RecordBatch, table: Table) -> str:
    for first, *others in table.equally_long:
        length = pc.list_value_length(batch[first])
        for other in others:
            if not length.equals(pc.list_value_length(batch[other])):
                return f"lists in {first} and {other} are not equally long"
    for count, counted in table.counted:
        if not pc.list_value_length(batch[counted]).equals(batch[count]):
            return f"column {count} is not the number of items in {counted}"
    return ""


def _check_arrays(tree: Tree, path: Path) -> None:
    try:
        arrays = read_arrays(path)
    except MlindexError as error:
        tree.break_(path, str(error).removeprefix(f"{path}: ").partition(";")[0])
        return
    infinite = path.relative_to(tree.root).parts[0] in _CLASSIFIERS
    wrong = [
        name
        for name, array in arrays.items()
        if np.issubdtype(array.dtype, np.floating)
        and (np.isnan(array) if infinite else ~np.isfinite(array)).any()
    ]
    if wrong:
        tree.break_(path, f"array {wrong[0]} holds values that are no numbers")
