"""What was found out about contents, kept between processes beside the compiled modules."""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlindex.base.errors import MlindexError

#: More contents than a package has files, many times over: of old versions, then.
_MOST = 5000


class Remembered:
    """A mapping from contents to values that JSON can hold, as far as a file could keep it.

    Contents are known by their digest, never by their date. The values are those of one version of
    the module that finds them out, and of one version of Python. The file lies in the module's
    ``__pycache__``; where that can't be written, every process begins anew.
    """

    def __init__(self, module: Path, name: str) -> None:
        """Values that a module finds out.

        Args:
            module: its file.
            name: of the file that keeps them.
        """
        self._module = module
        self._file = module.parent / "__pycache__" / f"{name}.{sys.implementation.cache_tag}.json"
        self._values: dict[str, Any] | None = None
        self._salt = b""
        self._new = False

    def get(self, content: bytes) -> Any | None:
        """The value of a content; None if it isn't known."""
        return self._loaded().get(self._key(content))

    def put(self, content: bytes, value: Any) -> None:
        """Remember a value; :meth:`keep` writes it."""
        self._loaded()[self._key(content)] = value
        self._new = True

    def keep(self) -> None:
        """Write what is new, if it can be written."""
        if not self._new:
            return
        from mlindex.base.atomic import atomic_path

        self._new = False
        values = self._loaded()
        kept = dict(list(values.items())[-_MOST:])
        with suppress(MlindexError, OSError):
            self._file.parent.mkdir(exist_ok=True)
            with atomic_path(self._file) as path:
                path.write_text(json.dumps(kept), encoding="utf-8")

    def _loaded(self) -> dict[str, Any]:
        if self._values is None:
            self._salt = hashlib.sha256(self._module.read_bytes()).digest()
            self._values = {}
            with suppress(OSError, ValueError):
                read = json.loads(self._file.read_text(encoding="utf-8"))
                self._values = read if isinstance(read, dict) else {}
        return self._values

    def _key(self, content: bytes) -> str:
        return hashlib.sha256(self._salt + content).hexdigest()
