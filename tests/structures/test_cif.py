import gzip
from pathlib import Path

import numpy as np
import pytest
from gemmi import cif

from mlindex.structures.cif import EntryError, block_names, entry_name, read_block, read_document
from mlindex.structures.composition import element_of_site, element_symbol, parse_formula

CELL = """_cell_length_a 4.7606(3)
_cell_length_b 4.7606
_cell_length_c '12.994 (2)'
_cell_angle_alpha 90
_cell_angle_beta 90.
_cell_angle_gamma 120
"""
SITES = """loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_B_iso_or_equiv
Al1 0 0 0.3522 . 0.3
O1 0.306(2) 0 1/4 0.5 ?
"""
CORUNDUM = f"data_c\n_chemical_formula_sum 'Al2 O3'\n_cell_formula_units_Z 6\n{CELL}{SITES}"


def entry_of(text, max_sites=100):
    document = cif.read_string(text, 0)
    return read_block(document[0], document[0].name, max_sites, [])


def read(tmp_path, name, content, limit_MB=1.0):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return read_document(name, tmp_path, limit_MB)


def refusal(call, *args):
    with pytest.raises(EntryError) as caught:
        call(*args)
    return caught.value


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Al2 O3", {"Al": 2, "O": 3}),
        ("Al2O3", {"Al": 2, "O": 3}),
        ("C12 H8 D2 O0.5", {"C": 12, "D": 2, "H": 8, "O": 0.5}),
        ("Ca (O H)2", {"Ca": 1, "H": 2, "O": 2}),
        ("0.5(C6 H6), Cl 1-", {"C": 3, "Cl": 1, "H": 3}),
        ("C4 H10 N +, Br -", {"Br": 1, "C": 4, "H": 10, "N": 1}),
        ("(C H3)4 N1 1+", {"C": 4, "H": 12, "N": 1}),
        ("U Ru0 .96Rh0 .04Si2", {"Rh": 0.04, "Ru": 0.96, "Si": 2, "U": 1}),
        ("NA CL", {"Cl": 1, "Na": 1}),
        ("Fe0 O1", {"O": 1}),
    ],
)
def test_formulas_as_people_write_them(text, counts):
    assert parse_formula(text) == pytest.approx(counts)


@pytest.mark.parametrize("text", ["Ca3 Co2 -x Mn x O6", "Xx2 O", "C6 H6 ??", "12 foo"])
def test_a_formula_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="no element"):
        parse_formula(text)


def test_elements_of_types_and_labels():
    assert element_of_site("Fe3+", {}) == "Fe"
    assert element_of_site("C12", {}) == "C"
    assert element_of_site("CA1", {"C": 1}) == "C"
    assert element_of_site("CA1", {"Ca": 1}) == "Ca"
    assert element_of_site("Ow", {"O": 1}) == "O"
    assert element_of_site("D3", {}) == "D"
    assert element_of_site("Qq", {}) is None
    assert element_of_site("1.5", {}) is None
    assert element_symbol("Xx") is None


def test_numbers_sites_and_displacements():
    entry = entry_of(CORUNDUM)
    np.testing.assert_allclose(entry.cell, [4.7606, 4.7606, 12.994, 90, 90, 120])
    assert entry.sites.elements == ("Al", "O")
    np.testing.assert_allclose(entry.sites.xyz, [[0, 0, 0.3522], [0.306, 0, 0.25]])
    np.testing.assert_allclose(entry.sites.occupancy, [1, 0.5])
    np.testing.assert_allclose(entry.sites.u_iso_A2, [0.3 / (8 * np.pi**2), 0])
    assert entry.formula_counts == {"Al": 2, "O": 3}
    assert entry.stated_z == 6


def test_tags_of_the_newer_dictionaries_are_read():
    text = CORUNDUM
    for category in ("_cell", "_atom_site", "_chemical_formula"):
        text = text.replace(f"{category}_", f"{category}.")
    new, old = entry_of(text), entry_of(CORUNDUM)
    assert "_cell.length_a" in text
    np.testing.assert_array_equal(new.cell, old.cell)
    np.testing.assert_array_equal(new.sites.xyz, old.sites.xyz)


def test_sites_that_are_no_atoms_are_left_out_and_noted():
    extra = "Va1 0.5 0.5 0.5 1 .\nO9 ? . 0 1 .\nO8 .1 .2 .3 0 .\n"
    entry = entry_of(CORUNDUM + extra)
    assert len(entry.sites) == 2
    assert sum("left out" in note for note in entry.notes) == 3


@pytest.mark.parametrize(
    ("old", "new", "rule", "seen"),
    [
        ("_cell_length_a 4.7606(3)", "_cell_length_a long", 0, "_cell_length_a long"),
        ("_cell_length_b 4.7606\n", "", 0, "_cell_length_b is missing"),
        ("_cell_length_a 4.7606(3)", "_cell_length_a ?", 0, "_cell_length_a is missing"),
        ("'Al2 O3'", "?", 1, ""),
        ("'Al2 O3'", "'Al2 Oo3'", 1, "Al2 Oo3"),
        ("\nAl1 0", "\nQq1 0", 0, "Qq1"),
    ],
)
def test_what_is_missing_or_wrong_is_said(old, new, rule, seen):
    assert old in CORUNDUM
    problem = refusal(entry_of, CORUNDUM.replace(old, new))
    assert (problem.rule, problem.seen) == (rule, seen)


def test_nothing_but_publication_data_is_no_structure():
    problem = refusal(entry_of, "data_global\n_journal_year 1999\n")
    assert problem.rule == 0
    assert "no structure" in problem.reason


def test_too_many_sites():
    assert refusal(entry_of, CORUNDUM, 1).seen == "2 sites"


def test_r_factor_prefers_the_plain_one_and_mends_percent():
    r = "_refine_ls_R_factor_all 4.5\n_refine_ls_R_factor_gt 0.031\n_refine_ls_wR_factor_ref 0.01\n"
    assert entry_of(CORUNDUM.replace("data_c\n", "data_c\n" + r)).r_factor == 0.031
    w = "_refine_ls_R_factor_all ?\n_refine_ls_wR_factor_ref 0.09\n"
    assert entry_of(CORUNDUM.replace("data_c\n", "data_c\n" + w)).r_factor == 0.09
    assert entry_of(CORUNDUM).r_factor is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le"])
def test_encodings_are_mended_and_noted(tmp_path, encoding):
    text = CORUNDUM.replace("data_c\n", "data_c\n_publ_author 'Müller, Ä.'\n")
    document, notes = read(tmp_path, "a.cif", text.encode(encoding))
    assert document[0].find_value("_publ_author") == "'Müller, Ä.'"
    assert bool(notes) == (encoding != "utf-8")


def test_gzip_and_nested_paths(tmp_path):
    document, _ = read(tmp_path, "x/y/a.cif.gz", gzip.compress(CORUNDUM.encode()))
    assert document[0].name == "c"


def test_unreadable_files(tmp_path):
    whole = gzip.compress(CORUNDUM.encode() * 20)
    cases = {
        "cut.cif.gz": (whole[: len(whole) // 2], "can't be read"),
        "plain.cif.gz": (CORUNDUM.encode(), "can't be read"),
        "empty.cif": (b"", "no data block"),
        "text.cif": (b"just some words\n", "syntax"),
        "bytes.cif": (bytes(range(256)) * 10, "syntax"),
        "big.cif": (b"# " + b"x" * 1_100_000, "max_file_MB"),
        "big.cif.gz": (gzip.compress(b"# " + b"x" * 1_100_000), "max_file_MB"),
    }
    for name, (content, reason) in cases.items():
        problem = refusal(read, tmp_path, name, content)
        assert problem.rule == 0
        assert reason in problem.reason, name


def test_paths_stay_below_the_root(tmp_path):
    (tmp_path / "secret.cif").write_text(CORUNDUM)
    root = tmp_path / "root"
    root.mkdir()
    for path in ("../secret.cif", str(tmp_path / "secret.cif"), "a/../../secret.cif"):
        assert "outside" in refusal(read_document, path, root, 1.0).reason
    assert "no longer" in refusal(read_document, "gone.cif", root, 1.0).reason


def test_only_values_that_nothing_reads_are_repaired(tmp_path):
    text = "data_a\n_journal_name 'Acta\n_publ_section \"x\n_cell_length_a 3\n"
    document, notes = read(tmp_path, "a.cif", text.encode())
    assert document[0].find_value("_cell_length_a") == "3"
    assert len(notes) == 2
    problem = refusal(read, tmp_path, "b.cif", b"data_a\n_chemical_formula_sum 'Al2\n")
    assert "2:" in problem.reason


def test_names_of_blocks_and_files(tmp_path):
    document = cif.read_string("data_a\n_x 1\ndata_b\n_x 1\ndata_a\n_x 2\ndata_a\n_x 3\n", 0)
    assert [name for _, name, _ in block_names(document)] == ["a", "b", "a#2", "a#3"]
    assert [len(notes) for _, _, notes in block_names(document)] == [0, 0, 1, 1]
    assert entry_name("x/a.cif", tmp_path) == "x/a"
    assert entry_name("x/a.cif.gz", tmp_path) == "x/a"
    (tmp_path / "a.cif").touch()
    assert entry_name("a.cif.gz", Path(tmp_path)) == "a.cif.gz"
