"""Parquet with named columns: a peak list, or a whole pattern if it is stepped like one.

Columns are named as in text (:mod:`mlindex.patterns.peaklist`); a column or a metadata entry
``wavelength_A`` states the wavelength.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.files.archive import number_of
from mlindex.files.assemble import Range, pattern, two_theta_from
from mlindex.files.columns import looks_like_pattern
from mlindex.files.list_layouts import one_sample
from mlindex.files.peak_lists import peaks_from_columns
from mlindex.files.rows import SAMPLE_NAMES, layout
from mlindex.files.source import MAX_POINTS, Format, Source
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.radiation import Radiation, choose, stated

if TYPE_CHECKING:
    import pyarrow as pa

_WAVELENGTH = "wavelength_A"


def sniff(source: Source) -> bool:
    """Whether it begins as Parquet does."""
    return source.data.startswith(b"PAR1")


def read(source: Source, given_A: float | None) -> PeakList | MeasuredPattern:
    """The columns that are known by their names."""
    # Slow imports, needed for this format only.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(source.data))
        if not 0 < file.metadata.num_rows <= MAX_POINTS:
            raise MlindexError(f"{source.name}: has {file.metadata.num_rows} rows")
        schema = file.schema_arrow
        names = [field.name for field in schema if pa.types.is_primitive(field.type)]
        found = layout(names)
        if found is None:
            raise MlindexError(
                f"{source.name}: none of the columns {', '.join(schema.names)[:200]} is a "
                "position; name one d_A, two_theta_deg, q_inv_A, q_2pi or q2_inv_A2"
            )
        wanted = {found.quantity: names[found.position]}
        wanted |= {role: names[index] for role, index in found.columns.items()}
        used = [*wanted.values(), *([_WAVELENGTH] if _WAVELENGTH in names else [])]
        table = file.read(columns=used)
        for sample in (name for name in schema.names if name.lower() in SAMPLE_NAMES):
            one_sample(source.name, file.read([sample])[sample].unique().to_pylist())
        columns = {role: _floats(table, name) for role, name in wanted.items()}
    except (pa.ArrowException, OSError) as error:
        raise MlindexError(
            f"{source.name}: is damaged or truncated Parquet ({str(error)[:120]}); write it again"
        ) from error
    radiation = _radiation(table, schema.metadata or {}, source.name)
    return _result(source, found.quantity, found.factor, columns, radiation, given_A)


def _floats(table: pa.Table, name: str) -> np.ndarray:
    return table.column(name).cast("double").to_numpy().astype(float)


def _radiation(table: pa.Table, metadata: dict[bytes, bytes], name: str) -> Radiation:
    if _WAVELENGTH in table.column_names:
        values = np.unique(_floats(table, _WAVELENGTH))
        if len(values) > 1:
            raise MlindexError(f"{name}: holds lines measured at {len(values)} wavelengths")
        return stated(float(values[0]))
    text = metadata.get(_WAVELENGTH.encode(), b"").decode("ascii", errors="replace")
    return stated(number_of(text))


def _result(
    source: Source,
    quantity: str,
    factor: float,
    columns: dict[str, np.ndarray],
    radiation: Radiation,
    given_A: float | None,
) -> PeakList | MeasuredPattern:
    positions = columns[quantity] * factor
    intensity = columns.get("intensity")
    used = choose(radiation, given_A)
    if intensity is not None and "fwhm" not in columns and looks_like_pattern(quantity, positions):
        x = two_theta_from(source.name, quantity, positions, used.wavelength_A)
        one = Range(x, intensity, columns.get("intensity_error"))
        return pattern(source, [one], radiation, given_A)
    return peaks_from_columns(
        source.name,
        quantity,
        positions,
        used.wavelength_A,
        intensity=intensity,
        fwhm_deg=columns.get("fwhm") if quantity == "2theta" else None,
        two_theta_error_deg=columns.get("two_theta_error"),
        notes=used.notes,
    )


FORMAT = Format("Parquet with named columns", (".parquet", ".pq"), sniff, read)
