"""Absences, supercells and the learned ranking of what was found."""

from __future__ import annotations

import json

import gemmi
import numpy as np
import pandas as pd
import pytest

from helpers.made_trials import generic_cell, trial_of
from helpers.synthetic_dataset import SYMBOLS, hall_of, present
from mlindex.base.columns import cell_names
from mlindex.base.errors import MlindexError
from mlindex.base.provenance import file_digest
from mlindex.base.schema import read_table, write_table
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.equivalence import lattice_of
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS, quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.indexing.ranking import shipped
from mlindex.indexing.ranking.examples import examples
from mlindex.indexing.ranking.features import features, known
from mlindex.indexing.ranking.judging import figures, lists_of
from mlindex.indexing.ranking.meanings import FEATURES
from mlindex.indexing.ranking.network import RankingModel
from mlindex.indexing.ranking.settings import Ranking, RankingExamples
from mlindex.indexing.ranking.tables import RANKING_EXAMPLES, RANKING_FIGURES
from mlindex.indexing.search.absences import absences
from mlindex.indexing.search.supercells import supercells, with_supercells
from mlindex.learning.arrays import read_arrays, write_arrays


def q2_of(cell: np.ndarray, centring: str, q2_max: float) -> np.ndarray:
    return quadratic_terms(reflections(cell, centring, q2_max)) @ reciprocal_from_cell(cell)


def seen_by_space_group(cell: np.ndarray, symbol: str, n: int) -> np.ndarray:
    """The first n different lines that a space group allows, after gemmi."""
    group = gemmi.SpaceGroup(symbol)
    hkl = reflections(cell, "P", 1.0)
    hkl = hkl[~np.asarray(group.operations().systematic_absences(hkl.astype(np.int32)))]
    q2 = np.sort(quadratic_terms(hkl) @ reciprocal_from_cell(cell))
    return q2[np.concatenate([[True], np.diff(q2) > 1e-7])][:n]


@pytest.mark.parametrize(
    ("bravais", "symbol"), [("mP", "P 1 21/c 1"), ("oP", "P n m a"), ("tP", "P 41 21 2")]
)
def test_absences_speak_for_their_class(bravais, symbol):
    cell = generic_cell(bravais)
    q2 = seen_by_space_group(cell, symbol, 20)
    trial, observed = trial_of(bravais, cell, "P", q2)
    found = absences(trial, observed)
    assert found.best > 0
    # The best class has no more lines than the symbol whose lines were all seen.
    assert len(q2) == found.allowed < found.number
    assert found.number == len(np.unique(np.round(q2_of(cell, "P", q2[-1] * (1 + 1e-9)), 9)))


def test_no_absences_cost_what_the_choice_of_classes_does():
    cell = generic_cell("oP")
    trial, observed = trial_of("oP", cell, "P", np.unique(np.round(q2_of(cell, "P", 0.3), 9))[:20])
    found = absences(trial, observed)
    assert found.best == 0.0
    assert found.gain < 0


@pytest.mark.parametrize("bravais", BRAVAIS)
def test_supercells_have_all_lines_of_the_lattice(bravais):
    cell = generic_cell(bravais)
    for letter in BRAVAIS[bravais].centrings:
        own = lattice_of(cell, letter)
        lines = q2_of(cell, letter, 40 / own.volume_A3 ** (2 / 3))
        found = supercells(bravais, letter)
        for larger in found:
            larger_cell = larger.cell(cell)
            lattice = lattice_of(larger_cell, larger.centring)
            assert lattice.volume_A3 == pytest.approx(larger.index * own.volume_A3, rel=1e-9)
            theirs = np.sort(q2_of(larger_cell, larger.centring, lines[-1] * 1.01))
            place = np.clip(np.searchsorted(theirs, lines * (1 - 1e-9)), 0, len(theirs) - 1)
            np.testing.assert_allclose(theirs[place], lines, rtol=1e-8)
            assert larger.bravais.system.n_free <= BRAVAIS[bravais].system.n_free


def test_supercells_of_cubic_lattices_are_those_known():
    # P to F doubled and to I doubled; I to its own P and to F doubled; F to its own P.
    known_ones = {
        letter: [(s.bravais.symbol, s.index) for s in supercells(f"c{letter}", letter)]
        for letter in "PIF"
    }
    assert known_ones == {
        "P": [("cF", 2), ("cI", 4)],
        "I": [("cP", 2), ("cF", 4)],
        "F": [("cP", 4)],
    }


def test_a_supercell_with_absences_comes_back():
    cell = generic_cell("oP")
    q2 = seen_by_space_group(cell, "P n m a", 20)
    trial, observed = trial_of("oP", cell, "P", q2)
    symbols = [t.bravais.symbol for t in with_supercells([trial], observed)[1:]]
    assert {"oP", "oC", "oI", "oF"} <= set(symbols)
    assert len(symbols) == len(supercells("oP", "P"))


def test_features_have_names_and_do_not_depend_on_the_order():
    cell = generic_cell("oP")
    q2 = seen_by_space_group(cell, "P n m a", 20)
    trial, observed = trial_of("oP", cell, "P", q2)
    candidates = [known(t, observed) for t in with_supercells([trial], observed)]
    rows = features(candidates, observed)
    assert rows.shape == (len(candidates), len(FEATURES))
    assert np.isfinite(rows).all()
    np.testing.assert_array_equal(features(candidates[::-1], observed), rows[::-1])


def dataset(count: int) -> pd.DataFrame:
    """Cubic entries, a quarter of them on the validation side."""
    rows = []
    for bravais in ("cP", "cI", "cF"):
        for n in range(count):
            cell = np.array([5.0 + 0.37 * n] * 3 + [90.0] * 3)
            _, q2 = present(cell, hall_of(SYMBOLS[bravais]), 30)
            row = {
                "entry_id": f"made:{bravais}:{n}",
                "bravais_lattice": bravais,
                "hm_symbol": SYMBOLS[bravais],
                "unique_axis": "",
                "side": "validation" if n % 4 == 0 else "train",
                "usable": True,
                "observed_q2_inv_A2": q2,
                "observed_intensity": np.linspace(100, 20, len(q2)),
            }
            rows.append(row | dict(zip(cell_names(""), cell, strict=True)))
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    from mlindex.indexing.ranking.training import train

    settings = RankingExamples(entries=4, validation_entries=1, exact_share=0.8)
    table = examples(dataset(8), SYSTEMS["cubic"], settings, 1)
    path = tmp_path_factory.mktemp("ranking") / "examples.parquet"
    write_table(path, RANKING_EXAMPLES, table, {})
    table = read_table(path, RANKING_EXAMPLES)
    return (
        table,
        train(table, Ranking(epochs=10, members=2), 5),
        train(table, Ranking(epochs=10, members=2), 5),
    )


def test_examples_hold_both_sides_and_the_truth(learned):
    table, *_ = learned
    lists = table.groupby(["side", "entry_id"])["right"].any()
    assert set(lists.index.get_level_values("side")) == {"train", "validation"}
    # Exact and mildly spoiled lists of small cubic cells are nearly all found.
    assert lists.mean() > 0.7
    assert table.groupby("entry_id")["candidate"].min().ge(0).all()


def test_training_is_reproducible_and_the_model_loads(learned, tmp_path):
    table, arrays, again = learned
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, again[name])
    write_arrays(tmp_path / "ranking.npz", arrays)
    model = RankingModel.load(tmp_path / "ranking.npz")
    rows, _ = lists_of(table)[0]
    probabilities = model.predict_proba(rows)
    assert 0 < probabilities.sum() <= 1 + 1e-12
    order = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_allclose(model.predict_proba(rows[order]), probabilities[order], rtol=1e-5)
    judged = figures(table, model)
    write_table(tmp_path / "figures.parquet", RANKING_FIGURES, judged, {})
    held_out = table[table["side"] == "validation"]["entry_id"].nunique()
    assert judged[judged["lists"] == "all"]["n_lists"].tolist() == [held_out] * 3


def test_a_model_of_other_features_is_refused(learned, tmp_path):
    _, arrays, _ = learned
    write_arrays(tmp_path / "m.npz", arrays | {"features": np.frombuffer(b"a b", dtype=np.uint8)})
    with pytest.raises(MlindexError, match="train the ranking again"):
        RankingModel.load(tmp_path / "m.npz")


def test_the_shipped_model_is_what_its_card_says():
    card = json.loads((shipped.CARD).read_text())
    assert card["sha256"] == file_digest(shipped.ARRAYS)
    assert shipped.shipped_ranking().predict_proba(np.zeros((0, len(FEATURES)))).shape == (0,)
    arrays = read_arrays(shipped.ARRAYS)
    assert sum(a.nbytes for a in arrays.values()) < 1e6


def test_a_changed_shipped_model_is_refused(tmp_path, monkeypatch):
    changed = tmp_path / "ranking.npz"
    changed.write_bytes(shipped.ARRAYS.read_bytes() + b"x")
    monkeypatch.setattr(shipped, "ARRAYS", changed)
    shipped.shipped_ranking.cache_clear()
    with pytest.raises(MlindexError, match="was changed"):
        shipped.shipped_ranking()
