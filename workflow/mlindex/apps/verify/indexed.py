"""Indexed samples: every file is there, and the tables say what the JSON document says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import ValidationError

from mlindex.apps.verify.tree import Tree
from mlindex.base.schema import read_arrow
from mlindex.base.wrong import wrong
from mlindex.indexing.tables import OF_A_SAMPLE
from mlindex.reports.result.document import Document
from mlindex.reports.result.parquet import rows_of

_JSON = "result.json"
#: Other files may be there, too: a cell, and peaks that were picked.
_ALWAYS = (_JSON, "result.html", "result.txt", *(f"{t.name}.parquet" for t in OF_A_SAMPLE))


def check_indexed(tree: Tree, progress: Callable[[Iterable], Iterable]) -> None:
    """Check each folder of an indexed sample."""
    folders = [p for p in sorted(tree.path("indexed").glob("*")) if p.is_dir()]
    for folder in progress([p for p in folders if not p.name.startswith(".")]):
        tree.checked["indexed samples"] += 1
        missing = [name for name in _ALWAYS if not (folder / name).is_file()]
        if missing:
            tree.break_(folder, f"lacks {', '.join(missing)}")
            continue
        document = _document(tree, folder / _JSON)
        if document is not None:
            _compare(tree, folder, document)


def _document(tree: Tree, path: Path) -> dict | None:
    """The document, if it obeys its schema."""
    try:
        document = Document.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        where = ".".join(map(str, first["loc"])) if first else ""
        seen = f"{where or 'the whole'}: {wrong(first)}" if first else str(error)
        tree.break_(path, f"does not fit the schema of results ({seen})")
        return None
    return document.model_dump(mode="json", by_alias=True)


def _compare(tree: Tree, folder: Path, document: dict) -> None:
    if len(document["candidates"]) and not (folder / "best.cif").is_file():
        tree.break_(folder, "lacks best.cif, though a cell was found")
    for table, rows in rows_of(document):
        path = folder / f"{table.name}.parquet"
        if path not in tree.bad and not read_arrow(path, table).equals(table.arrow(rows)):
            tree.add(path, f"does not say what {_JSON} beside it says")
