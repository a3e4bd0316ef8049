"""Published figures of silicon, and of where a line of an upper Laue zone lies."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.cbed_crystals import crystal
from mlindex.cbed.beams import excitation_errors
from mlindex.cbed.orientation import orientation_of
from mlindex.cbed.potential import potential_of, relativistic_factor, wavelength_A

#: Extinction distances of silicon at 100 kV in A, atoms at rest (Hirsch, Howie, Nicholson, Pashley
#: & Whelan, Electron Microscopy of Thin Crystals, 1965, as quoted by the examples of a public
#: multislice program). Their form factors are older: up to 3 % lie between.
EXTINCTION_A = {(2, 2, 0): 757, (4, 0, 0): 1268, (4, 4, 0): 2093}


def test_extinction_distances_of_silicon_are_those_published():
    atoms = crystal("F d -3 m:2", [5.431] * 3 + [90] * 3, {"Si": [0.125] * 3})
    potential = potential_of(replace(atoms, u_iso_A2=np.zeros(len(atoms))), 4.0)
    for hkl, distance in EXTINCTION_A.items():
        place = tuple(np.array(hkl) + potential.bounds)
        found = 1 / (wavelength_A(100.0) * relativistic_factor(100.0) * abs(potential.table[place]))
        assert found == pytest.approx(distance, rel=0.035)


def test_lines_of_the_first_laue_zone_cross_in_the_centre_at_the_published_lattice_constant():
    # Face-centred cubic along [1 1 4] with electrons of 0.0370 A: {9 3 1} at a = 3.571 A, without
    # what the potential shifts (a method of measuring nickel alloys in the microscope).
    atoms = crystal("F m -3 m", [3.5712] * 3 + [90] * 3, {"Ni": [0, 0, 0]})
    orientation = orientation_of(atoms, (1, 1, 4))
    lines = np.array([[9, -3, -1], [-3, 9, -1]])
    lines = np.concatenate([lines, -lines])
    q = orientation.positions(lines)
    error = excitation_errors(q, np.zeros((1, 2)), 1 / 0.0370)[:, 0]
    near = np.abs(error) < 1e-4
    # Those of one side of the zone; the others lie beyond the sphere.
    assert near.sum() == 2
    assert np.all(np.sign(q[near, 2]) == -1)
    wrong = crystal("F m -3 m", [3.60] * 3 + [90] * 3, {"Ni": [0, 0, 0]})
    q = orientation_of(wrong, (1, 1, 4)).positions(lines[near])
    assert np.all(np.abs(excitation_errors(q, np.zeros((1, 2)), 1 / 0.0370)) > 1e-3)
