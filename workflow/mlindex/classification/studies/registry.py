"""Every study by name.

Modules are imported by their names, when they are asked for: a study does not run again when
another one changes. The code that it depends on is that of its script and of :func:`study_file`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from mlindex.base.errors import MlindexError
from mlindex.base.extras import needing
from mlindex.base.imports import PACKAGE
from mlindex.classification.parts import lacking
from mlindex.classification.settings import ClassifierStudies
from mlindex.classification.studies.judge import Row
from mlindex.classification.studies.subject import Subject
from mlindex.classification.tables import CLASSIFIER_STUDIES

_HERE = "mlindex.classification.studies"


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


def study_file(name: str) -> Path:
    """The file of its module, whose :func:`mlindex.base.imports.code_digest` it depends on."""
    return PACKAGE.file(f"{_HERE}.{study_of(name).module}")


def kinds_in(name: str, settings: ClassifierStudies) -> list[str]:
    """The kinds of learners that a study fits, by name."""
    study = study_of(name)
    given = getattr(settings, study.learners) if study.learners else ()
    return sorted({*study.kinds, *((given,) if isinstance(given, str) else given)})


def carried_out(name: str, subject: Subject) -> pd.DataFrame:
    """Rows of CLASSIFIER_STUDIES; none at a level at which nothing can be learnt.

    Args:
        name: of the study.
        subject: what it is given; its level is any.
    """
    study = study_of(name)
    with needing(f"the study {name!r}"):
        carry_out: Callable[[Subject], Iterator[Row]] = import_module(
            f"{_HERE}.{study.module}"
        ).study
    rows = []
    for level in getattr(subject.settings, study.levels):
        if not lacking(subject.examples, level):
            rows += [(name, level, *row) for row in carry_out(subject.at(level))]
    if not rows:
        return CLASSIFIER_STUDIES.empty()
    return pd.DataFrame(rows, columns=CLASSIFIER_STUDIES.names)
