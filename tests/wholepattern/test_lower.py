"""Splitting that widths show: cells of lower symmetry, and cells that the profile makes one."""

from dataclasses import replace

import numpy as np
import pytest

import mlindex
from helpers.rutile import cell, measured
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.equivalence import lattice_of
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import find_peaks
from mlindex.wholepattern.candidates import CellToFit, fit_candidates
from mlindex.wholepattern.lower import bent, bent_in_vain, lower_cell
from mlindex.wholepattern.weigh import with_profiles

A, FWHM, WAVELENGTH_A = 9.0, 0.15, 1.5
#: Shortest reciprocal vectors that any reduced basis has within small indices.
FIRST = 12


def pseudocubic(c):
    """Counts of a body-centred tetragonal crystal whose atoms do not know that it isn't cubic."""
    rng, x = np.random.default_rng(3), np.arange(10, 90, 0.02)
    hkl = reflections(cell(A, A, c), "I", 1.0)
    at = two_theta_from_q2(quadratic_terms(hkl) @ reciprocal_from_cell(cell(A, A, c)), WAVELENGTH_A)
    strength, expected = {}, np.full(len(x), 50.0)
    for indices, position in zip(np.sort(np.abs(hkl), axis=1).tolist(), at, strict=True):
        key = tuple(indices)
        if key not in strength:
            strength[key] = rng.exponential() * (rng.random() > 0.3)
        theta = np.radians(position / 2)
        height = 250 * strength[key] / (np.sin(theta) ** 2 * np.cos(theta))
        u2 = ((x - position) / (FWHM / 2)) ** 2
        expected += height * (0.5 * np.exp(-np.log(2) * u2) + 0.5 / (1 + u2))
    counts = rng.poisson(expected).astype(float)
    return MeasuredPattern("pseudocubic", x, counts, wavelength_A=WAVELENGTH_A)


@pytest.mark.parametrize(("c", "bravais"), [(A, "cI"), (1.002 * A, "tI")])
def test_lines_broader_than_others_are_a_lower_symmetry(c, bravais):
    # The lines of both are those of one cubic cell: no peak is resolved.
    result = mlindex.index(pseudocubic(c), lattices=["cubic", "tetragonal"], keep=3)
    best = result.candidates[0]
    assert best.bravais == bravais
    assert best.settings[0].cell[[0, 2]] == pytest.approx([A, c], rel=3e-4)
    assert any("widths or splitting" in note for note in result.notes) == (bravais == "tI")


@pytest.mark.parametrize(("c", "in_vain"), [(A, True), (1.004 * A, False)])
def test_cells_bent_in_vain_are_known(c, in_vain):
    cubic = CellToFit("cI", "I", cell(A, A, A))
    tetragonal = CellToFit("tI", "I", cell(0.997 * A, 0.997 * A, 1.004 * A), near=True)
    own, fit = fit_candidates(pseudocubic(c), [cubic, tetragonal]).fits
    assert bent_in_vain(tetragonal, fit, cubic, own) == in_vain
    # A cell of another lattice is no bent one, nor is a cubic one bent out of a tetragonal one.
    assert not bent_in_vain(tetragonal, replace(fit, cell=fit.cell * 1.03), cubic, own)
    assert not bent_in_vain(cubic, own, tetragonal, fit)


def test_a_cell_bent_in_vain_gives_its_probability_to_the_one_it_is_bent_from():
    pattern = measured()
    peaks = find_peaks(pattern)
    right = mlindex.index(pattern, lattices=["tetragonal"], keep=1).candidates[0]
    (bent_cell,) = (c for c in bent(CellToFit("tP", "P", right.cell), 0.005)[:1])
    lower = replace(right, bravais=bent_cell.bravais, cell=bent_cell.cell, probability=0.6)
    weighed = with_profiles(pattern, [lower, replace(right, probability=0.3)], peaks)
    assert [c.bravais for c in weighed] == ["tP"]
    assert weighed[0].profile.probability_before == pytest.approx(0.9)


def test_lower_symmetry_that_was_not_asked_for_is_not_given():
    result = mlindex.index(pseudocubic(1.002 * A), lattices=["cubic"], keep=3)
    assert all(BRAVAIS[c.bravais].system.name == "cubic" for c in result.candidates)


@pytest.mark.parametrize(
    "bravais", ["cP", "cI", "cF", "tP", "tI", "hP", "hR", "oP", "oC", "mP", "mC"]
)
def test_bent_cells_are_of_the_next_lower_symmetry(bravais):
    lattice = BRAVAIS[bravais]
    own = lattice.system.generic_cell()
    cells = bent(CellToFit(bravais, lattice.centring, own), 0.01)
    free = {BRAVAIS[c.bravais].system.n_free for c in cells}
    assert len(free) == 1
    assert free.pop() > lattice.system.n_free
    hkl = np.indices((7, 7, 7)).reshape(3, -1).T - 3
    terms = quadratic_terms(hkl[np.any(hkl != 0, axis=1)])
    reduced = lattice_of(own, lattice.centring)
    for one in cells:
        other = lattice_of(one.cell, one.centring)
        assert other.volume_A3 == pytest.approx(reduced.volume_A3, rel=0.02)
        assert not np.allclose(other.reduced, reduced.reduced, rtol=1e-4)
        # q² changes by no more than it was bent.
        lengths = np.sort(terms @ reciprocal_from_cell(other.reduced))[:FIRST]
        before = np.sort(terms @ reciprocal_from_cell(reduced.reduced))[:FIRST]
        assert np.abs(lengths / before - 1).max() < 0.0101


def test_triclinic_cells_have_no_lower_symmetry():
    own = BRAVAIS["aP"].system.generic_cell()
    assert bent(CellToFit("aP", "P", own), 0.01) == []


def test_a_cell_that_fits_keeps_its_symmetry():
    pattern = measured()
    rutile = CellToFit("tP", "P", cell(4.5937, 4.5937, 2.9587))
    assert lower_cell(pattern, rutile, find_peaks(pattern)) is None


def test_fits_stay_near_their_cells():
    far = CellToFit("tP", "P", cell(4.9, 4.9, 3.2))
    fit = fit_candidates(measured(), [far]).fits[0]
    # 2 % of q² are 1 % of a length.
    assert np.all(np.abs(fit.cell[:3] / far.cell[:3] - 1) < 0.0103)


def test_cells_that_the_profile_makes_one_are_one():
    pattern = measured()
    peaks = find_peaks(pattern)
    found = mlindex.index(pattern, lattices=["tetragonal"], keep=2).candidates
    twins = [
        replace(found[0], probability=p, cell=found[0].cell * s) for p, s in ((0.5, 1), (0.3, 1))
    ]
    twins[1] = replace(twins[1], cell=found[0].cell * np.array([1.002, 1.002, 1.003, 1, 1, 1]))
    weighed = with_profiles(pattern, [*twins, replace(found[1], probability=0.1)], peaks)
    assert len(weighed) == 2
    assert weighed[0].profile.probability_before == pytest.approx(0.8)
