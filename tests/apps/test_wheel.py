"""The wheel alone in a fresh environment: light, complete, and enough to index."""

import os
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from helpers.compiled import take_along

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "workflow" / "mlindex"
#: Of the whole environment, pip included: what was asked for.
MOST_MB = 600
HEAVY = (
    *("tensorflow", "keras", "sklearn", "pandas", "pymatgen", "snakemake"),
    *("scipy", "plotly", "spglib", "tqdm", "yaml", "matplotlib"),
)
NO_INDEX = ("No matching distribution found", "Could not install packages due to an OSError")

pytestmark = pytest.mark.slow


def finished(*command):
    return subprocess.run(
        [*map(str, command)],
        # What PYTHONPATH shows would count as installed.
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )


def pip(python, *arguments):
    done = finished(python, "-m", "pip", *arguments, "-q", "--disable-pip-version-check")
    if done.returncode and any(text in done.stderr for text in NO_INDEX):
        pytest.skip(f"no package index answers: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


def install(python, wheel):
    # As in the README: uv takes seconds where it is there.
    uv = shutil.which("uv", path=Path(sys.executable).parent) or "uv"
    with suppress(FileNotFoundError):
        command = (uv, "pip", "install", "--compile-bytecode", "--python", python, wheel)
        if finished(*command).returncode == 0:
            return
    pip(python, "install", wheel)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(PACKAGE, source / "workflow/mlindex", ignore=shutil.ignore_patterns("__py*__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source / name)
    pip(sys.executable, "wheel", "--no-deps", "-w", folder, source)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel):
    """The folder with the programs of an environment that holds the wheel and what it needs."""
    folder = wheel.parent / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    install(programs / "python", wheel)
    # lib64 may be a link to lib.
    (installed,) = {path.resolve() for path in folder.glob("[Ll]ib*/**/site-packages/mlindex")}
    take_along(installed)
    return programs


def run(*command, folder):
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_data_file_of_the_package_is_in_the_wheel(wheel):
    wanted = {
        f"mlindex/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    }
    assert len(wanted) > 10
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_environment_is_light(environment):
    files = {(f.stat().st_ino, f.stat().st_size) for f in environment.parent.rglob("*")}
    assert sum(size for _, size in files) < MOST_MB * 1e6
    code = f"import importlib.util as u; print([n for n in {HEAVY} if u.find_spec(n)])"
    assert run(environment / "python", "-c", code, folder=environment) == (0, "[]\n")


def test_it_indexes_from_another_folder(environment, tmp_path):
    shutil.copy(PROJECT / "resources/samples/tenorite.txt", tmp_path)
    code, said = run(
        *(environment / "mlindex", "index", "tenorite.txt", "--lattice", "monoclinic"),
        *("--formula", "CuO", "--out", "found", "--time-limit", "600"),
        folder=tmp_path,
    )
    assert code == 0, said
    assert "A convincing cell: monoclinic C (mC)" in said
    written = {path.name for path in (tmp_path / "found").iterdir()}
    assert {"result.html", "result.json", "best.cif", "candidate_cells.parquet"} <= written
    assert (tmp_path / "found/result.html").stat().st_size < 1.5e6
    code, said = run(environment / "python", "-m", "mlindex", "verify", "found", folder=tmp_path)
    assert code == 2
    assert 'pip install "mlindex[workflow]"' in said
