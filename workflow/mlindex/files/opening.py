"""The bytes of a file or of a pipe, within bounds of size and time."""

from __future__ import annotations

import os
import select
import stat
import time
from pathlib import Path

from mlindex.base.errors import MlindexError
from mlindex.base.names import shown

#: Default time limit for reading a pipe to its end, s.
PIPE_LIMIT_S = 60.0
_STANDARD_INPUT = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
_CHUNK = 1 << 16
_LONGEST_POLL_S = 1000.0
#: What no bytes can be read from.
_OTHER_KINDS = (
    (stat.S_ISDIR, "a directory; give a file"),
    (stat.S_ISSOCK, "a socket, not a file"),
    (stat.S_ISBLK, "a disk, not a file"),
)


def kind_of(path: str | Path) -> str | None:
    """What a path leads to if not to a regular file, such as a FIFO; None for a regular file.

    Raises:
        OSError: nothing is there, or it can't be looked at.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISREG(mode):
        return None
    other = next((what for test, what in _OTHER_KINDS if test(mode)), None)
    pipe = "a FIFO (named pipe), not a file" if stat.S_ISFIFO(mode) else "a device, not a file"
    return other or pipe


def first_bytes(path: Path, most: int, time_limit_s: float) -> bytes:
    """The bytes of a file, at most so many; of a pipe or device, what comes until its end.

    Args:
        path: a file, or a FIFO, /dev/stdin, or what a shell gives for ``<(command)``.
        most: bytes.
        time_limit_s: for a pipe to come to its end; a terminal has as long as it takes to type.

    Raises:
        MlindexError: it is neither a file nor a pipe, or the pipe did not end in time.
        OSError: it can't be read.
    """
    if str(path) in _STANDARD_INPUT:
        return _streamed(path, os.dup(0), most, time_limit_s)
    kind = kind_of(path)
    if kind is None:
        with path.open("rb") as file:
            return file.read(most)
    if kind in (what for _, what in _OTHER_KINDS) or not hasattr(select, "poll"):
        raise MlindexError(f"{shown(path)}: is {kind}")
    # Opened otherwise, a FIFO waits for ever for someone to write.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    return _streamed(path, handle, most, time_limit_s)


def _streamed(path: Path, handle: int, most: int, time_limit_s: float) -> bytes:
    try:
        end = time.monotonic() + (float("inf") if os.isatty(handle) else time_limit_s)
        parts: list[bytes] = []
        size = 0
        while size < most:
            if not _readable(handle, end):
                raise MlindexError(
                    f"{shown(path)}: gave {size} bytes and did not end within {time_limit_s:g} s; "
                    "is there a program that writes to it? Raise --time-limit (in Python "
                    "time_limit_s=) if it is slow"
                )
            part = os.read(handle, min(_CHUNK, most - size))
            if not part:
                break
            parts.append(part)
            size += len(part)
        return b"".join(parts)
    finally:
        os.close(handle)


def _readable(handle: int, end: float) -> bool:
    """Wait for bytes or the end of a pipe; False when the time is over."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    while (left := end - time.monotonic()) > 0:
        if poll.poll(1000 * min(left, _LONGEST_POLL_S)):
            return True
    return False
