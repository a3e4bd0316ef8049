"""The options of indexing as flags of the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from mlindex.base.errors import MlindexError
from mlindex.indexing.options import Options, about, types

#: Flags that may be given more than once.
_REPEATED = ("lattices", "known_phases")
_BY_NAME = inspect.Parameter.KEYWORD_ONLY


def _wavelength(given: str) -> float | str:
    """A wavelength in A or a tube; an energy is refused with its wavelength in A."""
    from mlindex.crystal.wavelengths import given_as
    from mlindex.patterns.radiation import check_given

    try:
        value = given_as(given)
        if not isinstance(value, str):
            check_given(given, value)
    except MlindexError as problem:
        raise typer.BadParameter(str(problem)) from None
    return value


def number(given: str) -> float:
    """A number; whether it is one that the option takes is asked later."""
    try:
        return float(given)
    except ValueError:
        raise typer.BadParameter(f"{given!r} is not a number") from None


def whole(given: str) -> int | float:
    """A whole number, or another, which is refused with the range of the option later."""
    value = number(given)
    return int(value) if value.is_integer() else value


def count(given: str) -> int:
    """A whole number from 1 on."""
    value = whole(given)
    if not isinstance(value, int) or value < 1:
        raise typer.BadParameter(f"{given}: give a whole number, 1 or more")
    return value


def _lattices(given: list[str] | None) -> tuple[str, ...]:
    """Lattices as people write them: several at a time, systems in capitals."""
    words = [word for one in given or [] for word in one.replace(",", " ").split() or [one]]
    return tuple(word if len(word) == 2 else word.lower() for word in words)


def folder(given: str) -> Path:
    """The name of a folder; an empty one would be the current folder."""
    if not given.strip():
        raise typer.BadParameter("the name is empty; give the name of a folder, or . for this one")
    return Path(given)


def takes_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command with a flag for each option of indexing in place of its parameter ``options``.

    Wrong values end it with MlindexError.
    """
    signature = inspect.signature(command, eval_str=True)
    parameters: list[inspect.Parameter] = []
    for one in signature.parameters.values():
        # A flag with a default may come before one without: typer gives all of them by name.
        parameters += _flags() if one.annotation is Options else [one.replace(kind=_BY_NAME)]

    @wraps(command)
    def with_flags(**given: Any) -> None:
        values = {o.name: given.pop(o.name) for o in fields(Options)}
        values["lattices"] = _lattices(values["lattices"])
        values["known_phases"] = tuple(values["known_phases"] or ())
        command(options=Options(**values), **given)

    # typer reads both.
    with_flags.__signature__ = signature.replace(parameters=parameters)
    with_flags.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_flags


def flag_of(name: str) -> Any:
    """The annotation of the flag of one option, for a command that takes few of them."""
    return next(_flag(option).annotation for option in fields(Options) if option.name == name)


def _flags() -> list[inspect.Parameter]:
    return [_flag(option) for option in fields(Options)]


def _flag(option: Field) -> inspect.Parameter:
    known, kind, default, more = about(option), types()[option.name], option.default, {}
    if option.name == "wavelength_A":
        kind, more = str | None, {"parser": _wavelength, "metavar": "float|name"}
    elif option.name in _REPEATED:
        kind, default = list[str] | None, None
    elif known.range:
        more = (
            {"parser": whole, "metavar": "integer"}
            if known.whole
            else {"parser": number, "metavar": "float"}
        )
    limits = ", ".join(part for part in (known.unit, known.range) if part)
    text = f"{known.help} [{limits}]" if limits else known.help
    info = typer.Option(known.flag, help=text, **more)
    annotation = Annotated[kind, info]
    return inspect.Parameter(option.name, _BY_NAME, default=default, annotation=annotation)
