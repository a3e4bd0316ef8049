"""The tables of the workflow, declared once: a module for each part of the data flow."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlindex.base.schema import Table


def declared() -> list[Table]:
    """Every declared table, module by module in the order of declaration."""
    from mlindex.base.schema import Table

    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [v for module in modules for v in vars(module).values() if isinstance(v, Table)]
