"""The pages of the reference, each from what the code declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typer

#: Width of a line of usage, so that the pages are the same on every terminal.
_WIDTH = 90


def pages(app: typer.Typer) -> dict[str, str]:
    """Each page's file name and its Markdown: config, space.yaml, tables, command line,
    Python, formats.

    ``app`` is the command ``mlindex``.
    """
    from mlindex import config
    from mlindex.apps import docstrings
    from mlindex.apps.declared import declared
    from mlindex.base import schema

    texts = {
        "config.md": config.document(),
        "space.md": space_yaml(),
        "tables.md": schema.document(declared()),
        "cli.md": command_line(app),
        "python.md": docstrings.document(),
        "formats.md": formats(),
    }
    return {name: text.rstrip("\n") + "\n" for name, text in texts.items()}


def space_yaml() -> str:
    """The page of what space.yaml, which describes a campaign, may say."""
    from mlindex import config
    from mlindex.campaigns.space import settings

    parts = {
        "Of the whole": settings.SpaceFile,
        "`quantities`, continuous": settings.Continuous,
        "`quantities`, discrete": settings.Discrete,
        "`quantities`, ordinal": settings.Ordinal,
        "`quantities`, categorical": settings.Categorical,
        "An entry of `mixtures`": settings.Mixture,
        "`constraints`, linear": settings.Linear,
        "`constraints`, forbidden": settings.Forbidden,
        "`objectives`": settings.Objective,
    }
    lines = ["# space.yaml", "", "Generated from the declarations; do not edit.", ""]
    lines += ["What is varied, what is allowed and what is measured in a campaign.", ""]
    for title, part in parts.items():
        # Sections within are shown by their own keys.
        lines += config._rows(title, list(config.walk(part)))
    return "\n".join(lines)


def formats() -> str:
    """The page of file formats that are read."""
    from mlindex.files import supported

    rows = [
        f"| {what} | {' '.join(f'`{suffix}`' for suffix in suffixes)} |"
        for suffixes, what in supported()
    ]
    head = ["# File formats", "", "Generated from the readers; do not edit.", ""]
    explained = [
        "A format is recognized by the content of a file; the suffix only helps where that does "
        "not decide.",
        "",
        "A pattern or list over 2theta needs the wavelength: the file states it, or it is given, "
        "in A or as a tube (`--wavelength Cu`). Over d, Q = 2 pi/d or q = 1/d none is needed. Time "
        "of flight is not read yet.",
        "",
    ]
    return "\n".join([*head, *explained, "| format | usual suffixes |", "| --- | --- |", *rows])


def command_line(app: typer.Typer) -> str:
    """The page of the command ``mlindex``."""
    from typer.main import get_command

    root: Any = get_command(app)
    lines = ["# Command line", "", "Generated from the command `mlindex`; do not edit.", ""]
    lines += [f"{root.help}", ""]
    for name, command in _commands(root):
        lines += [f"## mlindex {name}", "", *_command(name, command), ""]
    return "\n".join(lines)


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by name, those of a group behind it."""
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _command(name: str, command: Any) -> Iterator[str]:
    from typer import Context

    context = Context(command, info_name=f"mlindex {name}", terminal_width=_WIDTH)
    usage = " ".join(command.collect_usage_pieces(context))
    yield from ("```text", f"mlindex {name} {usage}".rstrip(), "```", "")
    yield from _paragraphs(command.help or "")
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    for title, parameters in (("argument", arguments), ("option", options)):
        if parameters:
            yield from ("", f"| {title} | default | meaning |", "| --- | --- | --- |")
            yield from (_row(parameter) for parameter in parameters)


def _paragraphs(text: str) -> Iterator[str]:
    yield from (line.strip() for line in text.replace("\f", "").splitlines())


def _row(parameter: Any) -> str:
    names = [*parameter.opts, *parameter.secondary_opts]
    if parameter.param_type_name == "argument":
        names = [parameter.name.upper()]
    shown = ", ".join(f"`{name}`" for name in names)
    meaning = (parameter.help or "").replace("|", r"\|")
    return f"| {shown} | {_default(parameter)} | {meaning} |"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    if value is None or value is False or value == () or callable(value):
        return ""
    return f"`{value}`"
