"""Phases that are known to be in a pattern: their peaks are no candidate's."""

from __future__ import annotations

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.indexing.phases import Left
from mlindex.patterns.measured import MeasuredPattern


def known_positions(left: Left, pattern: MeasuredPattern) -> np.ndarray:
    """Where lines of known phases are observed in a pattern: rising 2theta (k,) in degrees.

    Args:
        left: what they left of the list.
        pattern: the pattern of the list.
    """
    wavelength, last = pattern.scale_A, float(pattern.two_theta_deg[-1])
    end = float(q2_from_two_theta(min(last, 180.0), wavelength))
    found = [np.empty(0)]
    for phase in left.phases:
        hkl = reflections(phase.cell, phase.centring, end)
        q2 = quadratic_terms(hkl) @ reciprocal_from_cell(phase.cell)
        found.append(two_theta_from_q2(q2, wavelength))
    true = np.unique(np.concatenate(found))
    return true if left.calibration is None else left.calibration.seen(true)


def own_share(
    own: float, other_deg: np.ndarray, other: np.ndarray, known_deg: np.ndarray, within_deg: float
) -> float:
    """Share of the intensity that a cell explains, peaks of known phases left out.

    Args:
        own: intensity of its lines.
        other_deg, other: positions and intensities of the other peaks (s,).
        known_deg: positions of the lines of known phases (k,).
        within_deg: so near to one of these a peak is theirs.
    """
    nearest = np.abs(other_deg[:, None] - known_deg).min(axis=1, initial=np.inf)
    total = own + float(other[nearest > within_deg].sum())
    return own / total if total > 0 else 0.0
