"""Scores that are made from files: an objective may name what reads what was measured.

The scorers themselves are given from outside; this wing knows none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from mlindex.base.errors import MlindexError
from mlindex.base.names import printable
from mlindex.base.provenance import file_digest
from mlindex.campaigns.experiments import Experiment
from mlindex.campaigns.reading import Cell, Rows, read_rows
from mlindex.campaigns.space.settings import Objective

#: Digits of the digest of a file by which it is known again.
_DIGITS = 12
_REMEMBERED = re.compile(rf"\[(\S+) of [^\]]* ([0-9a-f]{{{_DIGITS}}})\]")
#: Problems that are told at once.
_MOST_PROBLEMS = 10


class Scored(NamedTuple):
    """A score, and a sentence that says why it is that."""

    score: float
    why: str


#: Reads a file and scores it. Raises MlindexError for a file that can't be read.
Scorer = Callable[[Path, Objective], Scored]
Scorers = Mapping[str, Scorer]
NONE: Scorers = MappingProxyType({})


def scored(
    rows: Rows,
    folder: Path,
    objectives: Mapping[str, Objective],
    scorers: Scorers,
    known: Iterable[Experiment] = (),
) -> Rows:
    """Rows with numbers in place of files, and in their notes why.

    Args:
        rows: a table of results.
        folder: where the files that it names lie.
        objectives: those that have a ``score`` are told as files, or as numbers all the same.
        scorers: what reads files, by the name of the score.
        known: experiments so far; a file that is in one of their notes is not read again.

    Raises:
        MlindexError: up to ten files that can't be read; nothing of the table counts then.
    """
    wanted = {name: given for name, given in objectives.items() if given.score}
    if not wanted:
        return rows
    remembered = _remembered(known)
    found, problems = [], []
    for line, row in rows.rows:
        try:
            found.append((line, _scored_row(row, rows, folder, wanted, scorers, remembered)))
        except (ValueError, MlindexError) as problem:
            problems.append(f"line {line}: {printable(str(problem))}")
            if len(problems) == _MOST_PROBLEMS:
                break
    if problems:
        text = "\n".join(f"  {one}" for one in problems)
        raise MlindexError(f"{rows.path}: nothing was taken, for\n{text}")
    return replace(rows, rows=tuple(found))


def scored_files(table: str | Path, objectives: Mapping[str, Objective]) -> list[Path]:
    """The files that a table of results names for objectives with a ``score``, as far as they are
    there; none where the table can't be read, which :func:`scored` says."""
    path = Path(table)
    wanted = [name for name, given in objectives.items() if given.score]
    if not wanted or not path.is_file():
        return []
    try:
        rows = read_rows(path)
    except MlindexError:
        return []
    cells = [row[name] for _, row in rows.rows for name in wanted if name in row]
    named = (path.parent / str(cell) for cell in cells if not _is_number(cell, rows))
    return [one for one in dict.fromkeys(named) if one.is_file()]


def _scored_row(
    row: Mapping[str, Cell],
    rows: Rows,
    folder: Path,
    wanted: Mapping[str, Objective],
    scorers: Scorers,
    remembered: dict[tuple[str, str], Scored],
) -> Mapping[str, Cell]:
    cells = dict(row)
    for name, given in wanted.items():
        if name not in row or _is_number(row[name], rows):
            continue
        if given.score not in scorers:
            raise ValueError(
                f"{name}: {str(row[name])[:40]!r} is no number; files are scored by 'mlindex "
                "campaign tell'"
            )
        path = folder / str(row[name])
        if not path.is_file():
            raise ValueError(f"{name}: no file {str(row[name])[:200]!r} beside the table")
        key = (name, file_digest(path)[:_DIGITS])
        if key not in remembered:
            remembered[key] = scorers[given.score](path, given)
        score, why = remembered[key]
        cells[name] = float(f"{score:.6g}")
        reason = f"{why} [{name} of {path.name} {key[1]}]".replace("\n", " ")
        cells["note"] = f"{cells['note']}; {reason}" if "note" in cells else reason
    return cells


def _is_number(cell: Cell, rows: Rows) -> bool:
    try:
        rows.number(cell)
    except ValueError:
        # Not finite is said to be wrong where numbers are read.
        return str(cell).strip().lower() in ("nan", "inf", "-inf")
    return True


def _remembered(known: Iterable[Experiment]) -> dict[tuple[str, str], Scored]:
    """Scores of files that the notes of experiments name, with the reasons in them."""
    found = {}
    for one in known:
        before = 0
        for match in _REMEMBERED.finditer(one.note or ""):
            why = one.note[before : match.start()].strip("; ")
            before = match.end()
            if match[1] in one.scores:
                found[match[1], match[2]] = Scored(one.scores[match[1]], why)
    return found
