"""What is imported, and not: importing and help stay quick, a search loads nothing heavy."""

import subprocess
import sys

import pytest

# scipy is not among them: numba loads it where it is installed. tests/apps/test_wheel.py has none.
HEAVY = {"pandas", "sklearn", "keras", "tensorflow", "plotly", "pymatgen", "snakemake"}
COMPILED = {"numpy", "numba", "pyarrow", "gemmi", "pydantic"}
HELP = "import mlindex.apps.cli as cli\ntry:\n    cli.app(['--help'])\nexcept SystemExit: pass"
#: Modules that the command uses, beside those that they import.
COMMAND = (
    *(
        "apps.symmetry",
        "apps.command",
        "apps.batch.console",
        "apps.batch.work",
        "indexing.compiling",
        "files",
    ),
    *("reports.result.page", "reports.result.terminal", "reports.result.data"),
    *("reports.result.cif", "reports.result.parquet", "patterns.peaksearch"),
)


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import mlindex", COMPILED | HEAVY | {"typer", "rich"}),
        (HELP, COMPILED | HEAVY),
        ("\n".join(f"import mlindex.{name}" for name in COMMAND), HEAVY),
    ],
    ids=["import", "help", "command"],
)
def test_nothing_is_imported_that_is_not_needed(code, unwanted):
    shown = f"{code}\nimport sys\nprint('loaded', sorted({unwanted} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded []"
