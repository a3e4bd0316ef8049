"""Work on untrusted files in a child process that may hang, run out of memory or crash.

One forked child works through a list of items and sends its results back in blocks of bytes. The
parent only waits. An item on which the child spends too much time or memory, or dies, is
stopped: the child is replaced, what it had not yet sent is done again, and the work is told
which part of which item to leave out. Nothing that comes from the child is a pickle.
"""

from __future__ import annotations

import gc
import mmap
import multiprocessing
import os
import resource
import signal
import struct
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from mlindex.base.errors import MlindexError

TIME, MEMORY, CRASH = "time limit", "memory limit", "crash"
#: Waiting (for a disk, not for a processor) is given so many times the allowed processor time.
_PATIENCE = 10
#: Of a child that wants to run for longer than that, so often is seen whether it still does.
_LOOK_S = 0.05
#: After so many stops within one item, or so many times the limit of a part, all of it is left
#: out: a file of a hundred thousand bad entries is not to take a year.
_MOST_STOPS = 10
_WHOLE = 60
_ITEMS_PER_BLOCK = 100
_OUT_OF_MEMORY, _OUT_OF_TIME = 77, 78
#: Who is killed by these has done nothing wrong: the job must be done again, nothing left out.
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_BYTES_PER_MB = 1_000_000
#: Number of the item, of its part, and the time when the part was begun.
_PLACE = struct.Struct("qqd")
#: Before a block: how many items it holds, and how many messages follow.
_HEAD = struct.Struct("qq")
_FAULT = -1


@dataclass(frozen=True)
class Limits:
    """What one part of one item may cost: processor time in s, and memory in MB.

    A whole item may take as long as 60 parts.

    Memory is limited where the system tells how much a process has (Linux).
    """

    cpu_s: float
    memory_MB: float


@dataclass(frozen=True)
class Stop:
    """Why a part of an item was stopped: TIME, MEMORY or CRASH, and what was seen."""

    kind: str
    seen: str


#: Part numbers that must be left out, 0 for the whole item.
Stops = Mapping[int, Stop]
#: Called with its number before each part of an item is begun; 0 is what all parts share.
Begin = Callable[[int], None]
#: Does one item.
Work = Callable[[str, Stops, Begin], Any]
#: Turns the results of some items into bytes.
Pack = Callable[[list[Any]], list[bytes]]


def guarded(
    items: Sequence[str], work: Work, pack: Pack, limits: Limits
) -> Iterator[tuple[int, list[bytes]]]:
    """Do ``work`` on every item in a child process, in order.

    Every item comes out, those with stopped parts too: ``work`` is called again with the parts
    to leave out and says in its result that they were.

    Args:
        items: what to work on, by name.
        work: called in the child with an item, the stops of its parts, and the function that
            tells which part comes next. Exceptions other than MemoryError are its own to catch.
        pack: called in the child with the results of consecutive items.
        limits: of each part.

    Yields:
        how many items a block holds, and the bytes that ``pack`` made of their results.

    Raises:
        MlindexError: the child was killed by someone else.
        RuntimeError: ``work`` or ``pack`` raised what it should have caught.
    """
    stops: dict[int, dict[int, Stop]] = defaultdict(dict)
    done = 0
    while done < len(items):
        with _Child(items, work, pack, limits, done, stops) as child:
            for count, packed in child.blocks():
                done += count
                yield count, packed
            if done < len(items):
                item, part, stop = child.ended()
                # The next child starts anew at ``done``: before it, nothing can have gone wrong.
                found = stops[max(item, done)]
                found[0 if len(found) + 1 >= _MOST_STOPS else part] = stop


class _Child:
    """A forked process at work, and what its parent sees of it."""

    def __init__(
        self,
        items: Sequence[str],
        work: Work,
        pack: Pack,
        limits: Limits,
        first: int,
        stops: Mapping[int, Stops],
    ):
        self._items = items
        self._limits = limits
        self._place = mmap.mmap(-1, _PLACE.size)
        self._mark(first, 0)
        # Forked, for starting Python anew takes as long as a thousand files.
        context = multiprocessing.get_context("fork")
        self._results, sender = context.Pipe(duplex=False)
        job = (items, work, pack, first, {k: dict(v) for k, v in stops.items()}, sender)
        self._process = context.Process(target=self._serve, args=job, daemon=True)
        self._process.start()
        sender.close()
        self._overdue = False

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        # A process that waits for a dead disk can't be killed; it must not hold up the others.
        self._process.join(_PATIENCE)
        self._results.close()
        self._place.close()

    def _mark(self, item: int, part: int) -> None:
        _PLACE.pack_into(self._place, 0, item, part, time.monotonic())

    def _serve(
        self,
        items: Sequence[str],
        work: Work,
        pack: Pack,
        first: int,
        stops: Mapping[int, Stops],
        sender: Connection,
    ) -> None:
        self._settle()
        usual = resource.getrlimit(resource.RLIMIT_AS)
        limited = _memory_ceiling(self._limits.memory_MB, *usual)
        start = first
        while start < len(items):
            end = _block_end(start, len(items), stops)
            try:
                resource.setrlimit(resource.RLIMIT_AS, limited)
                results = [
                    self._do(n, lambda begin, n=n: work(items[n], stops.get(n, {}), begin))
                    for n in range(start, end)
                ]
                signal.setitimer(signal.ITIMER_PROF, 0)
                resource.setrlimit(resource.RLIMIT_AS, usual)
                packed = pack(results)
            except Exception:
                _send(sender, _FAULT, [traceback.format_exc().encode()])
                os._exit(1)
            _send(sender, end - start, packed)
            start = end
            del results, packed
            gc.collect()

    def _settle(self) -> None:
        # With its own end of the pipe open, the child would outlive a parent that was killed.
        self._results.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        # The collector would otherwise write to all that is shared with the parent, and so copy it.
        gc.freeze()
        gc.disable()

    def _do(self, number: int, work: Callable[[Begin], Any]) -> Any:
        """One item within its limits; ends the process where it can't be done within them."""
        last_s = time.process_time() + self._limits.cpu_s * _WHOLE

        def begin(part: int) -> None:
            self._mark(number, part)
            if time.process_time() > last_s:
                self._mark(number, 0)
                os._exit(_OUT_OF_TIME)
            signal.setitimer(signal.ITIMER_PROF, self._limits.cpu_s)

        begin(0)
        try:
            return work(begin)
        except MemoryError:
            os._exit(_OUT_OF_MEMORY)

    def blocks(self) -> Iterator[tuple[int, list[bytes]]]:
        """What the child sends, until it ends or has to be ended."""
        wait_s = self._limits.cpu_s * _PATIENCE
        while True:
            _, _, begun = _PLACE.unpack_from(self._place)
            left_s = begun + wait_s - time.monotonic()
            if self._results.poll(max(left_s, _LOOK_S)):
                try:
                    count, parts = _HEAD.unpack(self._results.recv_bytes())
                    packed = [self._results.recv_bytes() for _ in range(parts)]
                except (EOFError, OSError):
                    return
                if count == _FAULT:
                    raise RuntimeError(packed[0].decode())
                yield count, packed
            elif _PLACE.unpack_from(self._place)[2] == begun and not self._wants_to_run():
                self._overdue = True
                return

    def _wants_to_run(self) -> bool:
        """Whether the child only waits for a busy processor: the limit of its time will do."""
        try:
            with open(f"/proc/{self._process.pid}/stat", encoding="utf-8") as stream:
                return stream.read().rpartition(")")[2].split()[0] == "R"
        except OSError:
            return False

    def ended(self) -> tuple[int, int, Stop]:
        """The item and part at which the child ended early, and why."""
        item, part, _ = _PLACE.unpack_from(self._place)
        cpu_s = self._limits.cpu_s
        if self._overdue:
            return item, part, Stop(TIME, f"no end after {cpu_s * _PATIENCE:g} s")
        self._process.join()
        code = self._process.exitcode or 0
        if code == -signal.SIGPROF:
            return item, part, Stop(TIME, f"more than {cpu_s:g} s of processor time")
        if code == _OUT_OF_TIME:
            return (
                item,
                part,
                Stop(TIME, f"more than {cpu_s * _WHOLE:g} s of processor time in all"),
            )
        if code == _OUT_OF_MEMORY:
            return item, part, Stop(MEMORY, f"more than {self._limits.memory_MB:g} MB")
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        if -code in _FROM_OUTSIDE:
            raise MlindexError(
                f"the process that works on {self._items[item]} was killed from outside ({how}), "
                "perhaps because the machine or the job ran out of memory; start again with more"
            )
        return item, part, Stop(CRASH, f"the process that read it ended with {how}")


def _send(sender: Connection, count: int, messages: Sequence[bytes]) -> None:
    sender.send_bytes(_HEAD.pack(count, len(messages)))
    for message in messages:
        sender.send_bytes(message)


def _block_end(start: int, count: int, stops: Mapping[int, Stops]) -> int:
    """End of a block: what comes before a stopped item is sent first, so as not to be lost."""
    end = min(start + _ITEMS_PER_BLOCK, count)
    return next((n for n in range(start + 1, end) if n in stops or n - 1 in stops), end)


def _memory_ceiling(memory_MB: float, soft: int, hard: int) -> tuple[int, int]:
    """Limits of the address space: so much more than the process has now, or less where it is."""
    try:
        with open("/proc/self/statm", encoding="ascii") as stream:
            pages = int(stream.read().split()[0])
    except OSError:
        return soft, hard
    ceiling = pages * resource.getpagesize() + int(memory_MB * _BYTES_PER_MB)
    return (ceiling if soft == resource.RLIM_INFINITY else min(ceiling, soft)), hard
