"""Worker processes that end with the process that started them, however that one ended."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing.connection import wait

#: Option of Linux's prctl: a signal for this process when its parent ends.
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """See to it that this process, which multiprocessing started, ends when its parent does."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        # At once, whatever compiled code is running.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Elsewhere as soon as Python code runs again; a parent that is gone already is noticed here.
    threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
