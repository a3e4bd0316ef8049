"""Bruker ``.brml``: a zip of XML, one ``RawData`` document for each scan.

Which number of a point is what is stated in ``DataViews``; where that is missing, as in files of
older programs, points are time, absorption factor, 2theta, mostly theta, counts.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files.archive import Archive, number_of, text_of, xml
from mlindex.files.assemble import Range, pattern
from mlindex.files.source import Format, Source
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.radiation import Radiation, stated

_RAW_DATA = re.compile(r"(?:^|/)RawData(\d+)\.xml$")
_MAX_SCANS = 100
_VIEW_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_UNITS_A = {"nm": 10.0, "pm": 0.01}


def sniff(source: Source) -> bool:
    """Whether it is a zip that names a RawData document."""
    return source.data.startswith(b"PK") and b"RawData" in source.data


def read(source: Source, given: Given) -> MeasuredPattern:
    """All scans over 2theta."""
    archive = Archive(source)
    members = [(int(m[1]), n) for n in archive.names() if (m := _RAW_DATA.search(n))]
    if not members:
        raise MlindexError(f"{source.name}: holds no RawData document, so no measurement")
    ranges, radiation, other = [], Radiation(probe="X-ray"), set()
    for _, member in sorted(members)[:_MAX_SCANS]:
        root = xml(f"{source.name}: {member}", archive.read(member))
        if radiation.wavelength_A is None:
            radiation = _radiation(root)
        for route in root.iter("DataRoute"):
            if route.get("RouteFlag", "Measured") == "Measured":
                found = _route(source.name, route, other)
                ranges += [] if found is None else [found]
    if not ranges and other:
        raise MlindexError(
            f"{source.name}: holds only scans over {', '.join(sorted(other))}; a scan over 2theta "
            "with one intensity a point is needed"
        )
    return pattern(source, ranges, radiation, given)


def _route(name: str, route: Element, other: set[str]) -> Range | None:
    points = [text_of(datum) for datum in route.iter("Datum")]
    if not points:
        return None
    angle, intensity, absorption = _columns(route, points[0].count(",") + 1, other)
    if angle is None or intensity is None:
        return None
    needed = max(angle, intensity) + 1
    used = [angle, intensity]
    if absorption is not None and absorption < needed:
        used.append(absorption)
    values = _values(name, points, used, needed)
    x, y = values[:2]
    if len(used) < 3 or not np.all(values[2] > 1e-6):
        return Range(x, y)
    # The intensities are written with the factor applied; counted was what it leaves.
    factor = values[2]
    return Range(x, y, np.sqrt(np.maximum(y / factor, 1)) * factor)


def _values(name: str, points: list[str], used: list[int], needed: int) -> np.ndarray:
    """Numbers (used, points) at these places; of each point ``needed`` have to be there."""
    values = np.empty((len(used), len(points)))
    for index, point in enumerate(points):
        cells = point.split(",", needed)[:needed]
        if len(cells) < needed:
            raise MlindexError(
                f"{name}: a point has fewer than {needed} numbers; the file is damaged"
            )
        try:
            values[:, index] = [float(cells[place]) for place in used]
        except ValueError as error:
            raise MlindexError(f"{name}: a point is damaged ({str(error)[:120]})") from error
    return values


def _columns(
    route: Element, width: int, other: set[str]
) -> tuple[int | None, int | None, int | None]:
    """Columns of 2theta, intensity and absorption factor; None where there is none."""
    angle = intensity = absorption = None
    views = list(route.iter("RawDataView"))
    if not views:
        return (2, min(width - 1, 4), 1) if width >= 4 else (None, None, None)
    for view in views:
        kind = view.get(_VIEW_TYPE, view.get("type", ""))
        start, length = number_of(view.get("Start")), number_of(view.get("Length"))
        if start is None or length is None or not 0 <= start < 10_000:
            continue
        if kind.startswith("Varying"):
            axes = [f.get("AxisId") or f.get("FieldName") or "" for f in view.iter()]
            axes = [axis for axis in axes if axis]
            if "TwoTheta" in axes and angle is None:
                angle = int(start) + axes.index("TwoTheta")
            elif axes:
                other.add(axes[0])
        elif kind.startswith("Recorded") and intensity is None:
            # More than one number is the image of a detector, not a pattern.
            intensity = int(start) if length == 1 else None
        elif view.get("LogicName") == "AbsorptionFactor":
            absorption = int(start)
    return angle, intensity, absorption


def _radiation(root: Element) -> Radiation:
    def value(tag: str) -> float | None:
        element = next(root.iter(tag), None)
        found = number_of(element.get("Value")) if element is not None else None
        unit = element.get("Unit", "").lower() if element is not None else ""
        return None if found is None else found * _UNITS_A.get(unit, 1.0)

    first, second, ratio = map(value, ("WaveLengthAlpha1", "WaveLengthAlpha2", "WaveLengthRatio"))
    return stated(first, second, ratio, "X-ray")


FORMAT = Format("Bruker BRML", (".brml",), sniff, read)
