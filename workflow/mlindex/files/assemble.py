"""From columns of numbers to a checked pattern: sorted, single, finite, with its radiation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import two_theta_from_q
from mlindex.crystal.wavelengths import Given
from mlindex.files.source import MAX_POINTS, Source
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import ERROR_WAVELENGTH_A
from mlindex.patterns.radiation import Radiation, choose

MIN_POINTS = 10
_MAX_INTENSITY = 1e30
_TOF = (
    "time of flight is not read yet, nor are energies; give a pattern over d or Q, or a list of d"
)
#: Channels to each side of one that reads 0, and by how many times their scatter they lie above 0.
_AROUND_DEAD, _DEAD_SIGMAS = 10, 20.0
#: More zeros than this share are no dead channels, but a background that was taken off.
_MOST_DEAD = 0.02
#: Where 2theta of the axis ends that patterns over d or Q without a wavelength are put on, and the
#: smallest d on it: beyond lie no lines that help to find a cell, but most of the points of
#: patterns measured for pair distribution functions, on which the peak search would go by noise.
_NOMINAL_END_DEG, _NOMINAL_D_A = 90.0, 0.75


@dataclass(frozen=True)
class Range:
    """One measured range: 2theta in degrees, intensity and its uncertainty or None, each (n,).

    ``time`` is the counting time of each point in any unit, where counts were not divided by it.
    """

    two_theta_deg: np.ndarray
    intensity: np.ndarray
    error: np.ndarray | None = None
    time: float | None = None


def refuse_time_of_flight(name: str, seen: str) -> MlindexError:
    """The error for data that have no single wavelength."""
    return MlindexError(f"{name}: {seen}: {_TOF}")


def check_count(name: str, count: float, found: int | None = None) -> int:
    """A number of points that a header states, checked against what is there.

    Raises:
        MlindexError: if it is absurd, or fewer points are there: the file is truncated.
    """
    if not 0 < count <= MAX_POINTS:
        raise MlindexError(f"{name}: the header states {count:g} points, which can't be right")
    if found is not None and found < count:
        raise MlindexError(
            f"{name}: the header states {int(count)} points, the file ends after {found}: it is "
            "truncated; copy or export it again"
        )
    return int(count)


def pattern(
    source: Source,
    ranges: Sequence[Range],
    found: Radiation,
    given: Given,
    notes: Sequence[str] = (),
    nominal_A: float | None = None,
) -> MeasuredPattern:
    """A checked pattern from the ranges of a file.

    Ranges that follow each other are joined; of others, which are repeated or different
    measurements, the first counts.

    Args:
        source: the file.
        ranges: what was measured.
        found: the radiation that the file states.
        given: the wavelength that was given.
        notes: what was corrected.
        nominal_A: wavelength of the 2theta of a pattern over d or Q, where none is known.

    Raises:
        MlindexError: if nothing is left that is a pattern over 2theta.
    """
    notes = list(notes)
    x, y, error = _joined(source.name, ranges, notes)
    _check_range(source.name, x)
    keep = np.isfinite(x) & np.isfinite(y) & (np.abs(y) < _MAX_INTENSITY) & (x > 0) & (x < 180)
    if not keep.all():
        wanted = f"a d above {_NOMINAL_D_A} A" if nominal_A else "a usable 2theta"
        left = int((~keep).sum())
        points = "1 point" if left == 1 else f"{left} points"
        notes.append(f"{points} without {wanted} or an intensity left out")
    x, y, error = x[keep], y[keep], None if error is None else error[keep]
    x, y, error = _rising(x, y, error, notes)
    x, y, error = _alive(x, y, error, notes)
    if len(x) < MIN_POINTS:
        raise MlindexError(
            f"{source.name}: has {len(x)} usable points; a pattern needs at least {MIN_POINTS}"
        )
    if y.max() == y.min():
        raise MlindexError(
            f"{source.name}: all {len(y)} intensities are {y[0]:g}; there is nothing to find"
        )
    if y.max() <= 0:
        raise MlindexError(
            f"{source.name}: no intensity is above 0, they run from {y.min():g} to {y.max():g}; "
            "is it the right column, with the right sign?"
        )
    used = choose(found, given)
    return MeasuredPattern(
        source.name,
        x,
        y,
        _usable_error(error),
        used.wavelength_A,
        used.second_wavelength_A,
        used.second_ratio,
        used.probe,
        (*notes, *used.notes),
        None if used.wavelength_A else nominal_A,
    )


def on_two_theta(
    quantity: str, values: np.ndarray, wavelength_A: float | None
) -> tuple[np.ndarray, float | None]:
    """2theta (n,) in degrees from positions of a pattern, NaN beyond 180.

    Where they need a wavelength and none is known, any would do to search for peaks: that of Cu is
    taken, or a shorter one that reaches all of the pattern, as far as it may hold useful lines.

    Args:
        quantity: 2theta (degrees), d (A), q = 1/d, Q = 2 pi/d (1/A).
        values: positions (n,).
        wavelength_A: the wavelength in A, if known.

    Returns:
        2theta, and the wavelength that was taken for want of the true one, or None.
    """
    if quantity == "2theta":
        return values, None
    with np.errstate(all="ignore"):
        q = {"d": 1 / values, "q": values, "Q": values / (2 * np.pi)}[quantity]
        if wavelength_A is not None:
            return two_theta_from_q(q, wavelength_A), None
        q = np.where(q < 1 / _NOMINAL_D_A, q, np.nan)
        last = np.max(q[np.isfinite(q)], initial=1 / ERROR_WAVELENGTH_A)
        end = 2 * np.sin(np.radians(_NOMINAL_END_DEG / 2))
        nominal = float(min(ERROR_WAVELENGTH_A, end / last))
        return two_theta_from_q(q, nominal), nominal


def _joined(
    name: str, ranges: Sequence[Range], notes: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    ranges = [r for r in ranges if np.isfinite(r.two_theta_deg).any()]
    if not ranges:
        raise MlindexError(f"{name}: holds no measured points over 2theta")
    used = ranges[:1]
    for one in ranges[1:]:
        beyond = one.two_theta_deg > used[-1].two_theta_deg.max()
        if one.two_theta_deg.min() > used[-1].two_theta_deg.min() and beyond.mean() > 0.5:
            used.append(_part(one, beyond))
    if len(used) == len(ranges) > 1:
        notes.append(f"{len(used)} ranges that follow each other were joined")
        used = _same_time(used)
    elif len(ranges) > 1:
        used = ranges[:1]
        notes.append(f"the file holds {len(ranges)} measurements; the first was read")
    errors = [r.error for r in used]
    return (
        np.concatenate([r.two_theta_deg for r in used]).astype(float),
        np.concatenate([r.intensity for r in used]).astype(float),
        None if any(e is None for e in errors) else np.concatenate(errors).astype(float),
    )


def _part(one: Range, keep: np.ndarray) -> Range:
    error = None if one.error is None else one.error[keep]
    return Range(one.two_theta_deg[keep], one.intensity[keep], error, one.time)


def _same_time(ranges: list[Range]) -> list[Range]:
    """Counts as if all had been counted for as long as the first: they join without a step."""
    times = [r.time for r in ranges]
    known = all(time is not None and 0 < time < np.inf for time in times)
    if not known or len(set(times)) == 1:
        return ranges
    scales = [times[0] / time for time in times]
    return [
        Range(r.two_theta_deg, r.intensity * s, np.sqrt(np.maximum(r.intensity, 1)) * s)
        for r, s in zip(ranges, scales, strict=True)
    ]


def _check_range(name: str, x: np.ndarray) -> None:
    if len(x) > MAX_POINTS:
        raise MlindexError(
            f"{name}: {len(x)} points, and at most {MAX_POINTS} are read; average neighbouring ones"
        )
    finite = x[np.isfinite(x)]
    outside = (finite <= -10) | (finite >= 180)
    if len(finite) and outside.mean() > 0.1:
        raise refuse_time_of_flight(
            name, f"the positions run from {finite.min():g} to {finite.max():g}, not 2theta"
        )


def _rising(
    x: np.ndarray, y: np.ndarray, error: np.ndarray | None, notes: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    steps = np.diff(x)
    if np.all(steps > 0):
        return x, y, error
    if np.any(steps < 0):
        notes.append("the points were not in order of 2theta and have been sorted")
        order = np.argsort(x, kind="stable")
        x, y, error = x[order], y[order], None if error is None else error[order]
    single, inverse, count = np.unique(x, return_inverse=True, return_counts=True)
    if len(single) == len(x):
        return x, y, error
    notes.append(f"{len(x) - len(single)} positions were given twice and have been averaged")
    mean = np.bincount(inverse, y) / count
    if error is not None:
        error = np.sqrt(np.bincount(inverse, error**2)) / count
    return single, mean, error


def _alive(
    x: np.ndarray, y: np.ndarray, error: np.ndarray | None, notes: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The points without those that read 0 far below their neighbours: a dead or masked channel."""
    zeros = np.flatnonzero(y == 0)
    if not 0 < len(zeros) <= _MOST_DEAD * len(y):
        return x, y, error
    near = zeros[:, None] + np.arange(-_AROUND_DEAD, _AROUND_DEAD + 1)
    around = y[np.clip(near, 0, len(y) - 1)]
    level = np.median(around, axis=1)
    scatter = np.median(np.abs(around - level[:, None]), axis=1)
    dead = zeros[level > _DEAD_SIGMAS * scatter]
    if not len(dead):
        return x, y, error
    notes.append(f"{len(dead)} points of 0 far below their neighbours (dead channels) left out")
    left = (None if v is None else np.delete(v, dead) for v in (x, y, error))
    return tuple(left)


def _usable_error(error: np.ndarray | None) -> np.ndarray | None:
    if error is None:
        return None
    good = np.isfinite(error) & (error > 0) & (error < _MAX_INTENSITY)
    if good.mean() < 0.5:
        return None
    # Programs write 0 where they counted nothing; that point is as sure as the surest.
    return np.where(good, error, error[good].min())
