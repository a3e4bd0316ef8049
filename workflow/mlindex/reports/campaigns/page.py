"""The page of a campaign: what came out, what to do next, and whether to trust it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlindex import __version__
from mlindex.campaigns.campaign import Campaign
from mlindex.campaigns.diagnosis import Diagnosis, diagnosed
from mlindex.campaigns.experiments import FAILED, MEASURED, OPEN, Experiment, expectation
from mlindex.campaigns.methods import DEFAULT
from mlindex.campaigns.objectives import complete, front, level_numbers, level_of, sign_of
from mlindex.campaigns.planning import Plan, known_of
from mlindex.campaigns.space.axes import Number
from mlindex.campaigns.space.settings import Objective
from mlindex.reports import html
from mlindex.reports.campaigns import figures
from mlindex.reports.campaigns.figures import axis_title, number
from mlindex.reports.campaigns.ternary import triangle
from mlindex.reports.result.markup import cards, facts, grid

#: Parts of a mixture that is shown as a triangle.
_CORNERS = 3
#: Rows of tables; all are in the files beside the page.
_BEST_ROWS, _MOST_ROWS = 10, 400
#: A model that orders what it hasn't seen no better than this is little better than chance: what
#: chance alone reaches in one of twenty with a hundred rows.
_LEAST_CORRELATION = 0.2
_STYLE = """
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 10px;
margin: 16px 0; } .card { border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px; }
.card span { display: block; color: var(--soft); font-size: 12px; }
.card b { font-size: 17px; font-weight: 600; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 8px 0; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.grid th, .grid td { text-align: right; } .grid th.text, .grid td.text { text-align: left; }
.grid td { font-variant-numeric: tabular-nums; white-space: nowrap; }
.grid td.text { white-space: normal; } .grid td.text:last-child { min-width: 220px; }
"""


@dataclass(frozen=True)
class _Data:
    """What the sections show: ``done`` are experiments that were carried out, in order;
    ``diagnoses`` are by objective."""

    campaign: Campaign
    done: tuple[Experiment, ...]
    waiting: tuple[Experiment, ...]
    diagnoses: Mapping[str, Diagnosis | None]
    next: Plan

    def title(self, name: str) -> str:
        """Title of an axis for an objective."""
        return axis_title(name, self.campaign.space.document.objectives[name].unit)

    def heading(self, name: str) -> str:
        """A heading for what concerns one of several objectives."""
        return html.heading(name) if len(self.diagnoses) > 1 else ""

    def score(self, name: str, value: float) -> str:
        """A score as its levels call it."""
        return level_of(self.campaign.space.document.objectives[name], value)


def page(campaign: Campaign) -> str:
    """The page of a campaign as HTML that loads nothing from elsewhere."""
    experiments = campaign.experiments
    data = _Data(
        campaign,
        tuple(one for one in experiments if one.status in (MEASURED, FAILED)),
        tuple(one for one in experiments if one.status in OPEN),
        {name: diagnosed(campaign.space, experiments, name) for name in campaign.objectives},
        campaign.plan(),
    )
    mixtures = _mixtures(data)
    sections = [
        ("Best so far", _best(data)),
        ("What to do next", _next(data)),
        *((("Mixtures", mixtures),) if mixtures else ()),
        ("What the model relies on", _reliance(data)),
        ("How right its predictions are", _calibration(data)),
        ("Rounds", _rounds(data)),
        ("All experiments", _all(data)),
        ("The space", _space(data)),
    ]
    name = campaign.space.document.name or "Campaign"
    lead = f"{len(data.done)} experiments carried out. By mlindex {__version__}."
    return html.page(name, lead, sections, _top(data), _STYLE)


def _top(data: _Data) -> str:
    campaign = data.campaign
    best, name = campaign.best, campaign.objectives[0]
    failed = sum(one.status == FAILED for one in data.done)
    chance = "" if data.next.better is None else f"{data.next.better:.2g}"
    target = campaign.space.document.stop.target
    regret = "" if target is None or best is None else number(abs(target - best.scores[name]))
    unit = campaign.space.document.cost.unit
    shown = cards(
        [
            (f"best {name}", "" if best is None else data.score(name, best.scores[name])),
            ("of", "" if best is None else best.id),
            ("short of the target by", regret),
            ("rounds", str(campaign.rounds)),
            ("measured", str(len(data.done) - failed)),
            ("failed", str(failed) if failed else ""),
            ("waiting", str(len(data.waiting)) if data.waiting else ""),
            ("cost", f"{campaign.cost:g} {unit}".strip()),
            ("chance that the next round is better", chance),
        ]
    )
    reasons = campaign.reasons_to_stop(data.next)
    return shown + "".join(html.warning(f"Stop: {reason}.") for reason in reasons)


def _best(data: _Data) -> str:
    campaign, document = data.campaign, data.campaign.space.document
    scored = [one for one in data.done if complete(one.scores, campaign.objectives)]
    if not scored:
        return html.note("Nothing is measured yet.")
    body = ""
    for name, given in document.objectives.items():
        larger = given.direction == "maximize"
        figure = figures.progress(data.done, name, axis_title(name, given.unit), larger)
        figure.y_axis(1).update(_ticks(data, name))
        body += html.figure(figure)
    known = known_of(campaign.space, campaign.experiments)
    unbeaten: set[str] = set()
    if len(document.objectives) > 1:
        kept = front(document, known.values)
        unbeaten = {known.ids[n] for n in np.flatnonzero(kept)}
        figure = figures.front(
            known.values, kept, known.ids, [data.title(n) for n in data.diagnoses]
        )
        for name, axis in zip(data.diagnoses, (figure.x_axis(1), figure.y_axis(1)), strict=False):
            axis.update(_ticks(data, name))
        body += html.heading("Conditions that no other one beats in all objectives")
        body += html.figure(figure)
    name = campaign.objectives[0]
    sign = sign_of(document.objectives[name])
    first = sorted(scored, key=lambda one: (one.id not in unbeaten, -sign * one.scores[name]))
    return body + _table(data, first[:_BEST_ROWS], ("round", "scores"))


def _mixtures(data: _Data) -> str:
    """A triangle for each mixture of three and each objective; nothing without any."""
    body = ""
    for mixture in data.campaign.space.document.mixtures:
        if len(mixture.of) != _CORNERS:
            continue
        for name in data.campaign.objectives:
            scored = [one for one in data.done if name in one.scores]
            scores = np.array([one.scores[name] for one in scored])
            both = (_parts(mixture.of, ones) for ones in (scored, data.waiting))
            parts, waiting = (amounts[amounts.sum(axis=1) > 0] for amounts in both)
            if len(parts) and len(parts) == len(scored):
                ids = [one.id for one in scored]
                low = sign_of(data.campaign.space.document.objectives[name]) < 0
                figure = triangle(mixture.of, parts, scores, ids, data.title(name), waiting, low)
                body += data.heading(name) + html.figure(figure)
    return body


def _parts(names: Sequence[str], ones: Sequence[Experiment]) -> np.ndarray:
    """Amounts (n, 3) of the parts of a mixture."""
    found = [[float(one.values[name]) for name in names] for one in ones]
    return np.array(found).reshape(-1, len(names))


def _ticks(data: _Data, name: str) -> dict[str, list]:
    """What has the names of the levels of an ordinal score on its axis."""
    levels = level_numbers(data.campaign.space.document.objectives[name])
    return {"tickvals": list(levels.values()), "ticktext": list(levels)} if levels else {}


def _next(data: _Data) -> str:
    if data.waiting:
        waiting = sorted(data.waiting, key=lambda one: -(one.round or 0))[:_MOST_ROWS]
        lead = f"{len(data.waiting)} proposals wait for a result: proposals.csv beside this page."
        return html.note(lead) + _table(data, waiting, ("round", *_promises(waiting)))
    if not data.next.rows:
        return html.note("Nothing is left: all that is allowed is measured, failed or excluded.")
    rows = [Experiment(r["id"], r["replicate"], "", r["values"], expected=r["expected"],
                       error=r["error"], better=r["better"], each=r.get("each", {}), why=r["why"])
            for r in data.next.rows]  # fmt: skip
    folder = data.campaign.folder.path if data.campaign.folder else "FOLDER"
    lead = f"The next round would be this; 'mlindex campaign propose {folder}' makes it so."
    return html.note(lead) + _table(data, rows, _promises(rows))


def _promises(rows: Sequence[Experiment]) -> tuple[str, ...]:
    """Columns that say why experiments are proposed; those that are empty are left out."""
    said = {
        "expected": [one.expected for one in rows],
        "each": [one.each or None for one in rows],
        "better": [one.better for one in rows],
    }
    return *(part for part, values in said.items() if any(v is not None for v in values)), "why"


def _reliance(data: _Data) -> str:
    if not any(data.diagnoses.values()):
        return html.note(_no_model(data))
    body = html.note(
        "How much the expected scores change where the values of one quantity are shuffled among "
        "the measured conditions; 0: the model doesn't use it. What hardly varied so far can't "
        "have been learnt."
    )
    for name, diagnosis in data.diagnoses.items():
        body += data.heading(name)
        body += html.note(_no_model(data)) if diagnosis is None else _relied(data, name, diagnosis)
    return body


def _relied(data: _Data, objective: str, diagnosis: Diagnosis) -> str:
    body = html.figure(figures.reliance(diagnosis.reliance))
    if diagnosis.lines:
        body += html.heading("Along each quantity, all others as in the best condition")
        body += html.note("The band is the standard deviation of what is expected.")
    axes = {axis.name: axis for axis in data.campaign.space.axes}
    for line in diagnosis.lines:
        axis = axes[line.name]
        logarithmic = isinstance(axis, Number) and axis.logarithmic
        title = axis_title(axis.name, axis.unit)
        body += html.figure(figures.along(line, title, data.title(objective), logarithmic))
    return body


def _no_model(data: _Data) -> str:
    least = max(data.campaign.space.document.start.least, 4)
    return (
        f"There are too few results yet (a model needs {least} that are not all the same), or the "
        "method has none."
    )


def _calibration(data: _Data) -> str:
    body = ""
    for name, diagnosis in data.diagnoses.items():
        if diagnosis is not None:
            body += data.heading(name) + _held_out(diagnosis, data.title(name))
    return (body or html.note(_no_model(data))) + _kept_promises(data)


def _held_out(diagnosis: Diagnosis, title: str) -> str:
    held = diagnosis.held_out
    lead = (
        f"{len(held.scores)} conditions, each predicted without having been seen. Their order is "
        f"predicted with a rank correlation of {held.rank_correlation:.2f}; of the variance "
        f"{100 * max(held.explained, 0):.0f} % is. {100 * held.within(1):.0f} % are within one "
        f"error (68 % should be), {100 * held.within(2):.0f} % within two (95 %)."
    )
    trusted = held.rank_correlation > _LEAST_CORRELATION
    verdict = "" if trusted else html.warning(
        "The model predicts next to nothing yet: its proposals are little better than chance."
    )  # fmt: skip
    return html.note(lead) + verdict + html.figure(figures.calibration(held, title))


def _kept_promises(data: _Data) -> str:
    name = data.campaign.objectives[0]
    guessed = ((one, one.each.get(name, (one.expected, one.error))) for one in data.done)
    judged = [
        abs(one.scores[name] - expected) / error
        for one, (expected, error) in guessed
        if expected is not None and error and name in one.scores
    ]
    if not judged:
        return ""
    off = np.array(judged)
    of = f" by {name}" if len(data.campaign.objectives) > 1 else ""
    return html.note(
        f"Of {len(judged)} proposals that were measured since, {100 * np.mean(off <= 1):.0f} % "
        f"came out within one error of what was expected{of} when they were proposed, "
        f"{100 * np.mean(off <= 2):.0f} % within two. What is chosen for being expected to be good "
        "comes out worse than expected on average."
    )


def _rounds(data: _Data) -> str:
    campaign, name = data.campaign, data.campaign.objectives[0]
    given = campaign.space.document.objectives[name]
    larger, top = given.direction == "maximize", _top_level(given)
    rows = []
    for label, ones in _by_round(campaign.experiments):
        scores = [one.scores[name] for one in ones if one.status == MEASURED]
        best = data.score(name, (max if larger else min)(scores)) if scores else ""
        counts = [sum(one.status == s for one in ones) for s in (MEASURED, FAILED)]
        waiting = sum(one.status in OPEN for one in ones)
        numbers = map(str, (len(ones), *counts, waiting))
        hits = [] if top is None else [str(scores.count(top[1]))]
        rows.append([label, *numbers, *hits, best])
    heads = ["<round", "experiments", "measured", "failed", "waiting"]
    heads += [*([] if top is None else [top[0]]), f"best {name}"]
    return grid(heads, rows) + html.note(_repeats(campaign))


def _top_level(given: Objective) -> tuple[str, float] | None:
    """The best level of an ordinal score, by name and number."""
    levels = level_numbers(given)
    best = max if given.direction == "maximize" else min
    return best(levels.items(), key=lambda item: item[1]) if levels else None


def _repeats(campaign: Campaign) -> str:
    """How many conditions are never proposed again, and whether any was."""
    planned = {one.id: one.planned for one in campaign.experiments if one.planned is not None}
    space = campaign.space
    codes = np.array([space.codes(values) for values in planned.values()])
    repeats = len(codes) - len(set(space.keys(codes))) if len(codes) else 0
    conditions = len({one.id for one in campaign.experiments})
    return (
        f"{conditions} conditions are measured, waiting, failed or excluded: none of them is "
        f"proposed again. Of {len(codes)} conditions that were proposed {repeats or 'none'} "
        "repeated an earlier one."
    )


def _by_round(experiments: Sequence[Experiment]) -> Iterator[tuple[str, list[Experiment]]]:
    numbers = sorted({one.round for one in experiments if one.round is not None})
    for n in numbers:
        yield str(n), [one for one in experiments if one.round == n]
    own = [one for one in experiments if one.round is None]
    if own:
        yield "your own", own


def _all(data: _Data) -> str:
    shown = data.campaign.experiments[:_MOST_ROWS]
    more = len(data.campaign.experiments) - len(shown)
    title = f"{len(shown)} experiments" + (f"; {more} more in experiments.csv" if more else "")
    return html.fold(title, _table(data, shown, ("status", "round", "scores", "said", "note")))


def _table(data: _Data, rows: Sequence[Experiment], more: Sequence[str]) -> str:
    """Experiments with their values, and what else is asked for."""
    space, objectives = data.campaign.space, data.campaign.objectives
    heads = ["<experiment", *(n if isinstance(a, Number) else f"<{n}"
                              for n, a in zip(space.names, space.axes, strict=True))]  # fmt: skip
    columns = {
        "status": ["<status"],
        "round": ["round"],
        "scores": list(objectives),
        "expected": ["expected"],
        "each": [f"expected {name}" for name in objectives],
        "better": ["chance of being better"],
        "why": ["<why"],
        "said": ["<said by", "<when"],
        "note": ["<note"],
    }
    for part in more:
        heads += columns[part]
    return grid(heads, [[*_cells(data, one), *_more(data, one, more)] for one in rows])


def _cells(data: _Data, one: Experiment) -> Iterator[str]:
    yield one.id if one.replicate == 1 else f"{one.id} ({one.replicate})"
    for axis in data.campaign.space.axes:
        value = one.values[axis.name]
        text = number(value) if isinstance(value, float) else str(value)
        known = axis.texts and axis.texts[int(axis.code(value))]
        yield f"{text}: {known}" if known else text


def _more(data: _Data, one: Experiment, more: Sequence[str]) -> Iterator[str]:
    cells = {
        "status": [one.status],
        "round": ["" if one.round is None else str(one.round)],
        "scores": [data.score(name, one.scores[name]) if name in one.scores else ""
                   for name in data.campaign.objectives],
        "expected": [expectation(one.expected, one.error)],
        "each": [expectation(*one.each.get(name, (None, None)))
                 for name in data.campaign.objectives],
        "better": [number(one.better)],
        "why": [one.why or ""],
        "said": [one.said_by or "", (one.said_at or "")[:16].replace("T", " ")],
        "note": [one.note or ""],
    }  # fmt: skip
    for part in more:
        yield from cells[part]


def _space(data: _Data) -> str:
    space, document = data.campaign.space, data.campaign.space.document
    size = "too many to count" if space.size > 1e15 else f"{space.size:,.0f}"
    rules = [one.text for one in (*space.sums, *space.rules)]
    wanted = [f"{o.direction} {n}" for n, o in document.objectives.items()]
    pairs = [
        *((axis.name, _axis_text(axis)) for axis in space.axes),
        ("constraints", "; ".join(rules) or "none"),
        ("combinations", size),
        ("wanted", ", ".join(wanted)),
        ("method", document.method or f"{DEFAULT} (the one for all tables)"),
        ("seed", str(document.seed)),
    ]
    return facts(pairs)


def _axis_text(axis: object) -> str:
    if not isinstance(axis, Number):
        names = axis.names
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        return shown + (f"; {axis.columns} descriptors" if axis.described is not None else "")
    unit = f" {axis.unit}" if axis.unit else ""
    if axis.levels is not None:
        return ", ".join(f"{v:g}" for v in axis.levels) + unit
    log = ", logarithmic" if axis.logarithmic else ""
    return f"{axis.low:g} to {axis.high:g}{unit}{log}"
