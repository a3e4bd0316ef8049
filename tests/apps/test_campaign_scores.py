"""From a drop to a cell: the score of an experiment is what indexing makes of its lines."""

from __future__ import annotations

import csv
import importlib.util
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mlindex import index
from mlindex.apps.campaign import scores
from mlindex.apps.cli import app
from mlindex.apps.codes import INTERRUPTED, STOPPED
from mlindex.base.errors import MlindexError
from mlindex.campaigns.space.settings import Objective
from mlindex.files import read
from mlindex.patterns.peaklist import PeakList

_DOCS = Path(__file__).parents[2] / "docs/examples"
runner = CliRunner()


@pytest.fixture(scope="module")
def laboratory():
    """The simulated laboratory of the how-to."""
    spec = importlib.util.spec_from_file_location("lab", _DOCS / "crystallization.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["lab"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["lab"]


def peaks(path: Path, *lines: np.ndarray) -> Path:
    rows = sorted(float(x) for several in lines for x in several)
    path.write_text("# 2theta\n" + "".join(f"{x:.3f}\n" for x in rows))
    return path


def test_the_better_lines_are_indexed_the_higher_they_score(
    tmp_path: Path, laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "_ready", lambda: None)
    glycine, salt = (laboratory.lines(one)[0] for one in (laboratory.GLYCINE, laboratory.SALT))
    peaks(tmp_path / "mixed.txt", glycine[:22], salt[:3])
    peaks(tmp_path / "salt.txt", salt)
    (tmp_path / "results.csv").write_text("id,drop\nE0001,mixed.txt\nE0002,salt.txt\n")
    space = (
        (_DOCS / "glycine.yaml").read_text().replace("mlindex,", "mlindex, wavelength_A: 1.5406,")
    )
    (tmp_path / "space.yaml").write_text(space)
    told = [
        runner.invoke(app, ["campaign", *map(str, given)])
        for given in (
            ("new", tmp_path / "space.yaml", "--out", tmp_path / "c"),
            ("tell", tmp_path / "c", tmp_path / "results.csv"),
            ("propose", tmp_path / "c"),
        )
    ]
    # The lines of the salt are left out: alone they are nothing, beside glycine no harm.
    assert [one.exit_code for one in told] == [0, 0, 1], told
    assert "the target is reached" in told[2].output
    mixed, only_salt = list(csv.DictReader((tmp_path / "c/experiments.csv").open()))[:2]
    assert float(mixed["drop"]) > 2.9
    assert mixed["note"].startswith("convincing: mP 5.10")
    assert float(only_salt["drop"]) == 0
    assert "[drop of salt.txt " in only_salt["note"]


def test_sigterm_in_a_search_is_heeded_by_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def search(content: PeakList, options: object, stopped: Callable[[], bool]) -> None:
        assert not stopped()
        signal.raise_signal(signal.SIGTERM)
        assert stopped()
        raise MlindexError("ended before there were peaks")

    lines = PeakList("cube", np.array([0.04, 0.08]), None, 1.5406)
    monkeypatch.setattr(scores, "_ready", lambda: None)
    monkeypatch.setattr(scores, "read", lambda *_: lines)
    monkeypatch.setattr(scores, "index_content", search)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        scores.by_indexing(Path("lines.txt"), Objective(score="mlindex"))
    assert signal.getsignal(signal.SIGTERM) == before


def test_sigterm_while_compiling_ends_the_program_at_once() -> None:
    code = (
        "import os, signal, threading, time\n"
        "from mlindex.apps.campaign import scores\n"
        "def compiles():\n"
        "    thread = threading.Thread(target=time.sleep, args=(60,))\n"
        "    thread.start()\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    thread.join()\n"
        "scores.warm_up = compiles\n"
        "scores._ready()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stderr.strip()) == (INTERRUPTED, STOPPED)


def test_a_doubtful_cell_scores_less_than_any_convincing_one() -> None:
    wavelength_A, q2 = 1.5406, np.arange(1, 15) / 5.0**2
    result = index(PeakList("cube", q2[q2 < 0.5], None, wavelength_A), lattices=("cP",))
    assert 2 < scores.score_of(result).score <= 3
    doubtful = replace(result, convincing=False)
    assert 1 < scores.score_of(doubtful).score < 2
    nothing = replace(result, convincing=False, candidates=(), phases=())
    assert 0 < scores.score_of(nothing).score < 1


def test_the_laboratory_knows_what_grows(laboratory) -> None:
    good = laboratory.grown(35, 0.1, 6, 2)
    # Little alcohol dissolves all, salt comes along, fast cooling strains.
    assert laboratory.grown(0, 0.1, 6, 2).counts == 0
    assert laboratory.grown(35, 3, 6, 2).salt > 0.5 > good.salt
    assert laboratory.grown(35, 0.1, 6, 50).strain > 3 * good.strain
    two_theta, strength = laboratory.lines(laboratory.GLYCINE)
    # Strong lines of alpha-glycine for Cu K-alpha1, as powder data files have them.
    for known in (18.98, 20.1, 23.9, 28.4, 29.85):
        assert np.abs(two_theta[strength > 0.1] - known).min() < 0.1


def test_a_pattern_of_the_laboratory_is_read(tmp_path: Path, laboratory) -> None:
    path = tmp_path / "drop.xy"
    laboratory.measured(dict(zip(laboratory.SETTINGS, (35, 0, 6, 2), strict=True)), path,
                        np.random.default_rng(0))  # fmt: skip
    pattern = read(path)
    assert pattern.wavelength_A == laboratory.WAVELENGTH_A
    strongest = pattern.two_theta_deg[np.argmax(pattern.intensity)]
    assert abs(strongest - 29.84) < 0.1
