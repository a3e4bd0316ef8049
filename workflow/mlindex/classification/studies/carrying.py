"""Carrying a study out.

Its module is imported by its name: a study does not run again when another one changes. The code
that it depends on is that of its script and of its module, see ``study_file``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

import pandas as pd

from mlindex.base.extras import needing
from mlindex.classification.studies.judge import Row
from mlindex.classification.studies.registry import module_of, study_of
from mlindex.classification.studies.subject import Subject
from mlindex.classification.tables import CLASSIFIER_STUDIES
from mlindex.learning.parts import lacking


def carried_out(name: str, subject: Subject) -> pd.DataFrame:
    """Rows of CLASSIFIER_STUDIES; none at a level at which nothing can be learnt.

    Args:
        name: of the study.
        subject: what it is given; its level is any.
    """
    study = study_of(name)
    with needing(f"the study {name!r}"):
        carry_out: Callable[[Subject], Iterator[Row]] = import_module(module_of(name)).study
    rows = []
    for level in getattr(subject.settings, study.levels):
        if not lacking(subject.examples, level):
            rows += [(name, level, *row) for row in carry_out(subject.at(level))]
    if not rows:
        return CLASSIFIER_STUDIES.empty()
    return pd.DataFrame(rows, columns=CLASSIFIER_STUDIES.names)
