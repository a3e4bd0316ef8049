"""Powder CIF, read with gemmi: measured intensities over 2theta (pdCIF dictionary, Toby 2006).

Positions corrected by their authors (``_pd_proc_``) are taken before those as measured; calculated
intensities never are.
"""

from __future__ import annotations

import re

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import Given
from mlindex.files.assemble import Range, pattern, refuse_time_of_flight
from mlindex.files.cif_problem import cif_problem
from mlindex.files.rows import number
from mlindex.files.source import Format, Source
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.radiation import Radiation, from_tube, stated

_DATA = re.compile(rb"^[ \t]*data_\S", re.IGNORECASE | re.MULTILINE)
_LONGEST_NUMBER = 60
_POSITIONS = ("_pd_proc_2theta_corrected", "_pd_meas_2theta_scan", "_pd_calc_2theta_scan")
_RANGES = ("_pd_proc_2theta_range_", "_pd_meas_2theta_range_")
_INTENSITIES = (
    "_pd_meas_counts_total",
    "_pd_meas_intensity_total",
    "_pd_proc_intensity_total",
    "_pd_meas_intensity_net",
    "_pd_proc_intensity_net",
    "_pd_meas_counts_net",
)
_TIME = "_pd_meas_time_of_flight"
_WEIGHT = "_pd_proc_ls_weight"
_WAVELENGTH = "_diffrn_radiation_wavelength"
_UNCERTAIN = re.compile(r"^([-+]?\d*\.?\d*(?:[eE][-+]?\d+)?)\((\d+)\)$")


def sniff(source: Source) -> bool:
    """Whether a line begins a CIF block."""
    return source.is_text and _DATA.search(source.data.replace(b"\r", b"\n")[:200_000]) is not None


def read(source: Source, given: Given) -> MeasuredPattern:
    """The first block with a measured pattern."""
    import gemmi

    source.check_words()
    try:
        document = gemmi.cif.read_string(source.data.decode("utf-8", errors="replace"))
    except (ValueError, RuntimeError) as error:
        raise MlindexError(f"{source.name}: {cif_problem(error)}") from error
    ranges, first = [], None
    for block in document:
        found = _block(source.name, block)
        if found is not None:
            ranges.append(found)
            first = first or block
    if first is None:
        raise MlindexError(
            f"{source.name}: is CIF without a measured powder pattern over 2theta (looked for "
            f"{', '.join(_INTENSITIES[:3])}); a structure alone can't be indexed"
        )
    return pattern(source, ranges, _radiation(document, first), given)


def _block(name: str, block: object) -> Range | None:
    for tag in _INTENSITIES:
        cells = list(block.find_values(tag))
        if len(cells) < 2:
            continue
        if block.find_values(_TIME) and not any(map(block.find_values, _POSITIONS)):
            raise refuse_time_of_flight(name, f"block {block.name} is over {_TIME}")
        x = _positions(block, len(cells))
        if x is None:
            continue
        y, error = _uncertain(cells)
        return Range(x, y, _weights(block, len(cells)) if error is None else error)
    return None


def _positions(block: object, count: int) -> np.ndarray | None:
    for tag in _POSITIONS:
        cells = list(block.find_values(tag))
        if len(cells) == count:
            return _uncertain(cells)[0]
    for prefix in _RANGES:
        start, end = (number(_plain(block.find_value(prefix + w))) for w in ("min", "max"))
        if start is not None and end is not None:
            return np.linspace(start, end, count)
    return None


def _plain(cell: str | None) -> str:
    return (cell or "").partition("(")[0].strip("'\"")


def _uncertain(cells: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Numbers and, where most of them have one in brackets, their standard uncertainties."""
    values, errors = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    for index, cell in enumerate(cells):
        match = _UNCERTAIN.match(cell[:_LONGEST_NUMBER])
        value = number(match[1] if match else cell.strip("'\""))
        if value is not None:
            values[index] = value
        if match and value is not None:
            digits = len(match[1].partition(".")[2].lower().partition("e")[0])
            errors[index] = int(match[2][:15]) / 10.0**digits
    return values, errors if np.isfinite(errors).mean() > 0.5 else None


def _weights(block: object, count: int) -> np.ndarray | None:
    cells = list(block.find_values(_WEIGHT))
    if len(cells) != count:
        return None
    weights = _uncertain(cells)[0]
    with np.errstate(all="ignore"):
        return 1 / np.sqrt(weights)


def _radiation(document: object, first: object) -> Radiation:
    """From the block of the pattern, or from the others if they agree."""
    for blocks in ([first], list(document)):
        found = {r for block in blocks if (r := _stated(block)).wavelength_A is not None}
        if len(found) == 1:
            return found.pop()
    return Radiation(probe=_probe(first))


def _stated(block: object) -> Radiation:
    cells = [_plain(cell) for cell in block.find_values(_WAVELENGTH)]
    weights = [_plain(cell) for cell in block.find_values(_WAVELENGTH + "_wt")]
    lines = [number(cell) for cell in cells]
    lines = [line for line in lines if line is not None]
    if not lines:
        return from_tube(" ".join(block.find_values("_diffrn_radiation_type")))
    strengths = [number(cell) or 0.0 for cell in weights]
    if len(lines) == 1:
        return stated(lines[0], probe=_probe(block))
    if len(strengths) != len(lines):
        strengths = [1.0, 0.5]
    strong, weak = sorted(zip(strengths, lines, strict=False), reverse=True)[:2]
    ratio = weak[0] / strong[0] if strong[0] > 0 else 0.5
    return stated(strong[1], weak[1], ratio, _probe(block))


def _probe(block: object) -> str | None:
    words = " ".join(
        cell.strip("'\"").lower()
        for tag in ("_diffrn_radiation_probe", "_diffrn_radiation_type")
        for cell in block.find_values(tag)
    )
    if "neutron" in words:
        return "neutron"
    return "X-ray" if "x-ray" in words or "k\\a" in words else None


FORMAT = Format("powder CIF over 2theta", (".cif", ".pdcif", ".rtv"), sniff, read)
