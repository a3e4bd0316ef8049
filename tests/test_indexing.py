"""Measured lists indexed with stand-ins for trained models."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from indexing_models import Models
from mlindex.equivalence import same_lattice
from mlindex.errors import MlindexError
from mlindex.indexing import index_sample
from mlindex.peaklist import parse_peak_list, read_peak_list
from mlindex.schema import write_table
from mlindex.settings.models import Optimization
from mlindex.tables.columns import cell_names
from mlindex.tables.results import CANDIDATES, LINES

SAMPLES = Path(__file__).resolve().parents[1] / "resources" / "samples"
CASES = {
    "quartz": ("hexagonal", [4.9133, 4.9133, 5.4053, 90, 90, 120], "P", "hP"),
    "corundum": ("rhombohedral", [5.128, 5.128, 5.128, 55.28, 55.28, 55.28], "P", "hR"),
    "silicon": ("cubic", [5.43088] * 3 + [90.0] * 3, "F", "cF"),
    "rutile": ("tetragonal", [4.5933, 4.5933, 2.9592, 90, 90, 90], "P", "tP"),
    "tenorite": ("monoclinic", [4.684, 3.425, 5.129, 90, 99.47, 90], "C", "mC"),
}


@pytest.mark.parametrize("name", CASES)
def test_measured_lists_are_indexed(name: str, tmp_path: Path) -> None:
    system, cell, centring, bravais = CASES[name]
    peaks = read_peak_list(SAMPLES / f"{name}.txt")
    models = Models(system, cell, error=0.08, count=300)
    result = index_sample(
        peaks, [models], Optimization(), np.random.default_rng(1), two_theta_error_deg=0.05
    )
    best = result.candidates.iloc[0]
    letters = {"mC": "ACI"}.get(bravais, centring)
    assert result.convincing
    assert best["bravais_lattice"] == bravais
    assert any(
        same_lattice(best[cell_names("")].to_numpy(dtype=float), letter, cell, centring, 5e-3, 0.2)
        for letter in letters
    )
    write_table(tmp_path / "candidates.parquet", CANDIDATES, result.candidates)
    write_table(tmp_path / "lines.parquet", LINES, result.lines)


def test_lattice_systems_compete_and_order_does_not_matter() -> None:
    peaks = read_peak_list(SAMPLES / "quartz.txt")
    hexagonal = Models("hexagonal", CASES["quartz"][1], count=50)
    cubic = Models("cubic", [5.0, 5.0, 5.0, 90, 90, 90], count=50)
    tables = [
        index_sample(peaks, sets, Optimization(), np.random.default_rng(2)).candidates
        for sets in ([hexagonal, cubic], [cubic, hexagonal])
    ]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert tables[0].iloc[0]["bravais_lattice"] == "hP"
    assert list(tables[0]["rank"]) == list(range(1, len(tables[0]) + 1))


def test_too_few_lines_name_what_is_needed() -> None:
    peaks = parse_peak_list("d\n" + "\n".join(str(9 - 0.5 * i) for i in range(12)), "short", None)
    monoclinic = Models("monoclinic", CASES["tenorite"][1], count=5)
    with pytest.raises(MlindexError, match="12 lines are too few: the models need monoclinic 20"):
        index_sample(peaks, [monoclinic], Optimization(), np.random.default_rng(0))
    cubic = Models("cubic", [9.0, 9.0, 9.0, 90, 90, 90], count=5)
    result = index_sample(peaks, [monoclinic, cubic], Optimization(), np.random.default_rng(0))
    assert any("monoclinic 20" in note for note in result.notes)
    assert not result.convincing


def test_no_models() -> None:
    peaks = read_peak_list(SAMPLES / "quartz.txt")
    with pytest.raises(MlindexError, match="no trained models"):
        index_sample(peaks, [], Optimization(), np.random.default_rng(0))
