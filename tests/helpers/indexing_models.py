"""Stand-ins for trained models: candidates drawn around given cells or from wide ranges."""

from types import SimpleNamespace

import numpy as np

from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import SYSTEMS, quadratic_terms
from mlindex.crystal.lines import distinct, reflections
from mlindex.method.lattices import defaults_of
from mlindex.method.tables import TEMPLATES


def reference_list(system_name: str) -> np.ndarray:
    """A reference list of the system's length by the order of its defaults, (0 0 0) last."""
    system = SYSTEMS[system_name]
    side = np.arange(-7, 8)
    hkl = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 3)
    hkl = hkl[[tuple(row) > (0, 0, 0) for row in hkl]]
    _, first = np.unique(system.design_matrix(hkl), axis=0, return_index=True)
    hkl = hkl[np.sort(first)]
    order = np.argsort(
        quadratic_terms(hkl) @ np.array(defaults_of(system).reference_order), kind="stable"
    )
    return np.vstack([hkl[order][: defaults_of(system).n_reference - 1], [0, 0, 0]])


class Models:
    """Models that draw cells with a relative error around known ones."""

    assignment_levels = (0.1, 0.01)

    def __init__(self, system_name: str, cells, error: float = 0.08, count: int = 200):
        self.system = SYSTEMS[system_name]
        self.templates = TEMPLATES.empty()
        self.reference_hkl = reference_list(system_name)
        self.cells = np.atleast_2d(np.asarray(cells, dtype=float))
        self.error, self.count = error, count

    def draw_candidates(self, q2_inv_A2, n_network, n_forest, rng):
        chosen = self.cells[rng.integers(len(self.cells), size=self.count)]
        free = self.system.free_from_cell(chosen)
        free = free * (1 + self.error * rng.standard_normal(free.shape))
        return SimpleNamespace(cells=self.system.cell_from_free(free))

    def assign_probabilities(self, q2_inv_A2, cells, level):
        x = reciprocal_from_cell(cells)[:, list(self.system.pick)]
        calculated = x @ self.system.design_matrix(self.reference_hkl).T
        distance = np.abs(q2_inv_A2[None, :, None] - calculated[:, None, :])
        weight = np.exp(-distance / (0.02 * level)) + 1e-12
        weight[..., -1] = 1e-12
        return weight / weight.sum(axis=-1, keepdims=True)


def lines_of(cell, centring: str, count: int) -> np.ndarray:
    cell = np.array(cell, dtype=float)
    q2 = np.sort(quadratic_terms(reflections(cell, centring, 0.9)) @ reciprocal_from_cell(cell))
    q2 = q2[distinct(q2)]
    # Every fifth line is missing, as in patterns.
    return q2[np.arange(len(q2)) % 5 != 3][:count]
