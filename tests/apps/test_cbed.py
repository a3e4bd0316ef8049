"""The commands below mlindex cbed."""

import json
import struct

import pytest
from typer.testing import CliRunner

from mlindex.apps.cli import app

SILICON = """data_si
_cell_length_a 5.431
_cell_length_b 5.431
_cell_length_c 5.431
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F d -3 m:2'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Si Si 0.125 0.125 0.125
"""


@pytest.fixture
def silicon(tmp_path):
    path = tmp_path / "si.cif"
    path.write_text(SILICON)
    return path


def run(*words):
    return CliRunner().invoke(app, ["cbed", *map(str, words)])


def test_a_crystal_becomes_a_file_that_can_be_read(silicon, tmp_path):
    out = tmp_path / "stack.h5"
    made = run("simulate", silicon, "--out", out, "--zone", "1-10", "--zone", "0 0 1",
               "--thickness", 50, "--thickness", 90, "--semi-angle", 2)  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "beams" in made.output
    header = out.with_suffix(".png").read_bytes()
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", header[16:24]) == (2 * 512, 512)
    read = run("read", out, "--json")
    assert read.exit_code == 0
    rows = [json.loads(line) for line in read.output.splitlines()]
    assert [row["thickness_A"] for row in rows] == [50, 90]
    assert rows[0]["zones"] == [[1, -1, 0], [0, 0, 1]]
    assert rows[0]["space_group"] == 227
    assert rows[0]["formula"] == "Si8"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--zone", "0 0 0"), "not all 0"),
        (("--zone", "abc"), "three whole numbers"),
        (("--dose", "-1"), "--dose"),
        (("--out", "pic.png"), "ends with .h5"),
        (("--out", "nowhere/x.h5"), "no folder nowhere"),
        (("--energy", "1"), "energy"),
        (("--thickness", "nan"), "thickness"),
    ],
)
def test_wrong_use_is_told_in_a_line_and_leaves_no_file(silicon, tmp_path, words, said):
    done = run("simulate", silicon, "--out", tmp_path / "x.h5", *words)
    assert done.exit_code == 2
    assert said in done.output
    assert list(tmp_path.iterdir()) == [silicon]


def test_the_crystal_is_not_written_over(silicon, tmp_path):
    crystal = tmp_path / "si.h5"
    silicon.rename(crystal)
    done = run("simulate", crystal, "--out", crystal)
    assert done.exit_code == 2
    assert "is the crystal" in done.output
    assert crystal.read_text() == SILICON


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("length_c 5.431", "length_c 6.431"), "contradicts space group no. 227"),
        (("5.431", "0.431"), "no room for its 8 atoms"),
    ],
)
def test_impossible_crystals_are_refused(silicon, tmp_path, change, said):
    silicon.write_text(SILICON.replace(*change))
    done = run("simulate", silicon, "--out", tmp_path / "x.h5")
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_what_is_no_structure_or_no_file_of_stacks_is_told(silicon, tmp_path):
    empty = tmp_path / "empty.cif"
    empty.write_text("data_x\n_cell_length_a 3\n")
    assert run("simulate", empty, "--out", tmp_path / "x.h5").exit_code == 2
    done = run("read", silicon)
    assert done.exit_code == 2
    assert "HDF5" in done.output


def test_a_picture_that_is_not_of_the_stacks_is_left_alone(silicon, tmp_path):
    out, other = tmp_path / "stack.h5", tmp_path / "stack.png"
    other.write_bytes(b"a photograph")
    refused = run("simulate", silicon, "--out", out)
    assert refused.exit_code == 2
    assert "stack.png" in refused.output
    assert other.read_bytes() == b"a photograph"
    assert not out.exists()
