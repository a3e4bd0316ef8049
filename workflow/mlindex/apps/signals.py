"""What Ctrl-C and SIGTERM do: end the program at once, let it tidy up, or end a search early."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mlindex.apps.codes import INTERRUPTED, STOPPED

#: What is called with the number of a signal and the frame that it came in.
Handler = Callable[[int, object], None]
ENDING = (signal.SIGINT, signal.SIGTERM)


def at_once(number: int, frame: object) -> None:
    """End the program with one sentence: nothing was written yet, and there may be threads that
    nothing stops. An exception gets lost in some imports."""
    if sys.stderr is not None:
        # What reports progress hides the cursor.
        cursor = "\r\x1b[2K\x1b[?25h" if sys.stderr.isatty() else ""
        # A print may have been interrupted, which does not let another one in.
        os.write(2, f"{cursor}{STOPPED}\n".encode())
    os._exit(INTERRUPTED)


def tidily(number: int, frame: object) -> None:
    """Raise KeyboardInterrupt, so that files that are half written are removed."""
    raise KeyboardInterrupt


@contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """Ctrl-C and SIGTERM call a handler, unless they are ignored, as jobs in the background do."""
    # Only the main thread hears of signals.
    heard = ENDING if threading.current_thread() is threading.main_thread() else ()
    heard = [number for number in heard if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def ctrl_c_later() -> Iterator[None]:
    """Ctrl-C is heard when this is over; processes that are started meanwhile never hear it."""
    block = getattr(signal, "pthread_sigmask", None)
    if block is None:
        yield
        return
    before = block(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        block(signal.SIG_SETMASK, before)


@contextmanager
def interruptible(
    second: Handler, nothing_yet: Callable[[], bool] = lambda: False
) -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM set a flag; what comes after the first one calls ``second``.

    While ``nothing_yet`` says True, the first one ends the program at once.
    """
    pressed: list[int] = []

    def remember(number: int, frame: object) -> None:
        if nothing_yet():
            at_once(number, frame)
        if pressed:
            second(number, frame)
        pressed.append(number)

    with handled(remember):
        yield lambda: bool(pressed)
