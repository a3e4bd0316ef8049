"""The pages: they build offline, their links hold, and what is generated is up to date."""

import doctest
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlindex.apps.cli import app
from mlindex.apps.reference import pages
from mlindex.wholepattern.compiling import warm_up

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
README = PROJECT / "README.md"
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
#: What a browser would fetch from elsewhere to show a page.
FETCHED = re.compile(r"<(?:script|link|img)\b[^>]*(?:src|href)=[\"'](?:https?:)?//[^>]*>")


def script(path):
    """A script of the docs as a module, without its command line run."""
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_site_builds_strictly_and_needs_no_network(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", tmp_path / "trees"]
    site = tmp_path / "site"
    done = subprocess.run(
        [*command, DOCS, site], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    shown = sorted(site.rglob("*.html"))
    assert len(shown) > 20
    for page in shown:
        assert not FETCHED.findall(page.read_text(encoding="utf-8")), page


def test_a_broken_link_fails_the_build(tmp_path):
    (tmp_path / "conf.py").write_text((DOCS / "conf.py").read_text())
    (tmp_path / "static").mkdir()
    (tmp_path / "static/wide.css").touch()
    (tmp_path / "index.md").write_text("# One\n\n[two](two.md), [three](#three)\n")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q"]
    done = subprocess.run(
        [*command, tmp_path, tmp_path / "site"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "two.md" in done.stderr
    assert "three" in done.stderr


def test_the_reference_is_what_the_code_declares():
    written = {path.name: path.read_text("utf-8") for path in (DOCS / "reference").glob("*.md")}
    assert written == pages(app), "run 'mlindex docs'"


def test_figures_are_those_of_their_files():
    figures = script(DOCS / "figures.py")
    for page in figures.PAGES:
        text = page.read_text("utf-8")
        assert text == figures.rendered(text), "run 'python docs/figures.py'"


def test_every_record_says_how_it_was_measured():
    for path in sorted((DOCS / "how_well").glob("*.json")):
        found = script(DOCS / "figures.py").record(path.stem)
        assert found["command"].startswith("python benchmarks/"), path
        assert all(found[key] for key in ("version", "commit", "date", "lists", "tables")), path


def test_drawings_are_what_their_script_draws():
    for name, drawing in script(DOCS / "pictures/draw.py").drawings().items():
        assert (DOCS / "pictures" / name).read_text("utf-8") == drawing, name


def test_the_readme_is_short_and_has_its_two_commands():
    lines = README.read_text("utf-8").splitlines()
    assert len(lines) <= 150
    commands = {}
    for i, line in enumerate(lines):
        if line in ("<!-- main command -->", "<!-- test command -->"):
            assert lines[i + 1] == "```sh"
            assert lines[i + 3] == "```"
            commands[line.split()[1]] = lines[i + 2]
    assert '-e ".[workflow]"' in commands["main"]
    assert "results/models/monoclinic" in commands["main"]
    assert '-e ".[test]"' in commands["test"]
    assert (DOCS / "pictures/result.png").stat().st_size < 200_000


@pytest.mark.parametrize("page", [README, *sorted(DOCS.rglob("*.md"))], ids=lambda p: p.stem)
def test_links_to_files_hold_outside_the_site_too(page):
    for target in LINK.findall(page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page}: {target}"


@pytest.mark.parametrize(
    "page",
    [
        "tutorials/first_pattern",
        "tutorials/bad_pattern",
        "tutorials/folder_symmetry",
        "how_to/impurities",
    ],
)
def test_examples_of_the_pages_run(page, monkeypatch):
    # Compiling is no part of the search, and would use up its time.
    warm_up()
    monkeypatch.chdir(PROJECT)
    path = DOCS / f"{page}.md"
    example = doctest.DocTestParser().get_doctest(
        "\n".join(re.findall(r"```python\n(>>> .*?)```", path.read_text("utf-8"), re.DOTALL)),
        {},
        page,
        str(path),
        0,
    )
    assert example.examples
    failures = []
    doctest.DocTestRunner(verbose=False).run(example, out=failures.append)
    assert not failures, "".join(failures)


def test_figures_come_from_the_files_of_benchmarks(tmp_path, monkeypatch):
    figures = script(DOCS / "figures.py")
    monkeypatch.setattr(figures, "HERE", tmp_path)
    page = "Before\n\n<!-- figures: exact -->\nold\n<!-- end -->\n"
    assert "Not measured yet with this version: exact.json" in figures.rendered(page)
    row = {"lattice": "cP", "entries": 4, "first": 3, "first or partner": 4, "in 20": 4}
    row |= {"wrong and convincing": 0, "median_s": 0.5, "worst_s": 1.0, "median_cpu_s": 0.4}
    how = {"command": "python benchmarks/indexing.py results", "version": "1", "commit": "abc"}
    how |= {"date": "2026-11-28", "machine": "2 cores", "lists": "Four lists."}
    (tmp_path / "how_well").mkdir()
    record = how | {"tables": {"lattices": [row]}}
    (tmp_path / "how_well/exact.json").write_text(json.dumps(record), "utf-8")
    shown = figures.rendered(page)
    assert "old" not in shown
    assert "| cP | 4 | 75.0 % (30 to 95) | 100.0 % (51 to 100) | 4 | 0 | 0.50 | 1.0 |" in shown
    assert "Four lists. Measured with `python benchmarks/indexing.py results`, version 1" in shown
    assert figures.rendered(shown) == shown
