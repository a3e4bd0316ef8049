"""Wrong use of the command line, said in one line like every other problem."""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches
from typing import Any

import typer
from typer.core import TyperGroup

from mlindex.apps.codes import BAD_USE, FOUND
from mlindex.base.names import printable

#: What typer raises for wrong use. It used to be click's, and has become its own.
_UsageError = typer.BadParameter.__mro__[1]
#: What it says, and how it is said here.
_SAID = (
    (r"Invalid value for '([^']+)': (.*)", r"\1: \2"),
    (r"Invalid value: (.*)", r"\1"),
    (r"Missing (?:argument|option) '([^']+)'.*", r"\1 is missing"),
    (r"No such option:? ([^ ]+).*", r"there is no option \1"),
    (r"No such command '(.*?)'.*", r"there is no command \1"),
    (r"Option '([^']+)' requires an argument.*", r"\1 needs a value"),
    (r"Option '([^']+)' does not take a value.*", r"\1 takes no value"),
    (r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", r"there is no use for: \1"),
)
#: Problems with a value say themselves what to do.
_WHOLE = "Invalid value"


class OneLine(TyperGroup):
    """A group of commands that says what is wrong in one line, and ends with 2."""

    def main(self, *args: Any, standalone_mode: bool = True, **more: Any) -> Any:
        """Run a command, and end the program unless ``standalone_mode`` is False."""
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **more)
        try:
            code = super().main(*args, standalone_mode=False, **more)
        except _UsageError as error:
            typer.echo(said(error), err=True)
            sys.exit(BAD_USE)
        sys.exit(code if isinstance(code, int) else FOUND)


def said(error: Any) -> str:
    """The line for a mistake that typer has found; its help where nothing was asked for."""
    raw = error.format_message()
    context = getattr(error, "ctx", None)
    if context is None or raw.startswith("Usage:"):
        return raw if raw.startswith("Usage:") else f"mlindex: {_plain(raw)}"
    text = f"mlindex: {_plain(raw)}"
    if raw.startswith(_WHOLE):
        return text
    if raw.startswith("Missing"):
        wanted = getattr(error.param, "help", None)
        return text + (f": {wanted[:1].lower()}{wanted[1:].rstrip('.')}" if wanted else "")
    near = _near(error, context, raw)
    return text + (f"; did you mean {near}?" if near else f"; see '{context.command_path} --help'")


def _plain(raw: str) -> str:
    text = printable(" ".join(raw.split()))
    for pattern, words in _SAID:
        if re.fullmatch(pattern, text):
            return re.sub(pattern, words, text)
    return text[:1].lower() + text[1:].rstrip(".")


def _near(error: Any, context: Any, raw: str) -> str:
    """The option or command that was meant, if one is like it."""
    option = getattr(error, "option_name", None)
    if option is not None and raw.startswith("No such"):
        # Without their dashes, which all have.
        known = {name.lstrip("-"): name for one in context.command.params for name in one.opts}
        near = get_close_matches(option.lstrip("-"), known, 1)
        return known[near[0]] if near else ""
    found = re.match(r"No such command '(.*?)'", raw)
    known = getattr(context.command, "commands", {})
    return next(iter(get_close_matches(found[1], known, 1)), "") if found else ""
