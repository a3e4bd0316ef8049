"""Tables of campaigns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlindex.base.place import Place
from mlindex.base.schema import FLOAT64, INT32, STRING, Column, Table

_ID = Column("id", STRING, "Name of the experiment: E and a number, or a person's own")
_REPLICATE = Column("replicate", INT32, "Number of the measurement of this experiment, from 1")
_EXPECTED = (
    Column("expected", FLOAT64, "Score that was expected", nullable=True),
    Column("error", FLOAT64, "Standard deviation of that expectation", nullable=True),
    Column(
        "better",
        FLOAT64,
        "Probability, as it was proposed, of being better than the best so far",
        nullable=True,
    ),
    Column("why", STRING, "Why it was proposed", nullable=True),
)

EXPERIMENTS = Table(
    "experiments",
    "a measurement of an experiment of a campaign, done or to be done; behind these columns stand "
    "the quantities as measured, then as planned (`_planned`), and the objectives; of several "
    "objectives what was expected of each (`_expected`, `_error`)",
    (
        _ID,
        _REPLICATE,
        Column("status", STRING, "proposed, pending, measured, failed or excluded"),
        Column("round", INT32, "Round that proposed it; empty for own ones", nullable=True),
        *_EXPECTED,
        Column("cost", FLOAT64, "What it costs", nullable=True),
        Column("note", STRING, "What was said of it", nullable=True),
        Column("said_by", STRING, "Who gave the result", nullable=True),
        Column("said_at", STRING, "When, in UTC", nullable=True),
    ),
    places=(Place("campaigns/{campaign}/experiments.parquet"),),
    extended=True,
)

PROPOSALS = Table(
    "proposals",
    "a measurement that is proposed; behind these columns stand the quantities, and the objectives "
    "to be filled in; of several objectives what is expected of each (`_expected`, `_error`)",
    (_ID, _REPLICATE, *_EXPECTED),
    places=(Place("campaigns/{campaign}/proposals.parquet"),),
    extended=True,
)

REPLAY = Table(
    "replay",
    "a measurement of a replay of a measured table",
    (
        Column("replay", INT32, "Number of the replay, from 1"),
        Column("step", INT32, "Number of the measurement, from 1"),
        Column("condition", INT32, "Number of the condition in the table, from 1"),
        Column("score", FLOAT64, "Its mean score"),
        Column("found", FLOAT64, "Share of the best 5 % that is found so far"),
    ),
    places=(Place("replay/{table}/steps.parquet"),),
)

REPLAY_FIGURES = Table(
    "replay_figures",
    "a figure of the replays of a measured table (Liang et al. 2021)",
    (
        Column("method", STRING, "Name of the method"),
        Column(
            "figure",
            STRING,
            "enhancement: the most of the best 5 % found over what random finds, from measurement "
            "10 on; acceleration_50: random's measurements over the method's until 50 % are found",
        ),
        Column("conditions", INT32, "Conditions in the table"),
        Column("value", FLOAT64, "The figure; empty where it is not reached", nullable=True),
        Column("low", FLOAT64, "Lower end of its 95 % interval", nullable=True),
        Column("high", FLOAT64, "Upper end", nullable=True),
    ),
    places=(Place("replay/{table}/figures.parquet"),),
)

ACTIVE_LEARNING = Table(
    "active_learning",
    "a round of learning from items that were chosen",
    (
        Column("method", STRING, "Name of the method that chooses"),
        Column("repeat", INT32, "Number of the repeat, from 1; all begin with the same items"),
        Column("items", INT32, "Items that are learnt from"),
        Column("cost", FLOAT64, "What they cost"),
        Column("accuracy", FLOAT64, "Share of the items apart that are told right"),
        Column("log_loss", FLOAT64, "Mean log-loss of the items apart"),
    ),
    places=(
        Place("active_learning/{level}.parquet", rule="active_learning"),
        Place("cbed/active_learning.parquet", rule="cbed_learning"),
    ),
)

ACTIVE_WORTH = Table(
    "active_worth",
    "what items that a method chose are worth, in items at random",
    (
        Column("method", STRING, "Name of the method that chooses"),
        Column("repeats", INT32, "Repeats"),
        Column(
            "worth",
            FLOAT64,
            "Items at random that one chosen item stands for at the same log-loss, the first "
            "items apart",
        ),
        Column("low", FLOAT64, "Lower end of its 95 % interval"),
        Column("high", FLOAT64, "Upper end"),
    ),
    places=(
        Place("active_worth/{level}.parquet", rule="active_learning"),
        Place("cbed/active_worth.parquet", rule="cbed_learning"),
    ),
)


def experiments(quantities: Mapping[str, bool], objectives: tuple[str, ...]) -> Table:
    """The table of experiments of a campaign; for each quantity whether it is a number."""
    measured = tuple(_quantity(name, is_number) for name, is_number in quantities.items())
    planned = tuple(
        _quantity(f"{name}_planned", is_number) for name, is_number in quantities.items()
    )
    scores = tuple(Column(name, FLOAT64, "Objective", nullable=True) for name in objectives)
    columns = (*EXPERIMENTS.columns, *measured, *planned, *scores, *_each(objectives))
    return Table(EXPERIMENTS.name, EXPERIMENTS.row, columns)


def proposals(quantities: Mapping[str, bool], objectives: tuple[str, ...]) -> Table:
    """The table of proposals of a campaign; for each quantity whether it is a number."""
    planned = tuple(_quantity(name, is_number) for name, is_number in quantities.items())
    scores = tuple(Column(name, FLOAT64, "Objective", nullable=True) for name in objectives)
    columns = (*PROPOSALS.columns, *planned, *_each(objectives), *scores)
    return Table(PROPOSALS.name, PROPOSALS.row, columns)


def expectation_names(objectives: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Names of the columns of what is expected of each of several objectives, and of its error, by
    objective; none for a single one."""
    names = {name: (f"{name}_expected", f"{name}_error") for name in objectives}
    return names if len(names) > 1 else {}


def _each(objectives: tuple[str, ...]) -> tuple[Column, ...]:
    said = ("Score that was expected", "Standard deviation of that expectation")
    return tuple(
        Column(column, FLOAT64, what, nullable=True)
        for both in expectation_names(objectives).values()
        for column, what in zip(both, said, strict=True)
    )


def _quantity(name: str, is_number: bool) -> Column:
    return Column(name, FLOAT64 if is_number else STRING, "Quantity", nullable=True)
