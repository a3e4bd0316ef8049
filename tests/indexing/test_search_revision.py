"""Dominant zones, pseudo-centring, and the lines that weigh what others found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.made_trials import generic_cell, trial_of
from mlindex.crystal.cell import cell_from_reciprocal, reciprocal_from_cell
from mlindex.crystal.equivalence import lattice_of, same
from mlindex.crystal.lattice import BRAVAIS, CENTRING_CODES, quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.indexing.options import Options
from mlindex.indexing.search.absences import absences
from mlindex.indexing.search.find_and_weigh import SEARCH_LINES, WEIGHED_LINES, find, weighed_again
from mlindex.indexing.search.observed import observe
from mlindex.indexing.search.pseudo import repeats
from mlindex.indexing.search.revision import _most_votes, revised
from mlindex.indexing.search.trials import weigh
from mlindex.indexing.search.walked import walk_of
from mlindex.patterns.peaklist import PeakList

PARAMETERS = [(b, p) for b, lattice in BRAVAIS.items() for p in range(lattice.system.n_free)]


def lines_of(cell: np.ndarray, centring: str, n: int) -> np.ndarray:
    """The first n different lines."""
    volume = lattice_of(cell, centring).volume_A3
    hkl = reflections(cell, centring, (n / volume) ** (2 / 3) + 0.1)
    q2 = np.sort(quadratic_terms(hkl) @ reciprocal_from_cell(cell))
    return q2[np.concatenate([[True], np.diff(q2) > 1e-6])][:n]


@pytest.mark.parametrize(("bravais", "parameter"), PARAMETERS)
def test_one_wrong_parameter_is_found_again(bravais, parameter):
    cell, letter = generic_cell(bravais), BRAVAIS[bravais].centring
    right, observed = trial_of(bravais, cell, letter, lines_of(cell, letter, 20))
    x = right.x.copy()
    scale = np.abs(x[0]) if abs(x[parameter]) < 1e-9 else np.abs(x[parameter])
    x[parameter] += 0.13 * scale
    wrong = replace(
        right,
        x=x,
        cell=cell_from_reciprocal(x @ walk_of(right.bravais.system).matrix),
        difference=observed.q2.copy(),
    )
    found = revised([wrong], observed)
    assert any(same(t.lattice(), right.lattice(), 1e-4, 1e-2) for t in found[1:])


def test_a_zone_that_has_nearly_all_lines_does_not_hide_the_third_axis():
    cell = np.array([3.7, 18.9, 29.3, 90.0, 90.0, 90.0])
    hkl = reflections(cell, "A", 0.2)
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    zone, rest = np.sort(q2[hkl[:, 0] == 0])[:16], np.sort(q2[hkl[:, 0] == 1])[[1, 4, 6, 9]]
    peaks = PeakList("made", np.sort(np.concatenate([zone, rest])), None, 1.5406)
    _, found, _ = find(peaks, Options(two_theta_error_deg=0.01, lattices=("oC",)))
    assert same(found[0].lattice(), lattice_of(cell, "A"), 1e-3, 0.05)


def test_a_trial_that_explains_all_lines_is_left_alone():
    cell = generic_cell("oP")
    trial, observed = trial_of("oP", cell, "P", lines_of(cell, "P", 20))
    assert revised([trial], observed) == [trial]


@pytest.mark.parametrize(
    ("bravais", "letter", "orders"),
    # Of cubic P: to I and to F; of I: half the axes; of F: half the axes.
    [("cP", "P", [2, 4]), ("cI", "I", [4]), ("cF", "F", [2]), ("hP", "P", [2, 3, 3, 4])],
)
def test_repeats_are_those_that_keep_the_symmetry(bravais, letter, orders):
    starts, translations = repeats(bravais, letter)
    hkl = np.stack(np.meshgrid(*[np.arange(24)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    own = BRAVAIS[bravais]
    allowed = quadratic_terms(hkl)[:, 0] >= 0
    if letter != "P":
        parity = hkl % 2
        allowed = (parity.sum(axis=1) % 2 == 0) if letter == "I" else np.ptp(parity, axis=1) == 0
    counts = []
    for i in range(len(starts) - 1):
        kept = np.all(hkl @ translations[starts[i] : starts[i + 1]].T % 24 == 0, axis=1)
        counts.append(round(allowed.sum() / (allowed & kept).sum()))
    assert sorted(counts) == orders
    assert own.symbol == bravais


def test_one_line_that_breaks_a_centring_speaks_for_pseudo_centring():
    cell = generic_cell("oP")
    centred = lines_of(cell, "C", 19)
    primitive = lines_of(cell, "P", 40)
    odd = next(q for q in primitive[10:] if np.abs(centred - q).min() > 1e-4)
    trial, observed = trial_of("oP", cell, "P", np.sort(np.append(centred, odd)))
    found = absences(trial, observed)
    assert found.pseudo > 2
    # All lines of a primitive lattice: it is no pseudo-centred one.
    plain = absences(*trial_of("oP", cell, "P", primitive[:20]))
    assert abs(plain.pseudo) < 0.2


def test_more_lines_weigh_what_the_first_found():
    cell = generic_cell("mP")
    q2 = lines_of(cell, "P", 60)
    peaks = PeakList("made", q2, None, 1.5406)
    options = Options(two_theta_error_deg=0.01, lattices=("mP",))
    observed, found, _ = find(peaks, options)
    assert len(observed.q2) == WEIGHED_LINES == len(found[0].difference)
    assert same(found[0].lattice(), lattice_of(cell, "P"), 1e-3, 0.05)
    first = observe(peaks, SEARCH_LINES, 0.01)
    assert weighed_again(found, first)[0].evidence < found[0].evidence
    assert len(find(peaks, replace(options, n_lines=12))[0].q2) == 12


@pytest.mark.parametrize("refine_shift", [False, True])
@pytest.mark.parametrize("bravais", ["mP", "aP"])
@pytest.mark.parametrize("seed", [101, 123, 193, 295, 350])
def test_lines_of_one_row_are_no_error(seed, bravais, refine_shift):
    # Orders of one reflection leave all other parameters open; rounding made these singular.
    first = 0.0123456789 * np.random.default_rng(seed).uniform(0.5, 1)
    q2 = np.arange(1, 9) ** 2 * first
    observed = observe(PeakList("made", q2, None, 1.5406), 20, 0.01)
    lattice = BRAVAIS[bravais]
    x6 = first * np.array([0.5, 3, 0.5, 0, 0, 0])
    x = x6 @ np.linalg.pinv(walk_of(lattice.system).matrix)
    codes = np.array([CENTRING_CODES["P"]])
    found = weigh(lattice, x[None], codes, observed, 0.0, refine_shift)
    assert all(np.isfinite(trial.evidence) for trial in found.values())


def test_votes_for_a_value_are_those_of_different_lines_near_it() -> None:
    rng = np.random.default_rng(2)
    chosen = 0
    for _ in range(40):
        n = rng.integers(1, 60)
        values, owner = np.sort(rng.random(n)), rng.integers(0, 8, n)
        width = np.full(n, rng.choice([0.003, 0.03, 0.2]))
        near = np.abs(values[:, None] - values) <= width
        votes = np.array([len(set(owner[row])) for row in near])
        plain = []
        while len(plain) < 6 and votes.max() >= 2:
            best = int(np.argmax(votes))
            plain.append(values[best])
            votes[np.abs(values - values[best]) <= 2 * width[best]] = 0
        assert _most_votes(values, width, owner, 6).tolist() == plain
        chosen += len(plain)
    assert chosen > 40
