"""The benchmark of classifier and search joined: searches are kept, figures are of each kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.benchmark_modules import benchmark
from helpers.symmetry_models import lines_of, small_classifier
from mlindex.classification.joined import Joined
from mlindex.classification.tables import SYMMETRY_EXAMPLES
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.indexing.lattices import LatticeEvidence


@pytest.fixture
def lists() -> pd.DataFrame:
    """Three cubic lists, one of them with lines at random places."""
    rng = np.random.default_rng(3)
    of = [
        lines_of("cF F - - -", rng),
        np.sort(rng.uniform(0.1, 1, 20)),
        lines_of("cP P - - -", rng),
    ]
    rows = [
        (f"real:{i}:1", number, lattice, f"t{i}", "f", 0, 1.5406, q2, np.ones(len(q2)), q2[-1])
        for i, (q2, lattice, number) in enumerate(
            zip(of, ("cF", "cF", "cP"), (225, 225, 221), strict=True)
        )
    ]
    frame = pd.DataFrame(rows, columns=SYMMETRY_EXAMPLES.names[:-1])
    types = {"spacegroup_number": np.int16, "measurement": np.int32}
    return frame.astype(types)


def found(row) -> LatticeEvidence:
    """The search finds the second list nowhere."""
    names = classes_of("bravais").names
    probability, log_evidence = np.zeros(14), np.full(14, np.nan)
    if row.entry_id != "real:1:1":
        at = names.index(row.bravais_lattice)
        probability[at], log_evidence[at] = 0.95, 30.0
    unknown = np.full(len(classes_of("extinction_symbol")), np.nan)
    volume = np.where(probability > 0, 150.0, np.nan)
    return LatticeEvidence(probability, log_evidence, probability > 0.9, volume, unknown)


def test_a_search_that_was_kept_is_not_run_again(lists, tmp_path):
    with benchmark("joined") as joined:
        first = joined._evidence(tmp_path, "drawn measurements", lists, found)
        again = joined._evidence(
            tmp_path, "drawn measurements", lists[::-1], lambda _: pytest.fail("searched")
        )
    assert (tmp_path / "drawn_measurements.parquet").exists()
    assert list(first["entry_id"]) == list(lists["entry_id"])
    assert list(again["entry_id"]) == list(lists["entry_id"])[::-1]


def test_rows_are_of_all_lists_and_of_those_with_a_convincing_cell(lists, monkeypatch):
    model = Joined(np.array([0.5, 0.5, 0.5, 3.0]), np.array([1.0, 1.0, -1.0]))
    with benchmark("joined") as joined:
        monkeypatch.setattr(joined, "shipped", small_classifier)
        evidence = joined._evidence(None, "calculated", lists, found)
        rows = pd.DataFrame(joined._judged("calculated", lists, evidence, model))
    counts = rows.groupby("lists")["count"].first().to_dict()
    assert counts == {
        "calculated": 3,
        "calculated, convincing cell": 2,
        "calculated, no convincing cell": 1,
    }
    own = rows[(rows["level"] == "bravais") & (rows["lists"] == "calculated, convincing cell")]
    right = own.set_index("way")["accuracy"]
    assert right["search"] == right["joined"] == 1
