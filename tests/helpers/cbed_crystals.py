"""Small crystals for tests of convergent-beam patterns."""

import gemmi
import numpy as np

from mlindex.cbed.atoms import Atoms, atoms_of


def crystal(symbol: str, cell: list[float], sites: dict[str, list[float]]) -> Atoms:
    """A crystal from its space group, its cell, and one place of each element."""
    group = gemmi.find_spacegroup_by_name(symbol)
    n = len(sites)
    xyz = np.array(list(sites.values()), dtype=float)
    return atoms_of(
        np.array(cell, dtype=float),
        group.hall,
        group.number,
        tuple(sites),
        xyz,
        np.ones(n),
        np.full(n, 0.006),
    )


def silicon() -> Atoms:
    return crystal("F d -3 m:2", [5.431] * 3 + [90] * 3, {"Si": [1 / 8] * 3})


def gallium_arsenide() -> Atoms:
    return crystal("F -4 3 m", [5.653] * 3 + [90] * 3, {"Ga": [0, 0, 0], "As": [0.25] * 3})


def general(symbol: str, cell: list[float]) -> Atoms:
    """Atoms in general positions, which have no more symmetry than the group."""
    sites = {"Ti": [0.113, 0.271, 0.385], "O": [0.352, 0.137, 0.144], "S": [0.306, 0.379, 0.831]}
    return crystal(symbol, cell, sites)
