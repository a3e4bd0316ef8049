"""What was meant by a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def meant(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like another; None where none is."""
    folded = {one.casefold(): one for one in known}
    close = get_close_matches(name.casefold(), list(folded), n=1)
    return folded[close[0]] if close else None
