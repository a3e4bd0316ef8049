"""What a module depends on: its imports, followed, and its data files."""

from __future__ import annotations

import pytest

from mlindex.base import imports
from mlindex.base.errors import MlindexError
from mlindex.base.imports import Import, Package, code_digest

FILES = {
    "__init__.py": "",
    "near.py": '"""Doc."""\nfrom mlindex.far import f\n\n\ndef g():\n    return f()\n',
    "far.py": "def f():\n    return 1\n",
    "unrelated.py": "x = 1\n",
    "room/__init__.py": "",
    "room/late.py": "def f():\n    from mlindex.far import f\n\n    return f\n",
    "room/typed.py": (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import mlindex.unrelated\n"
        "else:\n    from mlindex import far\n"
    ),
    "room/beside.py": "from . import late\nfrom ..near import g\n",
    "room/reads.py": (
        "from mlindex.base.packaged import packaged\n\nTABLE = packaged(__file__, 'data/t.csv')\n"
    ),
    "room/data/t.csv": "a\n1\n",
    "base/__init__.py": "",
    "base/packaged.py": "",
}


@pytest.fixture
def package(tmp_path):
    root = tmp_path / "mlindex"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield Package(root)
    imports.forget()


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("from mlindex.near import g\n\ng()\n")
    return path


def digest(script, package):
    imports.forget()
    return code_digest(script, package)


def test_imports_are_followed(package, script):
    assert package.reached(script) == {"mlindex", "mlindex.near", "mlindex.far"}


def test_imports_in_functions_and_relative_ones_count(package):
    late = package.file("mlindex.room.late")
    assert package.reached(late) == {"mlindex", "mlindex.far"}
    assert package.reached(package.file("mlindex.room.beside")) == {
        *("mlindex", "mlindex.room", "mlindex.room.late", "mlindex.near", "mlindex.far")
    }


def test_imports_for_type_checkers_are_seen_but_never_run(package):
    typed = package.file("mlindex.room.typed")
    assert set(package.imports(typed)) == {
        Import("mlindex.unrelated", 4, True),
        Import("mlindex.far", 6, False),
    }
    assert package.reached(typed) == {"mlindex", "mlindex.far"}


def test_digest_follows_what_can_change_a_result(package, script):
    before = digest(script, package)
    (package.root / "unrelated.py").write_text("x = 2\n")
    assert digest(script, package) == before
    (package.root / "near.py").write_text(
        '"""Other doc."""\n# comment\nfrom mlindex.far import f\n\n\ndef g():\n    return f()\n'
    )
    assert digest(script, package) == before
    (package.root / "far.py").write_text("def f():\n    return 2\n")
    changed = digest(script, package)
    assert changed != before
    script.write_text("from mlindex.near import g\n\ng()\ng()\n")
    assert digest(script, package) not in (before, changed)


def test_each_byte_of_a_declared_data_file_counts(package, script):
    table = package.root / "room/data/t.csv"
    assert package.data("mlindex.room.reads") == (table,)
    without = digest(script, package)
    script.write_text("import mlindex.room.reads\n")
    before = digest(script, package)
    table.write_text("a\n2\n")
    assert before != digest(script, package) != without
    table.unlink()
    with pytest.raises(MlindexError, match=r"t\.csv: a data file of mlindex is missing; install"):
        digest(script, package)


def test_a_data_file_must_be_named_as_it_is(package):
    reads = package.file("mlindex.room.reads")
    reads.write_text(reads.read_text().replace("'data/t.csv'", "NAME"))
    with pytest.raises(MlindexError, match=r"reads\.py:3: write packaged\(__file__, "):
        package.data("mlindex.room.reads")


@pytest.mark.parametrize(
    "decorator", ["@njit(cache=True)", "@numba.njit", "@numba.vectorize(['f8(f8)'])"]
)
def test_compiled_functions_are_found(package, decorator):
    assert package.compiling() == set()
    (package.root / "far.py").write_text(f"{decorator}\ndef f(x):\n    return x\n")
    assert package.compiling() == {"mlindex.far"}
