"""Whether files are still what they were when they were listed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mlindex.base.errors import MlindexError
from mlindex.base.provenance import UNREADABLE, file_digest
from mlindex.structures.cif import leads_outside


class Listed:
    """The files of a shard with the size and digest that its list gives them.

    Args:
        files: table FILES; of files without a digest nothing is asked.
        root: the folder that their paths start from.
        source_name: the source, for messages.
        most_bytes: larger files are not read to the end; of them only the size is compared.
    """

    def __init__(self, files: pd.DataFrame, root: Path, source_name: str, most_bytes: float):
        self._root, self._source_name, self._most_bytes = root, source_name, most_bytes
        columns = (files.get(name, ()) for name in ("path", "digest", "size_bytes"))
        self._seen = {
            path: (digest, size)
            for path, digest, size in zip(*columns, strict=False)
            if digest and not (digest.startswith(UNREADABLE) or leads_outside(path))
        }

    def is_changed(self, path: str) -> bool:
        """Whether a file is gone, or not as listed; to be asked after it was read."""
        if path not in self._seen:
            return False
        digest, size = self._seen[path]
        file = self._root / path
        try:
            if file.stat().st_size != size:
                return True
            return size <= self._most_bytes and file_digest(file) != digest
        except OSError:
            return True

    def require(self, changed: list[str]) -> None:
        """Raise MlindexError if files changed: they would be rejected, and never read again."""
        if not self._root.is_dir():
            raise MlindexError(
                f"source {self._source_name!r}: the folder {self._root} is gone; bring it back and "
                "start again"
            )
        if changed:
            others = f" and {len(changed) - 1} more" if changed[1:] else ""
            raise MlindexError(
                f"source {self._source_name!r}: {changed[0]!r}{others} below {self._root} changed "
                "or disappeared during the run; start again when nothing changes them any more"
            )
