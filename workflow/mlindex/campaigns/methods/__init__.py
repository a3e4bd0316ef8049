"""The methods by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mlindex.base.errors import MlindexError
from mlindex.campaigns.methods.chance import Random
from mlindex.campaigns.methods.contract import Method
from mlindex.campaigns.methods.options import DEFAULTS, Options

#: How each is made with its options.
METHODS: Mapping[str, Callable[[Options], Method]] = MappingProxyType({"random": Random})
#: The one for every table.
DEFAULT = "random"


def method(name: str = DEFAULT, options: Options = DEFAULTS) -> Method:
    """A method.

    Raises:
        MlindexError: there is none of that name.
    """
    if name not in METHODS:
        raise MlindexError(f"no method {name!r}; there are {', '.join(METHODS)}")
    return METHODS[name](options)
