"""Results that are written in local scratch and moved to where they belong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlindex.base.atomic import atomic_directory, atomic_path

MEMORY = Path("/dev/shm")


@pytest.fixture(params=["same filesystem", "other filesystem"])
def scratch(request, tmp_path, monkeypatch):
    """A scratch folder; results are in ``tmp_path``."""
    folder = tmp_path / "scratch"
    if request.param == "other filesystem":
        if not os.access(MEMORY, os.W_OK) or MEMORY.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("no second filesystem that can be written")
        folder = MEMORY / f"mlindex_test_{os.getpid()}"
    folder.mkdir()
    monkeypatch.setenv("HERE", str(folder))
    monkeypatch.setenv("MLINDEX_SCRATCH", "$HERE")
    yield folder
    assert list(folder.iterdir()) == []
    folder.rmdir()


def test_a_file_is_written_in_scratch_and_moved_whole(scratch, tmp_path):
    target = tmp_path / "results/table"
    with atomic_path(target) as path:
        assert path.parent == scratch
        path.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert [p.name for p in target.parent.iterdir()] == ["table"]
    assert target.stat().st_mode & 0o777 == 0o644


def test_a_directory_replaces_the_one_before(scratch, tmp_path):
    target = tmp_path / "results/models"
    for content in ("old", "new"):
        with atomic_directory(target) as folder:
            assert folder.parent == scratch
            (folder / content).write_text(content)
    assert [p.name for p in target.iterdir()] == ["new"]
    assert [p.name for p in target.parent.iterdir()] == ["models"]


def test_what_fails_leaves_the_old_result_and_nothing_else(scratch, tmp_path):
    target = tmp_path / "results/table"
    with atomic_path(target) as path:
        path.write_text("old")
    with pytest.raises(ValueError, match="half"), atomic_path(target) as path:
        path.write_text("half")
        raise ValueError("half")
    assert target.read_text() == "old"
    assert [p.name for p in target.parent.iterdir()] == ["table"]


@pytest.mark.parametrize("value", ["", "$NO_SUCH_VARIABLE", "/no/such/folder", "relative"])
def test_without_a_usable_scratch_files_are_made_beside(tmp_path, monkeypatch, value):
    monkeypatch.setenv("MLINDEX_SCRATCH", value)
    with atomic_path(tmp_path / "table") as path:
        assert path.parent == tmp_path
