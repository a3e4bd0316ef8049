"""Compiled functions that copies of the package share: compiling them all takes minutes.

numba keeps them beside the modules, and knows a module by its size and date.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "workflow" / "mlindex"
_MARK = "__pycache__/compiled_from.txt"


def take_along(package: Path) -> None:
    """Copy what is compiled here to another copy of the package, whose files get the same dates."""
    for path in PACKAGE.rglob("*.py"):
        os.utime(package / path.relative_to(PACKAGE), ns=2 * (path.stat().st_mtime_ns,))
    _copy(PACKAGE, package)


def bring_back(package: Path) -> None:
    """Copy what another copy of the package has compiled and this one has not.

    The other one must be the same, with the dates of the files here.
    """
    _copy(package, PACKAGE)


def _copy(source: Path, target: Path) -> None:
    """Copy code first, then the indices that name it, then what it was all compiled from."""
    for pattern in ("*.nbc", "*.nbi", _MARK):
        for path in source.rglob(pattern):
            copy = target / path.relative_to(source)
            if copy.exists():
                continue
            copy.parent.mkdir(exist_ok=True)
            # Another process may be looking for it.
            temporary = copy.with_name(f"{copy.name}.tmp.{os.getpid()}")
            shutil.copy2(path, temporary)
            temporary.replace(copy)
