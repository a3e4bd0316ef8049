"""Rows of numbers in text, and the names that people give their columns."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass

#: With the uncertainty of the last digits in brackets, as papers print it.
_ESD = r"(?:\(\d{1,4}\))?"
_DECIMAL_COMMA = re.compile(rf"[-+]?\d+(?:,\d+)?(?:[eE][-+]?\d+)?{_ESD}")
_WITH_ESD = re.compile(r"([-+]?\d+(?:\.\d+)?)\(\d{1,4}\)")
_SOME_DECIMAL_COMMA = re.compile(r"\d,\d")
_BRACKETS = re.compile(r"[(\[][^)\]]{0,40}[)\]]")
_UNIT = re.compile(r"\s+([(\[][^)\]]{0,40}[)\]])")
_LONGEST_NAME, _MOST_COLUMNS, _LONGEST_HEADER = 100, 1000, 1000
_COMMENT = "#!%'*/"

_POSITION = {
    "d": "d d_a dspacing d_spacing d_obs d_value d_ang d_angstrom d_nm d_pm",
    "2theta": (
        "2theta two_theta two_theta_deg 2theta_deg 2_theta 2_theta_deg 2th 2th_deg tth tth_deg "
        "twotheta twotheta_deg 2_theta_angle 2theta_angle angle 2theta_obs two_theta_obs "
        "winkel winkel_2theta 2th_rad tth_rad 2theta_rad two_theta_rad"
    ),
    "theta": "theta theta_deg theta_obs",
    "q": "q q_inv_a 1/d",
    "Q": "q_2pi q_2pi_inv_a q_a^_1 q_nm^_1 2pi/d momentum_transfer momentumtransfer",
    "q2": "q2 q2_inv_a2 q^2 1/d2 1/d^2",
}
_OTHER = {
    "intensity": (
        "intensity i int i/i0 rel_int i_rel counts cps area height iobs i_obs yobs y "
        "intensity_counts intensity_cps total_counts intensität intensitaet intensité zähler"
    ),
    "fwhm": "fwhm fwhm_deg width width_deg fwhm_left fwhm_2theta",
    "two_theta_error": (
        "2theta_error two_theta_error two_theta_error_deg 2theta_esd esd_2theta sigma_2theta "
        "2theta_sigma 2theta_err e_2theta d2theta delta_2theta 2th_error 2th_esd"
    ),
    "intensity_error": "su esd error err sigma sigma_i esd_i intensity_error intensity_esd e",
    "hkl": "h k l hkl",
}
_QUANTITY = {word: key for key, words in _POSITION.items() for word in words.split()}
_ROLE = {word: key for key, words in _OTHER.items() for word in words.split()}
#: Names of the column that names the samples of a table.
SAMPLE_NAMES = ("sample", "sample_id", "entry_id")
_RADIANS = re.compile(r"(?:\b|_)rad(?:ians?)?\b")
#: 2theta over theta.
THETA = 2.0
_LENGTHS_A = {"nm": 10.0, "pm": 0.01}
_POWER_OF_LENGTH = {"d": 1, "q": -1, "Q": -1, "q2": -2}


@dataclass(frozen=True)
class Layout:
    """What the columns of a table are.

    ``quantity`` is d, 2theta, q (1/d), Q (2 pi/d) or q2 (1/d²), ``position`` its column and
    ``factor`` what its values are multiplied with for A or degrees; ``columns`` maps intensity,
    fwhm, two_theta_error and intensity_error to columns.
    """

    quantity: str
    position: int
    factor: float
    columns: dict[str, int]


def split_row(line: str) -> list[str]:
    """Cells of a row separated by semicolons, tabs, commas or blanks; decimal commas are read."""
    line = line.strip()
    if ";" in line:
        cells = [_point(cell.strip().strip("\"'")) for cell in line.split(";")]
    elif "\t" in line:
        cells = [
            _point(cell.strip(" ,").strip("\"'")) for cell in line.split("\t") if cell.strip(" ,")
        ]
        if len(cells) == 1:
            return split_row(cells[0])
    elif "," in line:
        cells = _split_commas(line)
    else:
        # A unit in brackets belongs to the name before it.
        short = len(line) < _LONGEST_HEADER
        cells = (_UNIT.sub(lambda u: u[1].replace(" ", "_"), line) if short else line).split()
    while cells and not cells[-1]:
        cells.pop()
    return [cell.strip("\"'") for cell in cells]


def number(cell: str) -> float | None:
    """The number in a cell, without an uncertainty in brackets; None if it holds none."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        match = _WITH_ESD.fullmatch(cell)
        return float(match[1]) if match else None


def is_comment(line: str) -> bool:
    """Whether a line is a comment in one of the programs that write columns."""
    return line.lstrip().startswith(tuple(_COMMENT))


def layout(cells: list[str], first: str = "2theta") -> Layout | None:
    """What the columns are after their names; None if none of them is a position.

    ``first`` is the quantity taken where there are several: 2theta is written with more digits
    than d, but can't be used without a wavelength.
    """
    cells = _names(cells)
    found: list[tuple[bool, bool, int, str, float]] = []
    columns: dict[str, int] = {}
    for index, cell in enumerate(cells):
        position = _position(cell)
        if position is not None:
            # Where 2theta stands, too, theta may be fixed.
            halved = _QUANTITY.get(_plain(cell)) == "theta"
            found.append((position[0] != first, halved, index, *position))
        else:
            columns.setdefault(_ROLE.get(_plain(cell), ""), index)
    if not found:
        return None
    columns.pop("", None)
    *_, index, quantity, factor = min(found)
    return Layout(quantity, index, factor, columns)


def only_names(cells: list[str]) -> bool:
    """Whether every cell is the name of a column: a comment that names the columns."""
    cells = _names(cells)
    return len(cells) > 1 and all(_position(c) or _plain(c) in _ROLE for c in cells)


def _names(cells: list[str]) -> list[str]:
    """Cells that can be names, or empty above a column without one; units alone are neither."""
    cells = [cell[:_LONGEST_NAME] for cell in cells[:_MOST_COLUMNS]]
    return [cell for cell in cells if not cell or _BRACKETS.sub("", cell).strip()]


def _position(cell: str) -> tuple[str, float] | None:
    plain = _plain(cell)
    unit = " ".join(_BRACKETS.findall(cell)).lower()
    if plain == "pos" and "2th" in unit:
        return "2theta", 1.0
    quantity = _QUANTITY.get(plain)
    if quantity is None:
        return None
    if quantity == "q" and _BRACKETS.sub("", cell).strip().strip("\"'").startswith("Q"):
        quantity = "Q"
    if quantity in ("2theta", "theta"):
        factor = math.degrees(1) if _RADIANS.search(f"{plain} {unit}") else 1.0
        return "2theta", factor * (THETA if quantity == "theta" else 1)
    length = next((_LENGTHS_A[x] for x in _LENGTHS_A if x in unit or x in plain), 1.0)
    return quantity, length ** _POWER_OF_LENGTH[quantity]


def _plain(cell: str) -> str:
    cell = _BRACKETS.sub("", cell).strip().strip("\"'").lower()
    for old, new in (("θ", "theta"), ("ϑ", "theta"), ("°", ""), ("å", "a"), ("²", "2")):
        cell = cell.replace(old, new)
    return re.sub(r"[\s.\-_]+", "_", cell).strip("_")


def _split_commas(line: str) -> list[str]:
    if '"' in line and len(line) < _LONGEST_HEADER:
        return [_point(cell.strip()) for cell in next(csv.reader([line], skipinitialspace=True))]
    words = [word.rstrip(",") for word in line.split()]
    if (
        len(words) > 1
        and all(_DECIMAL_COMMA.fullmatch(word) for word in words)
        and _SOME_DECIMAL_COMMA.search(line)
    ):
        return [_point(word) for word in words]
    return [cell.strip() for cell in line.split(",")]


def _point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell
