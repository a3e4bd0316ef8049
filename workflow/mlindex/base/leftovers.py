"""Temporary files: how they are named, and the removal of those that killed writers have left."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

_SUFFIX = ".part"
_NAME = re.compile(r"\..+\.[a-z0-9_]{8}" + re.escape(_SUFFIX))


def affixes(path: Path) -> dict[str, str]:
    """Prefix and suffix for :mod:`tempfile` of what will take the place of ``path``."""
    return {"prefix": f".{path.name}.", "suffix": _SUFFIX}


def is_temporary(name: str) -> bool:
    """Whether a file or folder of that name is one that was to be renamed when whole."""
    return _NAME.fullmatch(name) is not None


def remove_leftovers(folder: str | Path, before_s: float) -> list[Path]:
    """Remove temporary files and folders that were last changed before a moment.

    To be called where no other run can be at work below ``folder``: a writer that is at work
    may not have changed its file for hours. Links are not followed, and what can't be removed is
    left.

    Args:
        before_s: seconds since 1970; what is younger may belong to a start at the same time.

    Returns:
        what was removed, in order.
    """
    removed = []
    for root, folders, names in os.walk(folder):
        found = [Path(root, name) for name in (*names, *folders) if is_temporary(name)]
        folders[:] = [name for name in folders if not is_temporary(name)]
        removed += [path for path in found if _removed(path, before_s)]
    return sorted(removed)


def _removed(path: Path, before_s: float) -> bool:
    try:
        if path.is_symlink() or path.stat().st_mtime >= before_s:
            return False
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    except OSError:
        return False
    return True
