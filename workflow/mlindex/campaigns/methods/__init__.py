"""The methods by name.

A method's module is imported when it is asked for: the light install has neither scipy nor
scikit-learn, and lacks only the methods that need them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mlindex.base.errors import MlindexError
from mlindex.campaigns.methods import chance, spread
from mlindex.campaigns.methods.contract import Method
from mlindex.campaigns.methods.options import DEFAULTS, Options


def _portfolio(options: Options) -> Method:
    from mlindex.campaigns.methods.portfolio import method

    return method(options)


def _active_search(options: Options) -> Method:
    from mlindex.campaigns.methods.active_search import method

    return method(options)


def _expected_improvement(options: Options) -> Method:
    from mlindex.campaigns.methods.expected_improvement import method

    return method(options)


def _upper_bound(options: Options) -> Method:
    from mlindex.campaigns.methods.upper_bound import method

    return method(options)


def _thompson(options: Options) -> Method:
    from mlindex.campaigns.methods.thompson import Thompson

    return Thompson(options)


def _uncertainty(options: Options) -> Method:
    from mlindex.campaigns.methods.uncertainty import method

    return method(options)


def _committee(options: Options) -> Method:
    from mlindex.campaigns.methods.committee import method

    return method(options)


def _local_maxima(options: Options) -> Method:
    from mlindex.campaigns.methods.local_maxima import LocalMaxima

    return LocalMaxima(options)


#: How each is made with its options.
METHODS: Mapping[str, Callable[[Options], Method]] = MappingProxyType(
    {
        "portfolio": _portfolio,
        "active_search": _active_search,
        "expected_improvement": _expected_improvement,
        "upper_bound": _upper_bound,
        "thompson": _thompson,
        "uncertainty": _uncertainty,
        "committee": _committee,
        "diversity": spread.Diversity,
        "local_maxima": _local_maxima,
        "random": chance.Random,
        "latin_hypercube": spread.latin_hypercube,
        "sobol": spread.sobol,
    }
)
#: The one for every table.
DEFAULT = "portfolio"


def method(name: str = DEFAULT, options: Options = DEFAULTS) -> Method:
    """A method.

    Raises:
        MlindexError: there is none of that name, or what it needs is not installed.
    """
    if name not in METHODS:
        raise MlindexError(f"no method {name!r}; there are {', '.join(METHODS)}")
    return METHODS[name](options)
