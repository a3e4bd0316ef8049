"""Digests of code, inputs and seeds."""

import numpy as np
import pytest

from mlindex.base import provenance


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "mlindex"
    root.mkdir()
    (root / "__init__.py").write_text("")
    (root / "near.py").write_text(
        '"""Doc."""\nfrom mlindex.far import f\n\n\ndef g():\n    return f()\n'
    )
    (root / "far.py").write_text("def f():\n    return 1\n")
    (root / "unrelated.py").write_text("x = 1\n")
    script = tmp_path / "script.py"
    script.write_text("from mlindex.near import g\n\ng()\n")
    monkeypatch.setattr(provenance, "_PACKAGE_ROOT", root)

    def digest():
        for cached in (provenance._syntax, provenance._source_digest, provenance._direct_imports):
            cached.cache_clear()
        return provenance.code_digest(script)

    yield root, script, digest
    for cached in (provenance._syntax, provenance._source_digest, provenance._direct_imports):
        cached.cache_clear()


def test_imports_are_followed(package):
    _, script, _ = package
    assert provenance.imported_modules(script) == {"mlindex", "mlindex.near", "mlindex.far"}


def test_digest_follows_what_can_change_a_result(package):
    root, script, digest = package
    before = digest()
    (root / "unrelated.py").write_text("x = 2\n")
    assert digest() == before
    (root / "near.py").write_text(
        '"""Other doc."""\n# comment\nfrom mlindex.far import f\n\n\ndef g():\n    return f()\n'
    )
    assert digest() == before
    (root / "far.py").write_text("def f():\n    return 2\n")
    changed = digest()
    assert changed != before
    script.write_text("from mlindex.near import g\n\ng()\ng()\n")
    assert digest() not in (before, changed)


def test_directory_digest_sees_names_and_content(tmp_path):
    (tmp_path / "a").write_text("1")
    first = provenance.file_digest(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    second = provenance.file_digest(tmp_path)
    (tmp_path / "b").write_text("2")
    assert len({first, second, provenance.file_digest(tmp_path)}) == 3


def test_seeds_differ_by_name_and_repeat():
    assert provenance.derive_seed(1, "a") == provenance.derive_seed(1, "a")
    assert len({provenance.derive_seed(m, n) for m in (1, 2) for n in ("a", "b")}) == 4
    draws = [provenance.generator(1, "a").random(3) for _ in range(2)]
    assert np.array_equal(*draws)
