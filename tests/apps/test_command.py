"""A sample of the workflow: its settings, and the folder that is written for it."""

from __future__ import annotations

import errno
import json
import math
import re
from pathlib import Path

import jsonschema
import pytest

from helpers.indexing_results import empty, monoclinic, monoclinic_peaks, one_ambiguous, pattern_of
from mlindex.apps.command import Done, as_text, index_content, write
from mlindex.base.errors import MlindexError
from mlindex.base.imports import imported_modules
from mlindex.base.schema import read_provenance, read_table
from mlindex.config import load_config
from mlindex.files import read
from mlindex.indexing.options import Options
from mlindex.indexing.tables import INDEXED_SAMPLES, OF_A_SAMPLE, SEARCHED_LATTICES
from mlindex.patterns.peaksearch import find_peaks
from mlindex.reports.result.data import SCHEMA

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
TABLES = {f"{table.name}.parquet" for table in OF_A_SAMPLE}
TEXTS = {"result.txt", "result.json", "result.html"}


def sample(**values):
    return load_config({"samples": {"x": {"path": "x.txt", **values}}}).samples["x"]


def test_settings_of_a_sample_are_the_options_of_indexing():
    assert sample().options() == Options(time_limit_s=300.0)
    found = sample(
        wavelength_A=0.7,
        lattices=["cubic", "mC"],
        two_theta_error_deg=0.01,
        lines=25,
        time_limit_s=9,
        known_phases=["cF 4.0496", "si.cif"],
    )
    assert found.options() == Options(
        wavelength_A=0.7,
        lattices=("cubic", "mC"),
        two_theta_error_deg=0.01,
        n_lines=25,
        time_limit_s=9.0,
        known_phases=("cF 4.0496", "si.cif"),
    )
    assert sample(wavelength_A="Cu").options().wavelength_A == "Cu"
    assert sample(lattice_systems=["cubic"]).options().lattices == ("cubic",)
    assert "lattices" in sample(lattice_systems=["cubic"]).model_dump()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lattices": ["cubik"]}, r"samples\.x\.lattices: .*cubik.*expected one of"),
        ({"known_phases": ["cF"]}, r"samples\.x\.known_phases: .*cF needs a"),
        (
            {"wavelength_A": 0},
            r"samples\.x\.wavelength_A: .*wavelength 0 A: give a number, above 0",
        ),
        ({"wavelength_A": "W"}, r"samples\.x\.wavelength_A: .*'W' is not a number; .*such as Cr"),
        ({"lines": 3}, r"samples\.x\.lines: .*lines to use 3: give a whole number, 4 to 60"),
        (
            {"time_limit_s": 0},
            r"samples\.x\.time_limit_s: .*time limit 0 s: give a number, above 0",
        ),
        ({"lattices": ["cubic"], "lattice_systems": ["cubic"]}, "unknown key"),
    ],
)
def test_wrong_settings_of_a_sample_are_explained(values, message):
    with pytest.raises(MlindexError, match=message):
        sample(**values)


def test_the_folder_is_whole_and_without_the_time_it_took(tmp_path):
    done = Done(monoclinic("/somewhere/file.xye"), None, None).for_sample("tenorite")
    write(done, tmp_path, {"rule": "index_sample"})
    assert {p.name for p in tmp_path.iterdir()} == TABLES | TEXTS | {"best.cif"}
    document = json.loads((tmp_path / "result.json").read_text())
    jsonschema.validate(document, SCHEMA)
    assert document["sample"] == "tenorite"
    assert document["seconds"] is None
    assert all(searched["seconds"] is None for searched in document["searched"])
    assert read_table(tmp_path / "indexed_samples.parquet", INDEXED_SAMPLES)["seconds"].isna().all()
    assert read_provenance(tmp_path / "indexed_samples.parquet")["rule"] == "index_sample"
    for path in tmp_path.iterdir():
        assert b"somewhere" not in path.read_bytes(), path


def test_the_same_result_gives_the_same_bytes_whatever_time_it_took(tmp_path):
    for name in ("one", "two"):
        result = monoclinic()
        vars(result)["seconds"] = {"one": 1.5, "two": 2.5}[name]
        for searched in result.searched:
            vars(searched)["seconds"] *= result.seconds
        write(Done(result, None, None).for_sample("x"), tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_the_command_tells_the_time(tmp_path):
    write(Done(monoclinic(), None, None), tmp_path)
    assert json.loads((tmp_path / "result.json").read_text())["seconds"] == 4.31
    seconds = read_table(tmp_path / "searched_lattices.parquet", SEARCHED_LATTICES)["seconds"]
    assert seconds.notna().all()
    assert "4.3 s" in (tmp_path / "result.txt").read_text()


@pytest.mark.parametrize("result", [monoclinic(), one_ambiguous(), empty()])
def test_the_text_is_plain_and_narrow(result, tmp_path):
    text = as_text(Done(result, None, None).for_sample("x"))
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f\x1b]", text) is None
    assert max(map(len, text.splitlines())) <= 80
    assert all(line == line.rstrip() for line in text.splitlines())
    assert result.reason.split()[0] in text
    assert "nan" not in text
    assert re.search(r"^Time", text, re.MULTILINE) is None


def test_a_pattern_is_indexed_with_its_peaks_beside_it(tmp_path):
    pattern, _, _ = pattern_of(monoclinic_peaks())
    done = index_content(pattern, Options(lattices=("cubic",), time_limit_s=600.0))
    assert len(done.found.peaks) == len(find_peaks(pattern).peaks) > 15
    write(done.for_sample("scan"), tmp_path)
    assert TABLES | TEXTS | {"peaks.txt"} <= {p.name for p in tmp_path.iterdir()}
    assert math.isfinite(done.result.seconds)


def test_a_folder_that_can_not_be_written_to_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MlindexError, match="file/out: can't be written to: Not a directory"):
        write(Done(empty(), None, None), tmp_path / "file/out")


def test_a_full_disk_leaves_the_folder_as_it_was(tmp_path, monkeypatch):
    write(Done(monoclinic(), None, None), tmp_path / "old")
    before = {p.name: p.read_bytes() for p in (tmp_path / "old").iterdir()}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "x")

    monkeypatch.setattr("mlindex.reports.result.data.write_tables", full)
    for folder in (tmp_path / "old", tmp_path / "new" / "one"):
        with pytest.raises(MlindexError, match="can't be written to: No space left on device"):
            write(Done(empty(), None, None), folder)
    assert {p.name: p.read_bytes() for p in (tmp_path / "old").iterdir()} == before
    assert not (tmp_path / "new").exists()


def test_what_else_is_in_the_folder_stays(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "result.txt").mkdir()
    with pytest.raises(MlindexError, match="Is a directory"):
        write(Done(empty(), None, None), tmp_path)
    (tmp_path / "result.txt").rmdir()
    write(Done(empty(), None, None), tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == TABLES | TEXTS | {"notes.txt"}


def test_only_indexing_depends_on_the_search():
    scripts = Path(__file__).resolve().parents[2] / "workflow/scripts"
    assert "mlindex.indexing.search.plan" in imported_modules(scripts / "index_sample.py")
    assert "mlindex.files.xrdml" in imported_modules(scripts / "index_sample.py")
    for script in ("quality", "simulate", "train_forests", "validate"):
        assert "mlindex.indexing.search.plan" not in imported_modules(scripts / f"{script}.py"), (
            script
        )


def test_files_of_known_phases_are_read_before_the_search(tmp_path):
    peaks = read(SAMPLES / "rutile.txt")
    with pytest.raises(MlindexError, match=r"there\.cif: there is no such file"):
        index_content(peaks, Options(known_phases="there.cif"))
    path = tmp_path / "rutile.cif"
    path.write_text(
        "data_x\n_cell_length_a 4.594\n_cell_length_b 4.594\n_cell_length_c 2.9587\n"
        "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n"
        "_space_group_name_H-M_alt 'P 42/m n m'\n"
    )
    result = index_content(peaks, Options(known_phases=str(path))).result
    (rutile,) = result.phases
    assert (rutile.name, rutile.kind) == ("rutile.cif", "known")
    assert len(rutile.lines) == len(peaks)
