"""The benchmark on symmetry: the sets that it reads, and what it counts of them."""

from __future__ import annotations

import io
import sys
import tarfile

import numpy as np
import pytest

from helpers.benchmark_modules import benchmark
from helpers.symmetry_models import lines_of, small_classifier
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.patterns.peaklist import PeakList

CU_A = 1.541838


@pytest.fixture(scope="module")
def symmetry():
    with benchmark("symmetry") as module:
        yield module
    del sys.modules["symmetry_sets"]


def counts() -> np.ndarray:
    """A pattern (n, 2) of a cubic crystal."""
    x = np.arange(10.0, 80.0, 0.02)
    places = two_theta_from_q2(lines_of("cF F - - -", np.random.default_rng(5)), CU_A)
    peaks = 5000 * np.exp(-(((x[:, None] - places) / 0.08) ** 2)).sum(axis=1)
    return np.column_stack([x, np.random.default_rng(0).poisson(peaks + 20.0)])


def test_classes_are_counted_at_each_level_that_is_known(symmetry):
    sets = sys.modules["symmetry_sets"]
    lists, of_families = sets.Lists("cubic"), sets.Lists("families")
    rng = np.random.default_rng(7)
    for number in (225, 225, 225, 221, 221):
        symbol = "cF F - - -" if number == 225 else "cP P - - -"
        peaks = PeakList("x", lines_of(symbol, rng), None, None)
        lists.add(peaks, float(peaks.q2_inv_A2[-1]), sets.classes_of_group(number))
        of_families.add(peaks, float(peaks.q2_inv_A2[-1]), {"crystal_family": "cubic"})
    # One whose family is stated wrongly.
    of_families.truth["crystal_family"][0] = "hexagonal"
    rows = {row["level"]: row for row in symmetry.judged(lists, small_classifier())}
    assert list(rows) == ["crystal_family", *symmetry.LEVELS]
    assert {row["number"] for row in rows.values()} == {5}
    assert rows["bravais"]["right"] == 5
    assert (rows["bravais"]["surest"], rows["bravais"]["surest_right"]) == (3, 3)
    assert 0 < rows["bravais"]["surest_from"] <= 1
    (only,) = symmetry.judged(of_families, small_classifier())
    assert (only["lists"], only["level"], only["right"]) == ("families", "crystal_family", 4)


def test_sets_of_measured_patterns_are_read(symmetry, tmp_path, capsys):
    sets = sys.modules["symmetry_sets"]
    flat = np.column_stack([np.arange(10.0, 80.0, 0.02), np.full(3500, 7.0)])
    np.savez(tmp_path / "xred_rruff90.npz", R1=counts(), R2=flat)
    (tmp_path / "xred_rruff90_labels.csv").write_text(
        "rruff_id,crystal_system_hexagonal_family\nR1,rhombohedral\nR2,cubic\n"
    )
    (minerals,) = sets.rruff(tmp_path)
    assert "left out: R2: no peaks were found" in capsys.readouterr().out
    assert minerals.truth == {"crystal_family": ["hexagonal"]}
    assert len(minerals.q2[0]) > 5
    text = "".join(f"{a:.2f} {b:g}\n" for a, b in counts()).encode()
    with tarfile.open(tmp_path / "autoxrd_experimental.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("Datasets/Experimental/Fm-3m/a film.xy")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    (films,) = sets.films(tmp_path)
    assert films.truth["bravais"] == ["cF"]
    assert len(films.q2) == 1
