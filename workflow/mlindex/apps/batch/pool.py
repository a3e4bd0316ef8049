"""Worker processes that may hang or be killed: what they worked on is reported, the rest goes on.

Python's own pools end when one of their processes does, and do not say at which item. Messages
are JSON, never a pickle.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from multiprocessing import connection, get_context, resource_tracker
from typing import Any

from mlindex.apps.batch.task import Task
from mlindex.apps.batch.work import serve
from mlindex.apps.signals import ctrl_c_later
from mlindex.base.errors import MlindexError, explained
from mlindex.indexing.options import Options

#: Samples that a worker may be ahead of one that takes long, so that results come in order.
_AHEAD = 64
#: A sample takes this many times its time limit, and so many seconds, before it is given up:
#: reading and describing are not limited, and the machine may be busy.
_PATIENCE, _SPARE_S = 3.0, 120.0
#: Looks at the clock and at Ctrl-C, in seconds.
_LOOK_S = 0.25
_READY_S = 600.0
#: Processes that end before they are ready, one after the other, until it is given up.
_MOST_DEATHS = 3


@dataclass
class _Worker:
    """A process, the number and the task that it is at, and when it has to be done."""

    process: Any
    link: connection.Connection
    number: int = -1
    task: Task | None = None
    due: float = 0.0

    def give(self, number: int, task: Task, allowed_s: float) -> bool:
        """Hand out a task; False if the process is gone."""
        self.number, self.task, self.due = number, task, time.monotonic() + allowed_s
        try:
            self.link.send_bytes(task.packed())
        except OSError:
            return False
        return True

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.link.close()


class Pool:
    """Worker processes, as a context. See :meth:`answers`.

    Args:
        workers: how many.
        options: of indexing.
        stopped: asked often; once it says True, nothing more is waited for.
        serve: what a process does; see :func:`mlindex.apps.batch.work.serve`.
        spare_s: seconds that a sample may take besides its time limit.
    """

    def __init__(
        self,
        workers: int,
        options: Options,
        stopped: Callable[[], bool] = lambda: False,
        serve: Callable[[connection.Connection, str], None] = serve,
        spare_s: float = _SPARE_S,
    ) -> None:
        self._options = options
        self._stopped = stopped
        self._serve = serve
        self._allowed_s = _PATIENCE * options.time_limit_s + spare_s
        # Not forked: threads and compiled code don't survive a fork everywhere.
        self._context = get_context("spawn")
        self._most = max(1, workers)
        self._workers: list[_Worker] = []
        self._deaths = 0

    def __enter__(self) -> Pool:
        # The first one compiles the searches, if that is still to be done; the others load them.
        try:
            self._add(1)
            self._add(self._most - 1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()

    def answers(self, tasks: Iterator[Task]) -> Iterator[dict[str, Any]]:
        """An answer to each task (see :func:`mlindex.apps.batch.work.answer`), in order.

        When it is stopped, tasks that are being done are dropped, and what is finished comes out.

        Raises:
            MlindexError: no process can be started any more.
        """
        done: dict[int, dict[str, Any]] = {}
        given = out = 0
        left = True
        while not self._stopped():
            for worker in self._idle():
                while left and given - out < _AHEAD * self._most and worker.task is None:
                    task = next(tasks, None)
                    if task is None:
                        left = False
                    else:
                        self._start(worker, given, task, done)
                        given += 1
            if not self._busy() and not done:
                break
            self._collect(done)
            while out in done:
                yield done.pop(out)
                out += 1
        yield from (done[number] for number in sorted(done))

    def _idle(self) -> list[_Worker]:
        return [w for w in self._workers if w.task is None]

    def _busy(self) -> list[_Worker]:
        return [w for w in self._workers if w.task is not None]

    def _start(self, worker: _Worker, number: int, task: Task, done: dict) -> None:
        if task.error is not None:
            done[number] = _failed(task, task.error)
        elif not worker.give(number, task, self._allowed_s):
            # It was killed while it had nothing to do: its successor takes the task.
            self._replace(worker).give(number, task, self._allowed_s)

    def _collect(self, done: dict[int, dict[str, Any]]) -> None:
        """Take what has been answered, and put new workers in the place of dead ones."""
        busy = {w.link: w for w in self._busy()}
        for link in connection.wait(list(busy), 0 if done and not busy else _LOOK_S):
            worker = busy.pop(link)
            try:
                done[worker.number] = _unpacked(worker.task, link.recv_bytes())
                worker.task = None
            except (EOFError, OSError):
                self._bury(worker, done)
        for worker in busy.values():
            if time.monotonic() > worker.due:
                reason = f"gave no answer in {self._allowed_s:.0f} s and was stopped"
                done[worker.number] = _failed(worker.task, reason)
                self._replace(worker)

    def _bury(self, worker: _Worker, done: dict[int, dict[str, Any]]) -> None:
        worker.process.join()
        if worker.process.exitcode == -signal.SIGTERM:
            # Schedulers send it to all processes of a job: this one hears of it in a moment.
            time.sleep(_LOOK_S)
        if not self._stopped():
            done[worker.number] = _failed(worker.task, _death(worker.process.exitcode))
            self._replace(worker)

    def _replace(self, worker: _Worker) -> _Worker:
        self._workers.remove(worker)
        worker.end()
        self._add(1)
        return self._workers[-1]

    def _add(self, count: int) -> None:
        """Start processes and wait until they are ready; another starts for one that is killed."""
        added = self._begin(count)
        end = time.monotonic() + _READY_S
        for worker in added:
            while not worker.link.poll(_LOOK_S):
                if self._stopped():
                    return
                if time.monotonic() > end:
                    raise MlindexError(f"a worker process did not start in {_READY_S:.0f} s")
            try:
                worker.link.recv_bytes()
                self._deaths = 0
            except (EOFError, OSError):
                self._deaths += 1
                worker.process.join(1)
                if self._deaths == _MOST_DEATHS:
                    raise MlindexError(
                        f"a worker process did not start: {_death(worker.process.exitcode)}; is "
                        "there memory for it? Try fewer with --workers"
                    ) from None
                self._replace(worker)

    def _begin(self, count: int) -> list[_Worker]:
        added = []
        # multiprocessing starts it before the first process, and lets Ctrl-C through after that.
        resource_tracker.ensure_running()
        for _ in range(count):
            ours, theirs = self._context.Pipe()
            process = self._context.Process(
                target=self._serve, args=(theirs, json.dumps(asdict(self._options))), daemon=True
            )
            try:
                # The terminal sends it to all processes: those that start would show tracebacks.
                with ctrl_c_later():
                    process.start()
            except OSError as error:
                raise MlindexError(f"a worker process can't start: {explained(error)}") from error
            theirs.close()
            added.append(_Worker(process, ours))
            self._workers.append(added[-1])
        return added


def _unpacked(task: Task | None, message: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(message))
    except (ValueError, TypeError, RecursionError):
        return _failed(task, "its process gave no answer that can be read")


def _failed(task: Task | None, reason: str) -> dict[str, Any]:
    return {"sample": task.sample if task else "", "error": reason}


def _death(exitcode: int | None) -> str:
    if exitcode is None or exitcode >= 0:
        return f"its process ended with code {exitcode}"
    try:
        name = signal.Signals(-exitcode).name
    except ValueError:
        name = f"signal {-exitcode}"
    why = ", perhaps for lack of memory" if -exitcode == getattr(signal, "SIGKILL", 9) else ""
    return f"its process was killed by {name}{why}"
