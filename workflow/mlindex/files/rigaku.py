"""Rigaku ``.ras`` (text) and ``.rasx`` (a zip of text and XML).

In both, a point is position, intensity and the factor of the attenuator that was in the beam,
with which the intensity is multiplied.
"""

from __future__ import annotations

import re

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files.archive import Archive, number_of, text_of, xml
from mlindex.files.assemble import Range, pattern
from mlindex.files.rows import number
from mlindex.files.source import Format, Source
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.radiation import Radiation, alone, stated

_KEY = re.compile(r'^\*(\S+)\s+"?([^"]*)')
_PROFILE = re.compile(r"^(.*?)Profile(\d+)\.txt$")
_MAX_SCANS = 100


def sniff_ras(source: Source) -> bool:
    """Whether the text begins with one of the marks."""
    return source.data.lstrip(b"\xef\xbb\xbf").startswith((b"*RAS_", b"*FILE_TYPE"))


def sniff_rasx(source: Source) -> bool:
    """Whether it is a zip that names a profile."""
    return source.data.startswith(b"PK") and re.search(rb"Profile\d+\.txt", source.data) is not None


def read_ras(source: Source, given: Given) -> MeasuredPattern:
    """All scans over 2theta."""
    header: dict[str, str] = {}
    radiation, ranges, other = Radiation(probe="X-ray"), [], set()
    points: list[str] = []
    for line in [*source.lines, "*RAS_INT_END"]:
        if not line.startswith("*"):
            points.append(line)
        elif line.startswith("*RAS_INT_END"):
            if any(map(str.strip, points)):
                axis = header.get("MEAS_SCAN_AXIS_X_INTERNAL", header.get("MEAS_SCAN_AXIS_X", ""))
                if _is_two_theta(axis):
                    ranges.append(_points(source.name, points))
                else:
                    other.add(axis)
            points = []
        elif match := _KEY.match(line[:1000]):
            header[match[1]] = match[2].strip()
        if radiation.wavelength_A is None and line.startswith("*RAS_INT_START"):
            radiation = _radiation(
                header.get("HW_XG_WAVE_LENGTH_ALPHA1"),
                header.get("HW_XG_WAVE_LENGTH_ALPHA2"),
                header.get("HW_XG_WAVE_LENGTH_BETA"),
                header.get("MEAS_COND_XG_WAVE_TYPE", ""),
            )
    _check_some(source.name, ranges, other)
    return pattern(source, ranges, radiation, given)


def read_rasx(source: Source, given: Given) -> MeasuredPattern:
    """All scans over 2theta."""
    archive = Archive(source)
    names = set(archive.names())
    found = sorted((int(m[2]), m[0], m[1]) for n in names if (m := _PROFILE.match(n)))
    radiation, ranges, other = Radiation(probe="X-ray"), [], set()
    for index, profile, folder in found[:_MAX_SCANS]:
        axis = ""
        # The vendor's spelling; the right one is taken, too.
        for spelling in ("Mesurement", "Measurement"):
            conditions = f"{folder}{spelling}Conditions{index}.xml"
            if conditions in names:
                axis, stated_here = _conditions(f"{source.name}: {conditions}", archive, conditions)
                radiation = radiation if radiation.wavelength_A else stated_here
        if _is_two_theta(axis):
            text = Source(f"{source.name}: {profile[:120]}", ".txt", archive.read(profile))
            ranges.append(_points(source.name, text.lines))
        else:
            other.add(axis)
    _check_some(source.name, ranges, other)
    return pattern(source, ranges, radiation, given)


def _conditions(name: str, archive: Archive, member: str) -> tuple[str, Radiation]:
    root = xml(name, archive.read(member))

    def value(tag: str) -> str:
        return text_of(next(root.iter(tag), None))

    lines = [value(f"WavelengthK{line}") for line in ("alpha1", "alpha2", "beta")]
    scan = next(root.iter("ScanInformation"), None)
    axis = text_of(scan.find("AxisName")) if scan is not None else ""
    return axis, _radiation(*lines, value("WaveType"))


def _radiation(first: str | None, second: str | None, beta: str | None, line: str) -> Radiation:
    line = line.lower().replace("α", "a")
    if line.startswith("kb"):
        return stated(number_of(beta), probe="X-ray")
    if line.endswith("1"):
        return alone(number_of(first))
    return stated(number_of(first), number_of(second), probe="X-ray")


def _is_two_theta(axis: str) -> bool:
    """Files without the axis, of old programs, hold 2theta; Omega, Phi and so on are named."""
    plain = axis.lower().replace("-", "").replace("/", "").replace(" ", "")
    return not plain or "2theta" in plain or "twotheta" in plain


def _points(name: str, lines: list[str]) -> Range:
    values = []
    for line in lines:
        cells = line.replace(",", " ").split()
        if not cells:
            continue
        row = [number(cell) for cell in cells[:3]]
        if len(row) < 2 or None in row:
            raise MlindexError(
                f"{name}: expected position and intensity, got {line.strip()[:60]!r}"
            )
        values.append((*row, 1.0)[:3])
    if not values:
        raise MlindexError(f"{name}: a scan holds no points; the file is truncated")
    x, y, factor = np.array(values).T
    if np.all(factor == 1) or not np.all(factor > 0):
        return Range(x, y)
    # What overflows is left out as a point without a usable intensity.
    with np.errstate(over="ignore"):
        return Range(x, y * factor, np.sqrt(np.maximum(y, 1)) * factor)


def _check_some(name: str, ranges: list[Range], other: set[str]) -> None:
    if not ranges and other:
        raise MlindexError(
            f"{name}: holds only scans over {', '.join(sorted(other))}; one over 2theta is needed"
        )


RAS = Format("Rigaku RAS", (".ras",), sniff_ras, read_ras)
RASX = Format("Rigaku RASX", (".rasx",), sniff_rasx, read_rasx)
