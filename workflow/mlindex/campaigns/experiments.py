"""Experiments of a campaign, and how what happens changes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlindex.base.errors import MlindexError

Value = str | float

PROPOSED, PENDING, MEASURED = "proposed", "pending", "measured"
FAILED, EXCLUDED = "failed", "excluded"
STATUSES = (PROPOSED, PENDING, MEASURED, FAILED, EXCLUDED)
#: Of which a result is still to come.
OPEN = frozenset({PROPOSED, PENDING})


@dataclass(frozen=True)
class Experiment:
    """A measurement of an experiment.

    ``values`` are those measured at, or planned where none other were given; ``planned`` is None
    for a person's own. ``scores`` are by objective, in its own units; ``each`` is what was expected
    of each of several objectives, and its error.
    """

    id: str
    replicate: int
    status: str
    values: Mapping[str, Value]
    planned: Mapping[str, Value] | None = None
    round: int | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    expected: float | None = None
    error: float | None = None
    better: float | None = None
    each: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    why: str | None = None
    cost: float | None = None
    note: str | None = None
    said_by: str | None = None
    said_at: str | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What tells it apart."""
        return self.id, self.replicate


def expectation(value: float | None, error: float | None) -> str:
    """What was expected, with its error, as people read it; "" where nothing was."""
    if value is None:
        return ""
    return f"{value:.4g}" + ("" if error is None else f" ± {float(f'{error:.2g}'):g}")


@dataclass(frozen=True)
class Event:
    """Something that happened in a campaign: a round was proposed, or results were given.

    ``rows`` are fields of experiments. ``about`` is of a round its number, seed, method and the
    digest of the space, of results who gave them and when.
    """

    kind: str
    about: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]


ROUND, TOLD = "round", "told"


def after(events: Iterable[Event]) -> dict[tuple[str, int], Experiment]:
    """All experiments by id and replicate, in the order in which they came.

    Raises:
        MlindexError: an event that can't have happened, as in a folder that was edited by hand.
    """
    found: dict[tuple[str, int], Experiment] = {}
    for event in events:
        for row in event.rows:
            key = (row["id"], row["replicate"])
            if event.kind == ROUND and key in found:
                raise MlindexError(
                    f"the experiment {key[0]} was proposed twice; was a file copied?"
                )
            found[key] = _proposed(row, event) if event.kind == ROUND else _told(row, event, found)
    return found


def _proposed(row: Mapping[str, Any], event: Event) -> Experiment:
    guessed = {name: row.get(name) for name in ("expected", "error", "better", "why")}
    guessed["each"] = {name: tuple(both) for name, both in (row.get("each") or {}).items()}
    return Experiment(
        row["id"],
        row["replicate"],
        PROPOSED,
        row["values"],
        row["values"],
        event.about["round"],
        **guessed,
    )


def _told(
    row: Mapping[str, Any], event: Event, known: Mapping[tuple[str, int], Experiment]
) -> Experiment:
    one = known.get((row["id"], row["replicate"]))
    if one is None:
        # A further replicate of something planned is planned too.
        first = known.get((row["id"], 1))
        planned, number = (first.planned, first.round) if first else (None, None)
        one = Experiment(row["id"], row["replicate"], MEASURED, row["values"], planned, number)
    said = {name: event.about.get(name) for name in ("said_by", "said_at")}
    kept = {name: row[name] for name in ("cost", "note") if row.get(name) is not None}
    return replace(
        one, status=row["status"], values=row["values"], scores=row["scores"], **kept, **said
    )
