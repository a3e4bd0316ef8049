"""Answers of workers as rows of the three tables; what can't be a row is reported as a failure."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa

from mlindex.apps.batch.content import unexpected
from mlindex.apps.batch.summary import Summary
from mlindex.apps.batch.tables import BATCH_SAMPLES, CONVINCING, FAILED, NOT_CONVINCING
from mlindex.apps.batch.work import failed
from mlindex.base.schema import TableWriter
from mlindex.indexing.tables import CANDIDATE_CELLS, PARTNER_LATTICES
from mlindex.reports.result.parquet import cell_rows, partner_rows

#: The tables in the order in which they are written.
TABLES = (CANDIDATE_CELLS, BATCH_SAMPLES, PARTNER_LATTICES)
#: Samples whose rows are written together; more would only be lost when the machine fails.
_BLOCK = 64


class _Rows(NamedTuple):
    """The rows of one sample: in each of :data:`TABLES`."""

    cells: list[dict[str, Any]]
    sample: list[dict[str, Any]]
    partners: list[dict[str, Any]]


class Tables:
    """The three tables, written a block at a time, and the summary of what is in them.

    Args:
        writers: of each of :data:`TABLES`.
        summary: every sample is counted in it.
    """

    def __init__(self, writers: tuple[TableWriter, ...], summary: Summary) -> None:
        self._writers = writers
        self._summary = summary
        self._waiting: list[_Rows] = []

    def add(self, answer: dict[str, Any]) -> None:
        """Add an answer of a worker, see :func:`mlindex.apps.batch.work.answer`."""
        try:
            rows = _rows(answer)
        except Exception as error:
            rows = _fault(str(answer.get("sample")), error)
        self._summary.add(*rows.sample)
        self._waiting.append(rows)
        if len(self._waiting) == _BLOCK:
            self.write()

    def write(self) -> None:
        """Write what is waiting."""
        waiting, self._waiting = self._waiting, []
        try:
            blocks = _arrow(waiting)
        except Exception:
            # Slower by far than all at once, but it tells the samples apart.
            blocks = _arrow([self._sound(rows) for rows in waiting])
        for writer, block in zip(self._writers, blocks, strict=True):
            if block.num_rows:
                writer.write(block)

    def _sound(self, rows: _Rows) -> _Rows:
        """The rows, or one of a failure if the tables don't take them."""
        try:
            _arrow([rows])
        except Exception as error:
            (old,) = rows.sample
            rows = _fault(old["sample"], error)
            self._summary.replace(old, *rows.sample)
        return rows


def _arrow(waiting: list[_Rows]) -> list[pa.Table]:
    parts = zip(*waiting, strict=True) if waiting else [()] * len(TABLES)
    return [
        table.arrow([row for rows in part for row in rows])
        for table, part in zip(TABLES, parts, strict=True)
    ]


def _rows(answer: dict[str, Any]) -> _Rows:
    if "error" in answer:
        nothing = dict.fromkeys(BATCH_SAMPLES.names)
        row = {"verdict": FAILED, "reason": "", "candidates": 0, "notes": [], "further_cells": []}
        return _Rows([], [nothing | row | answer], [])
    verdict = CONVINCING if answer["convincing"] else NOT_CONVINCING
    found = answer | {"verdict": verdict, "error": None, "candidates": len(answer["candidates"])}
    found["further_cells"] = [_cell(p["candidate"]) for p in answer["phases"] if p["candidate"]]
    row = {name: found[name] for name in BATCH_SAMPLES.names}
    return _Rows(cell_rows(answer), [row], partner_rows(answer))


def _cell(candidate: dict[str, Any]) -> str:
    values = " ".join(f"{value:.6g}" for value in candidate["cell"].values())
    return f"{candidate['bravais_lattice'][0]}{candidate['centring']} {values}"


def _fault(sample: str, error: Exception) -> _Rows:
    return _rows(failed(sample, f"its result can't be written: {unexpected(error)}"))
