"""CIF files that are slow, huge or no files: rejected with their reason, the others survive."""

import faulthandler
import os
import signal
import time

import numpy as np
import pandas as pd
import pytest

import mlindex.structures.quality as quality
from helpers.cif_texts import CORUNDUM
from mlindex.base.errors import MlindexError
from mlindex.base.schema import read_table
from mlindex.patterns.settings import Simulation
from mlindex.patterns.simulation import simulate
from mlindex.structures.manifest import update_manifest
from mlindex.structures.quality import check_shard
from mlindex.structures.settings import Quality
from mlindex.structures.sources import FolderSource, Shards
from mlindex.structures.tables import FILES

SITE_LOOP = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"


def cubic(symbol, count):
    """A large cell full of atoms at random places."""
    xyz = np.random.default_rng(1).random((count, 3))
    sites = "".join(f"Si{i} {x:.5f} {y:.5f} {z:.5f}\n" for i, (x, y, z) in enumerate(xyz))
    cell = "".join(f"_cell_length_{n} 90\n" for n in "abc")
    angles = "".join(f"_cell_angle_{n} 90\n" for n in ("alpha", "beta", "gamma"))
    head = f"data_big\n_chemical_formula_sum Si{count}\n_symmetry_space_group_name_H-M '{symbol}'\n"
    return head + cell + angles + SITE_LOOP + sites


def check(folder, settings, **source):
    files = sorted(p.name for p in folder.iterdir())
    return check_shard(
        pd.DataFrame({"path": files}),
        folder,
        FolderSource(name="s", path=".", **source),
        settings,
    )


@pytest.fixture
def folder(tmp_path):
    """Two good files, one before and one after the bad one."""
    (tmp_path / "a.cif").write_text(CORUNDUM)
    (tmp_path / "z.cif").write_text(CORUNDUM)
    return tmp_path


def only_bad(checked):
    assert checked.entries["entry_id"].tolist() == ["s:a:corundum", "s:z:corundum"]
    assert len(checked.rejects) == 1
    assert checked.seen == 3
    return checked.rejects.iloc[0]


def test_a_crystal_too_large_for_the_symmetry_search_is_rejected(folder):
    (folder / "m.cif").write_text(cubic("P 1", 15000))
    row = only_bad(check(folder, Quality(max_entry_s=0.5), symmetry="found"))
    assert (row.entry_id, row.rule, row.rule_name) == ("s:m:big", 0, "time limit")
    assert row.seen == "more than 0.5 s of processor time"
    assert "quality.max_entry_s" in row.reason


def test_a_giant_loop_is_rejected_where_it_needs_too_much_memory(folder):
    (folder / "m.cif").write_text(CORUNDUM + "loop_\n_x_a\n_x_b\n" + "1 2\n" * 2_000_000)
    row = only_bad(check(folder, Quality(max_entry_memory_MB=60)))
    assert (row.entry_id, row.rule_name) == ("s:m:", "memory limit")
    assert row.seen == "more than 60 MB"
    assert "quality.max_entry_memory_MB" in row.reason
    assert len(check(folder, Quality()).entries) == 3


def test_only_the_bad_block_of_a_file_is_rejected(folder):
    bad = cubic("P 1", 15000)
    (folder / "m.cif").write_text(CORUNDUM + bad + CORUNDUM.replace("corundum", "other"))
    checked = check(folder, Quality(max_entry_s=0.5), symmetry="found")
    assert checked.rejects["entry_id"].tolist() == ["s:m:big"]
    assert "s:m:other" in checked.entries["entry_id"].tolist()


def hang(*_):
    while True:
        pass


def wait(*_):
    time.sleep(1000)


def crash(*_):
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.parametrize(
    ("evil", "rule_name", "seen"),
    [
        (hang, "time limit", "more than 0.4 s of processor time"),
        (wait, "time limit", "no end after 4 s"),
        (crash, "crash", "the process that read it ended with SIGSEGV"),
    ],
)
def test_a_library_that_hangs_or_crashes_costs_one_file(folder, monkeypatch, evil, rule_name, seen):
    (folder / "m.cif").write_text(CORUNDUM)
    read = quality.read_document

    def reading(path, *arguments):
        return evil() if path == "m.cif" else read(path, *arguments)

    monkeypatch.setattr(quality, "read_document", reading)
    row = only_bad(check(folder, Quality(max_entry_s=0.4)))
    assert (row.entry_id, row.rule_name, row.seen) == ("s:m:", rule_name, seen)


def test_a_hundred_thousand_blocks_of_one_name_are_told_apart(folder):
    (folder / "m.cif").write_text("data_x\n_cell_length_a 3\n" * 100_000)
    checked = check(folder, Quality(max_entry_s=20))
    assert len(checked.rejects) == 100_000
    assert checked.rejects["entry_id"].is_unique
    assert checked.rejects["rule_name"].unique().tolist() == ["readable"]


def test_a_number_that_is_a_program_is_no_number(folder):
    text = CORUNDUM.replace("_cell_length_a 4.7606", "_cell_length_a 1_0e999999999")
    (folder / "m.cif").write_text(text)
    assert "is no number" in only_bad(check(folder, Quality(max_entry_s=5))).reason


@pytest.mark.parametrize("link", [False, True])
def test_what_is_no_regular_file_is_not_waited_for(folder, link):
    if link:
        (folder / "m.cif").symlink_to("/dev/zero")
    else:
        os.mkfifo(folder / "m.cif")
    source = FolderSource(name="s", path=str(folder))
    update_manifest(source, Shards(), folder.parent / "manifest")
    files = read_table(folder.parent / "manifest/000.files.parquet", FILES)
    assert dict(zip(files["path"], files["digest"], strict=True))["m.cif"].startswith("unreadable")
    row = only_bad(check_shard(files, folder, source, Quality()))
    assert row.reason == "it is no regular file"


@pytest.mark.parametrize("lengths", [(5000, 5000, 5000), (9e6, 300, 50), (1e5, 1e5, 0.5)])
def test_a_giant_cell_is_rejected_before_its_reflections_are_listed(tmp_path, lengths):
    cell = "".join(f"_cell_length_{n} {v}\n" for n, v in zip("abc", lengths, strict=True))
    angles = "".join(f"_cell_angle_{n} 90\n" for n in ("alpha", "beta", "gamma"))
    atoms = round(np.prod(lengths) / 20)
    head = f"data_big\n_chemical_formula_sum C{atoms}\n_cell_formula_units_Z 1\n"
    head += "_symmetry_space_group_name_H-M 'P 1'\n"
    (tmp_path / "a.cif").write_text(head + cell + angles + SITE_LOOP + "C1 0 0 0\n")
    entries = check(tmp_path, Quality()).entries
    assert len(entries) == 1
    simulated = simulate(entries, Simulation())
    assert simulated.patterns.empty
    assert simulated.rejects["rule_name"].tolist() == ["too large"]


def test_a_folder_that_is_gone_is_no_folder_of_bad_files(folder):
    files = pd.DataFrame({"path": ["a.cif", "z.cif"]})
    source = FolderSource(name="s", path=".")
    with pytest.raises(MlindexError, match="is gone; bring it back and start again"):
        check_shard(files, folder / "gone", source, Quality())


def test_progress_is_told_of_every_file(folder):
    told = []

    def progress(items):
        for item in items:
            yield item
            told.append(item)

    files = pd.DataFrame({"path": ["a.cif", "none.cif", "z.cif"]})
    source = FolderSource(name="s", path=".")
    check_shard(files, folder, source, Quality(), progress)
    assert told == ["a.cif", "none.cif", "z.cif"]
