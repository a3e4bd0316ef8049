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
from mlindex.crystal.formula_volume import Formula, atomic_volumes_A3, formula_of, volume_factor
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
    volumes = atomic_volumes_A3()
    expected = sum(n * volumes[element] for element, n in atoms.items())
    assert formula_of(text).volume_A3 == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "can't be read"),
        ("xyz", "can't be read; give one such as CuO"),
        ("Xx2", "can't be read"),
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
        assert 3 < float(row["volume_A3"]) < 70
        assert int(row["crystals"]) > 0


def test_whole_numbers_of_units_are_the_more_probable():
    unit = Formula("X", 100.0)
    one, half, one_and_half, two, quarter = volume_factor(np.array([100, 50, 150, 200, 25.0]), unit)
    assert one > two > 1 > one_and_half > half > quarter > 0
    assert one / half > 100


def test_large_volumes_are_neither_favoured_nor_the_reverse():
    factors = volume_factor(np.geomspace(2e3, 1e7, 500), Formula("X", 100.0))
    np.testing.assert_allclose(factors, 1, atol=0.03)


@dataclass(frozen=True)
class Sized:
    """A trial of which only the volume is asked."""

    volume_A3: float

    def lattice(self):
        return self


def test_probabilities_are_weighed_and_still_add_up():
    trials = [(Sized(50.0), 0.5), (Sized(100.0), 0.3), (Sized(151.0), 0.1)]
    weighed = weighed_by_volume(trials, Formula("X", 100.0))
    assert [t.volume_A3 for t, _ in weighed] == [100.0, 151.0, 50.0]
    factors = dict(zip((50.0, 100.0, 151.0), _factors(50, 100, 151), strict=True))
    total = 0.1 + sum(p * factors[t.volume_A3] for t, p in trials)
    for trial, probability in weighed:
        before = next(p for t, p in trials if t is trial)
        assert probability == pytest.approx(before * factors[trial.volume_A3] / total)
    assert weighed_by_volume([], Formula("X", 100.0)) == []


def _factors(*volumes):
    return volume_factor(np.array(volumes, dtype=float), Formula("X", 100.0))


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
    assert "room for 10 Si, about 16 Å³ each" in told.stdout


def test_a_cell_too_small_for_the_formula_is_not_convincing():
    found = mlindex.index(_silicon(), lattices=["cF"], formula="C6H12O6", time_limit_s=600)
    assert found.candidates[0].log_evidence > 10
    assert not found.convincing
    assert "cell has room for only 0.19 formula units of C6H12O6: the true cell" in found.reason


def test_a_wrong_formula_is_bad_use():
    told = CliRunner().invoke(app, ["index", str(SAMPLES / "silicon.txt"), "--formula", "Sillicon"])
    assert told.exit_code == 2
    assert "mlindex: formula 'Sillicon' can't be read" in told.stderr
