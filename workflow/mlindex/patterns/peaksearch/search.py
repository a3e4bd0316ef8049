"""The peak search: from a measured pattern to a peak list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import q2_from_two_theta, q2_per_radian
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.peaksearch.background import fit_background, refine_background
from mlindex.patterns.peaksearch.calibrate import Calibration, calibrate
from mlindex.patterns.peaksearch.doublet import Line, ghosts, line_of
from mlindex.patterns.peaksearch.fine import averaged
from mlindex.patterns.peaksearch.fit import Group
from mlindex.patterns.peaksearch.found import FoundPeaks, PeakSearch
from mlindex.patterns.peaksearch.noise import (
    correlation_excess,
    is_smoothed,
    smoothing_excess,
)
from mlindex.patterns.peaksearch.rounds import Data, fit_all, refit, total
from mlindex.patterns.peaksearch.widths import fit_widths, survey

_FEWEST_POINTS = 20
_CUT = "the peak search was cut short: peaks may lack"
_NO_PEAK = "no peak stands out of the noise: amorphous, empty, or measured too short"
#: Shortest wave of the background in FWHM, and as a share of the range.
_PERIOD_FWHM = 30.0
_PERIOD_SHARE = 0.02
#: Background of a pattern without peaks: as if they were this share of the range wide.
_NO_PEAK_SHARE = 0.01
#: Positions are never better than these: degrees, and share of the FWHM.
_FLOOR_DEG = 0.002
_FLOOR_FWHM = 0.03
#: Points over which noise may go together.
_FEWEST_LAGS, _MOST_LAGS, _MOST_LAGS_SMOOTHED = 3, 4, 6
#: Peaks so much wider or narrower than their neighbours are humps and glitches.
_TOO_WIDE, _TOO_NARROW = 3.4, 0.3


def find_peaks(
    pattern: MeasuredPattern,
    settings: PeakSearch | None = None,
    over: Callable[[], bool] = lambda: False,
) -> FoundPeaks:
    """Find and fit the peaks of a pattern.

    Widths are surveyed with matched filters of all widths, the background is a smooth curve
    under the peaks, and groups of peaks are fitted with split pseudo-Voigt profiles, as K-alpha
    doublets where the data show them. Positions are those of the first line of a doublet.

    Args:
        pattern: the pattern; its wavelength is needed, unless it is over d or Q.
        settings: see :class:`PeakSearch`.
        over: asked often; once it says True, the peaks found so far are given.

    Returns:
        Peaks rising in 2theta; none, with a note, where the pattern shows none. Of a pattern over d
        or Q, 2theta is that of its nominal wavelength; the list to index has none.

    Raises:
        MlindexError: without a wavelength over 2theta, or if the range holds no data.
    """
    settings = settings or PeakSearch()
    if pattern.scale_A is None:
        raise MlindexError(
            f"{pattern.name}: the file states no wavelength, and 2theta needs one: give it in A, "
            "with --wavelength (in Python mlindex.read(path, wavelength=...))"
        )
    used = _usable(pattern, settings)
    error = None if pattern.error is None else pattern.error[used]
    x, y, sigma = averaged(
        pattern.two_theta_deg[used], pattern.intensity[used].astype(float), error
    )
    line = line_of(pattern)
    start = _start(x, y, sigma, line)
    smoothed = start is not None and is_smoothed(start[0].y / sigma)
    if smoothed:
        # What looked clear was noise in part, and has misled the widths and the background.
        start = _start(x, y, sigma * np.prod(_excess(start[0], smoothed)), line)
    if start is None:
        return _nothing(pattern, x, y, sigma)
    data, calibration, background = start
    data, together = _with_excess(replace(data, sigma=sigma), data.y, smoothed)
    limit = settings.minimum_significance * together
    groups = fit_all(data, calibration, line, limit, over)
    if smoothed and not over():
        # Crowded peaks count as noise that goes together as long as they are not known.
        rest = data.y - total(x, groups)
        data, together = _with_excess(replace(data, sigma=sigma), rest, smoothed)
        limit = settings.minimum_significance * together
        groups = fit_all(data, calibration, line, limit, over)
    period = _scales(x, calibration.widths)[1]
    background = refine_background(x, y, sigma, background, _under_peaks(data, groups), period)
    data = replace(data, y=y - background)
    groups = refit(data, calibration, line, groups, limit, over)
    answer = _answer(pattern, settings, x, background, groups, together, calibration, line)
    cut = (_CUT,) if over() else ()
    return replace(answer, notes=(*_of_intensities(pattern), *answer.notes, *cut))


def _usable(pattern: MeasuredPattern, settings: PeakSearch) -> np.ndarray:
    x = pattern.two_theta_deg
    used = np.isfinite(x) & np.isfinite(pattern.intensity) & (x > 0) & (x < 180)
    if settings.two_theta_min_deg is not None:
        used &= x >= settings.two_theta_min_deg
    if settings.two_theta_max_deg is not None:
        used &= x <= settings.two_theta_max_deg
    if used.sum() < _FEWEST_POINTS:
        raise MlindexError(
            f"{pattern.name}: {int(used.sum())} points lie in the range of the peak search, at "
            f"least {_FEWEST_POINTS} are needed; widen the range or check the file"
        )
    return used


def _of_intensities(pattern: MeasuredPattern) -> tuple[str, ...]:
    """What to say of intensities that no counter gives."""
    missing = int((~np.isfinite(pattern.intensity)).sum())
    negative = int((pattern.intensity < 0).sum())
    of_all = f"of {len(pattern)} points"
    left_out = f"{missing} {of_all} have no intensity that is a number: they were left out"
    used = f"{negative} {of_all} have negative intensities, as if a background was subtracted: "
    return (left_out,) * bool(missing) + (f"{used}they were used as they are",) * bool(negative)


def _scales(x, curve):
    fwhm = float(np.median(curve(x)))
    return fwhm, max(_PERIOD_FWHM * fwhm, _PERIOD_SHARE * float(x[-1] - x[0]))


def _start(x, y, sigma, line: Line) -> tuple[Data, Calibration, np.ndarray] | None:
    """Widths, shape and background; None where nothing stands out."""
    features = survey(x, y, sigma)
    if not len(features.position):
        return None
    # The survey counts deviations of any shape; the strongest are enough to learn the width.
    curve = fit_widths(features.position, features.fwhm, np.minimum(features.significance, 100))
    background = fit_background(x, y, sigma, *_scales(x, curve))
    calibration = calibrate(x, y - background, sigma, features, line)
    background = fit_background(x, y, sigma, *_scales(x, calibration.widths))
    return Data(x, y - background, sigma, calibration.widths(x)), calibration, background


def _with_excess(data: Data, rest: np.ndarray, smoothed: bool) -> tuple[Data, float]:
    """Data with the scatter that ``rest`` (n,) shows, and how far its neighbours go together."""
    spread, together = _excess(replace(data, y=rest), smoothed)
    # Misfits of the profiles show how far points spread, but not that they go together.
    return replace(data, sigma=data.sigma * spread), together


def _excess(data: Data, smoothed: bool) -> tuple[float, float]:
    """Noise that goes together between neighbours, judged over less than a peak."""
    points = np.median(data.width) / np.median(np.diff(data.x))
    if smoothed:
        # A filter makes peaks as wide as it is itself: it reaches no farther than they do.
        lags = np.clip(round(points), _FEWEST_LAGS, _MOST_LAGS_SMOOTHED)
        return smoothing_excess(data.y / data.sigma, int(lags))
    lags = np.clip(points / 3, min(_FEWEST_LAGS, points), _MOST_LAGS)
    return correlation_excess(data.y / data.sigma, max(1, int(lags)))


def _under_peaks(data: Data, groups: list[Group]) -> np.ndarray:
    """Points (n,) to which a peak adds more than the noise, Lorentzian tails included."""
    out = np.zeros(len(data.x), dtype=bool)
    for group in groups:
        noise = np.interp(group.position, data.x, data.sigma)
        reach = np.clip(np.sqrt(group.eta * group.height / noise) / 2, 1.5, 8) * group.fwhm
        low, high = group.position - reach, group.position + group.split + reach
        for a, b in zip(*np.searchsorted(data.x, (low, high)), strict=True):
            out[a:b] = True
    return out


def _nothing(pattern, x, y, sigma):
    fwhm = _NO_PEAK_SHARE * float(x[-1] - x[0])
    background = _spread(pattern, x, fit_background(x, y, sigma, fwhm, _PERIOD_FWHM * fwhm))
    none = np.empty(0)
    peaks = PeakList(pattern.name, none, none, pattern.wavelength_A, (), none, none)
    return FoundPeaks(
        peaks, background, background, none, none, none, none, none, none, (_NO_PEAK,)
    )


def _spread(pattern, x, values):
    """Values at the points used, x, on all points: constant beyond, between neighbours linear."""
    return np.interp(pattern.two_theta_deg, x, values)


def _answer(pattern, settings, x, background, groups, together, calibration, line):
    columns, notes = _chosen(_columns(groups, together), settings, x, calibration, line)
    wavelength, note = _wavelength(line, calibration)
    base = _spread(pattern, x, background)
    q2 = q2_from_two_theta(columns["position"], wavelength)
    error, fwhm = columns["error"], columns["fwhm"]
    peaks = PeakList(pattern.name, q2, columns["area"], wavelength, (), error, fwhm)
    if pattern.wavelength_A is None:
        peaks = _without_wavelength(peaks, columns["position"])
    return FoundPeaks(
        peaks,
        base,
        base + total(pattern.two_theta_deg, groups),
        columns["position"],
        columns["error"],
        columns["height"],
        columns["area"],
        columns["fwhm"],
        columns["significance"],
        (*note, *notes),
        calibration,
    )


def _without_wavelength(peaks: PeakList, two_theta_deg: np.ndarray) -> PeakList:
    """A list at the nominal wavelength as one without: its errors and widths are turned into those
    of lists without a wavelength, so that those of q² stay as they are."""
    free = replace(peaks, wavelength_A=None)
    slope = q2_per_radian(np.radians(two_theta_deg), peaks.wavelength_A) * np.radians(1.0)
    scale = slope / free.q2_error_inv_A2(1.0)
    return replace(
        free,
        two_theta_error_deg=peaks.two_theta_error_deg * scale,
        fwhm_deg=peaks.fwhm_deg * scale,
    )


def _chosen(columns, settings: PeakSearch, x, calibration: Calibration, line: Line):
    """Columns of the peaks to give, and notes on those left out."""
    notes = []
    keep = _plausible(columns, calibration, x, settings.minimum_significance)
    position, height, fwhm = (columns[name] for name in ("position", "height", "fwhm"))
    height_error = height / np.maximum(columns["significance"], 1e-9)
    for name, where in ghosts(line, position, height, height_error, 0.5 * fwhm).items():
        if (where & keep).any():
            angles = ", ".join(f"{a:.2f}" for a in columns["position"][where & keep])
            notes.append(f"left out as {name} of strong peaks: {angles} degrees")
        keep &= ~where
    n = int(keep.sum())
    if n > settings.max_peaks:
        notes.append(f"the first {settings.max_peaks} of {n} peaks were kept")
    if not n:
        notes.append(_NO_PEAK)
    first = np.flatnonzero(keep)[: settings.max_peaks]
    return {name: values[first] for name, values in columns.items()}, notes


def _columns(groups: list[Group], together: float) -> dict[str, np.ndarray]:
    def joined(parts):
        return np.concatenate(list(parts)) if groups else np.empty(0)

    columns = {
        "position": joined(g.position for g in groups),
        "height": joined(g.height for g in groups),
        "area": joined(g.area() for g in groups),
        "fwhm": joined(g.fwhm * np.cosh(g.asymmetry) for g in groups),
        "significance": joined(g.significance for g in groups) / together,
    }
    scatter = joined(g.position_error for g in groups) * together
    columns["error"] = np.sqrt(scatter**2 + _FLOOR_DEG**2 + (_FLOOR_FWHM * columns["fwhm"]) ** 2)
    order = np.argsort(columns["position"], kind="stable")
    return {name: values[order] for name, values in columns.items()}


def _plausible(columns, calibration: Calibration, x, significance):
    position, fwhm = columns["position"], columns["fwhm"]
    relative = fwhm / calibration.widths(position)
    inside = (position - x[0] > 0.5 * fwhm) & (x[-1] - position > 0.5 * fwhm)
    ordinary = (relative < _TOO_WIDE) & (relative > _TOO_NARROW)
    return inside & ordinary & (columns["significance"] >= significance)


def _wavelength(line: Line, calibration: Calibration) -> tuple[float, tuple[str, ...]]:
    """Wavelength of the positions, and what has to be said of it."""
    if line.second_A is None:
        return line.wavelength_A, ()
    doublet = calibration.shape.ratio > 0
    if doublet and not line.stated:
        lines = f"with {line.first_if_doublet_A:g} and {line.second_A:g} A"
        note = f"the peaks are {line.tube} K-alpha doublets: fitted as such, {lines}"
        if line.expected:
            # The peaks may leave it open.
            hint = f"if K-alpha1 was alone, give {line.tube}Ka1"
            note = f"fitted as {line.tube} K-alpha doublets, {lines}; {hint}"
        return line.first_if_doublet_A, (note,)
    if not doublet and line.stated:
        return line.wavelength_A, ("a second wavelength is stated, but the peaks are single",)
    return (line.first_if_doublet_A if doublet else line.wavelength_A), ()
