"""What a sample of a batch holds, read: a peak list or a pattern."""

from __future__ import annotations

import numpy as np

from mlindex.apps.batch.task import Lines, Task
from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files import read
from mlindex.files.peak_lists import peaks_from_columns
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.radiation import choose, stated


def content_of(
    task: Task, wavelength: Given, time_limit_s: float = 60.0
) -> PeakList | MeasuredPattern:
    """The peak list or pattern of a sample.

    Args:
        task: the sample.
        wavelength: in A or the name of a tube, where it was given.
        time_limit_s: seconds that a pipe has to come to its end.

    Raises:
        MlindexError: it can't be read.
    """
    if task.path is not None:
        return read(task.path, wavelength, time_limit_s=time_limit_s)
    if task.lines is None:
        raise MlindexError(task.error or "holds nothing")
    return _peak_list(task.sample, task.lines, wavelength)


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


def unexpected(error: Exception) -> str:
    """A fault of the program as a reason for a sample that was not done."""
    return f"unexpected {type(error).__name__}: {str(error)[:200]}"
