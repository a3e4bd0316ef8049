"""Sections of the page for the studies that were made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd

from mlindex.reports.classification.inputs import ClassifierData, level_title
from mlindex.reports.classification.studies.bias_variance_section import bias_variance_part
from mlindex.reports.classification.studies.imbalance_section import imbalance_part
from mlindex.reports.classification.studies.multitask_section import multitask_part
from mlindex.reports.classification.studies.peers_section import peers_part
from mlindex.reports.html import heading, note

#: Heading of each study, and what shows its rows at one level.
SECTIONS: Mapping[str, tuple[str, Callable[[pd.DataFrame], str]]] = MappingProxyType(
    {
        "imbalance": ("Imbalance", imbalance_part),
        "peers": ("Recipes of others", peers_part),
        "bias_variance": ("Bias and variance", bias_variance_part),
        "multitask": ("Further outputs of the network", multitask_part),
    }
)


def study_sections(data: ClassifierData) -> list[tuple[str, str]]:
    """A section for each study: heading and body."""
    return [(SECTIONS[name][0], _section(name, frame)) for name, frame in data.studies.items()]


def _section(name: str, frame: pd.DataFrame) -> str:
    if frame.empty:
        return note("There were too few lists for this study.")
    return "".join(
        heading(level_title(str(level))) + SECTIONS[name][1](own)
        for level, own in frame.groupby("level", sort=False)
    )
