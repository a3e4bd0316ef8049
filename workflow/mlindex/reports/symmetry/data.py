"""The symmetry of a pattern as data: a JSON document with a schema, and rows of a table."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mlindex import __version__
from mlindex.classification.answer import Answer
from mlindex.crystal.symmetry_classes import LEVELS
from mlindex.reports.symmetry.words import headline

#: Raised when a field changes its meaning or goes; new fields do not raise it.
VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class SymmetryClass(_Part):
    """A class with its probability."""

    name: str
    probability: Annotated[float, Field(ge=0, le=1 + 1e-9)]


class SymmetryDocument(_Part):
    """What a classifier of symmetry says of a pattern."""

    schema_version: int = Field(alias="schema", description="Version of this document")
    mlindex_version: str
    sample: str
    n_lines: int = Field(ge=1, description="Lines that were looked at")
    stands_out: bool = Field(description="Whether the best Bravais lattice stands out of chance")
    reason: str = Field(description="What is sure and what is not")
    learned: list[str] = Field(description="Levels that the classifier has learnt")
    sure: dict[str, str] = Field(description="The class of each level that is sure")
    chosen: dict[str, str] = Field(
        description="The class of each level, none of which contradicts the one above it"
    )
    ranked: dict[str, list[SymmetryClass]] = Field(
        description="The most probable classes of each level"
    )
    notes: list[str]


#: JSON Schema (2020-12) of what :func:`as_data` returns.
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **SymmetryDocument.model_json_schema(),
}


def as_data(answer: Answer, rows: int) -> dict[str, Any]:
    """An answer as plain dictionaries, lists and numbers that obey :data:`SCHEMA`.

    Args:
        answer: of one pattern.
        rows: classes of each level, at most.
    """
    plain = {
        "schema": VERSION,
        "mlindex_version": __version__,
        "sample": answer.name,
        "n_lines": answer.n_lines,
        "stands_out": answer.above_chance,
        "reason": headline(answer),
        "learned": list(answer.learned),
        "sure": {level: one.name for level, one in answer.sure.items()},
        "chosen": answer.downward,
        "ranked": {
            level: [one._asdict() for one in answer.ranked(level, rows)] for level in LEVELS
        },
        "notes": list(answer.notes),
    }
    return SymmetryDocument.model_validate(plain).model_dump(mode="json", by_alias=True)


def answer_rows(answer: Answer, rows: int) -> list[dict[str, Any]]:
    """Rows of ``symmetry_answers``: the most probable classes of each level.

    Args:
        answer: of one sample.
        rows: classes of each level, at most.
    """
    same = {
        "sample": answer.name,
        "stands_out": answer.above_chance,
        "n_lines": answer.n_lines,
        "error": None,
    }
    return [
        same | {"level": level, "rank": rank, "class": name, "probability": share}
        for level in LEVELS
        for rank, (name, share) in enumerate(answer.ranked(level, rows), 1)
    ]


def error_row(sample: str, reason: str) -> dict[str, Any]:
    """The row of ``symmetry_answers`` of a sample that could not be read."""
    nothing = dict.fromkeys(("level", "rank", "class", "probability", "stands_out", "n_lines"))
    return nothing | {"sample": sample, "error": reason}
