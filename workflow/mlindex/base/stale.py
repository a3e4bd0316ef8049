"""Compiled code is forgotten when what it was compiled from has changed.

numba keeps compiled functions beside the modules that define them, and compiles one again when its
own module changes. It does not look at functions and constants that it has taken in from other
modules: after an update of a part of the package, old code would go on running.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_CACHE = "__pycache__"
_MARK = Path(_CACHE) / "compiled.sha256"


def forget_stale(package: Path) -> bool:
    """Remove the compiled functions below a package if what they were compiled from has changed.

    Each import of mlindex asks this, so it must be cheap: sources are read (about a second) only
    if the size, a date or the place on the disk of some file is another than last time. A package
    that can't be written holds no compiled functions.

    Returns:
        Whether the sources have changed, or are seen for the first time.
    """
    seen = _look(package)
    known, seen_before = _marked(package)
    if seen == seen_before or not os.access(package, os.W_OK):
        return False
    sources = _sources(package)
    if sources != known:
        for index in package.rglob(f"{_CACHE}/*.nbi"):
            with suppress(OSError):
                index.unlink()
    _mark(package, sources, seen)
    return sources != known


def _look(package: Path) -> str:
    """Digest of what the file system says of every file but caches: nothing is read.

    A date can be set back (an installer, rsync); the date of the last change of the inode can't.
    """
    digest = hashlib.sha256()
    for entry in _files(os.fspath(package)):
        at = entry.stat()
        facts = (entry.path, at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_ino)
        digest.update(repr(facts).encode(errors="surrogateescape"))
    return digest.hexdigest()


def _files(folder: str) -> Iterator[os.DirEntry]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name == _CACHE:
            continue
        if entry.is_dir():
            yield from _files(entry.path)
        else:
            yield entry


def _sources(package: Path) -> str:
    """Digest of the modules with compiled functions and of all that these depend on."""
    # Here, not above: reading syntax trees is not for every import of mlindex.
    from mlindex.base.imports import Package

    read = Package(package)
    try:
        compiling = read.compiling()
        used = compiling.union(*(read.reached(read.file(module)) for module in compiling))
        return read.digest(used)
    except SyntaxError:
        # Somebody is at work on one of them; other modules can still be imported.
        return "broken"


def _marked(package: Path) -> tuple[str, str]:
    """What was marked last: digest of the sources, and of the look at the files."""
    with suppress(OSError, ValueError):
        sources, look = (package / _MARK).read_text(encoding="utf-8").split()
        return sources, look
    return "", ""


def _mark(package: Path, sources: str, look: str) -> None:
    from mlindex.base.atomic import atomic_path
    from mlindex.base.errors import MlindexError

    with suppress(MlindexError), atomic_path(package / _MARK) as path:
        path.write_text(f"{sources} {look}\n", encoding="utf-8")
