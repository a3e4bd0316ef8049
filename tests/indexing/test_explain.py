"""What lattices explain, and with how many reflections, against orbits of all indices of a box."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest

from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import BRAVAIS, CENTRING_CODES, allowed_by_centring, quadratic_terms
from mlindex.indexing.search.kernels import Kind, Tables, explain, line_table
from mlindex.indexing.search.walked import walk_of, walked_centrings

GRID = np.stack(np.meshgrid(*[np.arange(-12, 13)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
#: Space groups with all the symmetry that q² of the system has on the axes walked: of the lines
#: of hR, those above and below the plane that are not equivalent fall together.
HOLOHEDRIES = {
    "cubic": "P m -3 m",
    "tetragonal": "P 4/m m m",
    "hexagonal": "P 6/m m m",
    "rhombohedral": "P 6/m m m",
    "orthorhombic": "P m m m",
    "monoclinic": "P 1 2/m 1",
    "triclinic": "P -1",
}
ALL = [(b, letter) for b in BRAVAIS.values() for letter in walked_centrings(b)]
Q2_MAX = 0.5


def one_of_each_line(system: str, letter: str) -> np.ndarray:
    """One reflection (n, 3) of each orbit in the box."""
    operations = gemmi.SpaceGroup(HOLOHEDRIES[system]).operations().sym_ops
    present = allowed_by_centring(GRID, letter) if letter != "R" else GRID @ [-1, 1, 1] % 3 == 0
    hkl = GRID[present & GRID.any(axis=1)]
    images = [hkl @ (np.array(op.rot) // gemmi.Op.DEN) for op in operations]
    codes = np.stack([image @ [10000, 100, 1] for image in (*images, *(-i for i in images))])
    return hkl[np.unique(codes.max(axis=0), return_index=True)[1]]


def random_forms(bravais, rng: np.random.Generator, number: int) -> np.ndarray:
    """Reciprocal parameters (n, 6) of cells with axes of 3 to 10 A, in the setting walked."""
    system = bravais.system
    free = rng.uniform(3.0, 10.0, (number, system.n_free))
    names = np.array(system.free_parameters)
    free[:, np.isin(names, ["alpha", "beta", "gamma"])] = rng.uniform(
        80.0, 110.0, (number, np.isin(names, ["alpha", "beta", "gamma"]).sum())
    )
    cell = system.cell_from_free(free)
    if bravais.other_setting is not None:
        axes = rng.uniform(3.0, 10.0, (2, number))
        right, third = np.full(number, 90.0), np.full(number, 120.0)
        cell = np.stack([axes[0], axes[0], axes[1], right, right, third], axis=1)
    return reciprocal_from_cell(cell)


def cases(bravais, letter: str, rng: np.random.Generator):
    """Forms, their lines' q² up to the limit, tables and kind."""
    hkl = one_of_each_line(bravais.system.name, letter)
    lines = np.sort(rng.uniform(0.02, Q2_MAX, 30))
    table, scale = line_table(lines, np.full(30, 2e-4), Q2_MAX)
    kind = Kind(*walk_of(bravais.system).domain, CENTRING_CODES[letter])
    for x6 in random_forms(bravais, rng, 40):
        q2 = quadratic_terms(hkl) @ x6
        tables = Tables(table, scale, Q2_MAX, 10_000, np.empty((0, 0)))
        yield x6, q2[q2 <= Q2_MAX], tables, kind


@pytest.mark.parametrize(("bravais", "letter"), ALL, ids=lambda v: getattr(v, "symbol", v))
def test_every_line_counts_once(bravais, letter: str) -> None:
    for x6, q2, tables, kind in cases(bravais, letter, np.random.default_rng(4)):
        places = (q2 * tables.scale + 0.5).astype(int)
        mask = np.bitwise_or.reduce(tables.table[places])
        assert explain(x6, kind, tables) == (mask, len(q2), places.sum())


@pytest.mark.parametrize(("bravais", "letter"), ALL, ids=lambda v: getattr(v, "symbol", v))
def test_a_lattice_with_too_many_lines_is_left(bravais, letter: str) -> None:
    for x6, q2, tables, kind in cases(bravais, letter, np.random.default_rng(5)):
        for most in (len(q2), len(q2) - 1):
            _, number, _ = explain(x6, kind, tables._replace(most=most))
            assert number == len(q2)


@pytest.mark.parametrize(("bravais", "letter"), ALL, ids=lambda v: getattr(v, "symbol", v))
@pytest.mark.parametrize("wrong", [np.nan, 0.0, -0.01])
def test_what_is_no_lattice_has_too_many(bravais, letter: str, wrong: float) -> None:
    x6, _, tables, kind = next(cases(bravais, letter, np.random.default_rng(6)))
    for place in range(3):
        spoiled = x6.copy()
        spoiled[place] = wrong
        assert explain(spoiled, kind, tables)[1] == tables.most + 1
