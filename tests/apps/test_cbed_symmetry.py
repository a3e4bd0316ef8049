"""The command mlindex cbed symmetry: answers, models, hostile input."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from helpers.cbed_patterns import pattern, stack_of
from mlindex.apps.cli import app
from mlindex.cbed.features import FEATURE_NAMES
from mlindex.cbed.model import CbedModel
from mlindex.cbed.store import write_stacks
from mlindex.learning.arrays import Arrays
from mlindex.learning.learners.shares import Shares


def run(*words):
    return CliRunner().invoke(app, ["cbed", "symmetry", *map(str, words)])


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    path = tmp_path_factory.mktemp("stacks") / "stacks.h5"
    square = stack_of([pattern("square", "4mm"), pattern("rectangular", "2mm", 30.0)])
    oblique = replace(stack_of([pattern("oblique", "1")]), space_group=1)
    blank = stack_of([np.full((181, 181), 0.5)])
    write_stacks(path, [("blank", blank), ("oblique", oblique), ("square", square)])
    return path


def test_reasons_are_given_without_a_model(stacks):
    found = run(stacks, "--reasoning")
    assert found.exit_code == 0, found.output
    assert "so point group" in found.output
    assert "whole pattern shows m" in found.output
    assert "no net of discs is found" in found.output
    assert "the file states no. 1" in found.output
    rows = [
        json.loads(line)
        for line in run(stacks, "--reasoning", "--json", "--rows", 230).output.splitlines()
    ]
    assert [row["sample"] for row in rows] == ["blank", "oblique", "square"]
    for row in rows:
        assert sum(group["probability"] for group in row["space_groups"]) == pytest.approx(1)
        assert sum(group["probability"] for group in row["point_groups"]) == pytest.approx(1)
    assert rows[0]["zones"] == [None]
    square = rows[2]
    assert square["by"] == "reasoning"
    assert all(op["whole_pattern"] == "shown" for op in square["zones"][0]["operations"])
    assert "4mm1R" in square["zones"][0]["diffraction_groups"]
    likelihood = square["point_group_log_likelihood"]
    assert likelihood["4/mmm"] > likelihood["-1"] + 3
    assert rows[1]["point_group_log_likelihood"]["1"] > -2


def model(names, tmp_path):
    shares = np.arange(1, 231, dtype=float)
    learner = Shares.from_arrays(Arrays("made", {"probability": shares / shares.sum()}))
    folder = tmp_path / "model"
    folder.mkdir(parents=True)
    covered = np.ones(230, dtype=bool)
    CbedModel("majority", learner, 1.0, tuple(names), covered).save(folder / "model.npz")
    return folder


def test_a_model_gives_the_probabilities(stacks, tmp_path):
    found = run(stacks, "--model", model(FEATURE_NAMES, tmp_path), "--sample", "square", "--json")
    assert found.exit_code == 0, found.output
    (row,) = (json.loads(line) for line in found.output.splitlines())
    assert row["by"] == "model"
    # Of features that a model does not see, or sees twice, no more is asked.
    few = run(stacks, "--model", model((*FEATURE_NAMES[5:], FEATURE_NAMES[9]), tmp_path / "few"))
    assert few.exit_code == 0, few.output
    assert [group["number"] for group in row["space_groups"]] == [230, 229, 228, 227, 226]
    # The sum of 123 to 142, over that of 1 to 230.
    assert row["point_groups"][0] == {"symbol": "4/mmm", "probability": pytest.approx(2650 / 26565)}


def test_a_file_without_nets_of_discs_ends_with_1(stacks):
    assert run(stacks, "--sample", "blank").exit_code == 1


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_broken_files_and_models_are_said_in_a_line(stacks, tmp_path, as_json):
    broken = tmp_path / "broken.h5"
    broken.write_bytes(stacks.read_bytes()[:3000])
    text = tmp_path / "text.h5"
    text.write_text("no HDF5")
    empty = tmp_path / "empty"
    empty.mkdir()
    for words, said in (
        ([tmp_path / "nothing.h5"], "no such file"),
        ([text], "HDF5"),
        ([broken], "mlindex"),
        ([stacks, "--sample", "other"], "no sample"),
        ([stacks, "--model", empty], "holds no model.npz"),
        ([stacks, "--model", stacks], "mlindex"),
        ([stacks, "--model", model((*FEATURE_NAMES, "colour"), tmp_path)], "train it again"),
    ):
        found = run(*words, *as_json)
        assert found.exit_code == 2, words
        assert said in found.output
        assert "Traceback" not in found.output
        assert found.exception is None or isinstance(found.exception, SystemExit)


def test_damaged_samples_are_refused_and_the_others_answered(stacks, tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "some.h5"
    path.write_bytes(stacks.read_bytes())
    with h5py.File(path, "r+") as file:
        file["oblique/cbed_stack"][0, 3, 3] = np.nan
        file["square"].attrs["semi_angles_rad"] = [0.19, 1e-9]
    found = run(path)
    assert "oblique: refused" in found.output
    assert found.exit_code == 1
    assert found.exception is None or isinstance(found.exception, SystemExit)


def test_strange_patterns_of_all_sizes_end_in_words(tmp_path):
    rng = np.random.default_rng(0)
    strange = []
    for pixels in (1, 2, 3, 16, 33, 700):
        noise = rng.poisson(1.0, (pixels, pixels)).astype(float)
        noise[0, 0] = 1e30
        strange.append((f"noise_{pixels}", stack_of([noise + 1e-30])))
    one = np.zeros((64, 64))
    one[5, 9] = 1.0
    strange.append(("point", stack_of([one])))
    path = tmp_path / "strange.h5"
    write_stacks(path, strange)
    found = run(path, "--json")
    assert found.exit_code in (0, 1), found.output
    assert len(found.output.splitlines()) == len(strange)


def test_the_model_of_the_package_needs_no_option_and_names_what_it_has_learnt(stacks):
    found = run(stacks, "--sample", "square", "--json", "--rows", 230)
    assert found.exit_code == 0, found.output
    (row,) = (json.loads(line) for line in found.output.splitlines())
    assert row["by"] == "model"
    covered = {group["number"] for group in row["space_groups"] if group["probability"] > 1e-12}
    assert covered == set(row["groups_covered"])
    assert len(covered) == 20
    assert "names no other: 1, 2, 4, 14" in run(stacks, "--sample", "square").output
    both = run(stacks, "--reasoning", "--model", "x")
    assert both.exit_code == 2
    assert "exclude each other" in both.output
