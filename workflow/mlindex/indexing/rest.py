"""Lines that are left for further phases: those of the list, or peaks that a profile fit leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.indexing.result import Candidate
from mlindex.patterns.peaklist import ERROR_WAVELENGTH_A, PeakList

#: A peak within so many widths of a listed line hides in it.
_WITHIN_FWHM = 0.5
_COLUMNS = ("q2_inv_A2", "intensity", "two_theta_error_deg", "fwhm_deg")


@dataclass(frozen=True, eq=False)
class Rest:
    """Lines to search: as a list at the positions measured, and where each is in the whole list
    (n,), -1 where that does not have it."""

    peaks: PeakList
    positions: np.ndarray

    @classmethod
    def of_list(cls, peaks: PeakList, which: np.ndarray) -> Rest:
        """Lines (n,) of the whole list."""
        positions = np.flatnonzero(which)
        return cls(peaks.only(positions), positions)

    @classmethod
    def of_fit(cls, found: PeakList, peaks: PeakList) -> Rest:
        """Peaks (m,) that a fit leaves, each with the line of the whole list that it is or hides
        in."""
        at, listed = _two_theta(found), _two_theta(peaks)
        nearest = np.abs(listed - at[:, None]).argmin(axis=1)
        near = np.abs(listed[nearest] - at) < _WITHIN_FWHM * peaks.fwhm_deg[nearest]
        return cls(found, np.where(near, nearest, -1))

    def among(self, peaks: PeakList, which: np.ndarray) -> tuple[Rest, np.ndarray]:
        """These lines and lines (n,) of the whole list in one list, and which are these (m,)."""
        listed = Rest.of_list(peaks, which)
        columns = {
            name: np.concatenate([getattr(self.peaks, name), getattr(listed.peaks, name)])
            for name in _COLUMNS
        }
        order = np.argsort(columns["q2_inv_A2"], kind="stable")
        both = replace(peaks, **{name: column[order] for name, column in columns.items()})
        positions = np.concatenate([self.positions, listed.positions])[order]
        return Rest(both, positions), order < len(self.peaks)

    def in_whole_list(self, candidate: Candidate) -> Candidate:
        """A candidate found in these lines, with their positions in the whole list; without those
        that this does not have, or has for one before."""
        used = self.positions[candidate.lines]
        first = np.zeros(len(used), dtype=bool)
        # Of several that hide in one line, the first that is indexed stands for it.
        order = np.lexsort((np.arange(len(used)), ~candidate.indexed))
        first[order[np.unique(used[order], return_index=True)[1]]] = True
        return only(candidate, first & (used >= 0), used)


def _two_theta(peaks: PeakList) -> np.ndarray:
    return two_theta_from_q2(peaks.q2_inv_A2, peaks.wavelength_A or ERROR_WAVELENGTH_A)


def only(candidate: Candidate, kept: np.ndarray, positions: np.ndarray) -> Candidate:
    """A candidate with some of its lines (m,), which are at these positions (m,) of the list."""
    return replace(
        candidate,
        hkl=candidate.hkl[kept],
        q2_corrected_inv_A2=candidate.q2_corrected_inv_A2[kept],
        q2_calculated_inv_A2=candidate.q2_calculated_inv_A2[kept],
        indexed=candidate.indexed[kept],
        used_lines=positions[kept],
    )
