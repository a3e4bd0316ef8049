"""Config of campaigns that the workflow plans."""

from __future__ import annotations

from pydantic import Field

from mlindex.base.section import Section, setting


class PlannedCampaign(Section):
    """A campaign: a space, the results so far, and how many experiments to propose."""

    space: str = Field(description="Its space.yaml; tables that it names lie beside it.")
    results: tuple[str, ...] = setting(
        (), "Tables of results so far, CSV or Parquet, as `mlindex campaign tell` takes them."
    )
    batch: int | None = setting(
        None, "Experiments to propose; as the space says if not given.", ge=1, le=10_000
    )


class Replay(Section):
    """Replays of measured tables: how much faster than random a method would have been."""

    method: str = setting("", "Name of the method; that of the space if not given.")
    seeds: int = setting(10, "Replays, each from other first measurements.", ge=1, le=1000)
    steps: int = setting(
        0, "Measurements of each; 0: a quarter of the conditions, 60 at least.", ge=0
    )
    batch: int = setting(1, "Measurements at a time.", ge=1, le=10_000)


class ActiveLearning(Section):
    """Which crystals to simulate and learn from next, with random choice beside each method."""

    levels: tuple[str, ...] = setting(
        (),
        "Levels of symmetry whose curves `results/classification.html` shows; each is made as "
        "`results/active_learning/LEVEL.parquet`.",
    )
    learner: str = setting("extra_trees", "Kind of learner that is taught.")
    methods: tuple[str, ...] = setting(
        ("upper_bound", "uncertainty", "diversity"),
        "Methods that choose; random choice is always beside them.",
        min_length=1,
    )
    first: int = setting(100, "Crystals to begin with, at random.", ge=10)
    batch: int = setting(100, "Crystals that are added in a round.", ge=1)
    rounds: int = setting(8, "Rounds.", ge=1, le=1000)
    repeats: int = setting(5, "Times that all is repeated from other first crystals.", ge=2, le=100)
