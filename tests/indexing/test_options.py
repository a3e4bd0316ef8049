"""The options of indexing: one class, from which flags, settings and keywords are made."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from typer.testing import CliRunner

import mlindex
from mlindex.apps.cli import app
from mlindex.base.errors import MlindexError
from mlindex.config import document
from mlindex.indexing.options import Options, about
from mlindex.indexing.settings import Sample
from mlindex.patterns.peaklist import PeakList

OPTIONS = [pytest.param(one, id=one.name) for one in fields(Options)]


def _words(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_on_the_command_line_in_the_config_and_a_keyword(option) -> None:
    known = about(option)
    assert known.help.endswith(".")
    for name in ("index", "batch"):
        shown = _words(CliRunner().invoke(app, [name, "--help"]).output)
        assert f" {known.flag} " in shown
        assert known.help in shown
        assert known.range in shown
    assert known.key in Sample.model_fields
    assert any(f"`{known.key}`" in row and known.help in row for row in document().splitlines())
    assert known.of_file or option.name in inspect.signature(mlindex.index).parameters
    assert known.of_file or known.help in _words(mlindex.index.__doc__)


def test_settings_without_values_are_the_defaults_but_for_the_time_limit() -> None:
    assert Sample(path="x").options() == Options(time_limit_s=300.0)


def test_options_are_frozen_and_checked_however_they_are_made() -> None:
    options = Options(lattices=["cubic"], n_lines=np.int64(12))
    assert options.lattices == ("cubic",)
    with pytest.raises(FrozenInstanceError):
        options.keep = 3
    with pytest.raises(MlindexError, match="candidates to keep -1"):
        replace(options, keep=-1)
    assert Options(lattices="mC").bravais_lattices() == ["mC"]
    assert Options(lattices=("mC", "cubic")).bravais_lattices() == ["cP", "cI", "cF", "mC"]
    assert len(Options().bravais_lattices()) == 14


def test_options_come_one_by_one_or_together(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        "mlindex.wholepattern.indexer.index_list", lambda *given: asked.append(given)
    )
    peaks = PeakList("x", np.array([0.1, 0.2]), None, None)
    mlindex.index(peaks, options=Options(keep=3, n_lines=9), keep=4, workers=2)
    ((given, options, workers, *_),) = asked
    assert given is peaks
    assert options == Options(keep=4, n_lines=9)
    assert workers == 2
    with pytest.raises(TypeError, match="no option 'time_limit'; did you mean 'time_limit_s'"):
        mlindex.index(peaks, time_limit=3)
    with pytest.raises(TypeError, match="'wavelength_A'"):
        mlindex.index(peaks, wavelength_A=1.5406)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"workers": 0}, "workers 0: give a whole number of threads, 1 or more, or None"),
        ({"workers": 1.5}, "workers 1.5: give a whole number"),
        ({"time_limit_s": np.inf}, "time limit inf s: give a number, above 0"),
        ({"keep": float("inf")}, "candidates to keep inf: give a whole number"),
    ],
)
def test_neither_no_worker_nor_endless_numbers_are_taken(option: dict, message: str) -> None:
    peaks = PeakList("x", np.array([0.1, 0.2]), None, None)
    with pytest.raises(MlindexError, match=message):
        mlindex.index(peaks, **option)


def test_a_wavelength_that_is_missing_is_asked_for_as_python_gives_it() -> None:
    with pytest.raises(MlindexError, match=r"in Python wavelength=.*# wavelength: 1\.5406"):
        mlindex.peaks_from_columns("x", "2theta", [20.0, 30.0], None)


def test_numbers_alone_are_no_list_of_peaks() -> None:
    with pytest.raises(
        MlindexError, match=r"a peak list is needed, not a list: give mlindex\.read"
    ):
        mlindex.index([2.75, 2.53])
    assert len(mlindex.peaks_from_columns("x", "d", [2.75, 2.53], None)) == 2
