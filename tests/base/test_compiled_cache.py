"""Where compiled functions are kept if the package can't be written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlindex.base.compiled_cache import place_cache, temporary_cache


@pytest.fixture
def numba_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """What numba was told, after choosing for a package in a state."""
    import numba

    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def told(state: str) -> Path | None:
        place_cache(Path("/some/package"), state)
        return Path(numba.config.CACHE_DIR) if "NUMBA_CACHE_DIR" in os.environ else None

    return told


def test_each_state_of_a_package_has_its_folder_in_the_users_cache(numba_told, tmp_path):
    first = numba_told("a" * 64)
    assert first.parent == tmp_path / "home/mlindex"
    assert first.is_dir()
    assert temporary_cache() is None
    # What a user has chosen stays.
    assert numba_told("b" * 64) == first
    del os.environ["NUMBA_CACHE_DIR"]
    second = numba_told("b" * 64)
    assert list(second.parent.iterdir()) == [second]


def test_without_a_home_it_is_a_folder_that_only_the_user_can_write(numba_told, tmp_path):
    (tmp_path / "home").write_text("a file")
    folder = numba_told("a" * 64)
    assert temporary_cache() == folder
    assert folder.parent == tmp_path / f"mlindex-{os.getuid()}"
    assert folder.parent.stat().st_mode & 0o077 == 0
    # One that others can write to may hold code of theirs.
    folder.parent.chmod(0o777)
    del os.environ["NUMBA_CACHE_DIR"]
    assert numba_told("a" * 64).parent != folder.parent


def test_the_temporary_folder_is_said_with_the_notice(numba_told, tmp_path):
    from mlindex.indexing.compiling import where

    assert where() == ""
    (tmp_path / "home").write_text("a file")
    assert f"kept in {numba_told('a' * 64)}" in where()
