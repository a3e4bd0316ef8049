"""What a worker process does: index one sample after the other, whatever they hold."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from mlindex.apps.batch.content import content_of, unexpected
from mlindex.apps.batch.orphans import end_with_parent
from mlindex.apps.batch.task import Task
from mlindex.apps.command import index_content
from mlindex.base.errors import MlindexError
from mlindex.indexing.compiling import announced
from mlindex.indexing.options import Options
from mlindex.reports.result.data import as_data
from mlindex.wholepattern.compiling import warm_up

_READY = b"ready"


def serve(connection: Connection, options: str) -> None:
    """Say that it is ready, then answer tasks until the other side closes.

    ``options`` are those of indexing as JSON.
    """
    # Ctrl-C reaches every process of a terminal: the parent decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    from threadpoolctl import threadpool_limits

    asked = Options(**json.loads(options))
    threadpool_limits(1)
    with announced():
        warm_up()
    try:
        connection.send_bytes(_READY)
        while True:
            connection.send_bytes(packed_answer(Task.unpacked(connection.recv_bytes()), asked))
    except (EOFError, OSError):
        return


def packed_answer(task: Task, options: Options) -> bytes:
    """The answer as JSON, whatever came out."""
    try:
        return json.dumps(answer(task, options)).encode()
    except Exception as error:
        return json.dumps(failed(task.sample, unexpected(error))).encode()


def answer(task: Task, options: Options) -> dict[str, Any]:
    """The JSON document of a sample without its lines, or ``{"sample", "error"}``."""
    try:
        content = content_of(task, options.wavelength_A)
        result = index_content(content, options, workers=1).result
        # Only cells and partners are kept: the rest need not be made into data.
        cells = tuple(replace(c, absent=(), extinctions=()) for c in result.candidates)
        peaks = replace(result.peaks, name=task.sample)
        document = as_data(replace(result, peaks=peaks, candidates=cells))
        document["n_lines"] = len(document.pop("observed_lines"))
        for candidate in document["candidates"]:
            del candidate["lines"]
        return document
    except MlindexError as error:
        return failed(task.sample, str(error))
    except Exception as error:
        # One sample among thousands must not end the others.
        return failed(task.sample, unexpected(error))


def failed(sample: str, reason: str) -> dict[str, Any]:
    """The answer for a sample that was not indexed."""
    return {"sample": sample, "error": reason}
