"""What to measure next as data: a JSON document with a schema, and rows of a table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mlindex import __version__
from mlindex.indexing.next.asking import NextRegions
from mlindex.indexing.next.regions import Region
from mlindex.reports.next.words import (
    alike_words,
    answer_names,
    cell_words,
    how_words,
    letters,
    line_words,
    meaning_words,
    outcome_words,
    summary_words,
)

#: Raised when a field changes its meaning or goes; new fields do not raise it.
VERSION = 1
_Share = Annotated[float, Field(ge=0, le=1 + 1e-9)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class RivalCell(_Part):
    """A cell in question."""

    letter: str = Field(description="What it is called here")
    rank: int = Field(ge=1, description="Rank of the candidate, or of that whose partner it is")
    partner: bool = Field(description="Whether it is a partner that is no candidate itself")
    bravais_lattice: str
    words: str = Field(description="Lattice and cell")
    probability: _Share
    group: str = Field(description="The cells that no position tells from it, itself included")


class LineToLookFor(_Part):
    """A place where a line may show, and what that would make of the probabilities."""

    two_theta_deg: float
    chance: _Share = Field(description="How probable a line is there")
    predicted_by: str = Field(description="Letters of the cells that have a line there")
    if_seen: dict[str, _Share]
    if_not: dict[str, _Share]


class RegionOutcome(_Part):
    """One outcome of measuring a region."""

    seen_deg: list[float]
    not_seen_deg: list[float]
    chance: _Share
    then: dict[str, _Share] = Field(description="Probabilities of the cells then")


class RegionToMeasure(_Part):
    """A region of 2theta to measure."""

    order: int = Field(ge=1)
    wavelength_A: float = Field(gt=0)
    two_theta_first_deg: float
    two_theta_last_deg: float
    step_deg: float = Field(gt=0)
    time: float = Field(ge=1, description="Counting time over that of the first scan")
    cost_deg: float = Field(ge=0, description="Degrees times counting time")
    bits: float = Field(ge=0, description="Expected information of it alone")
    more_bits: float = Field(description="Expected information beyond the regions before")
    left_bits: float = Field(ge=0, description="What is expected to stay open then")
    chance_right: _Share = Field(
        description="Chance that the most probable cell is right once it is measured"
    )
    advice: str
    lines: list[LineToLookFor]
    outcomes: list[RegionOutcome]


class NextDocument(_Part):
    """What to measure next."""

    schema_version: int = Field(alias="schema", description="Version of this document")
    mlindex_version: str
    sample: str
    wavelength_A: float | None = Field(description="Of the list")
    decided: bool = Field(description="Whether one cell is as probable as was asked for already")
    entropy_bits: float = Field(ge=0, description="What is not known")
    none_of_them: _Share = Field(description="Probability that none of the cells is right")
    error_deg: float = Field(gt=0, description="Error of the position of a line")
    resolution_deg: float = Field(gt=0, description="Lines nearer than this are one")
    cells: list[RivalCell]
    regions: list[RegionToMeasure]
    alike: list[str] = Field(description="On cells that no position tells apart")
    summary: str


#: JSON Schema (2020-12) of what :func:`as_data` returns.
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **NextDocument.model_json_schema(),
}


def as_data(found: NextRegions) -> dict[str, Any]:
    """What to measure next as plain dictionaries, lists and numbers that obey :data:`SCHEMA`."""
    question, names = found.question, answer_names(found)
    plain = {
        "schema": VERSION,
        "mlindex_version": __version__,
        "sample": found.name,
        "wavelength_A": found.wavelength_A,
        "decided": found.decided,
        "entropy_bits": found.entropy_bits,
        "none_of_them": float(question.of_rivals[-1]),
        "error_deg": question.error_deg,
        "resolution_deg": question.resolution_deg,
        "cells": [
            {
                "letter": letter,
                "rank": rival.rank,
                "partner": rival.is_partner,
                "bravais_lattice": rival.found.bravais,
                "words": cell_words(found, number),
                "probability": float(question.of_rivals[number]),
                "group": names[question.groups[number]],
            }
            for number, (letter, rival) in enumerate(zip(letters(found), found.rivals, strict=True))
        ],
        "regions": [_region(found, n, one) for n, one in enumerate(found.regions, 1)],
        "alike": alike_words(found),
        "summary": summary_words(found),
    }
    return NextDocument.model_validate(plain).model_dump(mode="json", by_alias=True)


def advice(found: NextRegions, region: Region) -> str:
    """What to measure and what each line would mean, in a sentence."""
    said = "; ".join(meaning_words(found, line) for line in line_words(found, region))
    return f"Measure {how_words(found, region)}: {said}."


def _row(found: NextRegions, order: int, region: Region) -> dict[str, Any]:
    return {
        "order": order,
        "wavelength_A": region.setting.wavelength_A,
        "two_theta_first_deg": region.first_deg,
        "two_theta_last_deg": region.last_deg,
        "step_deg": found.step_deg,
        "time": float(region.setting.time),
        "cost_deg": region.cost_deg,
        "bits": region.bits,
        "more_bits": region.more_bits,
        "left_bits": region.left_bits,
        "chance_right": min(region.chance_right, 1.0),
        "advice": advice(found, region),
    }


def _region(found: NextRegions, order: int, region: Region) -> dict[str, Any]:
    return _row(found, order, region) | {
        "lines": [asdict(one) for one in line_words(found, region)],
        "outcomes": [asdict(one) for one in outcome_words(found, region)],
    }


def table_rows(found: NextRegions) -> list[dict[str, Any]]:
    """Rows of ``next_regions``."""
    return [{"sample": found.name} | _row(found, n, one) for n, one in enumerate(found.regions, 1)]
