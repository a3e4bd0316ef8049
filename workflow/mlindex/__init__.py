"""mlindex: the unit cell of a crystal from the peak positions of its powder pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlindex.indexer import index as index

__version__ = "0.1.0"
__all__ = ["__version__", "index"]


def __getattr__(name: str) -> object:
    # Importing the package must stay cheap: the workflow's scripts do it for every job.
    if name == "index":
        from mlindex.indexer import index

        return index
    raise AttributeError(f"module 'mlindex' has no attribute {name!r}")
