"""Folders of stacks as sources; reads no file, and needs no h5py."""

from __future__ import annotations

import re
from pathlib import Path

from mlindex.base.errors import MlindexError

#: Sources of crystals that are no folder of stacks.
GENERATED, SOURCES = "generated", "sources"
_SUFFIXES = (".h5", ".hdf5")
_NO_NAME = re.compile(r"[^A-Za-z0-9_.-]")


def stack_files(folder: str | Path) -> dict[str, str]:
    """Paths of the HDF5 files in a folder, by the name that each gives to its job.

    Raises:
        MlindexError: there is no such folder, no such file in it, or two would have one name.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise MlindexError(
            f"cbed.source: {str(folder)!r} is neither {GENERATED!r} nor {SOURCES!r}, and no "
            "folder; give one of these, or the path of a folder with HDF5 files of stacks"
        )
    paths = sorted(p for p in root.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file())
    if not paths:
        raise MlindexError(f"cbed.source: no file in {root} ends with {' or '.join(_SUFFIXES)}")
    found: dict[str, str] = {}
    for path in paths:
        name = _NO_NAME.sub("_", path.stem)
        if name in found:
            raise MlindexError(
                f"cbed.source: {path.name} and {Path(found[name]).name} would have one name, "
                f"{name}; rename one"
            )
        found[name] = str(path)
    return found
