"""What every section of the config has in common."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

#: The largest count in the config: above any that is of use, below what planning takes for ever.
MOST = 10_000_000


class Section(BaseModel):
    """A section of the config: frozen, every field with default, unit and description."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @classmethod
    def key(cls) -> str:
        """Name of the section in the config file."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


def setting(default: Any, description: str, unit: str = "", **bounds: Any) -> Any:
    """A field of a section: its default, what it means, its unit, and pydantic's bounds.

    A count without an upper bound of its own gets :data:`MOST`.
    """
    if type(default) is int and not {"lt", "le"} & bounds.keys():
        bounds["le"] = MOST
    keyword = "default_factory" if callable(default) else "default"
    return Field(
        **{keyword: default}, description=description, json_schema_extra={"unit": unit}, **bounds
    )
