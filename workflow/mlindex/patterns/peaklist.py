"""A measured peak list: q² of its lines, with their errors.

The type knows no file format: :mod:`mlindex.files` reads lists.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import q2_from_two_theta, q2_per_radian, two_theta_from_q2

#: Wavelength at which an error in 2theta is turned into one in q² where the list states none.
ERROR_WAVELENGTH_A = 1.5406
#: Fields with a value for each line; the first decides how many there are.
_COLUMNS = ("q2_inv_A2", "intensity", "two_theta_error_deg", "fwhm_deg", "rounding_inv_A2")


@dataclass(frozen=True)
class PeakList:
    """A checked peak list: q² = 1/d² rising (n,) in 1/A², intensities (n,) or None.

    ``wavelength_A`` is None where the list needs none; ``notes`` say what was corrected.
    ``two_theta_error_deg`` and ``fwhm_deg`` (n,) are there where the list or the peak search
    gives them, in a list without a wavelength as they would be at :data:`ERROR_WAVELENGTH_A`;
    ``rounding_inv_A2`` (n,), the error of q² by rounding, where positions are rounded.
    What is like an array becomes one of floats.

    Raises:
        MlindexError: q² is not finite, positive and rising, a column has another length, or the
            wavelength can't be one.
    """

    name: str
    q2_inv_A2: np.ndarray
    intensity: np.ndarray | None
    wavelength_A: float | None
    notes: tuple[str, ...] = ()
    two_theta_error_deg: np.ndarray | None = None
    fwhm_deg: np.ndarray | None = None
    rounding_inv_A2: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, self._floats(name))
        q2 = self.q2_inv_A2
        for wrong, what in (
            (~np.isfinite(q2), "not a finite number"),
            (q2 <= 0, "not positive"),
            (np.diff(q2, prepend=0.0) < 0, "smaller than the one before; sort the list"),
        ):
            if wrong.any():
                first = int(np.argmax(wrong))
                raise MlindexError(f"{self.name}: q² of line {first + 1}, {q2[first]:g}, is {what}")
        if self.wavelength_A is not None and not 0 < self.wavelength_A < np.inf:
            raise MlindexError(f"{self.name}: the wavelength can't be {self.wavelength_A} A")

    def _floats(self, name: str) -> np.ndarray:
        """A column as an array (n,)."""
        try:
            values = np.asarray(getattr(self, name), dtype=float)
        except (TypeError, ValueError):
            raise MlindexError(f"{self.name}: {name} holds something that is no number") from None
        if values.ndim != 1 or (name != _COLUMNS[0] and len(values) != len(self.q2_inv_A2)):
            shape = " x ".join(map(str, values.shape)) or "a single value"
            needed = "one number for each line"
            raise MlindexError(f"{self.name}: {name} is {shape}: give {needed}")
        return values

    def __len__(self) -> int:
        return len(self.q2_inv_A2)

    def __repr__(self) -> str:
        ends = ""
        if len(self):
            with np.errstate(divide="ignore", invalid="ignore"):
                first, last = np.asarray(self.q2_inv_A2, dtype=float)[[0, -1]] ** -0.5
            ends = f", d {first:.5g} to {last:.5g} A"
        known = f", wavelength {self.wavelength_A:g} A" if self.wavelength_A else ""
        return f"PeakList({self.name!r}, {len(self)} lines{ends}{known})"

    def q2_error_inv_A2(self, two_theta_error_deg: float) -> np.ndarray:
        """Error of each q² (n,) for an error of 2theta: 2 sin(2theta) / lambda² times it.

        Lists without a wavelength were measured at one that they don't state; their error is that
        of Cu K-alpha1. Only the error depends on it, never a line's position.
        """
        wavelength = self.wavelength_A or ERROR_WAVELENGTH_A
        two_theta = np.radians(two_theta_from_q2(self.q2_inv_A2, wavelength))
        # Beyond 90 degrees the error would shrink to 0 at back reflection.
        largest = np.minimum(np.nan_to_num(two_theta, nan=np.pi / 2), np.pi / 2)
        return q2_per_radian(largest, wavelength) * np.radians(two_theta_error_deg)

    def only(self, lines: np.ndarray) -> PeakList:
        """The list of some lines alone.

        Args:
            lines: which (n,), or their positions (m,) from 0, rising.
        """
        columns = {name: getattr(self, name) for name in _COLUMNS}
        return replace(self, **{n: c[lines] for n, c in columns.items() if c is not None})

    def shifted(self, shift_deg: float) -> PeakList:
        """The list with a zero shift taken off every 2theta.

        Raises:
            ValueError: the wavelength is not known, or a line would leave the range of 2theta.
        """
        if self.wavelength_A is None:
            raise ValueError("a zero shift needs the wavelength")
        two_theta = two_theta_from_q2(self.q2_inv_A2, self.wavelength_A) - shift_deg
        if not np.all((two_theta > 0) & (two_theta < 180)):
            raise ValueError(f"a line leaves the range of 2theta with a shift of {shift_deg:g}")
        return replace(self, q2_inv_A2=q2_from_two_theta(two_theta, self.wavelength_A))
