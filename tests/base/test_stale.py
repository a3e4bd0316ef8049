"""Compiled functions whose sources have changed."""

from __future__ import annotations

import os

import pytest

from mlindex.base import imports, stale
from mlindex.base.stale import forget_stale

FILES = {
    "__init__.py": "",
    "search/__init__.py": "",
    "search/kernels.py": (
        "import numba\n\nfrom mlindex.constants import ONE\n\n\n"
        "@numba.njit(cache=True)\ndef f():\n    return ONE\n"
    ),
    "constants.py": "from mlindex.numbers import one\n\nONE = one()\n",
    "numbers.py": "def one():\n    return 1\n",
    "report.py": "TITLE = 'a'\n",
    "other.py": "from numba import njit\n\n\n@njit\ndef g():\n    return 1\n",
}


@pytest.fixture
def package(tmp_path):
    root = tmp_path / "mlindex"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for folder in ("__pycache__", "search/__pycache__"):
        (root / folder).mkdir()
    yield root
    imports.forget()


def compiled(package):
    path = package / "search" / "__pycache__" / "kernels.f-5.py311.nbi"
    path.write_bytes(b"")
    return path


def again(package):
    imports.forget()
    return forget_stale(package)


def test_they_stay_while_nothing_that_they_hold_changes(package):
    assert forget_stale(package)
    index = compiled(package)
    (package / "report.py").write_text("TITLE = 'b'\n")
    os.utime(package / "constants.py")
    assert not again(package)
    assert index.exists()


@pytest.mark.parametrize("changed", ["search/kernels.py", "constants.py", "numbers.py"])
def test_they_go_when_a_module_or_one_that_it_depends_on_changes(package, changed):
    forget_stale(package)
    index, other = compiled(package), package / "__pycache__/other.g-5.py311.nbi"
    other.write_bytes(b"")
    path = package / changed
    path.write_text(path.read_text() + "TWO = 2\n")
    assert again(package)
    assert not index.exists()
    assert other.exists()


def test_a_change_that_keeps_size_and_date_is_seen(package):
    forget_stale(package)
    path, index = package / "numbers.py", compiled(package)
    before = path.stat()
    path.write_text(path.read_text().replace("1", "2"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert again(package)
    assert not index.exists()


def test_nothing_is_read_while_nothing_has_changed(package, monkeypatch):
    forget_stale(package)
    monkeypatch.setattr(stale, "_sources", lambda package: pytest.fail("sources were read"))
    assert not forget_stale(package)


def test_a_package_that_cannot_be_written_is_left_alone(package, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert not forget_stale(package)
    assert list((package / "__pycache__").iterdir()) == []


def test_a_module_that_somebody_is_writing_is_no_error(package):
    (package / "search/kernels.py").write_text("import numba\n\n@numba.njit\ndef f(:\n")
    assert forget_stale(package)
