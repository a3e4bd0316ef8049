"""Compiled code is forgotten when what it was compiled from has changed.

numba keeps compiled functions beside the modules that define them, and compiles one again when its
own module changes. Functions and constants of other modules that it has taken in are not looked
at: after an update of a part of the package, old code would go on running.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from pathlib import Path

_COMPILED = re.compile(r"^@njit", re.MULTILINE)
_IMPORT = re.compile(r"^from mlindex\.([\w.]+) import", re.MULTILINE)
_MARK = Path("__pycache__") / "compiled.sha256"


def forget_stale(package: Path) -> bool:
    """Remove the compiled functions below a package if their sources are others than last time.

    A package that can't be written holds none. Returns whether they were others.
    """
    digest = _digest(package)
    mark = package / _MARK
    with suppress(OSError):
        if mark.read_text(encoding="ascii") == digest:
            return False
    with suppress(OSError):
        for index in package.rglob("__pycache__/*.nbi"):
            index.unlink(missing_ok=True)
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(digest, encoding="ascii")
    return True


def _digest(package: Path) -> str:
    """Of the modules with compiled functions and of those that they import from."""
    texts = {p: p.read_text(encoding="utf-8") for p in sorted(package.rglob("*.py"))}
    compiled = {path for path, text in texts.items() if _COMPILED.search(text)}
    named = {name for path in compiled for name in _IMPORT.findall(texts[path])}
    used = compiled | {package.joinpath(*name.split(".")).with_suffix(".py") for name in named}
    found = hashlib.sha256()
    for path in sorted(used & texts.keys()):
        found.update(f"{path.relative_to(package)}\n{texts[path]}\0".encode())
    return found.hexdigest()
