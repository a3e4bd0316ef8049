"""The number of worker processes that samples, cores and memory allow."""

from __future__ import annotations

from mlindex.base.cores import cores
from mlindex.base.memory import free_bytes

#: Memory of a worker while it searches, in bytes: 280 to 330 MB were seen on lists of samples and
#: measured patterns; the rest is for compiling and long patterns.
_BYTES_EACH = 400_000_000


def fitting(asked: int, samples: int) -> tuple[int, str]:
    """The number of workers to start, at least 1, and a sentence if fewer than asked for.

    Args:
        asked: the number wanted.
        samples: the number of samples, or that of workers asked for if there are more.
    """
    free = free_bytes()
    room = asked if free is None else free // _BYTES_EACH
    limits = {
        f"there are {samples} samples" if samples != 1 else "there is one sample": samples,
        f"this process may use {cores()} cores": cores(),
        f"free memory is enough for {room}": room,
    }
    why, least = min(limits.items(), key=lambda item: item[1])
    used = max(1, least)
    if used >= asked:
        return asked, ""
    return used, f"{used} of {asked} worker processes are used: {why}"
