"""Bruker and Siemens ``.raw``, versions 1 to 4 (``RAW ``, ``RAW2``, ``RAW1.01``, ``RAW4.00``).

Versions 1 to 3 after the vendor's manuals (DIFFRAC-AT, appendix B; DIFFRAC plus XCH 5.0, appendix
A), version 4 after what its users found and published: segments of type and length, then for each
range a header of 160 bytes, records of the drives, and the points. All little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files.assemble import Range, check_count, pattern
from mlindex.files.source import Format, Source
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.radiation import Radiation, stated

_MAX_RANGES = 10_000
_RANGE_MARKS = (0, 160)
_SOURCE_SEGMENT = 30
_DRIVE_SEGMENT = 50
#: Scans in which 2theta is not what is stepped.
_OTHER_SCANS = ("rocking", "phi", "chi", "psi", "fixed", "psd fix", "x scan", "y scan", "z scan")


@dataclass(frozen=True)
class _Bytes:
    """Numbers at places in a file; reading beyond its end says that it is truncated."""

    name: str
    data: bytes

    def get(self, kind: str, at: int) -> float:
        try:
            return struct.unpack_from("<" + kind, self.data, at)[0]
        except struct.error:
            raise MlindexError(
                f"{self.name}: the file ends inside a header ({len(self.data)} bytes): it is "
                "truncated; copy or export it again"
            ) from None

    def text(self, at: int, length: int) -> str:
        return self.data[at : at + length].split(b"\0")[0].decode("latin-1").strip()

    def points(self, at: int, count: int, size: int) -> np.ndarray:
        """The first float of each of ``count`` records of ``size`` bytes."""
        found = max(0, len(self.data) - at) // size
        check_count(self.name, count, found)
        block = np.frombuffer(self.data, np.uint8, count * size, at).reshape(count, size)
        # Bytes that are no number become NaN, without a warning.
        with np.errstate(invalid="ignore"):
            return np.ascontiguousarray(block[:, :4]).view("<f4")[:, 0].astype(float)


def sniff(source: Source) -> bool:
    """Whether it begins as one of the versions does."""
    return source.data.startswith((b"RAW ", b"RAW2", b"RAW1.", b"RAW4.", b"RAW_", b"FI\0\0"))


def read(source: Source, given: Given) -> MeasuredPattern:
    """All ranges."""
    raw = _Bytes(source.name, source.data)
    for mark, reader in (
        (b"RAW ", _version_1),
        (b"RAW2", _version_2),
        (b"RAW1.", _version_3),
        (b"RAW4.", _version_4),
    ):
        if source.data.startswith(mark):
            radiation, ranges = reader(raw)
            return pattern(source, ranges, radiation, given)
    maker = "a STOE" if source.data.startswith(b"RAW_") else "a binary Rigaku"
    raise MlindexError(
        f"{source.name}: is {maker} .raw file, which is not read; export it as .xye or .ras"
    )


def _grid(raw: _Bytes, start: float, step: float, count: int) -> np.ndarray:
    if not (np.isfinite(start) and np.isfinite(step) and 0 < abs(step) < 10):
        raise MlindexError(f"{raw.name}: a range starts at {start:g} in steps of {step:g} degrees")
    return start + step * np.arange(count)


def _version_1(raw: _Bytes) -> tuple[Radiation, list[Range]]:
    radiation, ranges, at = Radiation(), [], 0
    while at < len(raw.data) and len(ranges) < _MAX_RANGES:
        # Later ranges may leave out the four letters.
        if raw.data[at : at + 4] == b"RAW ":
            at += 4
        count = check_count(raw.name, raw.get("I", at))
        time, step, start = (raw.get("f", at + offset) for offset in (4, 8, 20))
        if not ranges:
            radiation = stated(
                _rounded(raw.get("f", at + 68)), _rounded(raw.get("f", at + 72)), probe="X-ray"
            )
        follows = raw.get("I", at + 148)
        counts = raw.points(at + 152, count, 4)
        grid = _grid(raw, _rounded(start), _rounded(step), count)
        ranges.append(Range(grid, counts, time=time))
        at += 152 + 4 * count
        if not follows:
            break
    return radiation, ranges


def _version_2(raw: _Bytes) -> tuple[Radiation, list[Range]]:
    radiation = stated(
        *(_rounded(raw.get("f", at)) for at in (190, 194, 198)),
        probe="X-ray",
    )
    ranges, at = [], 256
    for _ in range(int(raw.get("H", 4))):
        header, count = int(raw.get("H", at)), check_count(raw.name, raw.get("H", at + 2))
        if header < 48:
            raise MlindexError(f"{raw.name}: a range header of {header} bytes can't be right")
        step, start = _rounded(raw.get("f", at + 12)), _rounded(raw.get("f", at + 16))
        counts = raw.points(at + header, count, 4)
        time = raw.get("f", at + 8)
        ranges.append(Range(_grid(raw, start, step, count), counts, time=time))
        at += header + 4 * count
    return radiation, ranges


def _version_3(raw: _Bytes) -> tuple[Radiation, list[Range]]:
    radiation = stated(*(raw.get("d", at) for at in (624, 632, 648)), probe="X-ray")
    ranges, at = [], 712
    for _ in range(min(int(raw.get("I", 12)), _MAX_RANGES)):
        header, count = int(raw.get("I", at)), check_count(raw.name, raw.get("I", at + 4))
        if not 260 <= header <= 10_000:
            raise MlindexError(f"{raw.name}: a range header of {header} bytes can't be right")
        start, step = raw.get("d", at + 16), raw.get("d", at + 176)
        size, extra = int(raw.get("I", at + 252)), int(raw.get("I", at + 256))
        size = size if size >= 4 and size % 4 == 0 else 4
        used, time = raw.get("d", at + 240), raw.get("f", at + 192)
        if radiation.wavelength_A is None:
            radiation = stated(used, probe="X-ray")
        at += header + extra
        counts = raw.points(at, count, size)
        ranges.append(Range(_grid(raw, start, step, count), counts, time=time))
        at += size * count
    return radiation, ranges


def _version_4(raw: _Bytes) -> tuple[Radiation, list[Range]]:
    radiation, ranges, skipped, at = Radiation(probe="X-ray"), [], [], 61
    while at + 8 <= len(raw.data) and len(ranges) < _MAX_RANGES:
        kind, length = int(raw.get("I", at)), max(int(raw.get("I", at + 4)), 8)
        if kind in _RANGE_MARKS:
            scan, found, at = _range_4(raw, at)
            if found is None:
                skipped.append(scan)
            else:
                ranges.append(found)
            continue
        if kind == _SOURCE_SEGMENT and length >= 112:
            values = [raw.get("d", at + offset) for offset in (80, 88, 104)]
            radiation = stated(*values, probe="X-ray")
        at += length
    if not ranges and skipped:
        raise MlindexError(f"{raw.name}: holds only {skipped[0]} scans; one over 2theta is needed")
    return radiation, ranges


def _range_4(raw: _Bytes, at: int) -> tuple[str, Range | None, int]:
    """What is scanned, the range (None if it isn't 2theta), and where it ends."""
    scan = raw.text(at + 32, 24)
    start, step = raw.get("d", at + 72), raw.get("d", at + 80)
    count = check_count(raw.name, raw.get("I", at + 88))
    size, extra = int(raw.get("I", at + 136)), int(raw.get("I", at + 140))
    if size < 4 or size % 4:
        raise MlindexError(f"{raw.name}: points of {size} bytes can't be right")
    data_at = at + 160 + extra
    counts = raw.points(data_at, count, size)
    end = data_at + size * count
    if any(word in scan.lower() for word in _OTHER_SCANS):
        return scan, None, end
    # A coupled scan may state theta as its start; the drive of 2theta says where that was.
    angle = next((v for name, v in _drives(raw, at + 160, extra) if name == "2theta"), start)
    close = 1e-4 * max(abs(angle), 1)
    if abs(angle - start) > close:
        if abs(angle - 2 * start) > close:
            return scan or "other", None, end
        start, step = angle, 2 * step
    grid = _grid(raw, start, step, count)
    return scan, Range(grid, counts, time=raw.get("f", at + 92)), end


def _drives(raw: _Bytes, at: int, size: int) -> Iterator[tuple[str, float]]:
    end = min(at + size, len(raw.data))
    while at + 64 <= end:
        kind, length = int(raw.get("I", at)), max(int(raw.get("I", at + 4)), 8)
        if kind == _DRIVE_SEGMENT and length >= 64:
            yield (
                raw.text(at + 12, 24).lower().replace("-", "").replace(" ", ""),
                raw.get("d", at + 56),
            )
        at += length


def _rounded(value: float) -> float:
    """A single-precision number as it was meant: 0.02, not 0.0199999996."""
    return float(str(np.float32(value)))


FORMAT = Format("Bruker and Siemens RAW, versions 1 to 4", (".raw",), sniff, read)
