"""Measured peak lists: reading, checking, and q² with its error.

A list is text or CSV with columns told apart by blanks, tabs, commas or semicolons. Lines that
begin with # are comments; ``# wavelength: 1.5406`` in one of them states the wavelength. The first
line that is not a comment may name the columns: d (or d_A), 2theta (two_theta, two_theta_deg),
q (q_inv_A), q2 (q2_inv_A2), intensity (I). q is 1/d, without 2 pi. Without names, the first
column is 2theta where a wavelength is given and d otherwise, the second the intensity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mlindex.errors import MlindexError
from mlindex.merit import q2_from_two_theta, two_theta_from_q2
from mlindex.tables.results import LINES

_QUANTITIES = {
    "d": ("d", "d_a", "dspacing", "d_spacing", "d(a)", "d_obs"),
    "2theta": ("2theta", "two_theta", "two_theta_deg", "2theta_deg", "2-theta", "2th", "tth"),
    "q": ("q", "q_inv_a"),
    "q2": ("q2", "q2_inv_a2"),
}
_INTENSITY = ("intensity", "i", "int", "i/i0", "rel_int")
_WAVELENGTH = re.compile(r"wavelength(?:_A)?\s*[:=]?\s*([-+0-9.eE]+)", re.IGNORECASE)
_SEPARATOR = re.compile(r"[,;\s]+")
#: Lines closer than this in relative q² are given twice.
_DUPLICATE_REL = 1e-6
#: Wavelength at which an error in 2theta is turned into one in q² where the list states none.
_ERROR_WAVELENGTH_A = 1.5406
_LARGEST_D_A = 1000.0


@dataclass(frozen=True)
class PeakList:
    """A checked peak list: q² rising (n,) in 1/A², intensities (n,) or None.

    ``wavelength_A`` is None where the list needs none; ``notes`` say what was put right.
    """

    name: str
    q2_inv_A2: np.ndarray
    intensity: np.ndarray | None
    wavelength_A: float | None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.q2_inv_A2)

    def q2_error_inv_A2(self, two_theta_error_deg: float) -> np.ndarray:
        """Error of each q² (n,) for an error of 2theta: 2 sin(2theta) / lambda² times it.

        Lists without a wavelength were measured at one that they don't tell; their error is that
        of Cu K-alpha1. Only the error depends on it, never a line's position.
        """
        wavelength = self.wavelength_A or _ERROR_WAVELENGTH_A
        two_theta = np.radians(two_theta_from_q2(self.q2_inv_A2, wavelength))
        # Beyond 90 degrees the error would shrink to 0 at back reflection.
        sine = np.sin(np.minimum(np.nan_to_num(two_theta, nan=np.pi / 2), np.pi / 2))
        return 2 * sine / wavelength**2 * np.radians(two_theta_error_deg)

    def table(self, used: int) -> pd.DataFrame:
        """LINES, the first ``used`` of them marked."""
        n = len(self)
        angles = np.full(n, np.nan)
        if self.wavelength_A is not None:
            angles = two_theta_from_q2(self.q2_inv_A2, self.wavelength_A)
        intensity = np.full(n, np.nan) if self.intensity is None else self.intensity
        columns = (
            self.q2_inv_A2,
            1 / np.sqrt(self.q2_inv_A2),
            angles,
            intensity,
            np.arange(n) < used,
        )
        return pd.DataFrame(dict(zip(LINES.names, columns, strict=True)))


def read_peak_list(path: str | Path, wavelength_A: float | None = None) -> PeakList:
    """Read and check a peak list.

    Args:
        path: the file.
        wavelength_A: wavelength in A, needed for 2theta unless the file states it.

    Raises:
        MlindexError: what is wrong, in which line, and what to do.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise MlindexError(f"{path}: can't be read ({error.strerror or error})") from error
    stated = _stated_wavelength(text, path)
    return parse_peak_list(text, str(path), wavelength_A if wavelength_A is not None else stated)


def parse_peak_list(text: str, name: str, wavelength_A: float | None) -> PeakList:
    """Like :func:`read_peak_list`, from text."""
    if wavelength_A is not None and not 0.01 < wavelength_A < 100:
        raise MlindexError(f"{name}: a wavelength of {wavelength_A} A can't be right")
    rows = [
        (number, [f for f in _SEPARATOR.split(line.strip()) if f])
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not rows:
        raise MlindexError(f"{name}: there is no line with numbers in it")
    quantity, columns, rows = _header(rows, wavelength_A, name)
    values = _numbers(rows, columns[0], name)
    intensity = None
    if columns[1] is not None and all(len(fields) > columns[1] for _, fields in rows):
        intensity = _numbers(rows, columns[1], name)
    _check(quantity, values, [n for n, _ in rows], name)
    q2 = _to_q2(quantity, values, wavelength_A, name)
    return _ordered(name, q2, intensity, wavelength_A)


def _stated_wavelength(text: str, path: Path) -> float | None:
    comments = (line for line in text.splitlines() if line.lstrip().startswith("#"))
    for line in comments:
        if match := _WAVELENGTH.search(line):
            try:
                return float(match[1])
            except ValueError:
                raise MlindexError(
                    f"{path}: the wavelength {match[1]!r} is no number; write '# wavelength: "
                    "1.5406' (in A)"
                ) from None
    return None


def _header(
    rows: list[tuple[int, list[str]]], wavelength_A: float | None, name: str
) -> tuple[str, tuple[int, int | None], list[tuple[int, list[str]]]]:
    number, fields = rows[0]
    if _is_number(fields[0]):
        second = 1 if all(len(f) > 1 for _, f in rows) else None
        return ("d" if wavelength_A is None else "2theta"), (0, second), rows
    names = [f.lower() for f in fields]
    for quantity, spellings in _QUANTITIES.items():
        for position, column in enumerate(names):
            if column in spellings:
                intensity = next((i for i, n in enumerate(names) if n in _INTENSITY), None)
                if len(rows) == 1:
                    raise MlindexError(f"{name}: there is no line below the column names")
                return quantity, (position, intensity), rows[1:]
    raise MlindexError(
        f"{name}, line {number}: {' '.join(fields)!r} is neither numbers nor names of columns; "
        "name one of them d, 2theta, q or q2, and put # before comments"
    )


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _numbers(rows: list[tuple[int, list[str]]], column: int, name: str) -> np.ndarray:
    values = []
    for number, fields in rows:
        if len(fields) <= column or not _is_number(fields[column]):
            seen = fields[column] if len(fields) > column else "nothing"
            raise MlindexError(
                f"{name}, line {number}: expected a number in column {column + 1}, got {seen!r}; "
                "correct it or put # before the line"
            )
        values.append(float(fields[column]))
    return np.array(values)


def _check(quantity: str, values: np.ndarray, numbers: list[int], name: str) -> None:
    bad = ~(np.isfinite(values) & (values > 0))
    if quantity == "2theta":
        bad |= values >= 180
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        allowed = "between 0 and 180 degrees" if quantity == "2theta" else "positive"
        raise MlindexError(
            f"{name}, line {numbers[first]}: {quantity} must be {allowed}, got {values[first]:g}"
        )
    if quantity == "d" and np.all(np.diff(values) > 0) and values[-1] > 30 and len(values) > 2:
        raise MlindexError(
            f"{name}: read as d in A, but the values rise to {values[-1]:g}: this looks like "
            "2theta; give the wavelength, or name the column 2theta"
        )
    if quantity == "d" and values.max() > _LARGEST_D_A:
        raise MlindexError(f"{name}: a spacing of {values.max():g} A is out of range")
    if quantity == "2theta" and np.all(np.diff(values) < 0) and len(values) > 2:
        raise MlindexError(
            f"{name}: read as 2theta in degrees, but the values fall from {values[0]:g} to "
            f"{values[-1]:g}: this looks like d; name the column d, or sort the list"
        )


def _to_q2(quantity: str, values: np.ndarray, wavelength_A: float | None, name: str) -> np.ndarray:
    if quantity == "2theta":
        if wavelength_A is None:
            raise MlindexError(
                f"{name}: 2theta needs the wavelength, and none is stated: give it with "
                "--wavelength, in the config, or as '# wavelength: 1.5406' (in A) in the file"
            )
        return q2_from_two_theta(values, wavelength_A)
    powers = {"d": -2, "q": 2, "q2": 1}
    return values ** powers[quantity]


def _ordered(
    name: str, q2: np.ndarray, intensity: np.ndarray | None, wavelength_A: float | None
) -> PeakList:
    notes = []
    order = np.argsort(q2, kind="stable")
    if not np.array_equal(order, np.arange(len(q2))):
        notes.append("the lines were not in order of q and have been sorted")
    q2 = q2[order]
    intensity = None if intensity is None else intensity[order]
    keep = np.concatenate([[True], np.diff(q2) > _DUPLICATE_REL * q2[1:]])
    if not keep.all():
        notes.append(f"{int((~keep).sum())} lines were given twice and count once")
    return PeakList(
        name,
        q2[keep],
        None if intensity is None else intensity[keep],
        wavelength_A,
        tuple(notes),
    )
