"""The section on where a search for the cell is right and the classifier wrong, and the reverse."""

from __future__ import annotations

from html import escape

import pandas as pd

from mlindex.classification.paired import disagreements, mcnemar
from mlindex.classification.summary import CALCULATED, MEASURED, against_search, of_lists
from mlindex.reports.classification.inputs import ClassifierData
from mlindex.reports.classification.mistakes_section import sticks
from mlindex.reports.classification.pieces import p_value, share_of
from mlindex.reports.html import heading, note, table

_LEVEL = "bravais"
#: Lists of each kind that are drawn.
_SHOWN = 6
_HEAD = ("entry", "list", "true", "classifier", "probability", "search", "convincing", "lines")


def against_search_section(data: ClassifierData) -> str:
    """Both on the same lists: counts, a paired test, and lists that one alone has right."""
    level = data.levels.get(_LEVEL)
    if level is None or not level.trained or data.evidence.empty:
        return note(
            "Nothing was searched. With classifiers.compared_with_search in the config the cells "
            "of crystals of the test part are searched for, and both compared list by list."
        )
    both = against_search(level.own, data.evidence)
    if both.empty:
        return note("No list of the test part was searched.")
    lead = note(
        "The Bravais lattice by the classifier, and by the search for the cell (the lattice that "
        "its evidence makes most probable), on the same lists of the test part; neither was fitted "
        "to them. Convincing: the search calls its first cell so. p: how often chance alone would "
        "make the two so unequal (McNemar 1947, exact; one list of each crystal)."
    )
    body = lead + table(counts(both))
    for title, own in (
        ("The search is right, the classifier wrong", both["search_right"] & ~both["right"]),
        ("The classifier is right, the search wrong", both["right"] & ~both["search_right"]),
    ):
        body += heading(title) + _drawn(both[own], data.examples)
    return body


def counts(both: pd.DataFrame) -> pd.DataFrame:
    """How many lists both, one or none has right: calculated, measured, with a convincing cell."""
    parts = {kind: of_lists(both, kind) for kind in (CALCULATED, MEASURED)}
    parts["with a convincing cell"] = both[both["convincing"]]
    parts["without one"] = both[~both["convincing"]]
    rows = []
    for name, part in parts.items():
        if part.empty:
            continue
        own, other = part["right"].to_numpy(), part["search_right"].to_numpy()
        once = ~part["entry_id"].duplicated().to_numpy()
        rows.append(
            {
                "lists": name,
                "number": len(part),
                "classifier right": share_of(int(own.sum()), len(part)),
                "search right": share_of(int(other.sum()), len(part)),
                "only the classifier": int((own & ~other).sum()),
                "only the search": int((other & ~own).sum()),
                "neither": int((~own & ~other).sum()),
                "p": p_value(mcnemar(*disagreements(own[once], other[once]))),
            }
        )
    return pd.DataFrame(rows)


def _drawn(part: pd.DataFrame, examples: pd.DataFrame) -> str:
    """The first few lists of different crystals, the classifier's surest answers first."""
    if part.empty:
        return note("There is no such list.")
    order = part.sort_values(["probability", "entry_id"], ascending=[False, True])
    shown = order.drop_duplicates("entry_id").head(_SHOWN)
    lists = examples[["entry_id", "measurement", "q2_inv_A2", "intensity", "last_q2_inv_A2"]]
    shown = shown.merge(lists, on=["entry_id", "measurement"], how="left")
    head = "".join(f"<th>{name}</th>" for name in _HEAD)
    rows = "".join(map(_row, shown.itertuples()))
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'


def _row(row: object) -> str:
    kind = "as calculated" if row.measurement == 0 else f"measurement {row.measurement}"
    texts = (row.entry_id, kind, row.true_class, row.predicted_class, f"{row.probability:.3f}")
    cells = [escape(text) for text in (*texts, row.searched or "none found")]
    cells += ["yes" if row.convincing else ""]
    cells += [sticks(row.q2_inv_A2, row.intensity, row.last_q2_inv_A2)]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
