"""Imports between the wings of the package, against the table in workflow/mlindex/README.md."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter

import pytest

from mlindex.base.imports import PACKAGE, Import

TABLE = PACKAGE.root / "README.md"
UNBUILT = "(not built yet)"
#: Modules that only declare, in every wing.
DECLARATIONS = frozenset({"settings", "tables", "options", "meanings"})
#: Modules that import by a computed name, which the walker can't follow, and why that is right.
IMPORT_BY_NAME = {
    "mlindex": "what it offers must not count among the code of every stage",
    "mlindex.apps.declared": "a new table needs no second entry",
    "mlindex.campaigns": "what it offers must not count among the code of every stage",
    "mlindex.learning.learners.registry": "a fit must not rerun when another kind changes",
    "mlindex.classification.studies.carrying": "a study must not rerun when another one changes",
}


def rows() -> dict[str, tuple[str, list[str]]]:
    """What each wing is and what it may import."""
    found = re.findall(r"^\| `(\w+)` \| (.*?) \|(.*)\|$", TABLE.read_text("utf-8"), re.MULTILINE)
    return {wing: (what, re.findall(r"`(.+?)`", allowed)) for wing, what, allowed in found}


ROWS = rows()


def inner(module: str) -> str:
    """The name of a module without that of the package."""
    return module.partition(".")[2] or module


def wing_of(module: str) -> str:
    return inner(module).partition(".")[0]


def imports(for_types: bool = True) -> list[tuple[str, Import]]:
    """Every import between two modules, by the module that imports."""
    return [
        (module, item)
        for module, path in PACKAGE.modules.items()
        for item in PACKAGE.imports(path)
        if item.module != module and (for_types or not item.for_types)
    ]


def may(module: str, imported: str) -> bool:
    """Whether the table allows it."""
    if wing_of(module) == wing_of(imported):
        return True
    target = inner(imported)
    return any(
        fnmatchcase(target, allowed) or fnmatchcase(target, f"{allowed}.*")
        for allowed in ROWS[wing_of(module)][1]
    )


def where(module: str, item: Import) -> str:
    return f"{PACKAGE.file(module).relative_to(PACKAGE.root)}:{item.line} imports {item.module}"


def test_every_wing_is_in_the_table():
    present = {wing_of(module) for module in PACKAGE.modules}
    folders = {p.name for p in PACKAGE.root.iterdir() if p.is_dir() and p.name != "__pycache__"}
    strangers = (present | folders) - ROWS.keys()
    assert not strangers, f"{sorted(strangers)}: not in the table of {TABLE}"
    built = {wing for wing, (what, _) in ROWS.items() if UNBUILT not in what}
    assert built - present == set(), f"in the table without {UNBUILT!r}, but not in the tree"
    assert present - built == set(), f"built now: take {UNBUILT!r} out of the table"


def test_every_wing_has_a_readme_that_names_what_it_may_import():
    for wing in sorted({wing_of(module) for module in PACKAGE.modules}):
        folder = PACKAGE.root / wing
        if folder.is_dir():
            text = (folder / "README.md").read_text("utf-8")
            for heading in ("## May import", "## Recipe"):
                assert heading in text, f"{folder / 'README.md'}: no {heading!r}"
            section = text.partition("## May import")[2].partition("##")[0]
            assert re.findall(r"`(.+?)`", section) == ROWS[wing][1], folder / "README.md"


def test_each_wing_imports_only_what_the_table_allows():
    wrong = [where(module, item) for module, item in imports() if not may(module, item.module)]
    assert wrong == [], f"see the table of {TABLE}; move the small thing to the right room"


def test_no_import_goes_round():
    after: dict[str, set[str]] = {module: set() for module in PACKAGE.modules}
    for module, item in imports(for_types=False):
        after[module].add(item.module)
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other in a circle: {' -> '.join(error.args[1])}")


def test_only_apps_and_scripts_import_files():
    assert [wing for wing, (_, allowed) in ROWS.items() if "files" in allowed] == ["apps"]


def test_systems_do_not_import_each_other():
    systems = {"method", "wholepattern", "classification", "cbed", "campaigns"}
    for wing in systems & ROWS.keys():
        assert not systems & {name.split(".")[0] for name in ROWS[wing][1]}, wing


def test_declarations_import_no_code():
    wrong = [
        where(module, item)
        for module, item in imports()
        if module.rpartition(".")[2] in DECLARATIONS
        and wing_of(item.module) not in ("base", "crystal")
        and item.module.rpartition(".")[2] not in DECLARATIONS
    ]
    assert wrong == []


def test_nothing_imports_a_script_or_by_a_computed_name():
    script = re.compile(r"^\s*(?:from|import) (?:workflow|scripts)\b", re.MULTILINE)
    hidden = re.compile(r"\b(?:import_module|__import__|spec_from_file_location)\b")
    for module, path in PACKAGE.modules.items():
        text = path.read_text("utf-8")
        assert not script.search(text), f"{path}: imports a script"
        assert module in IMPORT_BY_NAME or not hidden.search(text), (
            f"{path}: imports by a name that the walker of mlindex.base.imports can't follow"
        )
