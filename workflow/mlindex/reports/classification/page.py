"""The page on the classifiers of symmetry: are they doing anything useful?"""

from __future__ import annotations

from mlindex.reports.classification import confusion_section, mistakes_section
from mlindex.reports.classification.against_search_section import against_search_section
from mlindex.reports.classification.calibration_section import calibration_section
from mlindex.reports.classification.data_section import data_section
from mlindex.reports.classification.explanation_section import (
    importance_section,
    occlusion_section,
)
from mlindex.reports.classification.inputs import ClassifierData, level_title
from mlindex.reports.classification.learning_section import learning_section
from mlindex.reports.classification.score_sections import scores_section, splits_section
from mlindex.reports.classification.search_section import search_section
from mlindex.reports.classification.studies.sections import study_sections
from mlindex.reports.classification.summary_section import answer, left_out
from mlindex.reports.html import page

#: Shares with their intervals stay in one line.
_STYLE = "section > .scroll td { white-space: nowrap; }"


def build_page(data: ClassifierData) -> str:
    """The whole page as HTML that loads nothing from elsewhere."""
    sections = [
        ("In short", answer(data)),
        ("Data", data_section(data)),
        ("How right", scores_section(data)),
        ("What a random split flatters", splits_section(data)),
        ("Search of parameters", search_section(data)),
        ("What it goes by", importance_section(data)),
        ("Without one line", occlusion_section(data)),
        ("Confusions", confusion_section.confusion_section(data)),
        ("Calibration and abstention", calibration_section(data)),
        ("Wrong and sure", mistakes_section.mistakes_section(data)),
        ("Against a search for the cell", against_search_section(data)),
        *study_sections(data),
        *learning_section(data),
        ("Left out", left_out(data)),
    ]
    levels = ", ".join(level_title(level) for level in data.levels)
    lead = (
        f"Levels: {levels}. A classifier names the symmetry from the lines of a powder pattern, "
        "without its cell. Is it doing anything useful? All figures are of crystals of the test "
        "part."
    )
    style = _STYLE + confusion_section.STYLE + mistakes_section.STYLE
    return page("Classifiers of symmetry", lead, sections, style=style)
