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
#: Not the name of an earlier version, which knew one digest of all.
_MARK = Path(_CACHE) / "compiled_from.txt"
#: Stands for the digest of what can't be read as Python.
_BROKEN = "broken"


def forget_stale(package: Path) -> bool:
    """Remove compiled functions below a package if what they were compiled from has changed.

    Each import of mlindex asks this, so it must be cheap: sources are read (about a second) only
    if the size, a date or the place on the disk of some file is another than last time. Compiled
    functions of a package that can't be written are kept elsewhere.

    Returns:
        Whether sources of any have changed, or are seen for the first time.
    """
    seen = _look(package)
    seen_before, known = _marked(package)
    if not os.access(package, os.W_OK):
        from mlindex.base.compiled_cache import place_cache

        place_cache(package, seen)
        return False
    if seen == seen_before:
        return False
    sources = _sources(package)
    changed = [p for p, digest in sources.items() if digest == _BROKEN or known.get(p) != digest]
    for module in map(Path, changed):
        for index in (package / module.parent / _CACHE).glob(f"{module.stem}.*.nbi"):
            with suppress(OSError):
                index.unlink()
    _mark(package, seen, sources)
    return bool(changed)


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


def _sources(package: Path) -> dict[str, str]:
    """Digest of each module with compiled functions and of all that it depends on, by its path."""
    # Here, not above: reading syntax trees is not for every import of mlindex.
    from mlindex.base.imports import Package

    read = Package(package)
    found = {}
    for module in sorted(read.compiling()):
        path = read.file(module)
        try:
            digest = read.digest({module} | read.reached(path))
        except SyntaxError:
            # Somebody is at work on what it needs; other modules can still be imported.
            digest = _BROKEN
        found[path.relative_to(package).as_posix()] = digest
    return found


def _marked(package: Path) -> tuple[str, dict[str, str]]:
    """What was marked last: the look at the files, and the digests of :func:`_sources`."""
    with suppress(OSError, ValueError):
        seen, *lines = (package / _MARK).read_text(encoding="utf-8").splitlines()
        return seen, {path: digest for digest, path in (line.split(" ", 1) for line in lines)}
    return "", {}


def _mark(package: Path, seen: str, sources: dict[str, str]) -> None:
    from mlindex.base.atomic import atomic_path
    from mlindex.base.errors import MlindexError

    lines = [seen, *(f"{digest} {path}" for path, digest in sources.items())]
    with suppress(MlindexError), atomic_path(package / _MARK) as path:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
