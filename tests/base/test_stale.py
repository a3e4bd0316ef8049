"""Compiled functions whose sources have changed."""

from __future__ import annotations

import pytest

from mlindex.base.stale import forget_stale

KERNEL = "from mlindex.constants import ONE\n\n\n@njit(cache=True)\ndef f():\n    return ONE\n"


@pytest.fixture
def package(tmp_path):
    (tmp_path / "search" / "__pycache__").mkdir(parents=True)
    (tmp_path / "search" / "kernels.py").write_text(KERNEL)
    (tmp_path / "constants.py").write_text("ONE = 1\n")
    (tmp_path / "report.py").write_text("TITLE = 'a'\n")
    return tmp_path


def compiled(package):
    path = package / "search" / "__pycache__" / "kernels.f-5.py311.nbi"
    path.write_bytes(b"")
    return path


def test_they_stay_while_nothing_that_they_hold_changes(package):
    assert forget_stale(package)
    index = compiled(package)
    (package / "report.py").write_text("TITLE = 'b'\n")
    assert not forget_stale(package)
    assert index.exists()


@pytest.mark.parametrize("changed", ["constants.py", "search/kernels.py"])
def test_they_go_when_a_module_or_one_it_imports_from_changes(package, changed):
    forget_stale(package)
    index = compiled(package)
    with (package / changed).open("a") as stream:
        stream.write("TWO = 2\n")
    assert forget_stale(package)
    assert not index.exists()


def test_a_package_that_cannot_be_written_is_no_error(package, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.write_text", refuse)
    assert forget_stale(package)
