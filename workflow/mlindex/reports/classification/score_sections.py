"""The sections on how right the learners are, and on what a random split flatters."""

from __future__ import annotations

import pandas as pd

from mlindex.classification.summary import (
    CALCULATED,
    MEASURED,
    class_counts,
    of_lists,
    paired,
    part_scores,
)
from mlindex.reports.classification.inputs import ClassifierData, LevelTables, learner_title
from mlindex.reports.classification.pieces import by_level, p_value, percent
from mlindex.reports.html import note, table

_KEPT = {
    "structure_type": "structure types",
    "composition_family": "composition families",
    "entry_id": "entries alone (random)",
}


def scores_section(data: ClassifierData) -> str:
    """All learners on the test part, and the chosen one against each other one."""
    lead = (
        f"All learners on the same test part, whole {data.settings.split.replace('_', ' ')}s of "
        "which nothing was fitted to or chosen by. Shares in per cent with 95 % intervals "
        "(Wilson); lists of one crystal are alike, so that for measured lists the true intervals "
        "are somewhat wider. A probability of 0 for the true class counts as 708 nat in the "
        "log-loss."
    )
    return by_level(data, lambda level: _scores(data, level), lead)


def _scores(data: ClassifierData, level: LevelTables) -> str:
    frame = level.on(data.settings.split)
    body = ""
    for kind in (CALCULATED, MEASURED):
        rows = frame[frame["lists"] == kind]
        tests = of_lists(level.tests, kind)
        if rows.empty or tests.empty:
            body += note(f"No {kind} list is in the test part.")
            continue
        body += note(f"{kind.capitalize()} lists: {rows['count'].iloc[0]:,}.")
        body += table(score_table(rows, paired(tests, level.chosen)))
        body += _by_chance(tests) + _parts(data, level, kind)
    return body + note(
        "Only it, only the other: crystals of the test part of which one list is right by the "
        "chosen learner alone, or by the other alone; p is how often chance alone would make them "
        "so unequal (McNemar 1947, exact)."
    )


def score_table(rows: pd.DataFrame, against: pd.DataFrame) -> pd.DataFrame:
    """A row for each learner: its scores, and the paired comparison with the chosen one."""
    pairs = against.set_index("learner")
    found = []
    for row in rows.sort_values("accuracy", kind="stable").itertuples():
        pair = pairs.loc[row.learner] if row.learner in pairs.index else None
        found.append(
            {
                "learner": learner_title(row.learner) + (" (chosen)" if row.chosen else ""),
                "right": percent(row.accuracy, row.accuracy_low, row.accuracy_high),
                "among first 3": f"{100 * row.top_3:.1f}",
                "among first 5": f"{100 * row.top_5:.1f}",
                "macro F1": f"{row.macro_f1:.3f}",
                "weighted F1": f"{row.weighted_f1:.3f}",
                "log-loss": f"{row.log_loss:.3f}",
                "only it": "" if pair is None else str(int(pair["only_chosen"])),
                "only the other": "" if pair is None else str(int(pair["only_other"])),
                "p": "" if pair is None else p_value(pair["p"]),
            }
        )
    return pd.DataFrame(found)


def _by_chance(tests: pd.DataFrame) -> str:
    """What drawing classes by their share would give: the mean share of the true ones."""
    drawn = tests.loc[tests["learner"] == "frequency", "true_probability"]
    if drawn.empty:
        return ""
    return note(
        f"Who draws classes at random, as often as each is in training, is right for "
        f"{100 * drawn.mean():.1f} %."
    )


def _parts(data: ClassifierData, level: LevelTables, kind: str) -> str:
    counts = class_counts(data.examples, level.level)
    found = part_scores(of_lists(level.own, kind), counts, level.level)
    shown = pd.DataFrame(
        {
            "chosen learner on": found["part"],
            "classes": found["classes"],
            "lists": found["lists"],
            "right": [percent(r.right, r.low, r.high) for r in found.itertuples()],
            "mean recall": found["recall"].map("{:.3f}".format),
            "mean F1": found["f1"].map("{:.3f}".format),
        }
    )
    return table(shown)


def splits_section(data: ClassifierData) -> str:
    """The chosen learner on the three splits."""
    lead = (
        "The chosen learner, trained and tested again on other splits of the same lists, with the "
        "same parameters. A random split has crystals of one structure type on both sides where a "
        "type comes more than once, as in databases: what it adds is memory, not knowledge. A "
        "structure type is a space group, an anonymous "
        "formula and a number of atoms a lattice point; a composition family a set of elements but "
        "hydrogen. Per cent right with 95 % intervals."
    )
    return by_level(data, _splits, lead)


def _splits(level: LevelTables) -> str:
    own = level.scores[level.scores["learner"] == level.chosen]
    rows, right = [], {}
    for split, kept in _KEPT.items():
        row = {"kept apart": kept}
        for kind in (CALCULATED, MEASURED):
            found = own[(own["split"] == split) & (own["lists"] == kind)]
            for s in found.itertuples():
                right[split, kind] = s.accuracy
                row[kind] = percent(s.accuracy, s.accuracy_low, s.accuracy_high)
                row[f"{kind}, macro F1"] = f"{s.macro_f1:.3f}"
        rows.append(row)
    return table(pd.DataFrame(rows)) + "".join(_flattery(right, k) for k in (CALCULATED, MEASURED))


def _flattery(right: dict[tuple[str, str], float], kind: str) -> str:
    strict, random = right.get(("structure_type", kind)), right.get(("entry_id", kind))
    if strict is None or random is None:
        return ""
    return note(
        f"{kind.capitalize()} lists: against unseen structure types the random split changes the "
        f"share by {100 * (random - strict):+.1f} points."
    )
