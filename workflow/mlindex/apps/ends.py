"""The end of a command where something is wrong that the user can mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from mlindex.apps.codes import BAD_USE
from mlindex.base.errors import MlindexError


@contextmanager
def problems_shown() -> Iterator[None]:
    """Show problems that the user can mend on standard error, and end with 2."""
    try:
        yield
    except MlindexError as problem:
        typer.echo(f"mlindex: {problem}", err=True)
        raise typer.Exit(BAD_USE) from None
