"""How strong the lines of a phase are, from its atoms; calculated with gemmi for X-rays."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np

from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.lines import distinct, nearest_index, reflections
from mlindex.crystal.lorentz import lorentz_polarization
from mlindex.crystal.phase import Phase

#: Strengths are calculated as far as that, d = 0.8 A, and only if it is quickly done.
_Q2_MAX_INV_A2 = 1.6
_MOST_TERMS = 2_000_000
_SAME_LINE_REL = 1e-6


def with_strengths(phase: Phase, small: gemmi.SmallStructure) -> Phase:
    """The phase with the strengths of its lines; as it is where there are no atoms, or many."""
    try:
        hkl = reflections(phase.cell, phase.centring, _Q2_MAX_INV_A2)
    except ValueError:
        return phase
    sites = len(small.get_all_unit_cell_sites()) if len(small.sites) else 0
    if not sites or not len(hkl) or len(hkl) * sites > _MOST_TERMS:
        return phase
    squared = _squared(hkl.tolist(), small)
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(phase.cell)
    first = distinct(q2)
    return replace(phase, strength_q2_inv_A2=q2[first], strength=np.add.reduceat(squared, first))


def _squared(hkl: list[list[int]], small: gemmi.SmallStructure) -> np.ndarray:
    """|F|² of reflections (n,), calculated once for each class of equivalent ones."""
    asu = gemmi.ReciprocalAsu(small.spacegroup)
    operations = small.spacegroup.operations()
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    known: dict[tuple[int, ...], float] = {}
    found = np.empty(len(hkl))
    for i, indices in enumerate(hkl):
        key = tuple(asu.to_asu(indices, operations)[0])
        if key not in known:
            factor = calculator.calculate_sf_from_small_structure(small, indices)
            known[key] = abs(factor) ** 2
        found[i] = known[key]
    return found


def intensity(phase: Phase, q2_inv_A2: np.ndarray, theta_rad: np.ndarray) -> np.ndarray:
    """Intensity (m,) of lines in any unit, for an unpolarized beam; NaN where it is not known.

    Args:
        phase: with the strengths of its lines.
        q2_inv_A2: of the lines (m,), as :meth:`mlindex.crystal.phase.Phase.lines` gives them.
        theta_rad: their theta (m,), radians.
    """
    if not len(phase.strength):
        return np.full(len(q2_inv_A2), np.nan)
    at = nearest_index(q2_inv_A2, phase.strength_q2_inv_A2)
    same = np.abs(phase.strength_q2_inv_A2[at] - q2_inv_A2) <= _SAME_LINE_REL * q2_inv_A2
    return np.where(same, phase.strength[at] * lorentz_polarization(theta_rad), np.nan)
