"""Supercells of a lattice that keep its symmetry.

A cell that explains all lines has supercells that explain them too. Where the larger one is right,
the reflections that need it are weak or forbidden, and a search that prefers few reflections drops
it. So these few are always weighed beside the best lattices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from mlindex.crystal.cell import (
    cell_from_metric,
    metric_tensor,
    reciprocal_from_cell,
)
from mlindex.crystal.derivative import MAX_INDEX, hermite_normal_forms
from mlindex.crystal.holohedries import reciprocal_change
from mlindex.crystal.lattice import BRAVAIS, CENTRING_CODES, PRIMITIVE_HALVES, BravaisLattice
from mlindex.crystal.recognition import EXACT, conventional
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.trials import Trial, tabled, walked, weigh

#: So many of the best trials, and none with so much less log-evidence than the first.
_BEST, _RIVAL = 3, 12.0


@dataclass(frozen=True)
class Supercell:
    """A lattice whose conventional axes are the columns of ``change`` in those of another."""

    bravais: BravaisLattice
    centring: str
    change: np.ndarray
    index: int

    def cell(self, cell: np.ndarray) -> np.ndarray:
        """Its cell (6,) for a cell of the other lattice."""
        return cell_from_metric(self.change.T @ metric_tensor(cell) @ self.change)


@cache
def supercells(bravais: str, centring: str) -> tuple[Supercell, ...]:
    """All of index 2 to 4 with no more free parameters than the lattice itself.

    Args:
        bravais: symbol of the Bravais lattice.
        centring: its letter, in a setting with the constraints of the one table.
    """
    system = BRAVAIS[bravais].system
    x6 = reciprocal_from_cell(system.generic_cell())
    primitive = np.array(PRIMITIVE_HALVES[centring]).T / 2
    found = []
    for index in range(2, MAX_INDEX + 1):
        for rows in hermite_normal_forms(index):
            axes = primitive @ rows.T
            way = conventional(reciprocal_change(axes) @ x6, EXACT)
            if BRAVAIS[way.bravais].system.n_free <= system.n_free:
                change = axes @ way.operator
                found.append(Supercell(BRAVAIS[way.bravais], way.centring, change, index))
    return tuple(found)


def with_supercells(trials: list[Trial], observed: Observed) -> list[Trial]:
    """The trials, the best first, and the supercells of the first few."""
    found = list(trials)
    for trial in trials[:_BEST]:
        if trial.evidence < trials[0].evidence - _RIVAL:
            break
        cell, letter = tabled(trial.bravais, trial.cell, trial.centring)
        for larger in supercells(trial.bravais.symbol, letter):
            x, centring = walked(larger.cell(cell), larger.bravais, larger.centring)
            codes = np.array([CENTRING_CODES[centring]])
            shift = trial.shift_deg
            found += weigh(larger.bravais, x[None], codes, observed, shift, shift != 0.0).values()
    return found
