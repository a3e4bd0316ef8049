"""The program ``mlindex``: runs its commands and ends with a sentence, whatever happens."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from mlindex.apps.codes import BAD_USE, FAULT, INTERRUPTED, STOPPED
from mlindex.apps.signals import at_once, handled

#: Set to anything, a fault ends with Python's traceback.
DEBUG = "MLINDEX_DEBUG"


def main() -> None:
    """Run the command line, and end the program."""
    _open_streams()
    try:
        with handled(at_once):
            # Importing takes long enough for people to press Ctrl-C.
            from mlindex.apps.cli import app

            app(prog_name="mlindex")
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        sys.exit(INTERRUPTED)
    except MemoryError as error:
        from mlindex.base.errors import explained

        _end(explained(error), BAD_USE)
    except Exception as error:
        if os.environ.get(DEBUG):
            import traceback

            traceback.print_exception(error)
            sys.exit(FAULT)
        _end(_fault(error), FAULT)


def _open_streams() -> None:
    """Standard streams that are closed lead to nothing: else the next file takes their place."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free, which is this one.
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _fault(error: Exception) -> str:
    """One sentence on a fault; its details go to a file."""
    import tempfile
    import traceback

    what = f"a fault in mlindex: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    details = "".join(traceback.format_exception(error))
    try:
        handle, path = tempfile.mkstemp(prefix="mlindex-fault-", suffix=".txt")
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{' '.join(sys.argv)}\n{details}")
    except OSError:
        return f"{what}; run it again with {DEBUG}=1 to see the details"
    return f"{what}; the details are in {path}: please report them, with the input"


def _end(text: str, code: int) -> NoReturn:
    from mlindex.base.names import printable

    print(f"mlindex: {printable(text)}", file=sys.stderr)
    sys.exit(code)
