"""The command ``mlindex symmetry`` and the function of that name, with a small classifier."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import mlindex
from helpers.symmetry_models import lines_of, small_classifier
from mlindex.apps import symmetry as command
from mlindex.apps.cli import app
from mlindex.base.errors import MlindexError
from mlindex.base.schema import read_arrow
from mlindex.classification.classifier import FILE, Fitted, SymmetryClassifier
from mlindex.classification.tables import SYMMETRY_ANSWERS
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.symmetry_classes import LEVELS
from mlindex.learning.learners.shares import Shares
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.reports.symmetry.data import SCHEMA

MO_A = 0.7093
runner = CliRunner()


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("bravais")
    small_classifier().save(folder / FILE)
    return str(folder)


def spacings(q2: np.ndarray) -> str:
    return "d\n" + "".join(f"{d:.6f}\n" for d in q2**-0.5)


def cubic() -> np.ndarray:
    return lines_of("cF F - - -", np.random.default_rng(5))


def at_random() -> np.ndarray:
    return np.sort(np.random.default_rng(4).uniform(0.1, 0.8, 20)) ** 2


def pattern(q2: np.ndarray) -> str:
    """A pattern over 2theta that states no wavelength."""
    x = np.arange(10.0, 60.0, 0.02)
    places = two_theta_from_q2(q2, MO_A)
    peaks = 5000 * np.exp(-(((x[:, None] - places) / 0.06) ** 2)).sum(axis=1)
    counts = np.random.default_rng(0).poisson(peaks + 20.0)
    return "".join(f"{a:.2f} {b}\n" for a, b in zip(x, counts, strict=True))


def flat() -> str:
    counts = np.random.default_rng(3).poisson(100, 2500)
    return "".join(f"{10 + 0.02 * i:.2f} {b}\n" for i, b in enumerate(counts))


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("scans").mkdir()
    Path("scans/a_cubic.txt").write_text(spacings(cubic()))
    Path("scans/b_bad.txt").write_text("what is this\n")
    Path("scans/c_random.txt").write_text(spacings(at_random()))
    Path("scans/d_cubic.xy").write_text(pattern(cubic()))
    return tmp_path


def ran(*arguments: str):
    return runner.invoke(app, ["symmetry", *arguments])


def test_a_list_is_ranked_and_what_is_sure_is_said(here, model):
    ended = ran("scans/a_cubic.txt", "--model", model)
    assert ended.exit_code == 0, ended.output
    lines = ended.stdout.splitlines()
    assert lines[0].split("  ")[0] == "Bravais lattice"
    assert lines[1].startswith("cF cubic")
    assert len(lines[1:6]) == 5
    assert max(map(len, lines)) <= 80
    text = " ".join(ended.stdout.split())
    # The lattice of a symbol stands in a column of its own.
    assert lines[0].split()[-5:-2] == ["extinction", "symbol", "of"]
    assert "  F - - -  " in lines[1]
    assert "the extinction symbol (F - - -) are sure" in text
    assert "mlindex index" not in text
    assert "space groups of one extinction symbol can't be told apart by the positions" in text


def test_a_pattern_needs_its_wavelength_and_gives_the_answer_of_its_peaks(here, model):
    ended = ran("scans/d_cubic.xy", "--model", model)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "states no wavelength, and 2theta needs one" in ended.stderr
    ended = ran("scans/d_cubic.xy", "--model", model, "--wavelength", "0.7093", "--json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["chosen"]["bravais"] == "cF"


def test_json_obeys_its_schema_and_is_the_same_each_time(here, model):
    call = ("scans/a_cubic.txt", "--model", model, "--json", "--rows", "3")
    first, second = ran(*call), ran(*call)
    assert first.stdout == second.stdout
    document = json.loads(first.stdout)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA)
    assert document["stands_out"] is True
    assert {level: len(of) for level, of in document["ranked"].items()} == dict.fromkeys(LEVELS, 3)
    assert document["sure"]["bravais"] == "cF"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document | {"ranked": {"bravais": [{"name": "cF"}]}}, SCHEMA)


def test_lines_at_random_places_do_not_stand_out(here, model):
    ended = ran("scans/c_random.txt", "--model", model)
    assert ended.exit_code == 1
    assert "No class stands out: aP, the best of 14 Bravais lattices" in ended.stdout
    text = " ".join(ended.stdout.split())
    assert "lines at random places reach" in text
    assert text.endswith("may be found all the same: mlindex index scans/c_random.txt")
    Path("a b.txt").write_text(Path("scans/c_random.txt").read_text())
    ended = ran("a b.txt", "--model", model, "--wavelength", "Cu")
    assert "mlindex index 'a b.txt' --wavelength Cu" in " ".join(ended.stdout.split())


def test_a_pattern_of_noise_alone_is_said(here, model):
    Path("flat.xy").write_text(flat())
    ended = ran("flat.xy", "--model", model, "--wavelength", "Cu")
    assert ended.exit_code == 2
    assert "flat.xy: no peak stands out of the 2500 points from 10 to 59.98" in ended.stderr


def test_few_lines_do_not_stand_out(here, model):
    Path("one.txt").write_text("d\n3.1\n")
    ended = ran("one.txt", "--model", model)
    assert ended.exit_code == 1
    text = " ".join(ended.stdout.split())
    assert text.endswith("So few lines tell no lattices apart: measure to higher angles.")
    assert "mlindex index" not in text
    one = mlindex.symmetry(PeakList("one", np.array([0.1]), np.array([5.0]), None), model)
    assert one.n_lines == 1
    assert not one.above_chance


def test_a_folder_with_a_bad_file_becomes_a_table_and_again_the_same(here, model):
    call = ("scans", "--wavelength", "0.7093", "--model", model, "--rows", "2")
    ended = ran(*call, "--out", "symmetry.parquet")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout == ""
    assert "4 samples, 2 with a class that stands out, 1 without, 1 not read" in ended.stderr
    assert "not read: scans/b_bad.txt, line 1: " in ended.stderr
    rows = read_arrow("symmetry.parquet", SYMMETRY_ANSWERS).to_pylist()
    assert [row["sample"] for row in rows if row["level"] in (None, "bravais")] == [
        *("scans/a_cubic.txt", "scans/a_cubic.txt", "scans/b_bad.txt"),
        *("scans/c_random.txt", "scans/c_random.txt", "scans/d_cubic.xy", "scans/d_cubic.xy"),
    ]
    assert len(rows) == 3 * 4 * 2 + 1
    (bad,) = (row for row in rows if row["error"])
    assert {bad[name] for name in ("level", "rank", "class", "probability")} == {None}
    first = {row["sample"]: row["class"] for row in rows if row["rank"] == 1}
    assert first["scans/d_cubic.xy"].startswith("F ")
    assert [row["rank"] for row in rows[:4]] == [1, 2, 1, 2]
    before = Path("symmetry.parquet").read_bytes()
    assert ran(*call, "--out", "symmetry.parquet").exit_code == 0
    assert Path("symmetry.parquet").read_bytes() == before
    # A table of answers is a result, no sample.
    Path("symmetry.parquet").rename("scans/e.parquet")
    ended = ran("scans", "--wavelength", "0.7093", "--model", model)
    assert "1 result of mlindex: scans/e.parquet" in ended.stderr


def test_many_without_a_table_are_a_line_each(here, model):
    ended = ran("scans/a_cubic.txt", "scans/c_random.txt", "--model", model)
    assert ended.exit_code == 0
    assert "where no class stands out, 'mlindex index' may find the cell all the same" in (
        ended.stderr
    )
    first, second = ended.stdout.splitlines()
    assert re.match(r"scans/a_cubic\.txt: cF \d+ %, F - - - \d+ %, F ", first)
    assert second.startswith("scans/c_random.txt: no class stands out; aP ")
    ended = ran("scans/*.txt", "--model", model, "--json")
    documents = [json.loads(text) for text in ended.stdout.splitlines()]
    assert [document["sample"] for document in documents] == [
        "scans/a_cubic.txt",
        "scans/b_bad.txt",
        "scans/c_random.txt",
    ]
    assert "error" in documents[1]


def test_lists_of_a_table_are_samples(here, model):
    rows = [("one", d) for d in cubic() ** -0.5] + [("two", d) for d in at_random() ** -0.5]
    Path("lists.csv").write_text("sample,d_A\n" + "".join(f"{name},{d:.6f}\n" for name, d in rows))
    ended = ran("lists.csv", "--model", model)
    assert [text.partition(":")[0] for text in ended.stdout.splitlines()] == ["one", "two"]


def test_codes_of_many(here, model):
    assert ran("scans/c_*.txt", "--model", model).exit_code == 1
    assert ran("scans/b_*.txt", "--model", model).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.txt"], "nowhere.txt"),
        (["scans/a_cubic.txt", "--out", "x.csv"], "end its name in .parquet"),
        (["scans", "--out", "mine.parquet"], "no table that mlindex wrote"),
        (["scans/a_cubic.txt", "--rows", "0"], "give a whole number, 1 or more"),
        (["scans/a_cubic.txt", "--time-limit", "0"], "time limit 0"),
        (["scans/a_cubic.txt", "--wavelength", "copper"], "'copper' is not a number"),
        (["scans/a_cubic.txt", "--model", "nowhere"], "nowhere: no such file or folder"),
        (
            ["scans/a_cubic.txt", "--model", "scans"],
            "scans: holds no symmetry.npz; give",
        ),
        ([], "sources is missing"),
    ],
)
def test_wrong_use_ends_with_2_and_one_sentence(arguments, words, here, model):
    Path("mine.parquet").write_text("mine")
    call = arguments if "--model" in arguments else [*arguments, "--model", model]
    ended = ran(*call)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert Path("mine.parquet").read_text() == "mine"


def test_a_classifier_of_other_features_or_damaged_is_named(here, model):
    damaged = bytearray(Path(model, FILE).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    Path("damaged.npz").write_bytes(damaged)
    other = Fitted("frequency", Shares(np.full(3, 1 / 3)))
    SymmetryClassifier(bravais=other).save("other.npz")
    for name, words in (
        ("damaged.npz", "train"),
        ("other.npz", "no classifier for this version of mlindex (the learner of level bravais"),
    ):
        ended = ran("scans/a_cubic.txt", "--model", name)
        assert ended.exit_code == 2
        assert f"mlindex: {name}: " in ended.stderr
        assert words in ended.stderr


def test_a_classifier_of_lattices_alone_says_so(here):
    only = SymmetryClassifier(bravais=small_classifier().bravais)
    only.save("lattices.npz")
    ended = ran("scans/a_cubic.txt", "--model", "lattices.npz")
    text = " ".join(ended.stdout.split())
    assert "has not learnt the extinction symbol" in text
    assert "the Bravais lattice (cF) are sure, the extinction symbol is not" in text


@pytest.mark.usefixtures("heard")
def test_ctrl_c_keeps_what_is_done_and_a_table_of_nothing_is_not_written(here, model, monkeypatch):
    classify, seen = command.symmetry, []

    def stopping(*given: object, **more: object) -> object:
        seen.append(given)
        if len(seen) == 2:
            signal.raise_signal(signal.SIGINT)
        return classify(*given, **more)

    monkeypatch.setattr(command, "symmetry", stopping)
    call = ("scans", "--wavelength", "0.7093", "--model", model, "--out", "part.parquet")
    ended = ran(*call)
    assert ended.exit_code == 130
    assert "interrupted; finished: 2 samples" in ended.stderr
    assert set(pq.read_table("part.parquet")["sample"].to_pylist()) == {
        "scans/a_cubic.txt",
        "scans/b_bad.txt",
    }
    before = Path("part.parquet").read_bytes()
    seen.append(())
    seen[:] = [()]
    ended = ran(*call)
    assert ended.exit_code == 130
    assert ended.stderr == "mlindex: stopped before there was a result\n"
    assert Path("part.parquet").read_bytes() == before


def test_the_function_takes_lists_patterns_and_classifiers(model):
    lines = PeakList("list", cubic(), None, None)
    said = mlindex.symmetry(lines, model)
    assert said.downward["bravais"] == "cF"
    again = mlindex.symmetry(lines, small_classifier())
    assert np.array_equal(again.probability, said.probability)
    x, y = np.loadtxt(pattern(cubic()).splitlines()).T
    scan = MeasuredPattern("scan", x, y, wavelength_A=MO_A)
    assert mlindex.symmetry(scan, model).best("bravais").name == "cF"
    with pytest.raises(MlindexError, match=r"list: holds no lines"):
        mlindex.symmetry(PeakList("list", np.empty(0), None, None), model)
    with pytest.raises(MlindexError, match=r"needed, not a str: give mlindex\.read\(path\)"):
        mlindex.symmetry("scan.xy", model)
    with pytest.raises(MlindexError, match=r"the peak search was not finished\. It was stopped"):
        mlindex.symmetry(scan, model, stopped=lambda: True)


def test_intensities_that_say_nothing_are_left_out(model):
    q2 = cubic()
    without = mlindex.symmetry(PeakList("a", q2, None, None), model)
    zero = mlindex.symmetry(PeakList("a", q2, np.zeros(len(q2)), None), model)
    assert np.array_equal(without.probability, zero.probability)


def test_the_search_is_not_imported():
    code = (
        "import sys, mlindex.apps.symmetry\n"
        "slow = {'tensorflow', 'keras', 'sklearn', 'pandas', 'matplotlib', 'plotly',\n"
        "        'mlindex.indexing.search', 'mlindex.indexing.looks', 'mlindex.apps.command'}\n"
        "found = slow & set(sys.modules) | {m for m in sys.modules if '.wholepattern' in m}\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
