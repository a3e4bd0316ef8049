"""Settings and results of the peak search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.patterns.peaklist import PeakList

if TYPE_CHECKING:
    from mlindex.patterns.measured import MeasuredPattern
    from mlindex.patterns.peaksearch.calibrate import Calibration


@dataclass(frozen=True)
class PeakSearch:
    """Settings of the peak search.

    Attributes:
        minimum_significance: height of a peak over its standard uncertainty, misfit included,
            below which it counts as noise.
        max_peaks: peaks kept, counted from low angles: indexing lives on the first lines.
        two_theta_min_deg: where the search begins, None: with the pattern.
        two_theta_max_deg: where it ends, None: with the pattern.
    """

    minimum_significance: float = 5.0
    max_peaks: int = 60
    two_theta_min_deg: float | None = None
    two_theta_max_deg: float | None = None

    def __post_init__(self) -> None:
        if not self.minimum_significance > 0:
            raise MlindexError(
                f"the minimum significance must be positive, got {self.minimum_significance:g}"
            )
        if self.max_peaks < 1:
            raise MlindexError(f"the number of peaks must be at least 1, got {self.max_peaks}")
        low, high = self.two_theta_min_deg, self.two_theta_max_deg
        if low is not None and high is not None and not low < high:
            raise MlindexError(
                f"the range of the peak search is empty: from {low:g} to {high:g} degrees"
            )


@dataclass(frozen=True)
class FoundPeaks:
    """Peaks of a pattern with n points; m peaks rising in 2theta.

    Attributes:
        peaks: the same peaks as a list to index; intensities are areas.
        background: (n,) in the units of the intensities.
        fitted: (n,) sum of the fitted profiles over the background.
        two_theta_deg: (m,) positions, of the first line of a doublet.
        error_deg: (m,) standard uncertainties of the positions.
        height: (m,) over the background; of the first line of a doublet.
        area: (m,) height times degrees; of both lines of a doublet.
        fwhm_deg: (m,) full widths at half maximum of one line.
        significance: (m,) height over its standard uncertainty.
        notes: what was assumed, left out or remarkable.
        calibration: widths and shape that all peaks share; None where nothing was found.
    """

    peaks: PeakList
    background: np.ndarray
    fitted: np.ndarray
    two_theta_deg: np.ndarray
    error_deg: np.ndarray
    height: np.ndarray
    area: np.ndarray
    fwhm_deg: np.ndarray
    significance: np.ndarray
    notes: tuple[str, ...] = ()
    calibration: Calibration | None = None

    def __len__(self) -> int:
        return len(self.two_theta_deg)

    def first(self, most: int) -> FoundPeaks:
        """The first peaks alone, as a search for ``most`` of them gives."""
        n = len(self)
        if n <= most:
            return self
        columns = ("two_theta_deg", "error_deg", "height", "area", "fwhm_deg", "significance")
        of_list = ("q2_inv_A2", "intensity", "two_theta_error_deg", "fwhm_deg")
        return replace(
            self,
            peaks=replace(self.peaks, **{c: getattr(self.peaks, c)[:most] for c in of_list}),
            notes=(*self.notes, f"the first {most} of {n} peaks were kept"),
            **{name: getattr(self, name)[:most] for name in columns},
        )


def nothing_found(pattern: MeasuredPattern) -> MlindexError:
    """What to say of a pattern without peaks."""
    return MlindexError(
        f"{pattern.name}: no peak stands out of the {len(pattern)} points from "
        f"{pattern.two_theta_deg[0]:g} to {pattern.two_theta_deg[-1]:g} degrees; is it the right "
        "file, and the right column? If so, count longer"
    )
