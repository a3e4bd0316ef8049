"""Results in a notebook, and the example of it in the documentation."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import indexing_results as made
from mlindex.base.errors import MlindexError
from mlindex.patterns.peaklist import PeakList
from mlindex.reports.result import notebook

ROOT = Path(__file__).parents[2]


def test_the_example_of_the_documentation_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    names = runpy.run_path("docs/examples/notebook.py")
    out = capsys.readouterr().out
    assert names["best"].bravais == "cF"
    assert "a = 5.43" in out
    assert "1  1  1  1" in out
    assert names["figure"].to_plotly_json()["data"]


def test_a_result_has_a_table_of_its_cells():
    result = made.monoclinic("a<b>.xye")
    html = result._repr_html_()
    assert "A convincing cell: monoclinic P (mP)" in html
    assert html.count("<tr") == 1 + len(result.candidates)
    assert "7.0940(8)" in html
    assert "<b>.xye" not in html
    assert "No cell was found" in made.empty()._repr_html_()


def test_tables_are_data_frames():
    result = made.monoclinic()
    assert result.to_frame()["bravais_lattice"].tolist() == ["mP", "mP", "oP", "mC", "aP"]
    assert len(result.to_frame("absent_lines")) == sum(len(c.absent) for c in result.candidates)
    with pytest.raises(MlindexError, match=r"no table 'cells' in a result: choose one of .*lines"):
        result.to_frame("cells")


def test_without_pandas_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MlindexError, match=r'needs pandas, .* pip install "mlindex\[workflow\]"'):
        made.monoclinic().to_frame()


def test_the_figure_lays_the_candidate_asked_for_over_the_pattern():
    result = made.monoclinic()
    pattern, *_ = made.pattern_of(result.peaks)
    figure = result.plot(3, pattern)
    marked = {
        t.meta["candidate"] for t in figure.data if t.meta and t.meta["selected"] and t.visible
    }
    assert marked == {2}
    ticks = [t for t in figure.data if t.meta and not t.meta["selected"]]
    assert [t.opacity == 1 for t in ticks] == [False, False, True, False, False]
    assert any(t.name == "measured" for t in figure.data)
    with pytest.raises(MlindexError, match="no candidate 6 in the figure: choose one from 1 to 5"):
        result.plot(6)
    assert made.empty().plot().data


def test_what_is_printed_is_one_line():
    result = made.monoclinic("a\nb.xye")
    texts = [
        repr(t) for t in (result, made.empty(), result.peaks, made.pattern_of(result.peaks)[0])
    ]
    texts += [repr(candidate) for candidate in result.candidates]
    assert all(len(text) < 160 and "\n" not in text for text in texts)
    assert texts[0] == (
        r"IndexingResult('a\nb.xye', convincing: mP 7.0940 9.2320 11.6570 90 97.67 90; "
        "5 candidates)"
    )
    assert texts[2] == r"PeakList('a\nb.xye', 25 lines, d 7.199 to 3.0581 A, wavelength 1.5406 A)"
    assert "no cell; 0 candidates" in texts[1]
    assert "hR 4.7588 4.7588 12.9910 90 90 120" in repr(made.rhombohedral().candidates[0])
    assert (
        repr(PeakList("none", result.peaks.q2_inv_A2[:0], None, None))
        == "PeakList('none', 0 lines)"
    )


def test_the_package_loads_what_shows_results():
    code = (
        "import sys, mlindex; mlindex.index; from mlindex.indexing import result; "
        "assert result._views; assert 'plotly' not in sys.modules and 'pandas' not in sys.modules"
    )
    paths = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    subprocess.run([sys.executable, "-c", code], env=paths, check=True)
    assert notebook.html is not None


def test_without_it_a_sentence_says_so(monkeypatch):
    monkeypatch.setattr("mlindex.indexing.result._views", [])
    assert made.monoclinic()._repr_html_() is None
    with pytest.raises(MlindexError, match=r"import mlindex\.reports\.result\.notebook"):
        made.monoclinic().plot()
