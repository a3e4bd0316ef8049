"""The command ``mlindex next``."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from typer.testing import CliRunner

from helpers.indexing_results import lines_of
from mlindex.apps.cli import app
from mlindex.base.schema import read_arrow
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.indexing.next.tables import NEXT_REGIONS
from mlindex.reports.next.data import SCHEMA

CU = 1.5406
#: A hexagonal cell, and lines of it that are nearly all those of one with half its axis c.
HEXAGONAL = [6.436, 6.436, 24.69, 90, 90, 120]
runner = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    q2, hkl = lines_of(HEXAGONAL, "P", 0.16)
    shown = np.flatnonzero(hkl[:, 2] % 2 == 0)[:12]
    odd = np.flatnonzero((hkl[:, 2] % 2 == 1) & hkl[:, :2].any(axis=1))[3:4]
    angles = two_theta_from_q2(np.sort(q2[np.append(shown, odd)]), CU)
    angles += np.random.default_rng(1).normal(0, 0.008, len(angles))
    here = tmp_path_factory.mktemp("next")
    lines = "".join(f"{angle:.3f}\n" for angle in np.sort(angles))
    (here / "peaks.txt").write_text(f"two_theta_deg\n{lines}")
    return here


def run(*words: object):
    lattice = ("--lattice", "hP", "--wavelength", CU)
    return runner.invoke(app, ["next", *map(str, words), *map(str, lattice)])


def test_regions_in_words_as_json_and_as_a_table(folder):
    done = run(folder / "peaks.txt", "--out", folder / "out", "--regions", 2)
    assert done.exit_code == 0, done.output
    assert "1. Measure " in done.output
    assert " speaks for cell " in done.output
    document = json.loads((folder / "out/next.json").read_text())
    jsonschema.validate(document, SCHEMA)
    table = read_arrow(folder / "out/next_regions.parquet", NEXT_REGIONS).to_pylist()
    assert [row["order"] for row in table] == list(range(1, len(table) + 1))
    assert [row["advice"] for row in table] == [one["advice"] for one in document["regions"]]
    assert 1 <= len(table) <= 2


def test_json_goes_to_standard_output(folder):
    done = run(folder / "peaks.txt", "--json", "--on-offer", "Cr", "--range", 20, 120)
    jsonschema.validate(json.loads(done.stdout), SCHEMA)
    assert {r["wavelength_A"] for r in json.loads(done.stdout)["regions"]} <= {2.289726}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--range", 60, 10), "give its first and its last 2theta"),
        (("--range", "nan", 60), "give its first and its last 2theta"),
        (("--measured", 10, 10), "range measured"),
        (("--decided", 1), "give a number from 0.5 to 0.999"),
        (("--longest-time", "nan"), "longest counting time"),
        (("--resolution", 0), "resolution"),
        (("--on-offer", "Xx"), "not a number"),
        (("--regions", 0), "1 or more"),
        (("--out", ""), "name is empty"),
    ],
)
def test_wrong_use_ends_with_2_and_says_what_to_do(folder, words, said):
    done = run(folder / "peaks.txt", *words)
    assert done.exit_code == 2
    assert said in done.output


def test_nothing_to_tell_apart_ends_with_1(folder):
    done = run(folder / "peaks.txt", "--range", 1, 2)
    assert done.exit_code == 1
    assert "No region from 1 to 2 degrees" in " ".join(done.output.split())
