"""Long rows of numbers in text, read a piece at a time."""

from __future__ import annotations

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.files.source import MAX_POINTS

#: Characters that are split at a time: the words of all of them would take ten times the text.
_PIECE = 1_000_000


def numbers_in(name: str, text: str) -> np.ndarray:
    """The numbers (n,) of a text in which blanks stand between them.

    Raises:
        MlindexError: a word is no number, or they are more than the points of any pattern.
    """
    parts: list[np.ndarray] = []
    count = start = 0
    while start < len(text):
        end = _end_of_word(text, start + _PIECE)
        try:
            parts.append(np.array(text[start:end].split(), dtype=float))
        except ValueError as error:
            raise MlindexError(
                f"{name}: a list of numbers is damaged ({str(error)[:120]}); copy or export the "
                "file again"
            ) from error
        count += len(parts[-1])
        if count > MAX_POINTS:
            raise MlindexError(
                f"{name}: has more than {MAX_POINTS} points in a scan; average neighbouring points"
            )
        start = end
    return np.concatenate(parts) if parts else np.empty(0)


def _end_of_word(text: str, at: int) -> int:
    """The place of the next blank."""
    while at < len(text) and not text[at].isspace():
        at += 1
    return min(at, len(text))
