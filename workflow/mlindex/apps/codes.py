"""Codes with which the program ends."""

from __future__ import annotations

#: A convincing cell, or all went well.
FOUND = 0
#: No cell is convincing.
NONE_FOUND = 1
#: Wrong use, input or surroundings; standard error says what to do.
BAD_USE = 2
#: A fault of the program.
FAULT = 3
#: Ended by Ctrl-C or SIGTERM before there was a result, and what is said then.
INTERRUPTED = 130
STOPPED = "mlindex: stopped before there was a result"
