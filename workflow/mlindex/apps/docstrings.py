"""The Python interface as Markdown, from docstrings and the comments of fields."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

#: Width of a line of code.
_WIDTH = 90
_SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Yields")
_TITLES = {"Args": "Arguments", "Attributes": "Fields"}
_ROLE = re.compile(r":\w+:`~?\.?([^`]+)`")
_ITEM = re.compile(r"^([\w*, ]+): (.*)$", re.DOTALL)


def document() -> str:
    """The page of everything that a user imports."""
    lines = ["# Python", "", "Generated from the docstrings; do not edit.", ""]
    for name, thing in _public():
        lines += [f"## {name}", "", *_described(name, thing), ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip("\n") + "\n"


def _public() -> Iterator[tuple[str, Any]]:
    """Names as a user writes them, and what they are: functions first, then what they return."""
    import mlindex
    from mlindex.base.errors import MlindexError
    from mlindex.campaigns.campaign import Campaign
    from mlindex.campaigns.experiments import Experiment
    from mlindex.classification.answer import Answer
    from mlindex.indexing import result
    from mlindex.indexing.next.asking import NextRegions
    from mlindex.indexing.next.regions import Region
    from mlindex.patterns.measured import MeasuredPattern
    from mlindex.patterns.peaklist import PeakList

    for name in sorted(mlindex.__all__, reverse=True):
        thing = getattr(mlindex, name)
        if inspect.isfunction(thing):
            yield f"mlindex.{name}", thing
    types = ("IndexingResult", "Candidate", "Partner", "Extinction", "AbsentLine", "Searched")
    found = (getattr(result, name) for name in types)
    for thing in (*found, NextRegions, Region, Answer, PeakList, MeasuredPattern):
        yield thing.__name__, thing
    yield from (("Campaign", Campaign), ("Experiment", Experiment))
    yield "MlindexError", MlindexError


def _described(name: str, thing: Any) -> Iterator[str]:
    if inspect.isfunction(thing):
        yield from ("```python", _signature(name, thing), "```", "")
        yield from _docstring(thing)
        return
    yield from (f"`{thing.__module__}.{thing.__qualname__}`", "")
    yield from _docstring(thing)
    if dataclasses.is_dataclass(thing):
        yield from ("", "| field | type | meaning |", "| --- | --- | --- |")
        for field, kind, meaning in _fields(thing):
            yield f"| `{field}` | `{_cell(kind)}` | {_cell(meaning)} |"
    for method, function in vars(thing).items():
        if not method.startswith("_") and (called := _function_of(function)):
            yield from ("", f"### {thing.__name__}.{method}", "")
            if not isinstance(function, property):
                yield from ("```python", _signature(method, called), "```", "")
            yield from _docstring(called)


def _function_of(member: Any) -> Callable | None:
    """What holds the docstring of a member; None where it is no method or property."""
    member = getattr(member, "fget", None) or getattr(member, "func", None) or member
    return member if inspect.isfunction(member) else None


def _signature(name: str, function: Callable) -> str:
    """The signature, a parameter a line where it is long."""
    signature = inspect.signature(function)
    kept = [p for p in signature.parameters.values() if p.name != "self"]
    returned = signature.return_annotation
    shown, mark = [], False
    for parameter in kept:
        if parameter.kind is parameter.KEYWORD_ONLY and not mark:
            shown, mark = [*shown, "*"], True
        shown.append(_parameter(parameter))
    text = f"{name}({', '.join(shown)}) -> {returned}"
    if len(text) <= _WIDTH:
        return text
    inner = "".join(f"    {one},\n" for one in shown)
    return f"{name}(\n{inner}) -> {returned}"


def _parameter(parameter: inspect.Parameter) -> str:
    """A parameter as it is declared; annotations are text, as everywhere in the package."""
    text = f"{parameter.name}: {parameter.annotation}"
    if parameter.default is parameter.empty:
        return text
    # Functions have no representation that stays the same.
    default = "..." if callable(parameter.default) else repr(parameter.default)
    return f"{text} = {default}"


def _docstring(thing: Any) -> Iterator[str]:
    """A docstring as Markdown: its sections become lists."""
    section = ""
    for paragraph in inspect.cleandoc(thing.__doc__ or "").split("\n\n"):
        head, _, rest = paragraph.partition("\n")
        if head.rstrip(":") in _SECTIONS and head.endswith(":"):
            section = head.rstrip(":")
            yield from ("", f"**{_TITLES.get(section, section)}**", "")
            yield from _section(section, rest)
        elif section and paragraph.startswith("    "):
            yield from _section(section, paragraph)
        else:
            yield from ("", *_plain(paragraph).splitlines())


def _section(name: str, text: str) -> Iterator[str]:
    """What a section says: text where something is returned, else its entries."""
    if name in ("Returns", "Yields"):
        yield from ("", *_plain(textwrap.dedent(text)).splitlines())
    else:
        yield from _items(text)


def _items(text: str) -> Iterator[str]:
    """Entries of a section, each begun by a line that is not indented."""
    entries: list[list[str]] = []
    for line in textwrap.dedent(text).splitlines():
        if entries and line.startswith(" "):
            entries[-1].append(line.strip())
        else:
            entries.append([line])
    for entry in entries:
        found = _ITEM.match(" ".join(entry))
        yield f"- `{found[1]}`: {_plain(found[2])}" if found else f"- {_plain(' '.join(entry))}"


def _plain(text: str) -> str:
    return _ROLE.sub(r"`\1`", text).replace("``", "`")


def _cell(text: str) -> str:
    return _plain(text).replace("|", r"\|")


def _fields(kind: type) -> Iterator[tuple[str, str, str]]:
    """Name, type and meaning of each field; a comment ``#:`` above some fields is of the first."""
    source = textwrap.dedent(inspect.getsource(kind))
    lines = source.splitlines()
    (declared,) = ast.parse(source).body
    for node in declared.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            comment: list[str] = []
            row = node.lineno - 2
            while lines[row].strip().startswith("#:"):
                comment.insert(0, lines[row].strip()[2:].strip())
                row -= 1
            yield node.target.id, ast.unparse(node.annotation), " ".join(comment)
