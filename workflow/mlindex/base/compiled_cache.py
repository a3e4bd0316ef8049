"""Where numba keeps compiled functions if it can't keep them beside their modules.

A package that can't be written (installed by root, in a container) needs another folder for them:
the user's cache, or a temporary folder where HOME can't be written either. numba would see there
only whether the module itself has changed, not what was compiled into it from others; so the
folder is another one for each state of the package.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

_VARIABLE = "NUMBA_CACHE_DIR"
_OURS_ONLY = 0o700
_PREFIX = "mlindex-"


def place_cache(package: Path, state: str) -> None:
    """Choose a folder for the compiled functions of a package that can't be written.

    Args:
        package: folder of the package.
        state: digest of the package's state; folders of its other states are removed.
    """
    if _VARIABLE in os.environ:
        return
    own = hashlib.sha256(os.fsencode(package)).hexdigest()[:12]
    for parent in (_users_cache, _temporary):
        folder = _made(parent(), f"{own}-{state[:12]}")
        if folder is not None:
            for other in folder.parent.glob(f"{own}-*"):
                if other != folder:
                    shutil.rmtree(other, ignore_errors=True)
            _tell_numba(folder)
            return


def temporary_cache() -> Path | None:
    """The folder with the compiled functions if it was chosen here and is temporary."""
    folder = Path(os.environ.get(_VARIABLE, ""))
    with suppress(OSError):
        if folder.parent.parent == Path(tempfile.gettempdir()):
            return folder if folder.parent.name.startswith(_PREFIX) else None
    return None


def _users_cache() -> Path | None:
    with suppress(RuntimeError):
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(home) / "mlindex"
    return None


def _temporary() -> Path | None:
    """A folder that nobody else can write to, for compiled code is run as it is found."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    with suppress(OSError):
        folder = Path(tempfile.gettempdir()) / f"{_PREFIX}{user}"
        folder.mkdir(mode=_OURS_ONLY, exist_ok=True)
        seen = folder.lstat()
        if folder.is_symlink() or seen.st_uid != user or seen.st_mode & 0o077:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        return folder
    return None


def _made(parent: Path | None, name: str) -> Path | None:
    if parent is None:
        return None
    folder = parent / name
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    return None


def _tell_numba(folder: Path) -> None:
    # Processes that are started from here find it, too.
    os.environ[_VARIABLE] = str(folder)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)
