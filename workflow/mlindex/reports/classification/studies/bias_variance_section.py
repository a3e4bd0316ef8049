"""The section on bias and variance."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from mlindex.reports.classification.inputs import learner_title
from mlindex.reports.classification.pieces import drawn, percent
from mlindex.reports.classification.studies.pieces import error_bars
from mlindex.reports.colours import SERIES
from mlindex.reports.html import note, table

_TRAINING, _VALIDATION = "training", "validation"
_DASHES = {_TRAINING: "dot", _VALIDATION: "solid"}
_AXES = {"accuracy": "right (%)", "log_loss": "log-loss (nat)"}


def bias_variance_part(frame: pd.DataFrame) -> str:
    """Learning curves, what they say, and each way of regularization."""
    means = frame[frame["seed"] == 0]
    held_back = means["variant"].str.contains(":")
    curves = means[~held_back]
    body = note(
        "Training (dotted) and validation (whole) against the number of lists; validation is on "
        "structure types that were not fitted to. Where both meet, more lists don't help: the "
        "learner is too simple (bias). Where they stay apart, it follows its lists too closely "
        "(variance), and more lists or more regularization help."
    )
    body += "".join(drawn(_curves(curves, metric), 360) for metric in _AXES)
    body += "".join(note(_said(str(name), own)) for name, own in curves.groupby("variant"))
    whole = means[held_back | (means["rows"] == means["rows"].max())]
    body += note("Regularization, all lists, from hardly to strongly; the defaults first.")
    return body + table(_regularized(whole))


def _curves(curves: pd.DataFrame, metric: str) -> go.Figure:
    fig = go.Figure()
    scale = 100 if metric == "accuracy" else 1
    for colour, (name, own) in zip(SERIES, curves.groupby("variant", sort=False), strict=False):
        for part, dash in _DASHES.items():
            rows = own[(own["part"] == part) & (own["metric"] == metric)].sort_values("rows")
            bars = error_bars([row for _, row in rows.iterrows()]) if part == _VALIDATION else {}
            for key in ("array", "arrayminus"):
                bars |= {key: [scale / 100 * v for v in bars[key]]} if bars else {}
            fig.add_scatter(
                x=rows["rows"].tolist(),
                y=(scale * rows["value"]).tolist(),
                mode="lines+markers",
                name=f"{learner_title(str(name))}, {part}",
                line={"color": colour, "dash": dash},
                error_y=bars or None,
            )
    fig.update_xaxes(title="lists", type="log")
    return fig.update_yaxes(title=_AXES[metric]).update_layout(showlegend=True)


def _said(name: str, own: pd.DataFrame) -> str:
    """The gap between training and validation, and what twice the lists gave last."""
    accuracy = own[own["metric"] == "accuracy"].pivot(index="rows", columns="part", values="value")
    accuracy = 100 * accuracy.sort_index()
    last = accuracy.iloc[-1]
    text = (
        f"{learner_title(name)}: with {accuracy.index[-1]:,} lists training is right for "
        f"{last[_TRAINING]:.1f} %, validation for {last[_VALIDATION]:.1f} %"
    )
    if len(accuracy) > 1:
        before = accuracy.iloc[-2]
        text += (
            f"; the last step from {accuracy.index[-2]:,} lists gave "
            f"{last[_VALIDATION] - before[_VALIDATION]:+.1f} points"
        )
    return f"{text}."


def _regularized(rows: pd.DataFrame) -> pd.DataFrame:
    found = []
    for name, own in rows.groupby("variant", sort=False):
        at = {(r.part, r.metric): r for r in own.itertuples()}
        right = at[_VALIDATION, "accuracy"]
        kind, _, given = str(name).partition(": ")
        found.append(
            {
                "learner": learner_title(kind),
                "parameters": given or "defaults",
                "right, training": f"{100 * at[_TRAINING, 'accuracy'].value:.1f}",
                "right, validation": percent(right.value, right.low, right.high),
                "log-loss, training": f"{at[_TRAINING, 'log_loss'].value:.3f}",
                "log-loss, validation": f"{at[_VALIDATION, 'log_loss'].value:.3f}",
            }
        )
    return pd.DataFrame(found)
