"""Digests of inputs, and seeds."""

import numpy as np

from mlindex.base import provenance


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
