"""What a search says of each Bravais lattice."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mlindex.crystal.extinction_classes import extinction_classes
from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.indexing.lattices import evidence_of, searched_lists
from mlindex.indexing.result import Extinction
from mlindex.patterns.peaklist import PeakList

LATTICES, SYMBOLS = classes_of("bravais").names, classes_of("extinction_symbol").names


def candidate(bravais, probability, log_evidence, extinctions=()):
    return SimpleNamespace(
        bravais=bravais,
        probability=probability,
        log_evidence=log_evidence,
        volume_A3=240.0,
        extinctions=tuple(extinctions),
    )


def equal_shares(bravais: str, centring: str) -> list[Extinction]:
    classes = extinction_classes(bravais, centring)
    return [Extinction(c.symbol, c.space_groups, 1 / len(classes), 0) for c in classes]


def test_candidates_of_a_lattice_are_summed_and_the_others_unknown():
    found = (candidate("oP", 0.5, 20.0), candidate("mP", 0.2, 22.0), candidate("oP", 0.1, 25.0))
    evidence = evidence_of(SimpleNamespace(candidates=found, convincing=True))
    probability = dict(zip(LATTICES, evidence.probability, strict=True))
    assert probability.pop("oP") == pytest.approx(0.6)
    assert probability.pop("mP") == 0.2
    assert set(probability.values()) == {0.0}
    assert evidence.log_evidence[LATTICES.index("oP")] == 25
    assert np.isnan(evidence.log_evidence).sum() == np.isnan(evidence.volume_A3).sum() == 12
    assert evidence.volume_A3[LATTICES.index("oP")] == 240
    assert [n for n, yes in zip(LATTICES, evidence.convincing, strict=True) if yes] == ["oP"]
    assert np.isnan(evidence.symbols).all()


@pytest.mark.parametrize("bravais", list(BRAVAIS))
def test_symbols_of_every_setting_find_their_class_and_add_to_one(bravais):
    for centring in BRAVAIS[bravais].centrings:
        one = candidate(bravais, 0.4, 9.0, equal_shares(bravais, centring))
        symbols = evidence_of(SimpleNamespace(candidates=(one,), convincing=False)).symbols
        own = np.array([name.split()[0] == bravais for name in SYMBOLS])
        assert (symbols[own] > 0).all()
        assert symbols[own].sum() == pytest.approx(1)
        assert np.isnan(symbols[~own]).all()


def test_the_first_candidate_of_a_lattice_gives_its_symbols():
    first, second = equal_shares("cF", "F")[:1], equal_shares("cF", "F")[-1:]
    found = (candidate("cF", 0.5, 9.0, first), candidate("cF", 0.4, 9.0, second))
    symbols = evidence_of(SimpleNamespace(candidates=found, convincing=False)).symbols
    assert symbols[SYMBOLS.index("cF F - - -")] == first[0].probability
    assert np.nansum(symbols) == pytest.approx(first[0].probability)


def test_lists_are_searched_and_short_ones_say_nothing():
    cubic = PeakList("cP", np.array([1, 2, 3, 4, 5, 6, 8, 9, 10, 11]) / 25, None, 1.5406)
    short = PeakList("short", np.array([0.1, 0.2]), None, 1.5406)
    found, nothing = searched_lists([cubic, short], 60.0)
    assert LATTICES[np.argmax(found.probability)] == "cP"
    assert found.probability.sum() <= 1 + 1e-9
    assert nothing.probability.sum() == 0
