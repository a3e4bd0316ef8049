"""The page on space groups from stacks: the three questions of the SMC 2019 challenge."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from mlindex.cbed.card import covered
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.reports.cbed import examples_section
from mlindex.reports.cbed.inputs import CbedData, group_name, point_groups
from mlindex.reports.classification.learning_section import learning_part
from mlindex.reports.classification.pieces import drawn, percent, share_of
from mlindex.reports.classification.studies.imbalance_section import imbalance_part
from mlindex.reports.classification.studies.pieces import columns, means, measures_table
from mlindex.reports.colours import BLUE
from mlindex.reports.html import fold, heading, note, page, table

_LEVELS = {
    "space_group": "space group",
    "point_group": "point group",
    "crystal_system": "crystal system",
}
_STYLE = "section > .scroll td { white-space: nowrap; }"
#: Confusions that are shown, and figures of the owners of the challenge's data beside ours.
_CONFUSIONS = 15
_PEERS = (
    "On the challenge's own files (not these crystals): its owners 57 %, macro F1 0.43; Pan 2020 "
    "60.8 %, first five 77.0 %; the largest class 7.9 %, chance 0.43 %."
)
_OUTPUTS = {
    "alone": "space group alone",
    "crystal_system": "with the crystal system",
    "point_group": "with the point group",
    "lattice": "with the lattice constants",
    "elements": "with the number of elements",
    "all": "with all of these",
}


def build_page(data: CbedData) -> str:
    """The whole page as HTML that loads nothing from elsewhere."""
    sections = [
        ("In short", _short(data)),
        ("Crystals and stacks", _crystals(data)),
        ("Question 1: the classifier", _classifier(data)),
        ("Question 2: imbalance", _imbalance(data)),
        ("Question 3: further outputs", _outputs(data)),
        *_learning(data),
        ("Stacks, their symmetries, and answers", examples_section.examples_section(data)),
        ("Left out", _left_out(data)),
    ]
    lead = (
        "The space group of a crystal from three convergent-beam patterns, as in the data "
        "challenge of SMC 2019. All stacks are our own simulations, or those of the folder that "
        "the config names; all figures are of crystals of the test part."
    )
    style = _STYLE + examples_section.STYLE
    return page("Space groups from stacks of patterns", lead, sections, style=style)


def _short(data: CbedData) -> str:
    body = note(covered(data.parts))
    if data.scores.empty:
        return body + note("No model was trained, for want of crystals.")
    said = []
    for level, title in _LEVELS.items():
        one = data.chosen.loc[level]
        share = percent(one["accuracy"], one["accuracy_low"], one["accuracy_high"])
        said.append(f"{title} {share} %")
    best = data.chosen.iloc[0]
    text = (
        f"Right for unseen structure types: {', '.join(said)} (95 % intervals, of "
        f"{best['crystals']} crystals); the first five space groups hold the true one for "
        f"{100 * data.chosen.loc['space_group', 'top_5']:.1f} %. The learner is "
        f"{str(best['learner']).replace('_', ' ')}."
    )
    return body + note(text) + note(_PEERS)


def _crystals(data: CbedData) -> str:
    stacks = data.stacks
    if stacks.empty:
        return note("There are no stacks.")
    counts = stacks.drop_duplicates("entry_id")["spacegroup_number"].value_counts()
    largest, number = counts.index[0], int(counts.sum())
    body = note(
        f"{len(stacks):,} stacks of {number:,} crystals, of {len(counts)} space groups; the "
        f"largest class, {group_name(int(largest))}, has {100 * counts.iloc[0] / number:.1f} % of "
        f"them, {int((counts < 10).sum())} groups have fewer than 10 crystals. Source: "
        f"{data.settings.source}."
    )
    fig = go.Figure()
    fig.add_bar(x=list(range(1, len(counts) + 1)), y=counts.tolist(), marker_color=BLUE)
    fig.update_xaxes(title="space groups by size").update_yaxes(title="crystals")
    body += drawn(fig, 300)
    parts = data.parts.groupby("part").agg(crystals=("stacks", "size"), stacks=("stacks", "sum"))
    unit = data.settings.split.replace("_", " ")
    return body + note(f"No {unit} stands in two of these parts.") + table(parts.reset_index())


def _classifier(data: CbedData) -> str:
    if data.scores.empty:
        return note("No model was trained.")
    body = note(
        "All learners on the same stacks of the test part; shares in per cent with the intervals "
        "(Wilson, 95 %) of as many answers as crystals, for stacks of one crystal are alike. "
        "Answers at all levels are sums over one probability of space groups. majority: the "
        "largest class of the training part; frequency: its shares; random: any."
    )
    for level, title in _LEVELS.items():
        rows = data.scores[data.scores["level"] == level]
        body += heading(title.capitalize()) + table(_scores(rows))
    body += heading("By point group") + fold("Recall", table(_by_point_group(data)))
    return body + heading("What is taken for what") + table(_confusions(data.tests))


def _scores(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "learner": [
                f"{one.learner.replace('_', ' ')}{' (chosen)' if one.chosen else ''}"
                for one in rows.itertuples()
            ],
            "right (%)": [
                percent(one.accuracy, one.accuracy_low, one.accuracy_high)
                for one in rows.itertuples()
            ],
            "first five (%)": [f"{100 * value:.1f}" for value in rows["top_5"]],
            "macro F1": [f"{value:.3f}" for value in rows["macro_f1"]],
            "log-loss (nat)": [f"{value:.2f}" for value in rows["log_loss"]],
            "calibration error": [f"{value:.3f}" for value in rows["calibration_error"]],
            "stacks": rows["stacks"].tolist(),
            "crystals": rows["crystals"].tolist(),
        }
    )


def _by_point_group(data: CbedData) -> pd.DataFrame:
    tests = data.tests
    true, given = (point_groups(tests[name]) for name in ("true_group", "predicted_group"))
    rows = []
    for name in classes_of("point_group").names:
        own = true == name
        if own.any():
            group = (tests["true_group"] == tests["predicted_group"])[own]
            right = {"point group right (%)": share_of(int((given == true)[own].sum()), own.sum())}
            exact = {"space group right (%)": share_of(int(group.sum()), own.sum())}
            rows.append({"point group": name, "stacks": int(own.sum()), **right, **exact})
    return pd.DataFrame(rows)


def _confusions(tests: pd.DataFrame) -> pd.DataFrame:
    wrong = tests[tests["true_group"] != tests["predicted_group"]]
    pairs = wrong.groupby(["true_group", "predicted_group"]).size().sort_values(ascending=False)
    rows = [
        {"true": group_name(true), "answer": group_name(given), "stacks": int(count)}
        for (true, given), count in pairs.head(_CONFUSIONS).items()
    ]
    return pd.DataFrame(rows)


def _imbalance(data: CbedData) -> str:
    frame = data.studies.get("imbalance")
    if frame is None or frame.empty:
        return note(
            "Not looked at: `cbed.studies` does not name it, or there were too few crystals."
        )
    lead = note(
        "Every strategy of source 003, at equal data, by the study of the classifiers of powder "
        "patterns; each level by itself."
    )
    return lead + "".join(
        heading(_LEVELS.get(str(level), str(level)).capitalize()) + imbalance_part(own)
        for level, own in frame.groupby("level", sort=False)
    )


def _outputs(data: CbedData) -> str:
    frame = data.studies.get("multitask")
    if frame is None or frame.empty:
        return note(
            "Not looked at: `cbed.studies` does not name it, or there were too few crystals."
        )
    body = note(
        "Trees grown to the space group alone, and to further outputs with it; the space group is "
        "asked. Means over the seeds, intervals of 95 % over test crystals; gains over the group "
        "alone are paired, in points."
    )
    body += table(measures_table(means(frame, "test"), _OUTPUTS, columns("gain over it alone")))
    errors = frame[frame["metric"] == "axis_error"]
    said = "; ".join(f"{_OUTPUTS[r.variant]} {100 * r.value:.1f} %" for r in errors.itertuples())
    return body + note(f"Median relative error of the axes of the Niggli cell: {said}.")


def _learning(data: CbedData) -> list[tuple[str, str]]:
    if data.learning is None:
        return []
    lead = note(
        "Stacks are dear: does it pay to choose the crystals that are simulated next? At the level "
        "of point groups; each line is the mean of repeats that begin with the same crystals."
    )
    return [("Which crystals to simulate next", lead + learning_part(*data.learning))]


def _left_out(data: CbedData) -> str:
    if data.rejects.empty:
        return note("Nothing was left out.")
    reasons = data.rejects.groupby("reason").agg(
        rows=("reason", "size"), first=("entry_id", "first"), seen=("seen", "first")
    )
    ordered = reasons.sort_values("rows", ascending=False).reset_index()
    return note(f"{len(data.rejects):,} crystals, stacks or files.") + table(ordered)
