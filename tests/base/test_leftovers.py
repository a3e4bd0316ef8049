"""Temporary files are told from all others by their names, and removed where they are old."""

from __future__ import annotations

import os
import signal

import pytest

from mlindex.base.atomic import atomic_directory, atomic_path
from mlindex.base.leftovers import is_temporary, remove_leftovers

LATER = 2**32


def killed_in(manager, path):
    """A child enters the manager, writes and is killed."""
    child = os.fork()
    if child == 0:
        try:
            with manager(path) as temporary:
                inside = temporary / "half" if temporary.is_dir() else temporary
                inside.write_text("half")
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    os.waitpid(child, 0)


@pytest.mark.parametrize("manager", [atomic_path, atomic_directory])
def test_what_a_killed_writer_leaves_is_known_by_its_name_and_removed(tmp_path, manager):
    whole = tmp_path / "cells/lab/000.parquet"
    whole.parent.mkdir(parents=True)
    whole.write_text("whole")
    killed_in(manager, whole)
    (left,) = (p for p in whole.parent.iterdir() if p != whole)
    assert is_temporary(left.name)
    assert remove_leftovers(tmp_path, left.stat().st_mtime) == []
    assert remove_leftovers(tmp_path, LATER) == [left]
    assert list(whole.parent.iterdir()) == [whole]
    assert whole.read_text() == "whole"


@pytest.mark.parametrize(
    "name",
    [
        ".state.parquet",
        ".snakemake_timestamp",
        ".notes.txt",
        ".a.abcdefgh",
        "a.abcdefgh.part",
        ".a.abcdefg.part",
        ".a.ABCDEFGH.part",
        "..abcdefgh.part",
        ".part",
    ],
)
def test_other_names_are_left_alone(tmp_path, name):
    assert not is_temporary(name)
    (tmp_path / name).write_text("mine")
    assert remove_leftovers(tmp_path, LATER) == []
    assert (tmp_path / name).read_text() == "mine"


def test_links_are_neither_followed_nor_removed(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "results"
    outside.mkdir()
    inside.mkdir()
    (outside / ".a.abcdefgh.part").write_text("mine")
    (inside / ".b.abcdefgh.part").symlink_to(outside / ".a.abcdefgh.part")
    (inside / "folder").symlink_to(outside)
    assert remove_leftovers(inside, LATER) == []
    assert (inside / ".b.abcdefgh.part").read_text() == "mine"


def test_no_folder_holds_nothing(tmp_path):
    assert remove_leftovers(tmp_path / "none", LATER) == []
