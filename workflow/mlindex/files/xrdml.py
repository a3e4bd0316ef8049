"""PANalytical ``.xrdml``: XML after the vendor's published XRDMeasurement schema (1.0 to 2.x)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files.archive import elements, number_of, text_of
from mlindex.files.assemble import Range, check_count, pattern
from mlindex.files.numbers import numbers_in
from mlindex.files.source import Format, Source
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.radiation import Radiation, alone, stated


def sniff(source: Source) -> bool:
    """Whether the beginning names the root element."""
    return b"<xrdMeasurements" in source.data[:4000] or b":xrdMeasurements" in source.data[:4000]


def read(source: Source, given: Given) -> MeasuredPattern:
    """All scans over 2theta of the first measurement that has any."""
    axes: list[str] = []
    ranges: list[Range] = []
    for element in elements(source.name, source.data):
        if element.tag == "scan":
            axes.append(element.get("scanAxis", "unknown"))
            found = _scan(source.name, element)
            ranges += [] if found is None else [found]
            # A file may hold a thousand scans: of each only its numbers are kept.
            element.clear()
        elif element.tag == "xrdMeasurement" and ranges:
            return pattern(source, ranges, _radiation(element), given)
    seen = f"only scans over {', '.join(sorted(set(axes)))}" if axes else "no scan"
    raise MlindexError(f"{source.name}: holds {seen}; a scan over 2theta is needed")


def _scan(name: str, scan: Element) -> Range | None:
    points = scan.find("dataPoints")
    if points is None:
        return None
    axis = next((p for p in points.findall("positions") if p.get("axis") == "2Theta"), None)
    if axis is None or axis.find("commonPosition") is not None:
        return None
    counts = points.find("intensities")
    if counts is None:
        counts = points.find("counts")
    y = numbers_in(name, text_of(counts))
    listed = axis.find("listPositions")
    if listed is not None:
        x = numbers_in(name, text_of(listed))
        check_count(name, len(x), len(y))
        y = y[: len(x)]
    else:
        start = number_of(text_of(axis.find("startPosition")))
        end = number_of(text_of(axis.find("endPosition")))
        if start is None or end is None:
            raise MlindexError(f"{name}: a scan lacks its start or end position")
        x = np.linspace(start, end, len(y))
    factors = numbers_in(name, text_of(points.find("beamAttenuationFactors")))
    is_counts = counts is not None and counts.tag == "counts"
    if is_counts and len(factors) == len(y):
        return Range(x, y * factors, np.sqrt(np.maximum(y, 1)) * factors)
    return Range(x, y, _error(points, counts, y))


def _error(points: Element, counts: Element | None, y: np.ndarray) -> np.ndarray | None:
    """Errors of counts per second; None for counts, which follow Poisson's law."""
    time_s = number_of(text_of(points.find("commonCountingTime")))
    if counts is None or counts.get("unit") != "cps" or not time_s or time_s <= 0:
        return None
    return np.sqrt(np.maximum(y * time_s, 1)) / time_s


def _radiation(measurement: Element) -> Radiation:
    used = measurement.find("usedWavelength")
    if used is None:
        return Radiation(probe="X-ray")
    first, second, beta, ratio = (
        number_of(text_of(used.find(tag)))
        for tag in ("kAlpha1", "kAlpha2", "kBeta", "ratioKAlpha2KAlpha1")
    )
    intended = used.get("intended", "").lower().replace("-", "").replace(" ", "")
    if intended == "kbeta":
        return stated(beta, probe="X-ray")
    # "K-Alpha 1" is also written where nothing takes K-alpha2 out of the beam.
    single = intended == "kalpha1" and next(measurement.iter("monochromator"), None) is not None
    return alone(first) if single else stated(first, second, ratio, "X-ray")


FORMAT = Format("PANalytical XRDML", (".xrdml",), sniff, read)
