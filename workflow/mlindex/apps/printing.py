"""Printing where standard output may be closed, full, a pipe that ended, or not UTF-8."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from mlindex.base.errors import MlindexError, explained


def on_stdout(show: Callable[[], object]) -> None:
    """Call what prints on standard output, where that is open.

    Raises:
        MlindexError: it can't be written there.
    """
    if sys.stdout is None:
        return
    try:
        # Terminals that are not UTF-8 lack some letters.
        sys.stdout.reconfigure(errors="replace")
        show()
        sys.stdout.flush()
    except SystemExit:
        # So rich ends where a pipe was closed; what is to be written is still to come.
        return
    except OSError as error:
        # What is still in the buffer would fail again when the program ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Whoever closes a pipe, such as head, has read enough.
        if not isinstance(error, BrokenPipeError):
            raise MlindexError(f"standard output can't be written: {explained(error)}") from error
