"""The cores that there are to work on."""

from __future__ import annotations

import os

#: A search of one list has no work for more threads than this.
_MOST_THREADS = 4


def cores() -> int:
    """Cores that this process may use; on a cluster fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads() -> int:
    """Threads to search one list with."""
    return min(cores(), _MOST_THREADS)
