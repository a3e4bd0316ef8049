"""How a command ends when something is wrong that the user can correct."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from mlindex.apps.codes import BAD_USE, INTERRUPTED, STOPPED
from mlindex.base.errors import MlindexError
from mlindex.base.names import printable

_ENDS = "\n\t"


@contextmanager
def problems_shown() -> Iterator[None]:
    """Show problems that the user can correct on standard error, and end with 2.

    Ctrl-C, where a command doesn't handle it, ends with one line and 130.
    """
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(STOPPED, err=True)
        raise typer.Exit(INTERRUPTED) from None
    except MlindexError as problem:
        # Names of files and cells of tables hold anything, such as commands to a terminal.
        typer.echo(f"mlindex: {printable(str(problem), keep=_ENDS)}", err=True)
        raise typer.Exit(BAD_USE) from None
