"""Shard lists of a folder: stable, and rewritten only where content changed."""

import os

import pytest

from mlindex.base.errors import MlindexError
from mlindex.base.schema import read_table
from mlindex.structures.manifest import known_shards, shard_count, update_manifest
from mlindex.structures.sources import FolderSource, Shards
from mlindex.structures.tables import FILES

SHARDS = Shards(files_per_shard=10, max_shards=4)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "cifs"
    for index in range(40):
        path = root / f"{index % 3}" / f"{index}.cif"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"data_{index}\n")
    (root / "notes.txt").write_text("no CIF")
    return FolderSource(name="lab", path=str(root)), root, tmp_path / "manifest"


def dates(directory):
    return {p.name: p.stat().st_mtime_ns for p in directory.glob("*.files.parquet")}


def test_every_file_is_in_one_shard(folder):
    source, _, manifest = folder
    names = update_manifest(source, SHARDS, manifest)
    assert names == ["000", "001", "002", "003"] == known_shards(manifest)
    paths = [p for n in names for p in read_table(manifest / f"{n}.files.parquet", FILES)["path"]]
    assert sorted(paths) == sorted(f"{i % 3}/{i}.cif" for i in range(40))


def test_only_changed_content_rewrites_a_shard(folder):
    source, root, manifest = folder
    update_manifest(source, SHARDS, manifest)
    before = dates(manifest)
    os.utime(root / "0" / "0.cif", ns=(1, 1))
    update_manifest(source, SHARDS, manifest)
    assert dates(manifest) == before
    (root / "new.cif").write_text("data_new\n")
    update_manifest(source, SHARDS, manifest)
    assert sum(before[name] != date for name, date in dates(manifest).items()) == 1
    before = dates(manifest)
    (root / "0" / "0.cif").write_text("data_other\n")
    (root / "1" / "1.cif").unlink()
    update_manifest(source, SHARDS, manifest)
    assert 1 <= sum(before[name] != date for name, date in dates(manifest).items()) <= 2


def test_shard_count_is_a_bounded_power_of_two():
    assert [shard_count(n, SHARDS) for n in (1, 10, 11, 20, 21, 10**6)] == [1, 1, 2, 2, 4, 4]


def test_empty_or_missing_folders_are_explained(tmp_path):
    with pytest.raises(MlindexError, match="is not a folder; set its path"):
        update_manifest(FolderSource(name="x", path=str(tmp_path / "no")), SHARDS, tmp_path / "m")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MlindexError, match="no CIF file below"):
        update_manifest(
            FolderSource(name="x", path=str(tmp_path / "empty")), SHARDS, tmp_path / "m"
        )


def test_excluded_files_are_left_out(folder):
    source, _, manifest = folder
    source = source.model_copy(update={"exclude": ("0/*", "*/1.cif")})
    names = update_manifest(source, SHARDS, manifest)
    paths = {p for n in names for p in read_table(manifest / f"{n}.files.parquet", FILES)["path"]}
    assert paths == {f"{i % 3}/{i}.cif" for i in range(40) if i % 3 and i != 1}


def test_a_change_under_the_same_size_and_date_is_seen_once_the_file_is_touched(folder):
    source, root, manifest = folder
    update_manifest(source, SHARDS, manifest)
    before = dates(manifest)
    path = root / "0" / "0.cif"
    date = path.stat().st_mtime_ns
    path.write_text("data_x\n")
    os.utime(path, ns=(date, date))
    update_manifest(source, SHARDS, manifest)
    assert dates(manifest) == before
    os.utime(path)
    update_manifest(source, SHARDS, manifest)
    assert sum(before[name] != date for name, date in dates(manifest).items()) == 1
