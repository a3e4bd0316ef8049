"""Simulated patterns against gemmi, pymatgen, published powder data and counting by hand."""

import itertools
import random
import warnings
from pathlib import Path

import gemmi
import numpy as np
import pandas as pd
import pytest

from mlindex.crystal.cell import cell_from_metric, metric_tensor, reciprocal_from_cell
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.reflections import find_at_least, find_reflections
from mlindex.crystal.space_groups import symmetry_of
from mlindex.patterns import structure_factors
from mlindex.patterns.settings import Simulation
from mlindex.patterns.simulation import (
    MIN_LINES,
    CalculatedLines,
    CrystalStructure,
    UnusableError,
    calculate_lines,
    calculate_pattern,
    simulate,
)
from mlindex.patterns.structure_factors import (
    Scatterers,
    form_factor_coefficients,
    form_factors,
    squared_structure_factors,
)
from mlindex.patterns.tables import PATTERNS, REFLECTIONS
from mlindex.structures.tables import ENTRIES, REJECTS

SHARED_CIFS = Path(__file__).resolve().parents[2].parent / "shared" / "cifs"
STILL = Simulation(displacement=False)

#: A Hall symbol and a cell for each Bravais lattice, two with a setting that is not the usual.
LATTICES = {
    "cP": ("-P 4 2 3", (4.1, 4.1, 4.1, 90, 90, 90)),
    "cP P a -3": ("-P 2ac 2ab 3", (6.2, 6.2, 6.2, 90, 90, 90)),
    "cI": ("-I 4 2 3", (5.2, 5.2, 5.2, 90, 90, 90)),
    "cF": ("F 4d 2 3 -1d", (5.4, 5.4, 5.4, 90, 90, 90)),
    "tP": ("-P 4n 2n", (4.6, 4.6, 2.96, 90, 90, 90)),
    "tI": ("-I 4", (5.1, 5.1, 7.3, 90, 90, 90)),
    "hP": ('P 32 2"', (4.91, 4.91, 5.41, 90, 90, 120)),
    "hR": ('-R 3 2"c', (4.76, 4.76, 12.99, 90, 90, 120)),
    "hR rhombohedral axes": ("-P 3*", (6.1, 6.1, 6.1, 71, 71, 71)),
    "oP": ("P 2ac 2ab", (5.1, 6.3, 8.2, 90, 90, 90)),
    "oC": ("-C 2c 2", (4.4, 9.7, 6.2, 90, 90, 90)),
    "oF": ("F 2 -2d", (7.1, 8.3, 10.2, 90, 90, 90)),
    "oI": ("-I 2b 2c", (5.3, 6.1, 9.4, 90, 90, 90)),
    "mP": ("-P 2ybc", (5.6, 7.1, 8.3, 90, 104, 90)),
    "mC": ("-C 2yc", (9.6, 6.1, 5.3, 90, 111, 90)),
    "mI unique c": ("-I 2b", (5.6, 6.3, 9.1, 90, 90, 98)),
    "aP": ("-P 1", (4.9, 5.6, 6.7, 81, 97, 112)),
}

_NAPHTHALENE_C = (
    (0.3251, 0.0186, 0.0856),
    (0.2200, 0.1588, 0.1148),
    (0.0351, 0.1025, 0.0472),
    (-0.0784, 0.2471, 0.0749),
    (-0.2541, 0.1869, 0.0116),
)
#: Hall symbol, symbol for pymatgen, cell, atoms.
KNOWN = {
    "rock salt": (
        "-F 4 2 3",
        "Fm-3m",
        (5.6402, 5.6402, 5.6402, 90, 90, 90),
        (("Na", 0, 0, 0), ("Cl", 0.5, 0.5, 0.5)),
    ),
    "silicon": ("F 4d 2 3 -1d", "Fd-3m", (5.43102,) * 3 + (90,) * 3, (("Si", 0, 0, 0),)),
    "fluorite": (
        "-F 4 2 3",
        "Fm-3m",
        (5.463, 5.463, 5.463, 90, 90, 90),
        (("Ca", 0, 0, 0), ("F", 0.25, 0.25, 0.25)),
    ),
    "quartz": (
        'P 32 2"',
        "P3_221",
        (4.9134, 4.9134, 5.4052, 90, 90, 120),
        (("Si", 0.4697, 0, 2 / 3), ("O", 0.4135, 0.2669, 0.7858)),
    ),
    "rutile": (
        "-P 4n 2n",
        "P4_2/mnm",
        (4.5937, 4.5937, 2.9587, 90, 90, 90),
        (("Ti", 0, 0, 0), ("O", 0.3053, 0.3053, 0)),
    ),
    "corundum": (
        '-R 3 2"c',
        "R-3c",
        (4.7589, 4.7589, 12.991, 90, 90, 120),
        (("Al", 0, 0, 0.35216), ("O", 0.30624, 0, 0.25)),
    ),
    "naphthalene": (
        "-P 2ybc",
        "P2_1/c",
        (8.675, 5.973, 8.213, 90, 123.39, 90),
        tuple(("C", *position) for position in _NAPHTHALENE_C),
    ),
}


def crystal_of(hall, cell, atoms, u_iso_A2=0.0):
    n = len(atoms)
    sites = Scatterers(
        tuple(atom[0] for atom in atoms),
        np.array([atom[1:] for atom in atoms], dtype=float).reshape(n, 3),
        np.ones(n),
        np.full(n, u_iso_A2),
    )
    return CrystalStructure.from_cell(hall, np.array(cell, dtype=float), sites)


def known(name):
    hall, _, cell, atoms = KNOWN[name]
    return crystal_of(hall, cell, atoms)


def entry_of(crystal, entry_id="test:a:b"):
    """A row of ENTRIES with what simulation reads."""
    row = dict.fromkeys(ENTRIES.names)
    row |= {"entry_id": entry_id, "source": "test", "path": "a.cif"}
    row["hall_symbol"] = crystal.hall_symbol
    names = ("a_A", "b_A", "c_A", "alpha_deg", "beta_deg", "gamma_deg")
    row |= dict(zip(names, cell_from_metric(crystal.metric_A2), strict=True))
    sites = crystal.sites
    row |= {"site_element": list(sites.element), "site_u_iso_A2": sites.u_iso_A2}
    row |= dict(zip(("site_x", "site_y", "site_z"), sites.position.T, strict=True))
    return row | {"site_occupancy": sites.occupancy}


def pymatgen_form_factors(elements, s2_inv_A2):
    """f = Z - 41.78214 s² sum a exp(-b s²), with pymatgen's table, shape (n, n_elements)."""
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS
    from pymatgen.core import Element

    columns = []
    for element in elements:
        a, b = np.array(ATOMIC_SCATTERING_PARAMS["H" if element == "D" else element]).T
        sums = np.exp(-np.multiply.outer(s2_inv_A2, b)) @ a
        columns.append(Element(element).Z - 41.78214 * s2_inv_A2 * sums)
    return np.stack(columns, axis=-1)


def largest_difference(lines, pattern):
    """Greatest difference of relative intensities, strongest 100, lines within 1e-4 degrees.

    Lines of the two that are farther apart count as missing from one of them.
    """
    inside = lines.intensity > 0
    angle = np.concatenate([lines.two_theta_deg[inside], pattern.x])
    order = np.argsort(angle)
    cluster = np.cumsum(np.diff(angle[order], prepend=0) > 1e-4)
    ours = np.concatenate([lines.intensity[inside], 0 * pattern.y])[order]
    theirs = np.concatenate([0 * lines.intensity[inside], pattern.y])[order]
    ours, theirs = np.bincount(cluster, ours), np.bincount(cluster, theirs)
    return 100 * np.abs(ours / ours.max() - theirs / theirs.max()).max()


def pymatgen_pattern(structure):
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    return XRDCalculator(STILL.wavelength_A).get_pattern(structure, two_theta_range=(0, 60))


@pytest.mark.parametrize("name", KNOWN)
def test_known_structures_agree_with_pymatgen(name, monkeypatch):
    from pymatgen.core import Lattice, Structure

    _, symbol, cell, atoms = KNOWN[name]
    structure = Structure.from_spacegroup(
        symbol, Lattice.from_parameters(*cell), [a[0] for a in atoms], [a[1:] for a in atoms]
    )
    theirs = pymatgen_pattern(structure)
    assert largest_difference(calculate_lines(known(name), STILL), theirs) < 2.0
    monkeypatch.setattr(structure_factors, "form_factors", pymatgen_form_factors)
    assert largest_difference(calculate_lines(known(name), STILL), theirs) < 0.002


@pytest.mark.parametrize("lattice", LATTICES)
def test_every_reflection_is_counted_once(lattice):
    hall, cell = LATTICES[lattice]
    symmetry, x = symmetry_of(hall), reciprocal_from_cell(np.array(cell, dtype=float))
    limit = 0.6
    found = find_reflections(x, symmetry, limit)
    box = np.array(list(itertools.product(range(-11, 12), repeat=3)), dtype=np.int32)
    q2 = quadratic_terms(box) @ x
    inside = (q2 <= limit) & (q2 > 0)
    assert np.abs(box[inside]).max() < 11
    present = box[inside][~symmetry.group.systematic_absences(box[inside])]
    assert found.multiplicity.sum() == len(present)
    np.testing.assert_allclose(found.q2_inv_A2, quadratic_terms(found.hkl) @ x, rtol=1e-12)
    spacings = np.unique(np.round(quadratic_terms(present) @ x, 9))
    assert found.n_lines == len(spacings)
    np.testing.assert_allclose(found.q2_inv_A2[found.line_starts], spacings, atol=2e-9)


@pytest.mark.parametrize("lattice", LATTICES)
def test_structure_factors_agree_with_gemmi(lattice):
    hall, cell = LATTICES[lattice]
    general = [[0.11, 0.23, 0.37], [0.41, 0.07, 0.19], [0.29, 0.36, 0.08]]
    sites = Scatterers(
        ("Fe", "O", "Si", "C"),
        np.array([[0.0, 0.0, 0.0], *general]),
        np.array([1.0, 0.7, 1.0, 0.4]),
        np.array([0.0, 0.02, 0.01, 0.05]),
    )
    symmetry, cell = symmetry_of(hall), np.array(cell, dtype=float)
    found = find_reflections(reciprocal_from_cell(cell), symmetry, 0.4)
    ours = squared_structure_factors(
        found.hkl, found.q2_inv_A2, sites, symmetry, metric_tensor(cell)
    )
    theirs = _gemmi_squared(hall, cell, sites, found.hkl.tolist())
    # gemmi sums over the whole cell, and keeps its coefficients in single precision.
    ours *= len(symmetry.centrings) ** 2
    np.testing.assert_allclose(ours, theirs, atol=1e-6 * theirs.max())


def _gemmi_squared(hall, cell, sites, hkl):
    small = gemmi.SmallStructure()
    small.cell = gemmi.UnitCell(*cell)
    small.spacegroup = gemmi.find_spacegroup_by_ops(gemmi.symops_from_hall(hall))
    for i, element in enumerate(sites.element):
        site = gemmi.SmallStructure.Site()
        site.label, site.element = f"{element}{i}", gemmi.Element(element)
        site.fract = gemmi.Fractional(*sites.position[i])
        site.occ, site.u_iso = sites.occupancy[i], sites.u_iso_A2[i]
        small.add_site(site)
    small.setup_cell_images()
    small.change_occupancies_to_crystallographic(structure_factors.SPECIAL_POSITION_A)
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    return np.array([abs(calculator.calculate_sf_from_small_structure(small, i)) for i in hkl]) ** 2


def test_setting_outside_the_tables_gives_the_same_pattern():
    atoms = (("Ti", 0.1, 0.2, 0.0), ("O", 0.35, 0.15, 0.3))
    usual = crystal_of("P 4", (4.0, 4.0, 5.0, 90, 90, 90), atoms)
    side = 4.0 * np.sqrt(2)
    # a' = a + b, b' = b - a: x' = (x + y) / 2, y' = (y - x) / 2.
    turned = tuple((e, (x + y) / 2, (y - x) / 2, z) for e, x, y, z in atoms)
    odd = crystal_of("C 4", (side, side, 5.0, 90, 90, 90), turned)
    assert gemmi.find_spacegroup_by_ops(gemmi.symops_from_hall("C 4")) is None
    one, other = calculate_lines(usual, STILL), calculate_lines(odd, STILL)
    n = min(len(one.q2_inv_A2), len(other.q2_inv_A2))
    np.testing.assert_allclose(one.q2_inv_A2[:n], other.q2_inv_A2[:n], rtol=1e-12)
    np.testing.assert_allclose(one.intensity[:n], other.intensity[:n], atol=1e-9)
    np.testing.assert_array_equal(one.multiplicity[:n], other.multiplicity[:n])


def test_rounded_special_position_counts_once():
    cell = (4.6, 4.6, 7.5, 90, 90, 120)
    exact = crystal_of("-P 6 2", cell, (("Mg", 1 / 3, 2 / 3, 0.5), ("B", 0, 0, 0)))
    rounded = crystal_of("-P 6 2", cell, (("Mg", 0.3333, 0.6667, 0.5), ("B", 0, 0, 0)))
    np.testing.assert_allclose(
        calculate_lines(exact, STILL).intensity,
        calculate_lines(rounded, STILL).intensity,
        atol=1e-9,
    )


def test_displacement_damps_by_the_debye_waller_factor():
    hall, _, cell, atoms = KNOWN["silicon"]
    u = 0.03
    still = calculate_lines(crystal_of(hall, cell, atoms), STILL)
    moving = calculate_lines(crystal_of(hall, cell, atoms, u), STILL)
    damped = still.intensity * np.exp(-4 * np.pi**2 * u * still.q2_inv_A2)
    np.testing.assert_allclose(moving.intensity, 100 * damped / damped.max(), atol=1e-9)


def test_setting_displacement_off_ignores_the_entrys_values():
    hall, _, cell, atoms = KNOWN["rutile"]
    entries = pd.DataFrame([entry_of(crystal_of(hall, cell, atoms, 0.05))])
    expected = calculate_lines(crystal_of(hall, cell, atoms), STILL)
    n = int(np.isfinite(expected.two_theta_deg).sum())
    off = simulate(entries, STILL).reflections["intensity"][0]
    on = simulate(entries, Simulation()).reflections["intensity"][0]
    np.testing.assert_allclose(off[:n], expected.intensity[:n])
    assert np.abs(on[:n] - off[:n]).max() > 1


def test_form_factors_of_an_atom_at_rest_count_its_electrons():
    elements = ("H", "C", "Si", "Ti", "Cs")
    assert form_factors(elements, np.zeros(1))[0] == pytest.approx([1, 6, 14, 22, 55], rel=2e-3)
    s2 = np.array([0.01, 0.04, 0.1])
    # pymatgen's table is another fit; its hydrogen is a free atom, gemmi's a bonded one.
    heavy = elements[1:]
    np.testing.assert_allclose(
        form_factors(heavy, s2), pymatgen_form_factors(heavy, s2), rtol=0.03, atol=0.1
    )


def test_coinciding_reflections_make_one_line():
    lines = calculate_lines(known("fluorite"), STILL)
    row = np.flatnonzero(np.isclose(lines.q2_inv_A2, 27 / 5.463**2, rtol=1e-9))
    assert len(row) == 1
    assert tuple(lines.hkl[row[0]]) == (5, 1, 1)
    assert lines.multiplicity[row[0]] == 24 + 8
    assert np.all(np.diff(lines.q2_inv_A2) > 0)


def test_at_least_sixty_lines_even_beyond_the_pattern():
    simulated = simulate(pd.DataFrame([entry_of(known("silicon"))]), STILL)
    row = simulated.reflections.iloc[0]
    assert len(row["q2_inv_A2"]) == MIN_LINES
    beyond = np.isnan(row["two_theta_deg"])
    # 111, 220, 311 and 222 lie below 60 degrees; the structure factor of 222 is 0.
    assert beyond.tolist() == [False] * 4 + [True] * 56
    assert np.all(row["intensity"][beyond] == 0)
    assert row["intensity"][3] == pytest.approx(0, abs=1e-9)


def test_sixty_lines_of_any_cell_size():
    symmetry = symmetry_of("-P 1")
    for side in (0.8, 3.0, 40.0):
        x = reciprocal_from_cell(np.array([side, 1.1 * side, 1.3 * side, 85, 95, 105]))
        assert find_at_least(x, symmetry, 0.42, MIN_LINES).n_lines >= MIN_LINES


def test_pattern_is_normalized_and_a_lone_line_has_the_stated_width():
    one = CalculatedLines(
        np.array([[1, 0, 0]]),
        np.array([0.1]),
        np.array([30.0]),
        np.array([2]),
        np.array([100.0]),
    )
    pattern, scale = calculate_pattern(one, STILL)
    assert pattern.dtype == np.float32
    assert pattern.shape == (3000,)
    assert np.sum(pattern.astype(float) ** 2) == pytest.approx(1, abs=1e-6)
    assert np.argmax(pattern) == 1499  # the grid begins at one step, 0.02 degrees
    assert pattern[1499] == pytest.approx(100 * scale, rel=1e-6)
    # Gaussian: 0.04 degrees from the middle, I / I0 = 2^-(2 · 0.04 / 0.1)².
    assert pattern[1501] / pattern[1499] == pytest.approx(2 ** -(0.8**2), rel=1e-6)


@pytest.mark.parametrize(
    ("atoms", "rule", "seen"),
    [
        ((), 1, "0"),
        ((("Si", 0, 0, np.nan),), 1, "NaN"),
        ((("Si", 0, 0, 0), ("X", 0.2, 0.2, 0.2)), 2, "X"),
        ((("Lr", 0, 0, 0),), 2, "Lr"),
    ],
)
def test_crystals_without_a_pattern_are_rejected(atoms, rule, seen):
    bad = entry_of(crystal_of("P 1", (4, 5, 6, 90, 90, 90), atoms), "test:bad:b")
    good = entry_of(known("rutile"))
    simulated = simulate(pd.DataFrame([bad, good]), STILL)
    assert simulated.rejects[["entry_id", "rule", "seen"]].to_numpy().tolist() == [
        ["test:bad:b", rule, seen]
    ]
    assert simulated.reflections["entry_id"].tolist() == ["test:a:b"]


def test_empty_sites_and_tiny_cells_have_no_intensity():
    ghost = crystal_of("P 1", (4, 5, 6, 90, 90, 90), (("Si", 0, 0, 0),))
    ghost.sites.occupancy[0] = 0
    with pytest.raises(UnusableError, match="intensity") as caught:
        calculate_lines(ghost, STILL)
    assert caught.value.rule == 3
    with pytest.raises(UnusableError, match="intensity"):
        calculate_lines(crystal_of("P 1", (0.7, 0.7, 0.7, 90, 90, 90), (("Si", 0, 0, 0),)), STILL)


def test_tables_and_determinism():
    entries = pd.DataFrame([entry_of(known(name), name) for name in KNOWN])
    first, second = simulate(entries, Simulation()), simulate(entries, Simulation())
    for table, name in ((REFLECTIONS, "reflections"), (PATTERNS, "patterns"), (REJECTS, "rejects")):
        assert table.arrow(getattr(first, name)).equals(table.arrow(getattr(second, name)))
    assert first.reflections["entry_id"].tolist() == list(KNOWN)
    assert len(first.rejects) == 0


def _shared_sample(n):
    """Crystals and pymatgen structures of the same files, where both read them alike."""
    from pymatgen.io.cif import CifParser

    files = sorted(SHARED_CIFS.glob("*/**/*.cif"))
    random.Random(20).shuffle(files)
    small = (path for path in files if path.stat().st_size < 60_000)
    for path in itertools.islice(small, n):
        try:
            read = gemmi.read_small_structure(str(path))
            structure = CifParser(path).parse_structures(primitive=False)[0]
        except Exception:
            continue
        if read.spacegroup is None or abs(structure.volume / read.cell.volume - 1) > 1e-6:
            continue
        # pymatgen falls back to P 1 where it does not know a symbol, and a file's operations
        # may stand on another origin than its symbol: neither is a matter of the simulation.
        atoms_in_cell = sum(s.occ for s in read.get_all_unit_cell_sites())
        if abs(atoms_in_cell - structure.composition.num_atoms) > 1e-3:
            continue
        if any(form_factor_coefficients(s.element.name) is None for s in read.sites):
            continue
        atoms = [(s.element.name, *s.fract.tolist()) for s in read.sites]
        crystal = crystal_of(read.spacegroup.hall, read.cell.parameters, atoms)
        crystal.sites.occupancy[:] = [s.occ for s in read.sites]
        yield path, crystal, structure


@pytest.mark.skipif(not SHARED_CIFS.is_dir(), reason="no shared CIF files")
def test_real_files_agree_with_pymatgen(monkeypatch):
    warnings.simplefilter("ignore")
    own, same = {}, {}
    for path, crystal, structure in _shared_sample(60):
        theirs = pymatgen_pattern(structure)
        own[path.name] = largest_difference(calculate_lines(crystal, STILL), theirs)
        with monkeypatch.context() as patch:
            patch.setattr(structure_factors, "form_factors", pymatgen_form_factors)
            same[path.name] = largest_difference(calculate_lines(crystal, STILL), theirs)
    assert len(own) > 30
    # With the same form factors nothing is left but rounding, and lines that pymatgen drops.
    assert {name: d for name, d in same.items() if d > 0.01} == {}
    # The tables of form factors alone move 3 % of the files by more than 2 % of the strongest.
    assert sum(d < 2 for d in own.values()) >= 0.9 * len(own)
