"""The files that a source of a batch stands for: a file, a folder, or a pattern of names.

Links to folders are not followed: they may lead in a circle, or out of what was asked for.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from mlindex.apps.batch.passed import Kind, PassedOver
from mlindex.base.leftovers import is_temporary
from mlindex.files import supported
from mlindex.files.opening import kind_of

_MAGIC = re.compile(r"[*?\[]")


def is_pattern(given: str) -> bool:
    """Whether a source is a pattern of names; a file may be called like one."""
    return _MAGIC.search(given) is not None and not os.path.lexists(given)


def is_named(given: str) -> bool:
    """Whether a source names its files, such as ``run*/peaks.txt``, not only their kind."""
    magic = is_pattern(given) and _MAGIC.search(os.path.basename(given))
    return not os.path.isdir(given) and not magic


def files(given: str, is_own: Callable[[str], bool], passed: PassedOver) -> Iterator[str]:
    """The files of a source, in order; what else is met there goes to ``passed``.

    Args:
        given: a file, a folder, or a pattern of names.
        is_own: whether a file is a result, and no input.
        passed: where to count what is passed over.
    """
    in_folder = os.path.isdir(given)
    if in_folder:
        found = _below(given, passed)
    else:
        found = _matching(given) if is_pattern(given) else _itself(given)
    for path in found:
        kind = special(path) or (Kind.RESULT if is_own(path) else None)
        if kind is None and in_folder and not _is_known(path):
            kind = Kind.OTHER
        if kind is None:
            yield path
        else:
            passed.add(kind, path)


def special(path: str) -> Kind | None:
    """What stands at a path in place of a file; None if one stands there, or may."""
    try:
        return None if kind_of(path) is None else Kind.SPECIAL
    except OSError as error:
        if error.errno == errno.ELOOP:
            return Kind.CIRCLE
        # What else can't be looked at can't be read: who reads it says why.
        return Kind.BROKEN if os.path.islink(path) and error.errno == errno.ENOENT else None


def _itself(path: str) -> Iterator[str]:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        # It may be there: who reads it says what is wrong.
        pass
    yield path


def _is_known(path: str) -> bool:
    suffixes = {suffix for known, _ in supported() for suffix in known}
    return os.path.splitext(path)[1].lower() in suffixes


def _below(folder: str, passed: PassedOver) -> Iterator[str]:
    """Names in a folder and below it, in order, hidden ones and links to folders left out."""

    def closed(error: OSError) -> None:
        passed.add(Kind.CLOSED, str(error.filename))

    for path, folders, names in os.walk(folder, onerror=closed):
        kept = []
        for name in sorted(folders):
            whole = os.path.join(path, name)
            if os.path.islink(whole):
                passed.add(_of_link(whole), whole)
            elif _is_hidden(whole, passed):
                continue
            else:
                kept.append(name)
        folders[:] = kept
        for name in sorted(names):
            whole = os.path.join(path, name)
            if not _is_hidden(whole, passed):
                yield whole


def _is_hidden(path: str, passed: PassedOver) -> bool:
    name = os.path.basename(path)
    # Files that are being written, such as the results, are there for a moment only.
    if name.startswith(".") and not is_temporary(name):
        passed.add(Kind.HIDDEN, path)
    return name.startswith(".")


def _of_link(path: str) -> Kind:
    real, above = os.path.realpath(path), os.path.realpath(os.path.dirname(path))
    inside = os.path.commonpath([real, above]) == real
    return Kind.CIRCLE if inside else Kind.FOLDER_LINK


def _matching(pattern: str) -> Iterator[str]:
    """Names that match, in order, without folders and what is hidden."""
    parts = pattern.split(os.sep)
    first = next(i for i, part in enumerate(parts) if _MAGIC.search(part))
    base, rest = "".join(part + os.sep for part in parts[:first]), [p for p in parts[first:] if p]
    # Two stars mean any folders where they stand alone, and no more than one star elsewhere.
    rest = [part if part == "**" else re.sub(r"\*+", "*", part) for part in rest]
    rest += ["*"] if rest[-1] == "**" else []
    start = Path(base or os.curdir)
    # Unlike the module glob, pathlib does not follow links for "**": with two that lead in a
    # circle, it would not come to an end.
    for found in sorted(map(str, start.glob(os.sep.join(rest)))):
        below = os.path.relpath(found, start).split(os.sep)
        if not os.path.isdir(found) and not _hides(below, rest):
            yield base + os.sep.join(below)


def _hides(names: list[str], pattern: list[str]) -> bool:
    """Whether a name is hidden that the pattern does not ask for with a dot."""
    asked = any(part.startswith(".") for part in pattern)
    return not asked and any(name.startswith(".") for name in names)
