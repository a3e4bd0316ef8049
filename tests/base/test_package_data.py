"""Data files of the package are part of what a stage depends on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlindex.base.imports import PACKAGE, Package, code_digest, forget

SCRIPTS = sorted((Path(__file__).resolve().parents[2] / "workflow/scripts").glob("*.py"))
#: Stages that index. A campaign does where the score is the verdict of an indexed pattern: its rule
#: takes the digest of that code then.
_INDEXING = {"index_sample", "indexing_rates", "symmetry_evidence"}
#: Stages that use a data file, by the path of the file in the package.
USED_BY = {
    # The command that tells space groups is no stage.
    "cbed/pretrained/space_group.npz": set(),
    "classification/pretrained/joined.npz": {"index_sample"},
    "classification/pretrained/symmetry.npz": {"index_sample"},
    "crystal/atomic_volumes.csv": _INDEXING,
    "crystal/formula_units.json": _INDEXING,
    "crystal/substances.csv": _INDEXING,
    "indexing/ranking/pretrained/ranking.json": _INDEXING,
    "indexing/ranking/pretrained/ranking.npz": _INDEXING,
    "reports/plotly-basic.min.js.gz": {
        "cbed_space_group",
        "classification_report",
        "index_sample",
        "plan_campaign",
        "report",
    },
    "reports/template.json": {
        "cbed_space_group",
        "classification_report",
        "index_sample",
        "plan_campaign",
        "report",
    },
}
_NO_DATA = frozenset({".py", ".pyc", ".nbi", ".nbc", ".md"})


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    root = tmp_path_factory.mktemp("package") / "mlindex"
    ignore = shutil.ignore_patterns("__pycache__")
    yield Package(shutil.copytree(PACKAGE.root, root, ignore=ignore))
    forget()


def data_files() -> set[str]:
    files = (path for path in PACKAGE.root.rglob("*") if path.is_file())
    kept = (p for p in files if p.suffix not in _NO_DATA and "__pycache__" not in p.parts)
    # What begins with a dot is of an editor or of the file system.
    kept = (p for p in kept if not p.name.startswith("."))
    # The licence of a data file is read by people.
    kept = (p for p in kept if "LICENSE" not in p.name)
    return {path.relative_to(PACKAGE.root).as_posix() for path in kept}


def declared() -> dict[str, set[str]]:
    """Modules that declare a data file, by its path."""
    found: dict[str, set[str]] = {}
    for module in PACKAGE.modules:
        for path in PACKAGE.data(module):
            name = path.relative_to(PACKAGE.root).as_posix()
            found.setdefault(name, set()).add(module)
    return found


def test_every_data_file_is_declared_by_the_module_that_reads_it():
    assert data_files() - declared().keys() == set(), (
        "read it through mlindex.base.packaged.packaged, or stages that use it stay as they are "
        "when it changes"
    )
    assert declared().keys() == data_files() == USED_BY.keys()


@pytest.mark.parametrize("name", sorted(USED_BY))
def test_a_changed_data_file_makes_those_stages_stale_that_use_it(copied, name):
    before = {script.stem: code_digest(script, copied) for script in SCRIPTS}
    path = copied.root / name
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
        stale = {s.stem for s in SCRIPTS if code_digest(s, copied) != before[s.stem]}
    finally:
        path.write_bytes(content)
    readers = declared()[name]
    assert stale == {s.stem for s in SCRIPTS if copied.reached(s) & readers}
    assert stale == USED_BY[name]
