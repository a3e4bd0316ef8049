"""Data files that lie in the package, beside the module that reads them."""

from __future__ import annotations

from pathlib import Path


def packaged(module_file: str, name: str) -> Path:
    """The path of a data file of the package.

    Called where a module is defined, with its ``__file__`` and the name written out, it declares
    that the module depends on the file: :mod:`mlindex.base.imports` reads the call from the
    source, and what imports the module is stale once the file has changed.

    Args:
        module_file: ``__file__`` of the module that reads it.
        name: path of the file from the module's folder, as a literal string.
    """
    return Path(module_file).parent / name
