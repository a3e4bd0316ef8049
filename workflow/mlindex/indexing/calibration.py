"""The zero shift and the displacement of a sample from the lines of a standard in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.phase import Phase
from mlindex.indexing.known import Degrees, Match, matched
from mlindex.patterns.peaklist import PeakList

#: Lines that a calibration needs, and those that can tell a displacement from a zero shift.
_FEWEST, _FEWEST_FOR_TWO = 3, 6
#: By how much the sum of squares, in units of the scatter, must fall for a displacement to be
#: taken: 1 in 400 by chance.
_WORTH = 9.0
#: A line farther off than so many times the scatter is left out.
_OUTLIER = 4.0
#: Scatter below that is chance, degrees.
_LEAST_SCATTER_DEG = 0.002


@dataclass(frozen=True)
class Calibration:
    """What the lines of a standard say of 2theta, with standard uncertainties, degrees.

    Observed 2theta = true 2theta + ``zero_shift_deg`` + ``displacement_deg`` cos(theta); the
    displacement is None where the lines do not tell it apart from a zero shift. ``lines`` are the
    positions in the list (m,) of the lines that it rests on.
    """

    standard: str
    zero_shift_deg: float
    zero_shift_error_deg: float
    displacement_deg: float | None
    displacement_error_deg: float | None
    lines: np.ndarray

    def corrected(self, peaks: PeakList) -> PeakList:
        """A list of the same wavelength with zero shift and displacement taken off.

        Raises:
            MlindexError: a line would leave the range of 2theta.
        """
        seen = two_theta_from_q2(peaks.q2_inv_A2, peaks.wavelength_A)
        # Half the angle differs by so little that the observed one will do for the cosine.
        bent = (self.displacement_deg or 0.0) * np.cos(np.radians(seen) / 2)
        true = seen - self.zero_shift_deg - bent
        if not np.all((true > 0) & (true < 180)):
            raise MlindexError(f"{peaks.name}: a line leaves the range of 2theta when calibrated")
        return replace(peaks, q2_inv_A2=q2_from_two_theta(true, peaks.wavelength_A))

    def seen(self, two_theta_deg: np.ndarray) -> np.ndarray:
        """Where lines at true 2theta (n,), in degrees, are observed."""
        bent = (self.displacement_deg or 0.0) * np.cos(np.radians(two_theta_deg) / 2)
        return two_theta_deg + self.zero_shift_deg + bent

    def __str__(self) -> str:
        said = f"zero shift {_with_error(self.zero_shift_deg, self.zero_shift_error_deg)}"
        if self.displacement_deg is not None:
            error = self.displacement_error_deg
            said += f" and displacement {_with_error(self.displacement_deg, error)} cos(theta)"
        return f"{self.standard}: {said} degrees, from {len(self.lines)} lines"


def calibrated(
    peaks: PeakList, standard: Phase, error_deg: float | None
) -> tuple[Calibration, Match]:
    """The calibration of a list by a standard in it, and the standard's lines.

    Raises:
        MlindexError: the wavelength is not known, or too few lines are the standard's.
    """
    if peaks.wavelength_A is None:
        raise MlindexError(
            f"{peaks.name}: a standard calibrates 2theta, which needs the wavelength: give it"
        )
    (match,) = matched(peaks, [standard], error_deg, exact=True)
    lines = match.lines[~match.shared]
    if len(lines) < _FEWEST:
        raise MlindexError(
            f"{peaks.name}: {len(lines)} of the {match.expected} lines of the standard "
            f"{standard.name} are in the list, and {_FEWEST} are needed: is it in the sample, and "
            "the wavelength right?"
        )
    axis = Degrees(peaks, error_deg)
    reflections_q2 = standard.lines(float(peaks.q2_inv_A2[-1]) * 1.02)
    shift = float(np.median(axis.distances(reflections_q2, 0.0)[lines]))
    away = axis.distances(reflections_q2, shift)[lines] + shift
    return _fitted(standard.name, lines, away, np.cos(axis.half_angle[lines])), match


def _fitted(name: str, lines: np.ndarray, away: np.ndarray, cosine: np.ndarray) -> Calibration:
    """The calibration by how far lines (m,) are away from their reflections, degrees."""
    one = np.ones((len(away), 1))
    keep = np.ones(len(away), dtype=bool)
    for _ in range(3):
        offset = away - np.median(away[keep])
        scatter = max(float(np.median(np.abs(offset[keep]))) / 0.6745, _LEAST_SCATTER_DEG)
        # A displacement alone moves lines by less than this over all angles.
        keep = np.abs(offset) <= max(_OUTLIER * scatter, 0.03)
        if keep.sum() < _FEWEST:
            keep[:] = True
            break
    zero, zero_error, rest = _least_squares(one[keep], away[keep])
    if keep.sum() >= _FEWEST_FOR_TWO:
        both = np.column_stack([np.ones(len(away)), cosine])[keep]
        found, error, better = _least_squares(both, away[keep])
        scatter2 = max(better / (keep.sum() - 2), _LEAST_SCATTER_DEG**2)
        if rest - better > _WORTH * scatter2:
            return Calibration(
                name, *map(float, (found[0], error[0], found[1], error[1])), lines[keep]
            )
    return Calibration(name, float(zero[0]), float(zero_error[0]), None, None, lines[keep])


def _least_squares(rows: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Solution and its standard uncertainties by the scatter; the sum of squares that is left."""
    normal = np.linalg.inv(rows.T @ rows)
    solution = normal @ rows.T @ right
    left = float(np.sum((right - rows @ solution) ** 2))
    variance = max(left / max(len(right) - rows.shape[1], 1), _LEAST_SCATTER_DEG**2)
    return solution, np.sqrt(variance * np.diag(normal)), left


def _with_error(value: float, error: float) -> str:
    return f"{value:+.4f}({max(round(error * 1e4), 1)})"
