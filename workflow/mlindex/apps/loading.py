"""Commands load what does their work when they run, so that ``mlindex --help`` loads none of it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from mlindex.base.extras import needing


def loaded(command: str, extra: str, load: Callable[[], ModuleType]) -> ModuleType:
    """The module that does the work of a command.

    Args:
        command: as people type it.
        extra: of the installation, with the packages that the module needs.
        load: imports the module.

    Raises:
        MlindexError: a package that it needs is not installed.
    """
    with needing(command, extra):
        return load()
