"""Coefficients of the potential against those of abTEM, where it is installed (extra ``abtem``)."""

import numpy as np
import pytest

from helpers.cbed_crystals import general
from mlindex.cbed.potential import form_factor_coefficients, potential_of

bloch = pytest.importorskip("abtem.bloch")


def test_coefficients_are_abtems_of_the_same_atoms():
    import ase
    from abtem.parametrizations import PengParametrization

    atoms = general("P 1 21 1", [4.1, 4.9, 4.5, 90, 101, 90])
    potential = potential_of(atoms, 3.0)
    factors = {name: form_factor_coefficients(name) for name in set(atoms.elements)}
    theirs = bloch.StructureFactor(
        ase.Atoms(atoms.elements, scaled_positions=atoms.xyz, cell=atoms.basis_A, pbc=True),
        g_max=3.0,
        parametrization=PengParametrization(factors),
        thermal_sigma=np.sqrt(atoms.u_iso_A2).tolist(),
        cutoff="hard",
        centering="P",
    ).build(lazy=False)
    hkl = np.asarray(theirs.hkl)
    inside = np.all(np.abs(hkl) <= potential.bounds, axis=1)
    ours = potential.table[tuple((hkl[inside] + potential.bounds).T)]
    # Their sums have phases of the other sign, and no pi.
    wanted = np.conj(np.asarray(theirs.array)[inside]) / np.pi
    np.testing.assert_allclose(ours, wanted, atol=1e-6)
    assert np.abs(ours).max() > 0.05
