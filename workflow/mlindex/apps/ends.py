"""How commands end: exit codes, and what is said of a problem."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from mlindex.base.errors import MlindexError

FOUND, NONE_FOUND, BAD_USE, INTERRUPTED = 0, 1, 2, 130


@contextmanager
def problems_told() -> Iterator[None]:
    """Problems that the user can mend are said on standard error, and end with 2."""
    try:
        yield
    except MlindexError as problem:
        typer.echo(f"mlindex: {problem}", err=True)
        raise typer.Exit(BAD_USE) from None
