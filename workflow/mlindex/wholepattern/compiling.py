"""Compiling of all that the indexing of lists and of patterns runs."""

from __future__ import annotations

from collections.abc import Callable


def warm_up(stopped: Callable[[], bool] = lambda: False) -> None:
    """Run each compiled function once, so that all of them are in the cache and in memory.

    Args:
        stopped: asked often; nothing more is begun when it says True.
    """
    from mlindex.indexing import compiling

    compiling.warm_up(stopped)
    if stopped():
        return
    # Compiled code takes its time to load.
    import numpy as np

    from mlindex.wholepattern.candidates import CellToFit, fit_candidates

    cubic = CellToFit("cP", "P", np.array([4.1, 4.1, 4.1, 90.0, 90.0, 90.0]))
    fit_candidates(compiling.example(), [cubic], workers=1)
