from __future__ import annotations

from mlindex.structures.rejected import rejected
from mlindex.structures.tables import REJECTS


def reject(path, rule_name, reason):
    where = {"entry_id": f"lab:{path}:x", "source": "lab", "path": path, "stage": "quality"}
    return {**where, "rule": 1, "rule_name": rule_name, "seen": "", "reason": reason}


def test_the_commonest_reason_is_named_with_its_count():
    formula = [reject(f"{n}.cif", "formula", "no formula is listed") for n in range(3)]
    cell = reject("9.cif", "cell", "the cell is not given in full")
    twice = reject("9.cif", "formula", "no formula is listed")
    rejects = REJECTS.arrow([cell, *formula, twice]).to_pandas()
    assert rejected(rejects) == (
        "Quality control rejected 5 entries of 4 files; the commonest reason (4 of them): "
        "formula: no formula is listed."
    )


def test_one_reject_and_none_are_sentences():
    one = REJECTS.arrow([reject("a.cif", "formula", "no formula is listed")]).to_pandas()
    assert rejected(one) == (
        "Quality control rejected 1 entry of 1 file; the commonest reason: formula: "
        "no formula is listed."
    )
    assert rejected(REJECTS.empty()) == "Quality control rejected no file."
