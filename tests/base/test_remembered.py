"""What was found out about contents is kept between processes, and dates decide nothing."""

from __future__ import annotations

import pytest

from mlindex.base.remembered import Remembered


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "finds_out.py"
    path.write_text("one way")
    return path


def test_values_are_those_of_contents_and_of_the_module_that_found_them(module):
    first = Remembered(module, "facts")
    assert first.get(b"x = 1") is None
    first.put(b"x = 1", [1, "a"])
    first.keep()
    assert Remembered(module, "facts").get(b"x = 1") == [1, "a"]
    assert Remembered(module, "facts").get(b"x = 2") is None
    module.write_text("another way")
    assert Remembered(module, "facts").get(b"x = 1") is None


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_damaged_file_is_made_anew(module, text):
    first = Remembered(module, "facts")
    first.put(b"x", True)
    first.keep()
    (kept,) = module.parent.glob("__pycache__/facts.*.json")
    kept.write_text(text)
    again = Remembered(module, "facts")
    assert again.get(b"x") is None
    again.put(b"x", True)
    again.keep()
    assert Remembered(module, "facts").get(b"x") is True


def test_where_nothing_can_be_written_all_is_found_out_again(module):
    (module.parent / "__pycache__").write_text("a file in its way")
    first = Remembered(module, "facts")
    first.put(b"x", 1)
    first.keep()
    assert Remembered(module, "facts").get(b"x") is None
