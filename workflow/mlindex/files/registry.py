"""Every format, in the order in which content is looked at."""

from __future__ import annotations

from pathlib import Path

from mlindex.base.errors import MlindexError
from mlindex.base.names import shown
from mlindex.crystal.wavelengths import Given, given_as
from mlindex.files import (
    brml,
    bruker_raw,
    columns,
    gsas,
    ill,
    jcpds,
    mcmaille,
    parquet,
    pdcif,
    pkslst,
    psi,
    rigaku,
    xrdml,
)
from mlindex.files.source import Format, Source, load
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.radiation import check_given

#: Columns come last: nearly any text could be some.
FORMATS: tuple[Format, ...] = (
    parquet.FORMAT,
    brml.FORMAT,
    rigaku.RASX,
    bruker_raw.FORMAT,
    xrdml.FORMAT,
    rigaku.RAS,
    gsas.FORMAT,
    pkslst.FORMAT,
    psi.FORMAT,
    ill.FORMAT,
    jcpds.FORMAT,
    mcmaille.FORMAT,
    pdcif.FORMAT,
    columns.FORMAT,
)

#: First bytes, in lower case.
_OTHER_KINDS = {
    b"\x1f\x8b": "is compressed with gzip; unpack it first",
    b"bzh": "is compressed with bzip2; unpack it first",
    b"\xfd7zxz": "is compressed with xz; unpack it first",
    b"pk\x03\x04": "is a ZIP archive or an Office file; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is an old Office file; save the sheet as CSV",
    b"\x89png": "is an image; the numbers are needed",
    b"\xff\xd8\xff": "is an image; the numbers are needed",
    b"%pdf": "is a PDF; copy the numbers to a text file",
    b"{\\rtf": "is an RTF document; save it as plain text",
    b"<!doctype html": "is a web page; save the data themselves",
    b"<html": "is a web page; save the data themselves",
    b"\x89hdf": "is HDF5; integrate or export it",
    b'{"': "is JSON; save the positions as columns of text",
}
#: What stands near the beginning of result.json.
_OWN_JSON = b'"mlindex_version"'
_NEAR_BYTES = 200


def read(path: str | Path, wavelength: Given, time_limit_s: float) -> PeakList | MeasuredPattern:
    """See :func:`mlindex.files.read`."""
    if not isinstance(path, (str, Path)) or not str(path).strip():
        raise MlindexError(f"{path!r} is no name of a file; give one, such as 'scan.xye'")
    given = given_as(wavelength)
    if not isinstance(given, str):
        check_given(shown(path), given)
    source = load(path, time_limit_s)
    known = next((one for one in FORMATS if one.sniff(source)), None)
    if known is None or (known is columns.FORMAT and _other_kind(source)):
        raise MlindexError(_unknown(source))
    try:
        return known.read(source, given)
    except MlindexError:
        raise
    except Exception as error:
        # Files come from anywhere: whatever a parser stumbles over is the file's fault to a user.
        raise MlindexError(
            f"{source.name}: looks like {known.what}, but is damaged "
            f"({type(error).__name__}: {str(error)[:120]}); copy or export it again"
        ) from error


def _other_kind(source: Source) -> str | None:
    """What a file is that holds no pattern in any format, and what to do; None if not known."""
    low, high = source.data[0:200:2], source.data[1:200:2]
    if len(high) > 1 and all(low) and not any(high):
        return "is text in UTF-16 without its mark; save it as UTF-8"
    if _OWN_JSON in source.data[:_NEAR_BYTES]:
        return (
            "is a result of mlindex, not a peak list; json.load reads it, and its lines are in "
            "observed_lines.parquet beside it, or in the list or pattern that was indexed"
        )
    start = source.data[:20].lstrip().lower()
    return next((what for mark, what in _OTHER_KINDS.items() if start.startswith(mark)), None)


def _unknown(source: Source) -> str:
    kind = _other_kind(source)
    if kind is None:
        named = any(source.suffix in one.suffixes for one in FORMATS)
        though = f", whatever its suffix {source.suffix} says" if named else ""
        binary = "" if source.is_text else "binary, and "
        kind = f"is {binary}in no format that is known{though}; export it as columns of text"
    return f"{source.name}: {kind}; 'mlindex formats' lists what can be read"
