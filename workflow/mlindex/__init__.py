"""mlindex: the unit cell of a crystal from the peak positions of its powder pattern."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from mlindex.base.stale import forget_stale

__version__ = "0.1.0"
__all__ = ["__version__", "index"]

forget_stale(Path(__file__).parent)


def __getattr__(name: str) -> object:
    # Importing the package must stay cheap, for every job of the workflow does it; and by its
    # name only, or else the search would count among the code of every job, and rerun it.
    if name == "index":
        return import_module("mlindex.indexing.indexer").index
    raise AttributeError(f"module 'mlindex' has no attribute {name!r}")
