"""Examples of the classifiers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlindex.classification.examples import choose_crystals, examples
from mlindex.classification.settings import SymmetryExamples
from mlindex.classification.tables import SYMMETRY_EXAMPLES
from mlindex.patterns.settings import Realism, Simulation

#: Space groups of tetragonal crystals, those of P 41 21 2 many times.
NUMBERS = [92] * 12 + [123, 141, 141, 129]


def crystals(numbers=NUMBERS):
    names = [f"x_{k:02d}" for k in range(len(numbers))]
    dataset = pd.DataFrame(
        {
            "entry_id": names,
            "bravais_lattice": ["tI" if n == 141 else "tP" for n in numbers],
            "structure_type": [f"{n} | A1 | 1.0" for n in numbers],
            "composition_family": "C",
        }
    )
    return dataset, pd.DataFrame({"entry_id": names, "spacegroup_number": numbers})


def reflections(names):
    rng = np.random.default_rng(7)
    q2 = [np.sort(rng.uniform(0.01, 0.4, 40)) for _ in names]
    intensity = [np.where(np.arange(40) < 38, rng.uniform(1, 100, 40), 0.0) for _ in names]
    return pd.DataFrame({"entry_id": names, "q2_inv_A2": q2, "intensity": intensity})


def test_extinction_symbols_take_turns_and_the_order_of_rows_does_not_matter() -> None:
    dataset, cells = crystals()
    settings = SymmetryExamples(crystals=4)
    chosen = choose_crystals(dataset, cells, settings, 3)
    counts = chosen["spacegroup_number"].value_counts().to_dict()
    assert counts == {92: 2, 123: 1, 129: 1, 141: 2}
    again = choose_crystals(dataset[::-1], cells.sample(frac=1, random_state=1), settings, 3)
    pd.testing.assert_frame_equal(chosen, again)


def test_every_crystal_has_its_calculated_lines_and_so_many_measurements() -> None:
    dataset, cells = crystals()
    chosen = choose_crystals(dataset, cells, SymmetryExamples(), 3)
    lines = reflections(chosen["entry_id"][:-1])
    settings = SymmetryExamples(measured=3, lines=30)
    made = examples(chosen, lines, settings, Realism(), Simulation(), 5)
    assert SYMMETRY_EXAMPLES.arrow(made).num_rows == len(made)
    assert set(made["entry_id"]) == set(lines["entry_id"])
    calculated = made[made["measurement"] == 0]
    for row, q2, intensity in zip(
        calculated.itertuples(), lines["q2_inv_A2"], lines["intensity"], strict=True
    ):
        assert np.array_equal(row.q2_inv_A2, q2[:30])
        assert np.allclose(row.intensity, intensity[:30] / intensity.max())
    measured = made[made["measurement"] > 0]
    assert len(measured) > 2 * len(lines)
    assert all(np.all(np.diff(q2) >= 0) and len(q2) <= 30 for q2 in measured["q2_inv_A2"])


def test_the_same_seed_gives_the_same_lists_whatever_other_crystals_are_asked_for() -> None:
    dataset, cells = crystals()
    chosen = choose_crystals(dataset, cells, SymmetryExamples(), 3)
    lines = reflections(chosen["entry_id"])
    whole, part = (
        examples(rows, lines, SymmetryExamples(), Realism(), Simulation(), 5)
        for rows in (chosen, chosen[3:5])
    )
    same = whole[whole["entry_id"].isin(part["entry_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, part)
