"""Every kind of learner, by name.

Modules are imported by their names, when they are asked for: predicting loads no scikit-learn or
Keras, and a stage that fits one kind does not rerun when another changes. The code that such a
stage depends on is that of its script and of :func:`fitting_file`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mlindex.base.errors import MlindexError
from mlindex.base.extras import needing
from mlindex.base.imports import PACKAGE
from mlindex.learning.learners.contract import Classifier, Kind

_HERE = "mlindex.learning.learners"
#: Kinds by name: the class that predicts, and the :class:`.contract.Kind` that fits.
KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "majority": ("shares:Shares", "fitting.baselines:MAJORITY"),
        "frequency": ("shares:Shares", "fitting.baselines:FREQUENCY"),
        "logistic": ("logistic:Logistic", "fitting.logistic:KIND"),
        "neighbours": ("neighbours:Neighbours", "fitting.neighbours:KIND"),
        "extra_trees": ("forest:Forest", "fitting.extra_trees:KIND"),
        "boosting": ("boosted:Boosted", "fitting.boosting:KIND"),
        "convolution": ("convolution:ConvolutionalNetwork", "fitting.convolution:KIND"),
    }
)


def learner_of(name: str) -> type[Classifier]:
    """The class that predicts, of a kind; nothing that fits is loaded.

    Raises:
        MlindexError: there is no such kind.
    """
    return _found(_places(name)[0])


def kind_of(name: str) -> Kind:
    """A kind, with what fits it.

    Raises:
        MlindexError: there is no such kind, or what it needs is not installed.
    """
    place = _places(name)[1]
    with needing(f"fitting the learner {name!r}"):
        return _found(place)


def fitting_file(name: str) -> Path:
    """The file of the module that fits a kind, whose :func:`mlindex.base.imports.code_digest` is
    what a fit depends on.

    Raises:
        MlindexError: there is no such kind.
    """
    return PACKAGE.file(f"{_HERE}.{_places(name)[1].partition(':')[0]}")


def _places(name: str) -> tuple[str, str]:
    if name not in KINDS:
        raise MlindexError(f"no learner {name!r}; there are {', '.join(KINDS)}")
    return KINDS[name]


def _found(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(import_module(f"{_HERE}.{module}"), attribute)
