"""Every study by name: what the rules know of it, without any of its code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from mlindex.base.errors import MlindexError
from mlindex.base.imports import PACKAGE
from mlindex.classification.settings import ClassifierStudies

_HERE = "mlindex.classification.studies."


class Study(NamedTuple):
    """A study: its module, the settings that name its levels and learners, whether it needs cells.

    ``kinds`` are learners that it fits whatever the settings say.
    """

    module: str
    levels: str
    learners: str = ""
    kinds: tuple[str, ...] = ()
    cells: bool = False


STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        "imbalance": Study("imbalance", "imbalance_levels", "imbalance_learner"),
        "peers": Study("peers", "peers_levels", "peers_learner", ("extra_trees", "boosting")),
        "bias_variance": Study("bias_variance", "curve_levels", "curve_learners"),
        "multitask": Study("multitask", "multitask_levels", kinds=("convolution",), cells=True),
    }
)


def study_of(name: str) -> Study:
    """A study.

    Raises:
        MlindexError: there is none of that name.
    """
    if name not in STUDIES:
        raise MlindexError(f"no study {name!r}; there are {', '.join(STUDIES)}")
    return STUDIES[name]


def module_of(name: str) -> str:
    """The name of the module that carries a study out."""
    return _HERE + study_of(name).module


def study_file(name: str) -> Path:
    """The file of its module, whose :func:`mlindex.base.imports.code_digest` it depends on."""
    return PACKAGE.file(module_of(name))


def kinds_in(name: str, settings: ClassifierStudies) -> list[str]:
    """The kinds of learners that a study fits, by name."""
    study = study_of(name)
    given = getattr(settings, study.learners) if study.learners else ()
    return sorted({*study.kinds, *((given,) if isinstance(given, str) else given)})
