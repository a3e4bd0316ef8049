"""How long a run takes: until it is done, its time is over, or someone stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Clock:
    """Runs from when it is made; asked, it says whether the time is over.

    Attributes:
        stopped: whether someone ended the run.
        limit_s: seconds that the run may take.
        started_s: when it began, in seconds of :func:`time.perf_counter`.
    """

    stopped: Callable[[], bool]
    limit_s: float
    started_s: float = field(default_factory=time.perf_counter)

    def __call__(self) -> bool:
        return self.stopped() or self.seconds() > self.limit_s

    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.started_s

    def within(self, share: float) -> Clock:
        """The clock of a part that must end within this share of the time, counted from the
        beginning."""
        return Clock(self.stopped, share * self.limit_s, self.started_s)

    def advice(self) -> str:
        """What to say of a run that ended early."""
        if self.stopped():
            return "It was stopped."
        return "Its time was over: give it more time (--time-limit)."


def running(stopped: Callable[[], bool], limit_s: float) -> Clock:
    """The clock of a run: the one that runs already, if ``stopped`` is one, or a new one."""
    return stopped if isinstance(stopped, Clock) else Clock(stopped, limit_s)
