"""What the commands below ``mlindex campaign`` do."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from mlindex.apps.codes import FOUND, NONE_FOUND
from mlindex.apps.printing import on_stdout
from mlindex.apps.signals import handled, tidily
from mlindex.base.atomic import atomic_path
from mlindex.base.errors import MlindexError
from mlindex.base.names import printable, shown
from mlindex.base.schema import write_table
from mlindex.base.wrong import shortened, wrong
from mlindex.campaigns.campaign import Campaign
from mlindex.campaigns.experiments import OPEN, Experiment, expectation
from mlindex.campaigns.objectives import level_of
from mlindex.campaigns.reading import read_rows
from mlindex.campaigns.scoring import NONE, Scorers
from mlindex.campaigns.settings import Replay
from mlindex.campaigns.space.space import Space
from mlindex.campaigns.tables import REPLAY

#: Page of a campaign in its folder.
REPORT = "report.html"
#: Proposals that are shown; all are in the files.
_SHOWN = 12


def new(space: Path, out: Path, batch: int | None) -> int:
    """Begin a campaign, and propose its first experiments."""
    with handled(tidily):
        campaign = Campaign.new(space, out)
        asked = campaign.ask(batch)
    size = campaign.space.size
    if size > 1e15:
        _say("more combinations than can be counted")
    else:
        _say(_counted(int(size), "combination"))
    _show(campaign, asked)
    return FOUND


def propose(folder: Path, batch: int | None, anyway: bool) -> int:
    """Propose the next experiments, unless it is time to stop."""
    with handled(tidily):
        campaign = Campaign.open(folder)
        waiting = sum(one.status in OPEN for one in campaign.experiments)
        planned = campaign.plan(batch)
        reasons = campaign.reasons_to_stop(planned)
        for reason in reasons:
            _say(f"stop: {reason}")
        if reasons and not anyway:
            _say("nothing was proposed; --anyway goes on")
            return NONE_FOUND
        if not planned.rows:
            _say("nothing is left: all that is allowed is measured, planned, failed or excluded")
            return NONE_FOUND
        asked = campaign.accept(planned)
    if waiting:
        _say(f"{waiting} of earlier rounds wait for a result; they are taken into account")
    if planned.better is not None:
        _say(f"probability that one of these is better than the best so far: {planned.better:.2g}")
    _show(campaign, asked)
    return FOUND


def tell(folder: Path, results: Sequence[Path], replaces: bool, by: str | None) -> int:
    """Give results, one table after the other."""
    who = by or _user()
    campaign = Campaign.open(folder)
    for path in results:
        with handled(tidily):
            told = campaign.tell(path, replaces, who, scorers=_scorers(campaign))
        skipped = f", {told.skipped} without anything new" if told.skipped else ""
        _say(f"{shown(path)}: {_counted(told.count, 'result')}{skipped}")
        if told.ignored:
            _say(f"columns that say nothing here: {', '.join(told.ignored)}")
    best, objectives = campaign.best, campaign.space.document.objectives
    if best is not None:
        text = campaign.space.text(best.values)
        scores = ", ".join(f"{n} {level_of(o, best.scores[n])}" for n, o in objectives.items())
        by = f" by {campaign.objectives[0]}" if len(objectives) > 1 else ""
        _say(f"best so far{by}: {scores} at {text} ({best.id})")
    return FOUND


def report(folder: Path, out: Path | None) -> int:
    """Write the page of a campaign."""
    from mlindex.reports.campaigns.page import page

    path = out or folder / REPORT
    with handled(tidily):
        text = page(Campaign.open(folder))
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    _say(f"written: {shown(path)}")
    return FOUND


def replay_settings(**given: str | int) -> Replay:
    """Checked settings of replays.

    Raises:
        MlindexError: a number that can't be.
    """
    try:
        return Replay.model_validate(given)
    except ValidationError as error:
        problem = error.errors()[0]
        seen = shortened(problem["input"])
        raise MlindexError(f"--{problem['loc'][0]}: {wrong(problem)} (got {seen})") from None


def replay(
    path: Path,
    objective: str | None,
    minimized: bool,
    levels: Sequence[str],
    space_yaml: Path | None,
    settings: Replay,
    out: Path | None,
) -> int:
    """Replay a measured table, and say how much faster than random a method would have been."""
    from mlindex.campaigns.tabled import beside, pool_of, space_of, steps_of
    from mlindex.campaigns.tabled import replay as replayed

    rows = read_rows(path)
    given = space_yaml or (beside(path) if objective is None else None)
    if given is not None:
        space = Space.read(given)
    elif objective is not None:
        space = space_of(rows, objective, minimized, levels)
    else:
        raise MlindexError(f"which column of {shown(path)} is the score? Name it with --objective")
    pool = pool_of(space, rows)
    steps = steps_of(pool, settings)
    _say(f"{len(pool)} conditions, {steps} measured in each of {settings.seeds} replays")
    with handled(tidily):
        steps_rows, figures = replayed(space, pool, settings, space.document.seed, _progress)
        if out is not None:
            write_table(out, REPLAY, steps_rows)
            _say(f"written: {shown(out)}")
    on_stdout(lambda: _show_figures(figures))
    return FOUND


def _progress(numbers: Iterable[int]) -> Iterator[int]:
    """Numbers of replays, told on a terminal as they come."""
    for number in numbers:
        if sys.stderr.isatty():
            print(f"\rreplay {number + 1} ", end="", file=sys.stderr, flush=True)
        yield number


#: What the figures of a replay are, for people.
_FIGURES = {
    "enhancement": "the best 5 %, found over what random finds, at most",
    "acceleration_30": "faster than random until 30 % of them are found",
    "acceleration_50": "until 50 %",
    "acceleration_80": "until 80 %",
}


def _show_figures(figures: Sequence[dict]) -> None:
    print(f"method {figures[0]['method']}: times, with their 95 % intervals")
    for one in figures:
        value = "not reached" if one["value"] is None else f"{one['value']:.2f}"
        known = one["low"] is not None and one["value"] is not None
        interval = f" ({one['low']:.2f} to {one['high']:.2f})" if known else ""
        print(f"  {value}{interval}  {_FIGURES[one['figure']]}")


def _scorers(campaign: Campaign) -> Scorers:
    """What makes scores of files, where an objective asks for it: indexing takes its time to
    load."""
    if not any(one.score for one in campaign.space.document.objectives.values()):
        return NONE
    from mlindex.apps.campaign.scores import SCORERS

    return SCORERS


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _say(text: str) -> None:
    print(f"mlindex: {printable(text)}", file=sys.stderr)


def _show(campaign: Campaign, asked: Sequence[Experiment]) -> None:
    """The first proposals on standard output, and where all of them are."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    names = campaign.space.names
    objectives = campaign.objectives
    several = len(objectives) > 1
    promised = [f"expected {name}" for name in objectives] if several else ["expected"]
    for heading in ("id", *names, *promised):
        table.add_column(escape(heading), overflow="fold")
    conditions = [one for one in asked if one.replicate == 1]
    for one in conditions[:_SHOWN]:
        values = (f"{v:g}" if isinstance(v, float) else v for v in (one.values[n] for n in names))
        of_one = (one.expected, one.error)
        of_each = (one.each.get(name, (None, None)) for name in objectives)
        known = of_each if several else (of_one,)
        cells = (one.id, *values, *(expectation(*both) for both in known))
        table.add_row(*(escape(printable(cell)) for cell in cells))
    on_stdout(lambda: Console().print(table))
    folder = shown(campaign.folder.path)
    place = shown(campaign.folder.path / "proposals.csv")
    more = f", {len(conditions) - _SHOWN} more" if len(conditions) > _SHOWN else ""
    if len(conditions) < len(asked):
        more = f" of {_counted(len(conditions), 'condition')}{more}"
    if asked[0].expected is None and asked[0].better is None:
        _say(f"chosen as {asked[0].why}")
    _say(
        f"{_counted(len(asked), 'proposal')}{more} in {place}: fill in "
        f"{', '.join(campaign.objectives)} and give it back with 'mlindex campaign tell {folder} "
        f"{place}'"
    )
