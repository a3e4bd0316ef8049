"""Files and folders that are there whole or not at all.

They are written under another name, beside their destination or in scratch, and renamed.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from mlindex.base.errors import MlindexError, explained
from mlindex.base.leftovers import affixes

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def atomic_path(path: str | Path) -> AbstractContextManager[Path]:
    """A temporary path that takes the place of ``path`` when the block ends well.

    It is beside ``path``, or in the folder that the variable MLINDEX_SCRATCH names.

    Raises:
        MlindexError: ``path`` can't be written, or there is no room for it.
    """
    return _atomic(Path(path), _new_file, 0o644)


def atomic_directory(path: str | Path) -> AbstractContextManager[Path]:
    """Like :func:`atomic_path`, for a directory."""
    return _atomic(Path(path), lambda **where: Path(tempfile.mkdtemp(**where)), 0o755)


@contextmanager
def filled_folder(folder: str | Path) -> Iterator[Path]:
    """A temporary folder whose files move into ``folder`` when the block ends well.

    Other files that are there stay. If anything fails, all is as it was.

    Raises:
        OSError: the folder can't be made or written to.
    """
    folder = Path(folder)
    made = [path for path in (folder, *folder.absolute().parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder, **affixes(folder)))
        try:
            yield temporary
            for path in temporary.iterdir():
                if (folder / path.name).is_dir():
                    raise IsADirectoryError(errno.EISDIR, "Is a directory", folder / path.name)
            for path in sorted(temporary.iterdir()):
                path.replace(folder / path.name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except BaseException:
        for path in made:
            # Only what is empty, such as it was made.
            with suppress(OSError):
                path.rmdir()
        raise


@contextmanager
def _atomic(path: Path, new: Callable[..., Path], mode: int) -> Iterator[Path]:
    with _may_not_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = new(dir=_scratch(path.parent), **affixes(path))
    try:
        with _may_not_write(path, _NO_ROOM):
            yield temporary
        with _may_not_write(path):
            temporary.chmod(mode)
            _move(temporary, path)
    finally:
        _remove(temporary)


def _new_file(**where: Any) -> Path:
    handle, name = tempfile.mkstemp(**where)
    os.close(handle)
    return Path(name)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def require_writable(folder: str | Path) -> None:
    """Raise MlindexError unless files can be made in a folder; a missing one is made."""
    folder = Path(folder)
    with _may_not_write(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


@contextmanager
def _may_not_write(path: Path, numbers: frozenset[int] | None = None) -> Iterator[None]:
    """Turns errors of the system, of these numbers only if any are given, into a clear one."""
    try:
        yield
    except OSError as error:
        if numbers is not None and error.errno not in numbers:
            raise
        # The name that the error gives is that of the temporary file.
        raise MlindexError(f"{path} can't be written: {explained(error, named=False)}") from error


def _scratch(beside: Path) -> Path:
    # Variables in it are those of the node: $TMPDIR there is a job's own folder on many clusters.
    wanted = Path(os.path.expandvars(os.environ.get("MLINDEX_SCRATCH", "")))
    return wanted if wanted.is_absolute() and wanted.is_dir() else beside


def _move(temporary: Path, path: Path) -> None:
    # A rename is atomic only within a filesystem: what comes from another is first copied beside.
    if temporary.stat().st_dev == path.parent.stat().st_dev:
        _replace(temporary, path)
        return
    beside = Path(tempfile.mkdtemp(dir=path.parent, **affixes(path)))
    try:
        copy = beside / path.name
        (shutil.copytree if temporary.is_dir() else shutil.copy)(temporary, copy)
        _replace(copy, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _replace(temporary: Path, path: Path) -> None:
    if not (temporary.is_dir() and path.exists()):
        temporary.replace(path)
        return
    # A folder can't be renamed to one that is there; half of the old one must never be seen.
    aside = Path(tempfile.mkdtemp(dir=path.parent, **affixes(path)))
    try:
        old = path.replace(aside / path.name)
        try:
            temporary.replace(path)
        except OSError:
            old.replace(path)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
