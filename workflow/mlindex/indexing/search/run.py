"""How a search is run, which changes no result of one that ends by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """The circumstances of a search.

    ``out_of_time`` is asked often; from the first True on, what was found is returned. ``workers``
    are threads; the compiled loops run side by side. ``report`` is called with a line on what is
    being done.
    """

    out_of_time: Callable[[], bool] = lambda: False
    workers: int = 1
    report: Callable[[str], None] = lambda _: None
