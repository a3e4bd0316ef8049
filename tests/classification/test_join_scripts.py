"""The two stages that join classifier and search, on lists of a few lattices, without a search."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from helpers.small_workflow import PROJECT
from helpers.symmetry_models import SYMBOLS, lines_of, small_classifier
from mlindex.base.schema import read_table, write_table
from mlindex.classification.classifier import FILE
from mlindex.classification.features import features_of
from mlindex.classification.joined import FILE as JOINED
from mlindex.classification.joined import Joined
from mlindex.classification.settings import Joining
from mlindex.classification.tables import (
    CLASSIFIER_TESTS,
    JOINED_SCORES,
    SYMMETRY_EVIDENCE,
    SYMMETRY_EXAMPLES,
)
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.indexing import lattices
from mlindex.indexing.lattices import LatticeEvidence

NUMBERS = {"cP P - - -": 221, "cF F - - -": 225, "tP P - - -": 123, "oP P - - -": 47, "aP P -": 2}
EACH = 8


def examples() -> pd.DataFrame:
    """Two lists of each of some crystals."""
    rng, rows = np.random.default_rng(7), []
    for symbol in SYMBOLS:
        for i in range(EACH):
            q2 = lines_of(symbol, rng)
            name, bravais = f"made:{symbol}{i}:1", symbol.split()[0]
            known = (name, NUMBERS[symbol], bravais, f"type {symbol} {i}", "family")
            for measurement in (0, 1):
                rows.append((*known, measurement, 1.5406, q2, np.ones(len(q2)), q2[-1]))
    frame = pd.DataFrame(rows, columns=SYMMETRY_EXAMPLES.names[:-1])
    columns = (frame[name].tolist() for name in ("q2_inv_A2", "intensity", "last_q2_inv_A2"))
    return frame.assign(features=list(features_of(*columns)))


def searched(lists, time_limit_s, workers, progress):
    """What a search might find: the lattice in the name, but for one list in four."""
    names, found = classes_of("bravais").names, []
    for n, peaks in enumerate(progress(lists)):
        at = names.index(peaks.name.removeprefix("made:").split()[0] if n % 4 else "mP")
        probability, log_evidence = np.zeros(14), np.full(14, np.nan)
        probability[at], log_evidence[at] = (0.9, 25.0) if n % 4 else (0.4, 5.0)
        convincing = probability >= 0.9
        unknown = np.full(len(classes_of("extinction_symbol")), np.nan)
        volume = np.where(probability > 0, 150.0, np.nan)
        found.append(LatticeEvidence(probability, log_evidence, convincing, volume, unknown))
    return found


def run(name: str, folder, inputs: dict, outputs: dict) -> None:
    """A script as Snakemake runs it."""

    class Files(list):
        pass

    files = []
    for paths in (inputs, outputs):
        made = Files(str(path) for path in paths.values() if not isinstance(path, list))
        for key, path in paths.items():
            given = [str(p) for p in path] if isinstance(path, list) else str(path)
            setattr(made, key, given)
        files.append(made)
    params = {"settings": {"joining": Joining(crystals=7).model_dump()}, "seed": 3}
    job = SimpleNamespace(
        input=files[0],
        output=files[1],
        wildcards={},
        params=type("Params", (dict,), {"__getattr__": dict.get})(params),
        threads=1,
        rule=name,
        log=[str(folder / "log")],
    )
    text = (PROJECT / f"workflow/scripts/{name}.py").read_text()
    exec(compile(text, name, "exec"), {"snakemake": job})


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder that both scripts wrote to."""
    folder = tmp_path_factory.mktemp("join")
    lists = examples()
    write_table(folder / "examples.parquet", SYMMETRY_EXAMPLES, lists, {})
    tests = lists[["entry_id", "measurement"]].assign(
        learner="x", true_class="", predicted_class="", probability=0.5, true_probability=0.5
    )
    write_table(folder / "tests.parquet", CLASSIFIER_TESTS, tests, {})
    (folder / "symmetry").mkdir()
    small_classifier().save(folder / "symmetry" / FILE)
    given = {"examples": folder / "examples.parquet"}
    both = [folder / "tests.parquet"] * 2
    evidence = folder / "evidence.parquet"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lattices, "searched_lists", searched)
        run("symmetry_evidence", folder, given | {"tests": both}, {"evidence": evidence})
    inputs = given | {"evidence": evidence, "classifier": folder / "symmetry"}
    outputs = {"model": folder / "joined_symmetry", "scores": folder / "scores.parquet"}
    run("join_symmetry", folder, inputs, outputs)
    return folder


def test_the_evidence_is_of_both_lists_of_the_crystals_chosen(done):
    rows = read_table(done / "evidence.parquet", SYMMETRY_EVIDENCE)
    assert len(rows) == 2 * 7 * len(SYMBOLS)
    assert set(rows.groupby("entry_id")["measurement"].apply(tuple)) == {(0, 1)}
    assert rows["convincing"].notna().mean() == pytest.approx(0.75, abs=0.02)


def test_a_model_and_its_figures_come_out(done):
    model = Joined.load(done / "joined_symmetry" / JOINED)
    # A convincing cell was always right.
    assert model.lattice_weights[3] > 0
    scores = read_table(done / "scores.parquet", JOINED_SCORES)
    both = scores[(scores["level"] == "bravais") & (scores["way"] == "joined")].set_index("lists")
    assert both.loc["convincing cell", "accuracy"] == 1
    assert both.loc["all", "count"] == 2 * 7 * len(SYMBOLS)
    text = (done / "joined_symmetry/README.md").read_text()
    assert "| all | bravais | joined | 70 |" in text
