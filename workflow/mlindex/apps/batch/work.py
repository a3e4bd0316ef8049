"""What a worker process does: index one sample after the other, whatever they hold."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from mlindex.apps.batch.orphans import end_with_parent
from mlindex.apps.batch.task import Lines, Task
from mlindex.apps.command import index_content
from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files import read
from mlindex.files.peak_lists import peaks_from_columns
from mlindex.indexing.compiling import announced
from mlindex.indexing.options import Options
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.radiation import choose, stated
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
        content = _content(task, options)
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


def unexpected(error: Exception) -> str:
    """A fault of the program as a reason for a sample that was not indexed."""
    return f"unexpected {type(error).__name__}: {str(error)[:200]}"


def _content(task: Task, options: Options) -> PeakList | MeasuredPattern:
    if task.path is not None:
        return read(task.path, options.wavelength_A)
    if task.lines is None:
        raise MlindexError(task.error or "holds nothing")
    return _peak_list(task.sample, task.lines, options.wavelength_A)


def _peak_list(name: str, lines: Lines, given: Given) -> PeakList:
    used = choose(stated(lines.wavelength_A), given)
    columns = (lines.intensity, lines.fwhm, lines.two_theta_error)
    intensity, fwhm, error = (None if c is None else np.array(c) for c in columns)
    return peaks_from_columns(
        name,
        lines.quantity,
        np.array(lines.positions),
        used.wavelength_A,
        intensity=intensity,
        fwhm_deg=fwhm,
        two_theta_error_deg=error,
        lines=lines.rows,
        notes=used.notes,
    )
