"""Where each table lies below the results, and what is written together, as tables declare it."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import PurePath

from mlindex.apps.declared import declared
from mlindex.base.place import Place
from mlindex.base.schema import Table
from mlindex.structures.manifest import STATE

_SHARD = "/{source}/{shard}.parquet"


@cache
def places() -> tuple[tuple[Place, Table], ...]:
    """Every place and its table."""
    return tuple((place, table) for table in (*declared(), STATE) for place in table.places)


@cache
def written_together() -> dict[str, tuple[str, ...]]:
    """Folders in which one job of a shard writes its tables together, by rule."""
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for place, _ in places():
        if place.rule:
            found[place.rule] += (place.pattern.removesuffix(_SHARD),)
    return dict(found)


def table_at(path: PurePath) -> Table | None:
    """The table that belongs at a path below the results; None where no place is known."""
    return next((table for place, table in places() if place.fits(path)), None)
