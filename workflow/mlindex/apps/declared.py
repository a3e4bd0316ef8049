"""Every table of the package: those of the modules named ``tables``, one or none in each folder."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlindex.base.schema import Table

_PACKAGE = Path(__file__).parents[1]


def declared() -> list[Table]:
    """Every declared table, folder by folder in the order of declaration."""
    from mlindex.base.schema import Table

    found = sorted(path.relative_to(_PACKAGE).parent.parts for path in _PACKAGE.rglob("tables.py"))
    modules = [importlib.import_module(".".join(("mlindex", *parts, "tables"))) for parts in found]
    return [v for module in modules for v in vars(module).values() if isinstance(v, Table)]
