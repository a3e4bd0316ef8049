"""Results on the axes that readers expect: hR on hexagonal ones, and the centring of each cell."""

import io
from dataclasses import replace

import gemmi
import jsonschema
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from helpers import indexing_results as made
from mlindex.crystal.axes import own_axes
from mlindex.indexing.result import Extinction, Partner
from mlindex.reports.result import data, notation, view
from mlindex.reports.result.cif import best_cell_cif
from mlindex.reports.result.page import page
from mlindex.reports.result.terminal import show

#: Tenorite with c doubled, as its partner comes out of the search: centred at its body.
DOUBLED = np.array([4.6865, 3.4249, 10.2604, 90.0, 99.499, 90.0])


def printed(result, **options):
    out = io.StringIO()
    show(result, console=Console(file=out, width=80, highlight=False), **options)
    return " ".join(out.getvalue().split())


def corundum():
    """Corundum with its extinction symbol and a rhombohedral partner."""
    result = made.rhombohedral()
    best = result.candidates[0]
    more = {
        "extinctions": (Extinction("R - c", ("R -3 c", "R 3 c"), 0.9, 0),),
        "partners": (Partner("hR", best.cell * [2, 2, 2, 1, 1, 1], "P", "supercell of index 8"),),
    }
    return replace(result, candidates=(replace(best, **more),))


def centred(letter="I"):
    """A cell of tenorite's lattice type with that centring letter, without a wavelength."""
    bravais = "oC" if letter == "B" else "mC"
    cell = DOUBLED if bravais == "mC" else np.array([4.1, 5.2, 6.3, 90.0, 90.0, 90.0])
    q2, _ = made.lines_of(cell, letter, 0.5)
    peaks = replace(made.empty("centred.txt").peaks, q2_inv_A2=q2[:15])
    best = made.candidate(peaks, bravais, cell, letter, used=15, probability=0.9)
    partner = Partner(bravais, cell * [1, 2, 1, 1, 1, 1], letter, "supercell of index 2")
    return replace(made.empty(), peaks=peaks, candidates=(replace(best, partners=(partner,)),))


def test_terminal_gives_hexagonal_axes_first():
    words = printed(corundum(), lines=True)
    for piece in (
        "1 hR 4.7588 4.7588 12.991 90 90 120 254.78",
        "Best candidate rhombohedral R (hR)",
        "(hexagonal axes); V = 254.78 Å³",
        "rhombohedral axes: a = 5.1284(13) Å, α = 55.2870(13)°",
        "same lines rhombohedral R (hR), 9.5177 9.5177 25.98",
        # Lines as in the literature.
        *("1 0 1 2 25.5", "2 1 0 4 35.1", "3 1 1 0 37.7", "5 1 1 3 43.3"),
    ):
        assert piece in words, piece
    assert "A convincing cell: rhombohedral R (hR), a = " in words


def test_json_has_both_settings_of_a_rhombohedral_cell():
    result = corundum()
    document = data.as_data(result)
    jsonschema.validate(document, data.SCHEMA)
    shown = document["candidates"][0]
    (other,) = shown["other_settings"]
    assert (shown["setting"], shown["centring"]) == ("hexagonal axes", "R")
    assert (other["setting"], other["centring"]) == ("rhombohedral axes", "P")
    assert list(other["cell"].values()) == result.candidates[0].cell.tolist()
    assert shown["volume_A3"] == pytest.approx(3 * other["volume_A3"])
    large, small = (gemmi.UnitCell(*c["cell"].values()) for c in (shown, other))
    assert large.parameters[3:] == (90, 90, 120)
    for line in shown["lines"] + shown["absent"]:
        h, k, l = line["hkl"]
        assert (-h + k + l) % 3 == 0
        assert line.get("d_calculated_A", line.get("d_A")) == pytest.approx(
            large.calculate_d((h, k, l))
        )
        beside = np.rint(np.array(other["axes"]) @ (h, k, l)).astype(int).tolist()
        assert small.calculate_d(beside) == pytest.approx(large.calculate_d((h, k, l)))
    partner = shown["partners"][0]
    assert (partner["centring"], partner["setting"]) == ("R", "hexagonal axes")
    assert partner["other_settings"][0]["cell"]["a_A"] == pytest.approx(2 * 5.1284)


def test_tables_have_both_settings_of_a_rhombohedral_cell():
    frames = data.tables(corundum())
    (row,) = frames["candidate_cells"].to_dict("records")
    assert (row["setting"], row["centring"]) == ("hexagonal axes", "R")
    assert row["a_A"] == pytest.approx(4.7589, abs=1e-4)
    assert (row["other_setting"], row["other_centring"]) == ("rhombohedral axes", "P")
    assert row["other_alpha_deg"] == pytest.approx(55.287)
    lines = frames["candidate_lines"]
    assert ((-lines["h"] + lines["k"] + lines["l"]) % 3 == 0).all()
    (row,) = data.tables(made.one_ambiguous())["candidate_cells"].to_dict("records")
    assert row["setting"] == "conventional axes"
    assert pd.isna(row["other_setting"])


def test_cif_of_a_rhombohedral_cell_is_on_hexagonal_axes():
    block = gemmi.cif.read_string(best_cell_cif(corundum())).sole_block()
    structure = gemmi.make_small_structure_from_block(block)
    assert structure.cell.parameters == pytest.approx(
        (4.7589, 4.7589, 12.991, 90, 90, 120), abs=1e-4
    )
    assert structure.spacegroup.xhm() == "R -3 c:H"
    assert block.find_value("_space_group_Bravais_type") == "hR"
    indices = block.find(["_refln_index_h", "_refln_index_k", "_refln_index_l", "_refln_d_spacing"])
    operations = structure.spacegroup.operations()
    assert len(indices) == 12
    for row in indices:
        hkl = [int(i) for i in list(row)[:3]]
        assert not operations.is_systematically_absent(hkl)
        assert float(row[3]) == pytest.approx(structure.cell.calculate_d(hkl), abs=2e-5)
    details = " ".join(gemmi.cif.as_string(block.find_value("_cell_special_details")).split())
    assert "The same lattice, rhombohedral axes: a = 5.1284(13) A" in details


def test_page_of_a_rhombohedral_cell_has_both_axes():
    text = page(corundum())
    assert "rhombohedral axes" in text
    assert "h k l, rhombohedral axes" in text
    assert ">0 1 2<" in text
    assert ">1 1 0<" in text


@pytest.mark.parametrize(
    ("letter", "system"), [("I", "monoclinic"), ("A", "monoclinic"), ("B", "orthorhombic")]
)
def test_the_centring_named_is_that_of_the_cell(letter, system):
    result = centred(letter)
    best = result.candidates[0]
    symbol = f"{system[0]}{letter}"
    name = f"{system} {letter} ({symbol})"
    words = printed(result)
    assert notation.lattice_name(best) == notation.lattice_name(best.partners[0]) == name
    assert f"1 {symbol} {best.cell[0]:.4f}" in words
    assert f"Best candidate {name}" in words
    assert f"same lines {name}" in words
    assert "C-centred cell: a = " in words
    assert name in page(result)
    assert "C-centred cell" in page(result)
    block = gemmi.cif.read_string(best_cell_cif(result)).sole_block()
    assert name in block.find_value("_cell_special_details")
    assert block.find_value("_space_group_Bravais_type") == f"{system[0]}S"
    shown = data.as_data(result)["candidates"][0]
    assert (shown["centring"], shown["setting"]) == (letter, f"{letter}-centred cell")
    (other,) = shown["other_settings"]
    assert (other["centring"], other["setting"]) == ("C", "C-centred cell")
    assert other["volume_A3"] == pytest.approx(shown["volume_A3"])


def test_figure_of_smith_and_snyder_needs_a_wavelength():
    assert " F prob" in printed(made.monoclinic())
    assert " F prob" not in printed(centred())
    assert "M20 prob lines" in printed(centred())


def test_lines_are_named_as_is_usual():
    best = made.one_ambiguous().candidates[0]
    turned = replace(
        best,
        hkl=-best.hkl[:, ::-1],
        absent=tuple(replace(a, hkl=(-a.hkl[1], a.hkl[2], a.hkl[0])) for a in best.absent),
    )
    named = turned.with_usual_indices()
    assert named.hkl[:4].tolist() == [[1, 1, 0], [2, 0, 0], [2, 1, 1], [2, 2, 0]]
    assert all(h >= k >= l >= 0 for h, k, l in (a.hkl for a in named.absent))
    assert (named.hkl == own_axes("cI", "I").hkl(named.hkl)).all()
    # Every output names them so, whatever the candidate holds.
    lines = data.as_data(replace(made.one_ambiguous(), candidates=(turned,)))["candidates"][0][
        "lines"
    ]
    assert lines[2]["hkl"] == [2, 1, 1]
    assert view.predicted(turned, 1.0).hkl.tolist()[:3] == [[1, 1, 0], [2, 0, 0], [2, 1, 1]]
