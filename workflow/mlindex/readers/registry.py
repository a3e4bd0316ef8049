"""Every format, in the order in which content is looked at."""

from __future__ import annotations

from pathlib import Path

from mlindex.errors import MlindexError
from mlindex.measured import MeasuredPattern
from mlindex.peaklist import PeakList
from mlindex.readers import (
    brml,
    bruker_raw,
    columns,
    gsas,
    mcmaille,
    parquet,
    pdcif,
    pkslst,
    rigaku,
    xrdml,
)
from mlindex.readers.radiation import check_given
from mlindex.readers.source import Format, Source, load

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
    mcmaille.FORMAT,
    pdcif.FORMAT,
    columns.FORMAT,
)


def read(path: str | Path, wavelength_A: float | None = None) -> PeakList | MeasuredPattern:
    """See :func:`mlindex.readers.read`."""
    check_given(str(path), wavelength_A)
    source = load(path)
    known = next((one for one in FORMATS if one.sniff(source)), None)
    if known is None:
        raise MlindexError(_unknown(source))
    try:
        return known.read(source, wavelength_A)
    except MlindexError:
        raise
    except Exception as error:
        # Files come from anywhere: whatever a parser stumbles over is the file's fault to a user.
        raise MlindexError(
            f"{source.name}: looks like {known.what}, but is damaged "
            f"({type(error).__name__}: {str(error)[:120]}); copy or export it again"
        ) from error


def _unknown(source: Source) -> str:
    expected = [one.what for one in FORMATS if source.suffix in one.suffixes]
    seen = (
        f"has the suffix of {' or '.join(expected)}, but not its content"
        if expected
        else "is in no format that is known"
    )
    formats = "; ".join(f"{one.what} ({' '.join(one.suffixes)})" for one in FORMATS)
    return f"{source.name}: {seen}. Supported are: {formats}. Export it as one of these"
