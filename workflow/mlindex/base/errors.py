"""The one exception that people see: what was wrong, what was seen, what to do."""

from __future__ import annotations

import errno
import os


class MlindexError(Exception):
    """A problem with input, config or data that the user can correct; shown without a traceback."""


_FULL = "free some space, or raise the quota"
_RIGHTS = "give yourself the right to it, or use another folder"
_IN_THE_WAY = "a file stands where a folder is needed: remove it, or use another folder"
_TO_DO = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "make it writable (it is mounted read-only), or use another folder",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENFILE: "close other programs, for the system's table of open files is full",
    errno.ENOENT: "make it or bring it back",
    errno.EEXIST: _IN_THE_WAY,
    errno.ENOTDIR: _IN_THE_WAY,
}
_MEMORY = (
    "out of memory; give the job more, or let fewer jobs run at a time (--cores), and start again"
)


def explained(error: OSError | MemoryError, named: bool = True) -> str:
    """What a problem of the machine (disk, rights, memory) is, and what to do about it.

    Args:
        error: what was raised.
        named: whether to name the file that the error names.
    """
    if isinstance(error, MemoryError):
        return _MEMORY
    seen = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
    where = f" ({error.filename})" if named and error.filename else ""
    advice = _TO_DO.get(error.errno, "see whether the disk and the network are well")
    return f"{seen}{where}; {advice}, and start again"
