"""The section on confusions: which classes are taken for which others."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd

from mlindex.classification.kinship import OF_GROUPS, kinship
from mlindex.classification.summary import class_scores, confusions, is_right, relation
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.reports.classification.inputs import ClassifierData, LevelTables
from mlindex.reports.classification.lattice_graph import lattice_graph
from mlindex.reports.classification.pieces import apart, by_level, share_of
from mlindex.reports.html import fold, note, table

#: The level whose confusions are drawn, and said in terms of sub- and supergroups.
_DRAWN = "bravais"
_MOST_FREQUENT = 15
#: From this share of a row on, text on the colour has to be white.
_DARK = 0.55
STYLE = """
table.confusion td { text-align: center; padding: 2px 4px; min-width: 40px; line-height: 1.2; }
table.confusion td small { display: block; font-size: 10px; opacity: 0.8; }
table.confusion td.related { outline: 2px solid #e8590c; outline-offset: -2px; }
table.confusion th { text-align: center; } table.confusion .scale { border: 0; }
"""


def confusion_section(data: ClassifierData) -> str:
    """Matrix and scores of the Bravais lattices; the most frequent confusions elsewhere."""
    lead = (
        "The chosen learner on the test part, calculated and measured lists together. Precision: "
        "the share of right answers among those that name the class. Recall: the share of the "
        "lists of the class that are named so."
    )
    return by_level(data, lambda level: _confusions(data, level), lead)


def _confusions(data: ClassifierData, level: LevelTables) -> str:
    body = (_lattices(level) if level.level == _DRAWN else "") + _kin(data, level)
    scores = class_scores(level.own, level.level).rename(columns={"count": "lists"})
    shown = scores.assign(
        **{name: scores[name].map("{:.3f}".format) for name in ("precision", "recall", "f1")}
    ).rename(columns={"f1": "F1"})
    most = frequent(level.own, level.level)
    body += fold(
        "Precision, recall and F1 of each class",
        table(apart(shown, level.level, "class")),
        level.level == _DRAWN,
    )
    if most.empty:
        return body + note("No list was confused.")
    title = f"The {len(most)} most frequent confusions"
    return body + fold(
        title, table(apart(most, level.level, "true", "given")), level.level != _DRAWN
    )


def frequent(tests: pd.DataFrame, level: str) -> pd.DataFrame:
    """The most frequent confusions: true and given class, lists, their share of the true class."""
    counts, names = confusions(tests, level), classes_of(level).names
    wrong = counts - np.diag(np.diag(counts))
    true, given = np.nonzero(wrong)
    order = np.lexsort((given, true, -wrong[true, given]))[:_MOST_FREQUENT]
    rows = [
        {
            "true": names[t],
            "given": names[g],
            "lists": int(wrong[t, g]),
            "% of the true class": f"{100 * wrong[t, g] / counts[t].sum():.1f}",
            **({"relation": relation(names[t], names[g])} if level == _DRAWN else {}),
        }
        for t, g in zip(true[order].tolist(), given[order].tolist(), strict=True)
    ]
    return pd.DataFrame(rows)


def related(data: ClassifierData, level: LevelTables) -> pd.DataFrame:
    """Wrong answers by how they stand to the true symmetry: lists, their share, what chance gives.

    The relation is that of Bravais lattices, or of space groups below them.
    """
    entries = data.examples.drop_duplicates("entry_id").set_index("entry_id")
    found = kinship(level.own, level.level, entries["spacegroup_number"])
    wrong = found["lists"].sum()
    return pd.DataFrame(
        {
            "given, against the true one": found["relation"],
            "lists": found["lists"],
            "% of the wrong ones": [share_of(int(n), wrong) for n in found["lists"]],
            "by chance (%)": (100 * found["chance"] / wrong).map("{:.1f}".format),
        }
    )


def _lattices(level: LevelTables) -> str:
    text = note(
        "Rows are true lattices, columns given ones: number of lists, and per cent of the row. "
        "Framed: one of the two is a special case of the other (its holohedry is a "
        "translationengleiche subgroup of the other's), so that a cell that nearly has more "
        "symmetry, or a line too few, makes the one look like the other."
    )
    counts = confusions(level.own, _DRAWN)
    return text + _matrix(counts) + lattice_graph(counts)


def _kin(data: ClassifierData, level: LevelTables) -> str:
    """Wrong answers as sub- and supergroups, for levels of which these are known."""
    if level.level not in (_DRAWN, *OF_GROUPS) or is_right(level.own).all():
        return ""
    what = "lattice" if level.level == _DRAWN else "space group"
    return note(
        f"Wrong answers by how they stand to the true {what} on the graph of translationengleiche "
        "subgroups (International Tables for Crystallography A1). By chance: the same if the wrong "
        "classes were drawn at random, each as often as the learner gives it."
    ) + table(related(data, level))


def _matrix(counts: np.ndarray) -> str:
    names = classes_of(_DRAWN).names
    met = [i for i in range(len(names)) if counts[i].any() or counts[:, i].any()]
    head = "".join(f"<th>{escape(names[i])}</th>" for i in met)
    rows = "".join(
        f"<tr><th>{escape(names[t])}</th>{''.join(_cell(counts, names, t, g) for g in met)}</tr>"
        for t in met
    )
    return (
        '<div class="scroll"><table class="confusion"><tr><th>true \\ given</th>'
        f"{head}</tr>{rows}</table></div>"
    )


def _cell(counts: np.ndarray, names: tuple[str, ...], true: int, given: int) -> str:
    count = int(counts[true, given])
    kind = relation(names[true], names[given])
    frame = ' class="related"' if "group" in kind else ""
    if not count:
        return f"<td{frame}></td>"
    share = count / counts[true].sum()
    ink = "; color: #fff" if share > _DARK else ""
    return (
        f'<td{frame} style="background: rgba(31, 111, 235, {share:.3f}){ink}">{count}'
        f"<small>{100 * share:.1f} %</small></td>"
    )
