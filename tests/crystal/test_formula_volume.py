"""Formulas: how they are read, the volumes they ask for, what that does to a ranking."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
import pytest
from typer.testing import CliRunner

import mlindex
from mlindex.apps.cli import app
from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import q2_from_two_theta
from mlindex.crystal.formula_volume import (
    KINDS,
    Formula,
    _density,
    atomic_volumes_A3,
    factor_nearby,
    formula_of,
    kind_of,
    volume_factor,
)
from mlindex.crystal.lattice import BRAVAIS, BravaisLattice
from mlindex.indexing.ranking.volume import weighed_by_volume
from mlindex.patterns.peaklist import PeakList

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
#: Measured volumes of formula units, A³: cell and units in it as published.
MEASURED_A3 = {
    "C8H9NO2": gemmi.UnitCell(7.094, 9.232, 11.657, 90, 97.67, 90).volume / 4,
    "CuO": gemmi.UnitCell(4.6837, 3.4226, 5.1288, 90, 99.54, 90).volume / 4,
    "SiO2": gemmi.UnitCell(4.9134, 4.9134, 5.4052, 90, 90, 120).volume / 3,
    "NaCl": 5.6402**3 / 4,
    "C6H12O6": gemmi.UnitCell(10.366, 14.851, 4.975, 90, 90, 90).volume / 4,
    "PbSO4": gemmi.UnitCell(8.482, 5.398, 6.959, 90, 90, 90).volume / 4,
    "CaCO3": gemmi.UnitCell(4.9896, 4.9896, 17.061, 90, 90, 120).volume / 6,
}


@pytest.mark.parametrize("text", MEASURED_A3)
def test_volumes_of_units_are_about_those_measured(text):
    assert formula_of(text).volume_A3 == pytest.approx(MEASURED_A3[text], rel=0.2)


@pytest.mark.parametrize(
    ("text", "atoms"),
    [
        ("C8 H9 N O2", {"C": 8, "H": 9, "N": 1, "O": 2}),
        ("CuSO4·5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("CuSO4*5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("CuSO4(H2O)5", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("CaSO4 * 0.5 H2O", {"Ca": 1, "S": 1, "O": 4.5, "H": 1}),
        ("La0.7Ca0.3MnO3", {"La": 0.7, "Ca": 0.3, "Mn": 1, "O": 3}),
        ("D2O", {"H": 2, "O": 1}),
        # Salts are reduced, molecules are not.
        ("Fe4O6", {"Fe": 2, "O": 3}),
        ("Si8", {"Si": 1}),
        ("C6H6", {"C": 6, "H": 6}),
    ],
)
def test_formulas_are_read_as_they_are_written(text, atoms):
    volumes = atomic_volumes_A3(kind_of(atoms))
    expected = sum(n * volumes[element] for element, n in atoms.items())
    assert formula_of(text).volume_A3 == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "can't be read: no element is named"),
        ("C0", "can't be read: it has no atoms; give"),
        ("C999999999", "can't be read: it has more than 100000 atoms"),
        ("Ca(OH", "can't be read: a bracket is open"),
        ("xyz", "can't be read: 'xyz' is no element with its number; give one such as CuO"),
        ("Xx2", "can't be read: Xx is no element"),
        ("Cu-1", "can't be read"),
        ("Cu1e9", "can't be read"),
        ("C8H9NO2+", "can't be read"),
        ("CuSO4.5H2O", r"with \* or · before the water"),
        ("Og", "Og is no element whose volume is known"),
        ("c8h9no2", "can't be read; write C8H9NO2: elements begin with a capital letter"),
        ("sio2", "can't be read; write SiO2 or SIO2: elements"),
        ("ca(oh)2", r"can't be read; write Ca\(OH\)2: elements"),
    ],
)
def test_what_is_no_formula_is_refused(text, message):
    with pytest.raises(MlindexError, match=message):
        formula_of(text)


def test_every_element_of_the_table_is_one():
    path = Path(mlindex.__file__).parent / "crystal" / "atomic_volumes.csv"
    with path.open(encoding="utf-8", newline="") as rows:
        table = list(csv.DictReader(rows))
    assert len(table) > 80
    for row in table:
        assert gemmi.Element(row["element"]).name == row["element"]
        assert all(1 < float(row[f"{kind}_A3"]) < 120 for kind in KINDS)
        assert int(row["crystals"]) > 0


def test_whole_numbers_of_units_are_the_more_probable():
    unit = Formula("X", 100.0)
    one, half, one_and_half, two = volume_factor([100, 50, 150, 200], ["oP"] * 4, unit)
    four, four_and_half = volume_factor([400, 450], ["oP"] * 2, unit)
    # Primitive orthorhombic crystals have four units more often than one.
    assert four > 2 * one
    assert four > 1 > half
    assert one > 2 * half
    assert two > 2 * one_and_half
    assert four > 2 * four_and_half
    assert half < 0.2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bravais", ["aP", "mP", "cF"])
def test_what_a_formula_makes_more_probable_it_takes_from_other_volumes(kind, bravais):
    """The mean of the factor over all volumes, as they occur without the formula, is 1."""
    log_volume = np.linspace(np.log(1.0), np.log(1e6), 6001)
    factors = volume_factor(np.exp(log_volume), [bravais] * len(log_volume), Formula("X", 60, kind))
    density = _density(log_volume, bravais)
    mean = np.sum(factors * density) / np.sum(density)
    assert mean == pytest.approx(1, abs=0.05)


#: Primitive cells as published: lattice, volume in A³, own formula, and others.
CELLS = [
    ("mC", gemmi.UnitCell(4.6837, 3.4226, 5.1288, 90, 99.54, 90).volume / 2, "CuO", "KCl"),
    ("mC", gemmi.UnitCell(4.6837, 3.4226, 5.1288, 90, 99.54, 90).volume / 2, "CuO", "Ca(OH)2"),
    ("cF", 5.6402**3 / 4, "NaCl", "SiO2"),
    ("hR", gemmi.UnitCell(4.9896, 4.9896, 17.061, 90, 90, 120).volume / 3, "CaCO3", "SrSO4"),
    ("mP", gemmi.UnitCell(7.094, 9.232, 11.657, 90, 97.67, 90).volume, "C8H9NO2", "C16H13NO2"),
]


@pytest.mark.parametrize(("bravais", "volume_A3", "own", "other"), CELLS)
def test_the_own_formula_makes_a_cell_more_probable_and_another_less(
    bravais, volume_A3, own, other
):
    (more,) = volume_factor([volume_A3], [bravais], formula_of(own))
    (less,) = volume_factor([volume_A3], [bravais], formula_of(other))
    assert more > 1.5
    assert less < more / 3


@dataclass(frozen=True)
class Sized:
    """A trial of which only volume and lattice are asked."""

    volume_A3: float
    bravais: BravaisLattice = BRAVAIS["mP"]

    def lattice(self):
        return self


UNIT = Formula("X", 100.0)


def _weighed(*trials):
    """Probabilities by volume with the formula, from volumes and probabilities without."""
    found = weighed_by_volume([(Sized(volume), p) for volume, p in trials], UNIT)
    assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)
    return {trial.volume_A3: p for trial, p in found}


def test_probabilities_are_weighed_with_none_of_them_and_still_add_up():
    weighed = _weighed((210.0, 0.5), (400.0, 0.3), (252.0, 0.1))
    factors = volume_factor([210, 400, 252], ["mP"] * 3, UNIT)
    nearby = factor_nearby([210, 400, 252], ["mP"] * 3, UNIT)
    before = np.array([0.5, 0.3, 0.1])
    none = 0.1 * (0.5 + 0.5 * (before @ nearby) / 0.9)
    expected = before * factors / (before @ factors + none)
    assert [weighed[v] for v in (210.0, 400.0, 252.0)] == pytest.approx(list(expected))
    assert weighed_by_volume([], UNIT) == []


def test_a_cell_next_to_certain_gains_by_its_own_formula_and_loses_by_a_wrong_one():
    assert _weighed((400.0, 0.999), (800.0, 0.001))[400.0] > 0.999
    assert _weighed((252.0, 0.999), (504.0, 0.001))[252.0] < 0.9985
    # Alone it has no rival that could gain.
    assert _weighed((252.0, 1.0))[252.0] == 1


def _silicon():
    """The first six lines of silicon: a subcell of primitive cubic has them all but two."""
    angles = np.array([28.44, 47.30, 56.12, 69.13, 76.37, 88.03])
    return PeakList("si", q2_from_two_theta(angles, 1.5406), None, 1.5406)


def test_a_formula_says_how_many_units_there_is_room_for():
    found = mlindex.index(_silicon(), lattices=["cubic"], formula="Si", time_limit_s=600)
    assert found.formula == formula_of("Si")
    assert found.options["formula"] == "Si"
    best = found.candidates[0]
    assert best.bravais == "cF"
    told = CliRunner().invoke(
        app, ["index", str(SAMPLES / "silicon.txt"), "--lattice", "cubic", "--formula", "Si"]
    )
    assert "room for 8" in told.stdout


def test_a_cell_too_small_for_the_formula_is_not_convincing():
    found = mlindex.index(_silicon(), lattices=["cF"], formula="C6H12O6", time_limit_s=600)
    assert found.candidates[0].log_evidence > 10
    assert not found.convincing
    assert "cell has room for only 0.19 formula units of C6H12O6: the true cell" in found.reason


def test_a_wrong_formula_is_bad_use():
    told = CliRunner().invoke(app, ["index", str(SAMPLES / "silicon.txt"), "--formula", "Sillicon"])
    assert told.exit_code == 2
    assert "mlindex: formula 'Sillicon' can't be read" in told.stderr
