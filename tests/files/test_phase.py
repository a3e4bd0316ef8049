"""Known phases from CIF files."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlindex
from mlindex.base.errors import MlindexError

ROCK_SALT = """data_salt
_cell_length_a 5.6402(2)
_cell_length_b 5.6402
_cell_length_c 5.6402
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na Na 0 0 0
Cl Cl 0.5 0.5 0.5
"""


@pytest.fixture
def cif(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "salt.cif"
        path.write_text(text)
        return path

    return write


def test_cell_symmetry_and_strengths(cif) -> None:
    phase = mlindex.read_phase(cif("data_empty\n_x y\n" + ROCK_SALT))
    assert (phase.name, phase.symbol, phase.centring) == ("salt.cif", "F m -3 m", "F")
    assert phase.lines(0.2) ** -0.5 == pytest.approx([3.2564, 2.8201], abs=1e-4)
    # 111 is the difference of the atoms, 8 (4 (17 - 11))², 200 the sum, 6 (4 (17 + 11))², about.
    assert 0.02 < phase.strength[0] / phase.strength[1] < 0.2
    assert "F m -3 m 5.6402" in repr(phase)


def test_a_lattice_is_enough(cif) -> None:
    text, _, _ = ROCK_SALT.partition("_symmetry")
    phase = mlindex.read_phase(cif(f"{text}_space_group_Bravais_type cF\n"))
    assert (phase.symbol, phase.hall, len(phase.strength)) == ("cF", "", 0)
    with pytest.raises(MlindexError, match=r"salt\.cif: states no space group; give the Bravais"):
        mlindex.read_phase(cif(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data_x\n_y z\n", r"states no cell; give the Bravais lattice .*'cF 5\.4312'"),
        ("data_x\nloop_\n_a\n_b\n1\n", "or none: values are missing in the loop of line 2"),
        ("a 1\n", "or none: line 1 stands before any that begins with data_"),
        (" \n", "the file is empty"),
    ],
)
def test_other_files_are_refused(cif, text: str, message: str) -> None:
    with pytest.raises(MlindexError, match=message):
        mlindex.read_phase(cif(text))
