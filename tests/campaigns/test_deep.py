"""A deep kernel on spectra: held-out rows, the same bytes, and what is said where it can't be."""

import sys

import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.campaigns.methods import method
from mlindex.campaigns.methods.contract import Seen
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.models import deep as module
from mlindex.campaigns.models.deep import FEWEST, Deep, deep
from mlindex.campaigns.models.gaussian import Gaussian
from mlindex.campaigns.models.portfolio import MEMBERS, learnt
from mlindex.campaigns.models.targets import standardized

COLUMNS = 96
#: Rows that are learnt from.
FIRST = 70
OPTIONS = Options(model="deep", scores="raw")
GROUPS = np.append(np.zeros(COLUMNS, dtype=int), 1)


def spectra(rows, seed=0):
    """Two peaks anywhere, whose splitting is the score, noise; a column that adds to the score."""
    rng = np.random.default_rng(seed)
    splitting = 0.02 + 0.1 * rng.random((rows, 1))
    place = rng.random((rows, 1)) * (1 - splitting)
    grid = np.linspace(0, 1, COLUMNS)
    table = np.exp(-0.5 * ((grid - place) / 0.01) ** 2)
    table += np.exp(-0.5 * ((grid - place - splitting) / 0.01) ** 2)
    beside = rng.random((rows, 1))
    x = np.clip(np.hstack([table + 0.02 * rng.standard_normal(table.shape), beside]), 0, 1)
    return x, standardized(20 * splitting[:, 0] + beside[:, 0]).values


@pytest.fixture(scope="module")
def rows():
    """Of which the first are learnt from: their targets have mean 0 and variance 1."""
    pytest.importorskip("tensorflow")
    x, y = spectra(FIRST + 80)
    return x, (y - y[:FIRST].mean()) / y[:FIRST].std()


@pytest.fixture(scope="module")
def seen(rows):
    x, y = rows
    return Seen.of(x[:FIRST], y[:FIRST], GROUPS)


@pytest.fixture(scope="module")
def model(seen):
    return learnt(seen, OPTIONS).models[0]


def test_held_out_spectra_are_predicted_better_than_from_their_columns(rows, model):
    x, y = rows
    plain = Gaussian.learnt(x[:FIRST], y[:FIRST], GROUPS).predict(x[FIRST:]).mean
    found = model.predict(x[FIRST:])
    error = found.mean - y[FIRST:]
    assert isinstance(model, Deep)
    assert np.mean(error**2) < 0.5 * np.mean((plain - y[FIRST:]) ** 2)
    assert 0.4 < np.sqrt(np.mean((error / found.deviation) ** 2)) < 2.5


def test_the_same_rows_give_the_same_bytes_whatever_was_trained_between(rows, model, monkeypatch):
    monkeypatch.setattr(module, "_EPOCHS", 10)
    x, y = rows
    before = model.predict(x[FIRST:]).mean.tobytes()
    first, _ = (deep(x[:n], y[:n], GROUPS).predict(x[FIRST:]).mean for n in (20, 25))
    assert model.predict(x[FIRST:]).mean.tobytes() == before
    module._encoders.cache_clear()
    again = deep(x[:20], y[:20], GROUPS).predict(x[FIRST:]).mean
    assert again.tobytes() == first.tobytes()


def test_it_keeps_what_a_gaussian_process_does(rows, model):
    x, y = rows
    more = model.with_row(x[100], y[100])
    assert isinstance(more, Deep)
    assert more.predict(x[100:101]).deviation < model.predict(x[100:101]).deviation
    assert model.draws(x[90:100], 3, np.random.default_rng(0)).shape == (3, 10)


def test_left_out_rows_are_as_wrong_as_new_ones(rows, model):
    x, y = rows
    out = model.left_out()
    errors = [
        abs(out.mean - y[:FIRST]).mean(),
        abs(model.predict(x[FIRST:]).mean - y[FIRST:]).mean(),
    ]
    assert errors[0] > 0.8 * errors[1]
    assert errors[0] < 0.7 * abs(y[:FIRST]).mean()
    assert np.mean(((y[:FIRST] - out.mean) / out.deviation) ** 2) == pytest.approx(1)


def test_a_method_proposes_with_it(rows, seen):
    x, y = rows
    rng = np.random.default_rng(0)
    found = method("expected_improvement", OPTIONS).propose(seen, x[FIRST:], 4, rng)
    assert y[FIRST:][found.chosen].mean() > np.median(y[FIRST:]) + 0.5
    assert [name for name, members in MEMBERS.items() if "deep" in members] == ["deep"]
    assert Options().model != "deep"


@pytest.mark.parametrize("count", [2, FEWEST - 1, 20])
def test_rows_that_say_little_are_taken(rows, count):
    x, _ = rows
    found = deep(x[:count], np.zeros(count), GROUPS).predict(x[100:105])
    assert np.isfinite(found.mean).all()
    assert (found.deviation > 0).all()


def test_rows_without_a_spectrum_are_refused():
    x = np.random.default_rng(0).random((20, 5))
    with pytest.raises(MlindexError, match=r"64 columns of one quantity .* has 1: take another"):
        learnt(Seen.of(x, x[:, 0]), Options(model="deep"))


def test_what_is_not_installed_is_said(rows, monkeypatch):
    x, y = rows
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(MlindexError, match=r"model: deep needs keras.*mlindex\[workflow\]"):
        deep(x[:40], y[:40], GROUPS)
