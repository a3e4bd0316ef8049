"""Success rates of ab initio indexing: spoiled lists, verdicts, tables."""

import numpy as np
import pandas as pd
import pytest

from mlindex.base.columns import cell_names
from mlindex.base.schema import write_table
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import SYSTEMS, quadratic_terms
from mlindex.crystal.lines import distinct, reflections
from mlindex.indexing.rates.judge import Judged, Truth, given_error_deg, judge
from mlindex.indexing.rates.measure import SECONDS, cases, measure, select
from mlindex.indexing.rates.settings import Indexing
from mlindex.indexing.rates.summary import curves, shares
from mlindex.indexing.rates.tables import INDEXING_RATES
from mlindex.indexing.result import Candidate, IndexingResult, Partner
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.spoil import EXACT, UNITS, WAVELENGTH_A, Spoil, spoil_of, spoiled

CUBIC = SYSTEMS["cubic"]
AXES = {"cP": 6.13, "cI": 8.41, "cF": 10.27}


def lines(a: float, centring: str, q2_max: float = 0.8) -> np.ndarray:
    cell = np.array([a, a, a, 90, 90, 90], float)
    hkl = reflections(cell, centring, q2_max)
    q2 = np.sort(quadratic_terms(hkl) @ reciprocal_from_cell(cell))
    return q2[distinct(q2)]


def dataset() -> pd.DataFrame:
    """Two usable validation entries of each cubic lattice, one of training, one not usable."""
    rows = [
        {
            "entry_id": f"made:{bravais}{n}:x",
            "bravais_lattice": bravais,
            "hm_symbol": f"{bravais[1]} m 3 m",
            "unique_axis": "",
            "side": "train" if n == 2 else "validation",
            "usable": n != 3,
            **dict(zip(cell_names(""), [a + n / 7] * 3 + [90.0] * 3, strict=True)),
            "observed_q2_inv_A2": lines(a + n / 7, bravais[1]),
        }
        for bravais, a in AXES.items()
        for n in range(4)
    ]
    return pd.DataFrame(rows)


def angles(q2: np.ndarray) -> np.ndarray:
    return two_theta_from_q2(q2, WAVELENGTH_A)


def test_a_list_as_calculated_is_its_first_lines():
    q2 = lines(6.13, "P")
    np.testing.assert_allclose(spoiled(q2, 10, Spoil(), np.random.default_rng(1)), q2[:10])


def test_a_shift_moves_every_line_by_as_much():
    q2 = lines(6.13, "P")
    moved = spoiled(q2, 10, spoil_of("shift", 0.075), np.random.default_rng(1))
    np.testing.assert_allclose(angles(moved) - angles(q2[:10]), 0.075)


def test_noise_has_its_width():
    q2 = q2_from_two_theta(np.linspace(10, 60, 400), WAVELENGTH_A)
    moved = spoiled(q2, 400, spoil_of("noise", 0.01), np.random.default_rng(1))
    assert np.std(angles(moved) - angles(q2)) == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize(("n_lines", "count", "expected"), [(20, 6, 6), (10, 6, 3), (10, 9, 5)])
def test_impurities_replace_a_share_of_the_lines(n_lines, count, expected):
    q2 = q2_from_two_theta(np.linspace(10, 60, 30), WAVELENGTH_A)
    made = spoiled(q2, n_lines, spoil_of("impurities", count), np.random.default_rng(2))
    assert len(made) == n_lines
    assert np.all(np.diff(made) > 0)
    assert np.isclose(made[:, None], q2).any(axis=1).sum() == n_lines - expected
    assert q2[0] <= made[0]
    assert made[-1] <= q2[n_lines - 1]


def test_further_lines_take_the_places_of_missing_ones():
    q2 = q2_from_two_theta(np.linspace(10, 60, 24), WAVELENGTH_A)
    made = spoiled(q2, 20, spoil_of("missing", 4), np.random.default_rng(3))
    assert len(made) == 20
    assert made[-1] == pytest.approx(q2[23])
    assert len(spoiled(q2, 20, spoil_of("missing", 8), np.random.default_rng(3))) == 16


def test_only_noise_above_the_usual_error_is_told():
    assert given_error_deg(0.0) is None
    assert given_error_deg(0.02) is None
    assert given_error_deg(0.03) == 0.03


def candidate(a: float, partners: tuple[Partner, ...] = ()) -> Candidate:
    cell, nothing = np.array([a, a, a, 90, 90, 90], float), np.zeros(10)
    return Candidate(
        *("cP", "P", cell, np.zeros(6), cell, a**3, 50.0, 50.0, 9.0, 9.0, 40.0, 0.9, 0.0),
        *(np.zeros((10, 3), int), nothing, nothing, np.ones(10, bool), 10),
        partners=partners,
    )


def result(*found: Candidate, convincing: bool = True) -> IndexingResult:
    peaks = PeakList("made", lines(5.0, "P")[:10], None, WAVELENGTH_A)
    return IndexingResult(peaks, found, (), convincing, "", 1.0)


def test_verdicts():
    cell = np.array([5, 5, 5, 90, 90, 90], float)
    truth = Truth(cell, "P")
    partner = Partner("cP", cell, "P", "other lattice")
    right, other, naming = candidate(5.02), candidate(7.1), candidate(7.1, (partner,))
    verdicts = {
        "first": judge(result(right, other), truth),
        "second": judge(result(other, right), truth),
        "named": judge(result(naming), truth),
        "late": judge(result(*(candidate(6 + n) for n in range(20)), right), truth),
        "none": judge(result(convincing=False), truth),
    }

    def told(name: str) -> tuple:
        v: Judged = verdicts[name]
        return v.rank, v.first, v.solved, v.listed, v.wrong, v.candidates

    assert told("first") == (1, True, True, True, False, 2)
    assert told("second") == (2, False, False, True, True, 2)
    assert told("named") == (0, False, True, False, False, 1)
    assert told("late") == (21, False, False, False, True, 21)
    assert told("none") == (0, False, False, False, False, 0)
    assert not judge(result(other, convincing=False), truth).wrong


@pytest.fixture(scope="module")
def measured():
    settings = Indexing(
        entries=1, degraded_entries=1, shift_deg=(0.05,), noise_deg=(), impurities=(3,), missing=()
    )
    return measure(dataset(), CUBIC, settings, 7)


def test_every_list_is_a_row(measured, tmp_path):
    table = measured.table
    write_table(tmp_path / "rates.parquet", INDEXING_RATES, table)
    exact = table[table["degradation"] == EXACT]
    assert set(exact["bravais_lattice"]) == set(AXES)
    assert len(exact) == 3
    assert sorted(table["degradation"]) == ["exact"] * 3 + ["impurities", "shift"]
    assert list(measured.seconds.columns) == SECONDS
    assert (measured.seconds["cpu_seconds"] > 0).all()
    assert (table["lines"] == 10).all()


def test_cubic_cells_are_found_with_nothing_told(measured):
    table = measured.table
    exact = table[table["degradation"] == EXACT]
    assert exact["first"].all()
    assert (exact["best_bravais_lattice"] == exact["bravais_lattice"]).all()
    assert not table["wrong"].any()
    assert table.loc[table["degradation"] == "shift", "first"].all()


def test_shares_and_curves_count_the_rows(measured):
    found = shares(measured.table)
    assert list(found["bravais_lattice"].unique()) == [*AXES, "all"]
    first = found[found["share"] == "first"]
    assert list(first["successes"]) == [1, 1, 1, 3]
    # Wilson's interval of 1 in 1: 1 / (1 + 1.96²) to 1.
    assert first["low"].iloc[0] == pytest.approx(1 / (1 + 1.959964**2), abs=1e-6)
    points = curves(measured.table.assign(system="cubic"))
    assert sorted(zip(points["degradation"], points["amount"], strict=True)) == [
        ("impurities", 0.0),
        ("impurities", 3.0),
        ("shift", 0.0),
        ("shift", 0.05),
    ]


def test_lists_are_of_held_out_entries_and_do_not_depend_on_others():
    settings = Indexing(entries=2, degraded_entries=3)
    many = cases(dataset(), CUBIC, settings, 7)
    assert {c.entry_id[5:8] for c in many} == {f"{b}{n}" for b in AXES for n in (0, 1)}
    kinds = len(settings.ways())
    assert len(many) == 6 + 3 * kinds
    assert {c.kind for c in many} == {EXACT, *UNITS}
    again = cases(select(dataset(), CUBIC, settings, 7), CUBIC, settings, 7)
    assert [(c.entry_id, c.kind, c.amount) for c in again] == [
        (c.entry_id, c.kind, c.amount) for c in many
    ]
    few = cases(dataset(), CUBIC, Indexing(entries=0, degraded_entries=1), 7)
    assert len(few) == 1 + kinds
    same = {(c.entry_id, c.kind, c.amount): c.q2_inv_A2 for c in many}
    for case in few:
        np.testing.assert_array_equal(case.q2_inv_A2, same[case.entry_id, case.kind, case.amount])


def test_nothing_to_measure_gives_empty_tables(tmp_path):
    nothing = measure(dataset(), CUBIC, Indexing(entries=0, degraded_entries=0), 7, workers=2)
    write_table(tmp_path / "rates.parquet", INDEXING_RATES, nothing.table)
    assert nothing.seconds.empty
    assert curves(nothing.table.assign(system="cubic")).empty
