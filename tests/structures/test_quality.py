import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.cif_texts import CORUNDUM
from mlindex.base.columns import cell_names
from mlindex.base.errors import MlindexError
from mlindex.structures.composition import formula_of
from mlindex.structures.quality import RULES, check_shard
from mlindex.structures.settings import Quality
from mlindex.structures.sources import FolderSource, GeneratorSource
from mlindex.structures.tables import ENTRIES, REJECTS

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "cifs"

ALPHA_PO = """data_po
_chemical_formula_sum 'Po'
_cell_length_a 3.359
_cell_length_b 3.359
_cell_length_c 3.359
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Po1 0 0 0
"""


def check(tmp_path, texts, symmetry="given", settings=None):
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    files = pd.DataFrame({"source": "s", "path": list(texts), "digest": "", "size_bytes": 0})
    source = FolderSource(name="s", path=str(tmp_path), symmetry=symmetry)
    checked = check_shard(files, tmp_path, source, settings or Quality())
    ENTRIES.arrow(checked.entries)
    REJECTS.arrow(checked.rejects)
    assert checked.seen == len(checked.entries) + len(checked.rejects)
    return checked


def only_reject(tmp_path, text, **options):
    checked = check(tmp_path, {"a.cif": text}, **options)
    assert checked.entries.empty
    return checked.rejects.iloc[0]


def test_a_good_entry_holds_what_the_file_says(tmp_path):
    row = check(tmp_path, {"oxides/al.cif": CORUNDUM}).entries.iloc[0]
    assert row.entry_id == "s:oxides/al:corundum"
    assert (row.hm_symbol, row.spacegroup_number) == ("R -3 c:H", 167)
    assert (row.lattice_system, row.bravais_lattice) == ("rhombohedral", "hR")
    assert row.elements == ["Al", "O"]
    assert row.element_counts == [12, 18]
    assert (row.n_atoms, row.formula_units, row.formula_units_source) == (30, 6, "stated")
    np.testing.assert_allclose(
        row[cell_names("")].astype(float), [4.7606, 4.7606, 12.994, 90, 90, 120]
    )
    assert row.volume_A3 == pytest.approx(255.033, abs=1e-3)
    assert row.site_x == [0, 0.3064]
    assert row.symmetry_source == "given"
    assert row.notes is None


@pytest.mark.parametrize(
    ("rule", "old", "new", "seen"),
    [
        (0, "_cell_length_a 4.7606\n", "", "_cell_length_a is missing"),
        (0, "_cell_length_a 4.7606", "_cell_length_a text", "_cell_length_a text"),
        (1, "'Al2 O3'", "?", ""),
        (2, "167\n_symmetry_space_group_name_H-M 'R -3 c'", "0", "symbol '', number 0"),
        (3, "'R -3 c'", "'Q -3 c'", "Q -3 c"),
        (3, "'R -3 c'", "'R 3 c'", "symbol 'R 3 c' (number 161), number 167"),
        (4, "_cell_length_b 4.7606", "_cell_length_b 4.9606", "4.7606 4.9606 12.994 90 90 120"),
        (4, "_cell_length_a 4.7606", "_cell_length_a 0", "0 4.7606 12.994 90 90 120"),
        (4, "_cell_length_a 4.7606", "_cell_length_a nan", "nan 4.7606 12.994 90 90 120"),
        (4, "_alpha 90", "_alpha 10", "4.7606 4.7606 12.994 10 90 120"),
        (6, "255.03", "265.03", "cell 255.033, reduced cell times 3 255.033, stated 265.030"),
        (7, "_Z 6", "_Z 600", "255.03 A³ for 3000 atoms"),
    ],
)
def test_each_rule_rejects_with_the_value_seen(tmp_path, rule, old, new, seen):
    assert old in CORUNDUM
    text = CORUNDUM.replace(old, new)
    if rule in (1, 7):
        text = text[: text.index("loop_")]
    row = only_reject(tmp_path, text)
    assert (row.rule, row.rule_name, row.seen) == (rule, RULES[rule], seen)
    assert row.path == "a.cif"
    assert row.reason


def test_the_first_broken_rule_is_named(tmp_path):
    text = CORUNDUM.replace("'Al2 O3'", "?").replace("255.03", "999").replace("167", "900")
    assert only_reject(tmp_path, text, settings=Quality(formula="listed")).rule == 1


@pytest.mark.parametrize("z", ["_cell_formula_units_Z 6\n", ""])
def test_a_formula_that_is_not_listed_comes_from_the_atoms(tmp_path, z):
    text = CORUNDUM.replace("'Al2 O3'", "?").replace("_cell_formula_units_Z 6\n", z)
    row = check(tmp_path, {"a.cif": text}).entries.iloc[0]
    listed = check(tmp_path, {"a.cif": CORUNDUM}).entries.iloc[0]
    assert (row.formula, row.formula_units) == ("Al2 O3", 6)
    assert row.notes == "formula from the atoms, none is listed"
    same = ["elements", "element_counts", "n_atoms", "volume_A3", "bravais_lattice"]
    assert row[same].tolist() == listed[same].tolist()
    refused = only_reject(tmp_path, text, settings=Quality(formula="listed"))
    assert (refused.rule, refused.reason) == (1, "no chemical formula is listed")


def test_a_formula_that_can_t_be_read_is_still_rejected(tmp_path):
    assert only_reject(tmp_path, CORUNDUM.replace("Al2 O3", "oxide of xx")).rule == 1


def test_the_formula_of_a_disordered_crystal_is_the_content_of_its_cell():
    assert formula_of({"Zn": 4.0, "S": 4.0}) == ("S Zn", {"S": 1, "Zn": 1})
    assert formula_of({"Fe": 1.5, "Ni": 2.5}) == ("Fe1.5 Ni2.5", {"Fe": 1.5, "Ni": 2.5})
    assert formula_of({"O": 6.0, "Ti": 3.0}, z=1.5) == ("O4 Ti2", {"O": 4, "Ti": 2})


def test_the_limits_of_rule_7_are_the_config_s(tmp_path):
    per_atom = 255.033 / 30
    low = Quality(volume_per_atom_min_A3=per_atom * 1.001)
    high = Quality(volume_per_atom_max_A3=per_atom * 0.999)
    around = Quality(
        volume_per_atom_min_A3=per_atom * 0.999, volume_per_atom_max_A3=per_atom * 1.001
    )
    assert only_reject(tmp_path, CORUNDUM, settings=low).rule == 7
    assert only_reject(tmp_path, CORUNDUM, settings=high).rule == 7
    assert len(check(tmp_path, {"a.cif": CORUNDUM}, settings=around).entries) == 1


def test_formula_units_from_sites_and_from_volume(tmp_path):
    without_z = CORUNDUM.replace("_cell_formula_units_Z 6\n", "")
    bare = without_z[: without_z.index("loop_")]
    wrong = CORUNDUM.replace("_Z 6", "_Z 2")
    rows = check(tmp_path, {"a.cif": without_z, "b.cif": bare, "c.cif": wrong}).entries
    assert rows.formula_units_source.tolist() == ["sites", "volume", "sites"]
    # 255 A³ at 18 A³ an atom are 14.2 atoms, 2.8 formula units.
    assert rows.formula_units.tolist() == [6, 3, 6]
    assert "Z stated as 2, the sites say 6" in rows.notes[2]


def test_partial_occupancy_counts_in_the_units_of_sites(tmp_path):
    text = (
        CORUNDUM.replace("_Z 6", "_Z ?").replace("Al2 O3", "Al O3").replace("0.3522 1", "0.3522 .5")
    )
    row = check(tmp_path, {"a.cif": text}).entries.iloc[0]
    assert (row.formula_units, row.element_counts) == (6, [6, 18])
    assert row.site_occupancy == [0.5, 1.0]


def test_rhombohedral_axes_follow_from_the_cell(tmp_path):
    text = CORUNDUM.replace("12.994", "4.7606").replace("_gamma 120", "_gamma 70")
    text = text.replace("_alpha 90", "_alpha 70").replace("_beta 90", "_beta 70")
    text = text.replace("_Z 6", "_Z 2").replace("_cell_volume 255.03\n", "")
    row = check(tmp_path, {"a.cif": text}).entries.iloc[0]
    assert (row.hm_symbol, row.bravais_lattice) == ("R -3 c:R", "hR")


def test_bad_files_stop_nothing_and_nothing_is_lost(tmp_path):
    broken = {
        "a.cif": "",
        "b.cif": "words",
        "c.cif": CORUNDUM[:200].encode() + b"\xff\xfe\x00'",
        "d.cif.gz": CORUNDUM,
        "e.cif": "data_global\n_journal_year 1999\n" + CORUNDUM + CORUNDUM,
        "f/g.cif": CORUNDUM.encode("utf-16"),
        "h.cif": CORUNDUM.replace("Al1 0 0 0.3522", "Zz1 0 0 0.3522"),
    }
    checked = check(tmp_path, broken)
    assert sorted(checked.entries.entry_id) == [
        "s:d:corundum",
        "s:e:corundum",
        "s:e:corundum#2",
        "s:f/g:corundum",
    ]
    assert sorted(checked.rejects.path) == ["a.cif", "b.cif", "c.cif", "e.cif", "h.cif"]
    assert checked.seen == 9
    assert checked.rejects.set_index("path").reason["h.cif"] == "'Zz1' is no chemical element"


def test_missing_and_outside_files_are_rejected(tmp_path):
    (tmp_path / "out.cif").write_text(CORUNDUM)
    root = tmp_path / "root"
    root.mkdir()
    files = pd.DataFrame({"path": ["../out.cif", "gone.cif"]})
    checked = check_shard(files, root, FolderSource(name="s", path="."), Quality())
    assert checked.rejects.rule.tolist() == [0, 0]
    assert checked.entries.empty


def test_what_no_rule_foresees_costs_one_entry(tmp_path, monkeypatch, caplog):
    import mlindex.structures.quality as quality

    def fail(*_, **__):
        raise ZeroDivisionError("made for the test")

    monkeypatch.setattr(quality, "niggli_reduction", fail)
    checked = check(tmp_path, {"a.cif": CORUNDUM, "b.cif": "data_x\n_a 1\n"})
    assert checked.rejects.rule.tolist() == [0, 0]
    assert checked.rejects.seen[0] == "ZeroDivisionError"
    assert "unforeseen" in caplog.text
    nul = pd.DataFrame({"path": ["a\0.cif"]})
    source = FolderSource(name="s", path=".")
    assert len(check_shard(nul, tmp_path, source, Quality()).rejects) == 1


def test_a_file_listed_twice_is_an_error(tmp_path):
    (tmp_path / "a.cif").write_text(CORUNDUM)
    files = pd.DataFrame({"path": ["a.cif", "a.cif"]})
    with pytest.raises(MlindexError, match="identifiers twice"):
        check_shard(files, tmp_path, FolderSource(name="s", path="."), Quality())


def test_an_empty_shard_gives_empty_tables(tmp_path):
    checked = check(tmp_path, {})
    assert checked.seen == 0
    assert list(checked.entries.columns) == ENTRIES.names


def test_symmetry_is_found_where_the_source_says_so(tmp_path):
    given = check(tmp_path, {"a.cif": ALPHA_PO}).entries.iloc[0]
    found = check(tmp_path, {"a.cif": ALPHA_PO}, symmetry="found").entries.iloc[0]
    assert (given.bravais_lattice, given.symmetry_source) == ("aP", "given")
    assert (found.bravais_lattice, found.symmetry_source) == ("cP", "found")
    assert (found.hm_symbol, found.spacegroup_number) == ("P m -3 m", 221)


def test_a_primitive_cell_found_in_a_centred_one_keeps_its_density(tmp_path):
    primitive = ALPHA_PO.replace(" 90", " 60").replace("'Po'", "'Po'\n_cell_volume 26.8")
    row = check(tmp_path, {"a.cif": primitive}, symmetry="found").entries.iloc[0]
    assert row.hm_symbol == "F m -3 m"
    assert row.n_atoms == pytest.approx(4)
    assert row.a_A == pytest.approx(3.359 * np.sqrt(2))


def test_a_setting_outside_the_table_is_rewritten(tmp_path):
    # P 21/c with its origin moved by (1/8, 1/8, 1/8): the table has no such setting.
    operations = ["x,y,z", "1/4-x,y+1/2,3/4-z", "1/4-x,1/4-y,1/4-z", "x,3/4-y,z+1/2"]
    text = CORUNDUM.replace("_space_group_IT_number 167\n", "").replace("'R -3 c'", "'P 21/c'")
    text = text.replace("_cell_length_b 4.7606", "_cell_length_b 6.1").replace(
        "_gamma 120", "_gamma 90"
    )
    text = text.replace("_beta 90", "_beta 101").replace("_cell_volume 255.03\n", "")
    text = text.replace("_Z 6", "_Z 4").replace("Al2 O3", "Al O")
    text = text.replace("Al1 0 0 0.3522", "Al1 0.02 0.31 0.41").replace(
        "0.3064 0 0.25", "0.3 0.2 0.1"
    )
    loop = "loop_\n_space_group_symop_operation_xyz\n" + "".join(f"'{o}'\n" for o in operations)
    row = check(tmp_path, {"a.cif": text + loop}).entries.iloc[0]
    assert row.hm_symbol == "P 1 21/c 1"
    assert "rewritten" in row.notes
    assert row.n_atoms == 8
    assert row.volume_A3 == pytest.approx(4.7606 * 6.1 * 12.994 * np.sin(np.radians(101)))


def test_a_generated_source_is_taken_as_given(tmp_path):
    (tmp_path / "a.cif").write_text(CORUNDUM)
    files = pd.DataFrame({"path": ["a.cif"]})
    checked = check_shard(files, tmp_path, GeneratorSource(), Quality())
    assert checked.entries.entry_id.tolist() == ["generated:a:corundum"]


def test_the_same_files_give_the_same_tables(tmp_path):
    texts = {"a.cif": CORUNDUM, "b.cif": ALPHA_PO, "c.cif": "words"}
    first, second = check(tmp_path, texts, "found"), check(tmp_path, texts, "found")
    pd.testing.assert_frame_equal(first.entries, second.entries)
    pd.testing.assert_frame_equal(first.rejects, second.rejects)


@pytest.mark.skipif(not (SHARED / "manifest.csv").exists(), reason="no folder of real CIF files")
def test_real_files_against_an_independent_reading(tmp_path):
    manifest = pd.read_csv(SHARED / "manifest.csv")
    plain = manifest[manifest["flags"].isna() & manifest["parse_error"].isna()]
    bad = manifest[manifest["flags"].notna() | manifest["parse_error"].notna()]
    symmetric = plain[plain["p1_in_file"] == 0].sample(300, random_state=1)
    sample = pd.concat([symmetric, bad.sample(300, random_state=2)])
    files = pd.DataFrame({"path": sample["path"].tolist()})
    checked = check_shard(files, SHARED, FolderSource(name="s", path="."), Quality())
    assert checked.seen == len(checked.entries) + len(checked.rejects) >= len(files)
    assert not checked.rejects.reason.str.contains("unforeseen").any()
    both = checked.entries.merge(symmetric, on="path", suffixes=("", "_independent"))
    assert len(both) > 150
    agree = both["spacegroup_number"] == both["sg_number"]
    assert agree.all(), both.loc[~agree, ["path", "hm_symbol", "sg_number"]]
    lattices = both["bravais"].replace("tC", "tP")
    assert (both["bravais_lattice"] == lattices).all()
