"""Features whose packages come with an extra of the installation: what is missing is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mlindex.base.errors import MlindexError


@contextmanager
def needing(feature: str, extra: str = "workflow") -> Iterator[None]:
    """Raise MlindexError with the command that installs the extra if an import in it fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "mlindex"):
            raise
        raise MlindexError(
            f"{feature} needs {package}, which is not installed: run pip install "
            f'"mlindex[{extra}]", or in a clone pip install -e ".[{extra}]"'
        ) from error
