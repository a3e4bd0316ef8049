"""Stand-ins for worker processes of a batch: they do what the name of a sample says."""

import json
import os
import signal
import sys
import time
from pathlib import Path

from mlindex.apps.batch.task import Task


def obedient(connection, options):
    """Answer with the sample's name, after dying, hanging or waiting as it says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection.send_bytes(b"ready")
    while True:
        try:
            sample = Task.unpacked(connection.recv_bytes()).sample
        except EOFError:
            return
        word, _, number = sample.partition(" ")
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "term":
            os.kill(os.getpid(), signal.SIGTERM)
        if word == "leave":
            sys.exit(3)
        if word == "hang":
            time.sleep(1000)
        if word == "wait":
            time.sleep(0.02 * (int(number) % 3))
        connection.send_bytes(json.dumps({"sample": sample, "pid": os.getpid()}).encode())


def stillborn(connection, options):
    """Die before it is ready."""
    os.kill(os.getpid(), signal.SIGKILL)


def weak(connection, options):
    """Die before it is ready, but for the process that finds the mark of the one before it."""
    mark = Path(os.environ["MARK"])
    if mark.exists():
        obedient(connection, options)
    else:
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
