"""Named arrays in a file: npz without pickles, byte for byte the same whenever the arrays are."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mlindex.base.atomic import atomic_path
from mlindex.base.errors import MlindexError

_UNREADABLE = (
    OSError,
    ValueError,
    zipfile.BadZipFile,
    AttributeError,
    EOFError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
)
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def write_arrays(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as npz, atomically; the same arrays always give the same bytes."""
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(arrays):
            member = zipfile.ZipInfo(f"{name}.npy", _ZIP_DATE)
            with archive.open(member, "w", force_zip64=True) as stream:
                array = np.asarray(arrays[name], order="C")
                np.lib.format.write_array(stream, array, allow_pickle=False)


class Arrays(dict):
    """Named arrays of a file; asking for one that it lacks is an error that names the file."""

    def __init__(self, path: str | Path, arrays: Mapping[str, np.ndarray]):
        super().__init__(arrays)
        self.path = path

    def __missing__(self, name: str) -> np.ndarray:
        raise MlindexError(f"{self.path}: no array {name!r}; remove it and train again")


def source_of(arrays: Mapping[str, np.ndarray]) -> str:
    """The file that arrays were read from, for messages."""
    return str(getattr(arrays, "path", "arrays"))


def read_arrays(path: str | Path) -> Arrays:
    """The arrays that :func:`write_arrays` wrote.

    Raises:
        MlindexError: the file is missing, not npz, or holds anything but plain arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            # What is not compressed can't unfold into more than the file is long.
            if any(m.compress_type != zipfile.ZIP_STORED for m in archive.zip.infolist()):
                raise ValueError("it is compressed, which mlindex never does")
            return Arrays(path, {name: archive[name] for name in archive.files})
    except _UNREADABLE as error:
        raise MlindexError(
            f"{path}: not readable as model weights ({error}); remove it and train again"
        ) from error
