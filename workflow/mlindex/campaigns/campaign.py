"""A campaign: ask what to measure next, tell what came out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from mlindex.base.errors import MlindexError
from mlindex.base.extras import needing
from mlindex.base.schema import Table
from mlindex.campaigns.experiments import (
    FAILED,
    MEASURED,
    OPEN,
    ROUND,
    TOLD,
    Event,
    Experiment,
    after,
)
from mlindex.campaigns.folder import EXPERIMENTS, PROPOSALS, SPACE, Folder, as_csv, tables_of
from mlindex.campaigns.planning import Plan, plan, require_plannable
from mlindex.campaigns.reading import read_rows
from mlindex.campaigns.scoring import NONE, Scorers, scored
from mlindex.campaigns.space.axes import Number
from mlindex.campaigns.space.document import read_document
from mlindex.campaigns.space.space import Space
from mlindex.campaigns.stopping import cost_of, reasons_to_stop
from mlindex.campaigns.tables import expectation_names
from mlindex.campaigns.tables import experiments as experiments_table
from mlindex.campaigns.tables import proposals as proposals_table
from mlindex.campaigns.telling import Telling, as_rows

#: Proposals of a round: more than any laboratory does at once.
MOST_PROPOSALS = 10_000


@dataclass(frozen=True)
class Told:
    """What came of results: how many are new, rows that said nothing new, columns unread."""

    count: int
    skipped: int
    ignored: tuple[str, ...]


class Campaign:
    """Experiments that are planned by what the earlier ones gave.

    A round is a function of what was measured before it, the space and the seed: asked again for
    the same, the same is proposed. What is measured, planned, failed or excluded is never proposed
    again. In a folder all is kept in files; without one, in memory.
    """

    def __init__(self, space: Space | Mapping[str, Any], folder: Folder | None = None):
        """Begin a campaign in memory, or go on with one in a folder.

        Args:
            space: a space, or what a space.yaml would say.
            folder: where files are kept.

        Raises:
            MlindexError: what is wrong in the space or in the folder.
        """
        self.space = space if isinstance(space, Space) else Space.from_dict(space)
        self.folder = folder
        self._events = [] if folder is None else folder.events()
        self._require_fitting()

    @classmethod
    def new(cls, space_yaml: str | Path, folder: str | Path) -> Campaign:
        """Begin a campaign in a new folder.

        Raises:
            MlindexError: what is wrong in the space, or a folder that is there and not empty.
        """
        path = Path(space_yaml)
        with needing("planning experiments", "campaigns"):
            document = read_document(path)
            tables_of(document)
            space = Space.of(document, path.parent, str(path))
            require_plannable(space)
        return cls(space, Folder.new(Path(folder), path, document))

    @classmethod
    def open(cls, folder: str | Path) -> Campaign:
        """Go on with the campaign in a folder.

        Raises:
            MlindexError: it holds none, or a file of it is damaged.
        """
        kept = Folder.at(Path(folder))
        with needing("planning experiments", "campaigns"):
            campaign = cls(Space.read(kept.path / SPACE), kept)
        campaign.refresh()
        return campaign

    @property
    def objectives(self) -> tuple[str, ...]:
        """Names of the objectives."""
        return tuple(self.space.document.objectives)

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """All experiments, in the order in which they came."""
        return tuple(self._known.values())

    @property
    def rounds(self) -> int:
        """Rounds that were proposed."""
        return sum(event.kind == ROUND for event in self._events)

    @property
    def cost(self) -> float:
        """Cost of all that was done."""
        done = (one for one in self.experiments if one.status in (MEASURED, FAILED))
        return sum(cost_of(self.space, one) for one in done)

    def ask(self, count: int | None = None) -> tuple[Experiment, ...]:
        """Propose what to measure next, at most so many; the batch of the space by default.

        Returns:
            The proposals, best first; none where nothing is left.

        Raises:
            MlindexError: a method that doesn't exist, or packages that are not installed.
        """
        return self.accept(self.plan(count))

    def plan(self, count: int | None = None) -> Plan:
        """What :meth:`ask` would propose, with what is expected of it; nothing is kept of it."""
        wanted = self.space.document.batch if count is None else count
        if not 1 <= wanted <= MOST_PROPOSALS:
            raise MlindexError(
                f"{wanted} experiments can't be proposed; ask for 1 to {MOST_PROPOSALS:,}"
            )
        # Threads of linear algebra wait for each other where other work runs: five times slower
        # on a busy machine, and nothing gained on an idle one.
        with needing("planning experiments", "campaigns"), threadpool_limits(1):
            return plan(self.space, self.experiments, self.rounds + 1, wanted)

    def reasons_to_stop(self, planned: Plan) -> tuple[str, ...]:
        """The rules of the space that say to end instead of doing what is planned."""
        best = self.best
        score = None if best is None else best.scores[self.objectives[0]]
        return reasons_to_stop(self.space, self.cost, score, planned.better, planned.gain_per_cost)

    def accept(self, planned: Plan) -> tuple[Experiment, ...]:
        """Take a plan as the next round."""
        if not planned.rows:
            return ()
        self._require_unedited()
        about = {
            "round": self.rounds + 1,
            "seed": self.space.document.seed,
            "method": planned.method,
            "space": self._digest,
        }
        self._add(Event(ROUND, about, planned.rows))
        known = self._known
        return tuple(known[row["id"], row["replicate"]] for row in planned.rows)

    def tell(
        self,
        results: str | Path | Iterable[Mapping[str, Any]],
        replaces: bool = False,
        said_by: str | None = None,
        timed: bool = True,
        scorers: Scorers = NONE,
    ) -> Told:
        """Give results: by id or by values, replicates, failures, experiments of one's own.

        Args:
            results: a table (CSV, Parquet), or a dictionary for each result: id, or a value for
                each quantity; the objectives; status (measured, failed, pending, excluded),
                replicate, cost and note where there is something to say.
            replaces: whether they may take the place of other results.
            said_by: who gives them.
            timed: whether to keep when; never where there is no folder.
            scorers: what makes scores of files, for objectives with a ``score``.

        Raises:
            MlindexError: what is wrong in them; nothing of them counts then.
        """
        path = Path(results) if isinstance(results, str | Path) else None
        self._require_unedited(path)
        rows = as_rows(results) if path is None else read_rows(path)
        files = Path() if path is None else path.parent
        objectives = self.space.document.objectives
        rows = scored(rows, files, objectives, scorers, self.experiments)
        telling = Telling(self.space, self._known, rows, replaces)
        new = telling.told()
        if new:
            moment = datetime.now(UTC) if timed and self.folder is not None else None
            about = {
                "said_by": said_by,
                "said_at": moment.isoformat(timespec="seconds") if moment else None,
            }
            self._add(Event(TOLD, about, tuple(new)))
        self.refresh(also_edited=True)
        return Told(len(new), telling.skipped, telling.ignored)

    @property
    def best(self) -> Experiment | None:
        """The best measured experiment by the first objective, replicates on their own."""
        name = self.objectives[0]
        sign = 1 if self.space.document.objectives[name].direction == "maximize" else -1
        done = [one for one in self.experiments if one.status == MEASURED and name in one.scores]
        return max(done, key=lambda one: sign * one.scores[name], default=None)

    def rows(self) -> list[dict[str, Any]]:
        """The table of experiments, a dictionary a row."""
        found = []
        for one in self.experiments:
            plain = {c: getattr(one, c) for c in experiments_table({}, ()).names}
            planned = {f"{n}_planned": v for n, v in (one.planned or {}).items()}
            found.append({**plain, "cost": cost_of(self.space, one), **one.values, **planned,
                          **one.scores, **self._each(one)})  # fmt: skip
        return found

    def proposals(self) -> list[dict[str, Any]]:
        """The table of proposals that are not done, the last round's first, a dictionary a row."""
        open_ones = [one for one in self.experiments if one.status in OPEN and one.planned]
        open_ones.sort(key=lambda one: -(one.round or 0))
        names = proposals_table({}, ()).names
        return [
            {**{n: getattr(one, n) for n in names}, **one.planned, **self._each(one)}
            for one in open_ones
        ]

    def _each(self, one: Experiment) -> dict[str, float]:
        """What is expected of each of several objectives, by the names of its columns."""
        names = expectation_names(self.objectives)
        return {
            column: value
            for name, both in one.each.items()
            for column, value in zip(names.get(name, ()), both, strict=False)
        }

    def refresh(self, also_edited: bool = False) -> None:
        """Write the tables of the folder again where a program was killed before it could.

        Args:
            also_edited: whether to write over what someone has filled in.
        """
        for name, table, rows in self._tables():
            edited = self.folder.edited(name, as_csv(table, rows))
            stale = self.folder.written_after(name) != len(self._events)
            if (stale and not edited) or (edited and also_edited):
                self.folder.write(name, table, rows, len(self._events))

    def _tables(self) -> Iterator[tuple[str, Table, list[dict[str, Any]]]]:
        """The tables of the folder, if there is one and something has happened."""
        if self.folder is None or not self._events:
            return
        numbers = {axis.name: isinstance(axis, Number) for axis in self.space.axes}
        for name, declared, rows in (
            (EXPERIMENTS, experiments_table, self.rows()),
            (PROPOSALS, proposals_table, self.proposals()),
        ):
            table = declared(numbers, self.objectives)
            yield name, table, [{n: row.get(n) for n in table.names} for row in rows]

    def _require_unedited(self, told: Path | None = None) -> None:
        """Raise MlindexError where a table, but that which is told, was filled in by someone: it
        would be written over."""
        for name, table, rows in self._tables():
            path = self.folder.path / f"{name}.csv"
            is_told = told is not None and told.exists() and path.exists() and told.samefile(path)
            if not is_told and self.folder.edited(name, as_csv(table, rows)):
                raise MlindexError(
                    f"{path}: was changed since it was written; give its results with 'mlindex "
                    f"campaign tell {self.folder.path} {path}', or remove it"
                )

    @property
    def _known(self) -> dict[tuple[str, int], Experiment]:
        if self._after[0] != len(self._events):
            self.__dict__.pop("_after")
        return self._after[1]

    @cached_property
    def _after(self) -> tuple[int, dict[tuple[str, int], Experiment]]:
        return len(self._events), after(self._events)

    @cached_property
    def _digest(self) -> str:
        plain = self.space.document.model_dump(mode="json")
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]

    def _add(self, event: Event) -> None:
        if self.folder is not None:
            self.folder.add(event, len(self._events) + 1)
        self._events.append(event)
        self.refresh()

    def _require_fitting(self) -> None:
        """Raise MlindexError where experiments have values that the space no longer knows."""
        for one in self.experiments:
            try:
                self.space.codes(one.values)
            except ValueError as problem:
                raise MlindexError(
                    f"experiment {one.id} doesn't fit the space any more: {problem}; put that back "
                    "into space.yaml, or begin a new campaign"
                ) from None
