"""SIGKILL before every single step that a piece of work takes in the file system."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator

#: Audit events of Python by which files come, change their name, or go.
STEPS = (
    "open",
    "os.chmod",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.truncate",
    "shutil.copyfile",
    "shutil.copytree",
    "shutil.rmtree",
    "tempfile.mkdtemp",
    "tempfile.mkstemp",
)


def killed_before_each_step(work: Callable[[], object]) -> Iterator[int]:
    """Do the work in a child process that is killed before its step 0, 1, 2, ...

    Yields the number of the step after each kill; ends when the work was done before its kill.

    Raises:
        RuntimeError: the work ended in another way.
    """
    step = 0
    while True:
        child = os.fork()
        if child == 0:
            _work_until(work, step)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            raise RuntimeError(f"the work failed before step {step}: status {status}")
        yield step
        step += 1


def _work_until(work: Callable[[], object], last: int) -> None:
    left = last

    def audit(event: str, _: tuple) -> None:
        nonlocal left
        if event in STEPS:
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    status = 1
    try:
        sys.addaudithook(audit)
        work()
        status = 0
    finally:
        os._exit(status)
