"""The notice that the searches are being compiled: once on a machine, then they are cached."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlindex.base.compiled_cache import temporary_cache

if TYPE_CHECKING:
    from mlindex.patterns.measured import MeasuredPattern

#: Said once; the time is that of one core.
NOTICE = "mlindex: compiling the searches once: about half a minute"
#: On a busy machine compiling takes longer than any search, and all of it is wanted.
_LONG_S = 3600.0


@contextmanager
def announced(notice: str = NOTICE) -> Iterator[list[str]]:
    """Say a notice on standard error when numba begins to compile, if it does at all.

    Nothing is assumed about the cache: numba reports each function that it did not find there.
    Yields the names of the functions compiled so far.
    """
    from numba.core import event

    compiled: list[str] = []

    class Teller(event.Listener):
        def on_start(self, event: event.Event) -> None:
            if not compiled:
                print(notice + where(), file=sys.stderr, flush=True)
            compiled.append(event.data["dispatcher"].py_func.__qualname__)

        def on_end(self, event: event.Event) -> None:
            pass

    with event.install_listener("numba:compile", Teller()):
        yield compiled


def where() -> str:
    """Where compiled functions are kept, if that should be said; else nothing."""
    folder = temporary_cache()
    if folder is None:
        return ""
    return (
        f", kept in {folder}, since neither the folder of mlindex nor HOME can be written; set "
        "NUMBA_CACHE_DIR to a folder that lasts"
    )


def warm_up(stopped: Callable[[], bool] = lambda: False) -> None:
    """Run each compiled function of search and peak search once, so that all of them are in the
    cache and in memory.

    Args:
        stopped: asked often; the search ends when it says True.
    """
    import numpy as np

    from mlindex.indexing.looks import index_list
    from mlindex.indexing.options import Options
    from mlindex.patterns.peaklist import PeakList
    from mlindex.patterns.peaksearch import find_peaks

    # Of no lattice, so that no search ends before the others have begun.
    lines = PeakList("warm-up", np.sort(np.random.default_rng(0).uniform(0.01, 0.2, 8)), None, None)
    index_list(lines, Options(time_limit_s=_LONG_S), 1, stopped=stopped)
    find_peaks(example())


def example() -> MeasuredPattern:
    """A pattern of a few peaks, of no lattice."""
    import numpy as np

    from mlindex.patterns.measured import MeasuredPattern

    x = np.arange(10.0, 40.0, 0.02)
    peaks = 1000 * np.exp(-(((x[:, None] - np.linspace(12, 38, 12)) / 0.05) ** 2)).sum(axis=1)
    counts = np.random.default_rng(0).poisson(peaks + 20.0).astype(float)
    return MeasuredPattern("warm-up", x, counts, wavelength_A=1.5406)
