"""Config of the measured samples to index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, Field, create_model

from mlindex.base.errors import MlindexError
from mlindex.base.section import Section, setting
from mlindex.indexing.options import About, Options, about, types

#: Nobody waits for a job of the workflow.
_DEFAULTS = {"time_limit_s": 300.0}
#: Names that keys had before.
_FORMER = {"lattices": "lattice_systems"}


class _File(Section):
    path: str = Field(description="The file.")

    def options(self) -> Options:
        """The options of indexing."""
        return Options(**{o.name: getattr(self, about(o).key) for o in fields(Options)})


def _checked(known: About, value: Any) -> Any:
    try:
        known.checked(value)
    except MlindexError as error:
        raise ValueError(str(error)) from None
    return value


def _settings() -> dict[str, Any]:
    """Type and setting of each option of indexing, by key."""
    found = {}
    for option in fields(Options):
        known = about(option)
        default = _DEFAULTS.get(known.key, option.default)
        help, alias = known.help, {}
        if known.key in _FORMER:
            help += f" Formerly `{_FORMER[known.key]}`."
            alias["validation_alias"] = AliasChoices(known.key, _FORMER[known.key])
        check: Callable[[Any], Any] = partial(_checked, known)
        kind = Annotated[types()[option.name], AfterValidator(check)]
        found[known.key] = kind, setting(default, help, known.unit, **alias)
    return found


Sample = create_model(
    "Sample",
    __base__=_File,
    __doc__="A measured peak list or a whole pattern, in any format of `mlindex formats`.",
    __module__=__name__,
    **_settings(),
)
