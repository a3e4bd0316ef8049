"""Snakemake runs that can be killed with all that they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil


class Run:
    """A Snakemake run in a session of its own, its output in a file."""

    def __init__(self, project: Path, *arguments: str, cores: int = 2, log: str = "run.log"):
        self.path = project / log
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments]
        self._begun = time.monotonic()
        with self.path.open("w") as stream:
            self.process = subprocess.Popen(
                command,
                cwd=project,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self.path.read_text(errors="replace")

    def ended_within(self, seconds: float) -> bool:
        """Whether it ends by itself in so many seconds from its start."""
        try:
            self.process.wait(max(self._begun + seconds - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait_for(self, text: str, seconds: float = 300) -> None:
        """Wait until it has said that.

        Raises:
            TimeoutError: it ended, or the time was up, before.
        """
        end = time.monotonic() + seconds
        while text not in self.output:
            if self.process.poll() is not None or time.monotonic() > end:
                raise TimeoutError(f"{text!r} was not said:\n{self.output[-3000:]}")
            time.sleep(0.05)

    def kill(self) -> int:
        """SIGKILL to every process of the session; how many there were."""
        killed: set[int] = set()
        os.killpg(self.process.pid, signal.SIGKILL)
        while found := self.members() - {self.process.pid}:
            for pid in found:
                _kill(pid)
            killed |= found
        self.process.wait()
        return 1 + len(killed)

    def members(self) -> set[int]:
        """The living processes of the session."""
        return {pid for pid in psutil.pids() if _session(pid) == self.process.pid and _alive(pid)}


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
