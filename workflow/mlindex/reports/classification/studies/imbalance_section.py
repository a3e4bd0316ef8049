"""The section on imbalance: what helps rare classes, and what it costs."""

from __future__ import annotations

import pandas as pd

from mlindex.classification.summary import FEW, HEAD, MANY, MIDDLE, TAIL
from mlindex.reports.classification.pieces import drawn
from mlindex.reports.classification.studies.pieces import gains, means, measures_table, value
from mlindex.reports.html import fold, good, note, table, warning

#: What source 003 and the plan ask for, in points: this much recall of rare classes for so much of
#: the accuracy.
_WANTED, _ALLOWED = 5.0, 1.0
_TITLES = {
    "plain": "plain",
    "loss_weights": "loss weights",
    "under": "under-sampling",
    "over": "over-sampling",
    "mixed": "mixed (source 003)",
    "source": "equal shares at the source",
    "half": "half natural, half equal shares",
    "ensemble": "ensemble of balanced subsets",
    "pairs": "weighted classifiers of pairs (source 003)",
    "logits": "logit adjustment to equal shares",
    "logits_fitted": "logit adjustment, strength fitted",
    "loss_weights_fitted": "loss weights, prior fitted",
    "ensemble_fitted": "ensemble, prior fitted",
    "source_prior": "equal source, natural prior",
    "source_fitted": "equal source, prior fitted",
    "half_fitted": "half and half, prior fitted",
}
_COLUMNS = {
    "accuracy": "right",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "head_recall": "recall head",
    "middle_recall": "recall middle",
    "tail_recall": "recall tail",
    "accuracy_gain": "right, gain",
    "tail_recall_gain": "recall tail, gain",
}
_GAINS = {"accuracy_gain": "right", "macro_f1_gain": "macro F1", "tail_recall_gain": "recall tail"}
_PARTS = {
    "natural": "Natural shares: each class counts as often as it is met among known structures",
    "balanced": "Balanced: each class counts alike",
}


def imbalance_part(frame: pd.DataFrame) -> str:
    """Every strategy on the same lists, at natural and at equal shares."""
    body = note(
        "Each strategy learns from the same crystals, drawn with the shares of known structures "
        "(equal shares at the source: as many crystals, each class alike). Intervals are of 95 % "
        "over test crystals, means over the seeds; gains are those over plain training, in points, "
        "paired. Recall of a part is the mean over its classes."
    )
    body += note(_sizes(frame)) + _verdict(frame)
    for part, title in _PARTS.items():
        rows = means(frame, part)
        body += note(f"{title}.") + table(measures_table(rows, _TITLES, _COLUMNS))
        body += drawn(gains(rows, _TITLES, _GAINS), 480)
    return body + fold("All classes, natural shares", table(_classes(frame)))


def _sizes(frame: pd.DataFrame) -> str:
    sizes = frame[frame["metric"] == "crystals"].groupby("part").size()
    counts = ", ".join(f"{name} {int(sizes.get(name, 0))}" for name in (HEAD, MIDDLE, TAIL))
    return (
        f"Classes by their crystals to learn from, more than {MANY} (head), fewer than {FEW} "
        f"(tail) or between: {counts}."
    )


def _verdict(frame: pd.DataFrame) -> str:
    """Whether a strategy reaches the goal, and which does best."""
    rows = means(frame, "natural")
    found = []
    for name in dict.fromkeys(rows["variant"]):
        rare, cost = (value(rows, name, f"{m}_gain") for m in ("tail_recall", "accuracy"))
        if rare is not None and cost is not None:
            found.append((100 * rare["value"], 100 * cost["value"], _TITLES.get(name, name)))
    goal = f"The goal is {_WANTED:g} points of recall of the tail for at most {_ALLOWED:g} of right"
    reached = [one for one in found if one[0] >= _WANTED and one[1] >= -_ALLOWED]
    if reached:
        rare, cost, name = max(reached)
        return good(f"{goal}: {name} gives {rare:+.1f} for {cost:+.1f}.")
    cheap = [one for one in found if one[1] >= -_ALLOWED]
    if not cheap:
        return warning(f"{goal}: every strategy costs more.")
    rare, cost, name = max(cheap)
    return warning(
        f"{goal}: none reaches it; the nearest, {name}, gives {rare:+.1f} for {cost:+.1f}."
    )


def _classes(frame: pd.DataFrame) -> pd.DataFrame:
    """F1 of every class by every variant, the largest classes first."""
    crystals = frame[frame["metric"] == "crystals"].set_index("class")["value"].astype(int)
    own = frame[(frame["metric"] == "f1") & (frame["part"] == "natural")]
    wide = own.pivot(index="class", columns="variant", values="value")
    wide = wide[[name for name in _TITLES if name in wide]].rename(columns=_TITLES)
    wide.insert(0, "crystals", crystals.reindex(wide.index))
    return wide.sort_values("crystals", ascending=False, kind="stable").reset_index()
