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
