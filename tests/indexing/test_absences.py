"""What extinction classes and pseudo-centring add to the evidence, against plain sums."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.made_trials import generic_cell, trial_of
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.extinction_classes import allowed_mask, extinction_classes
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import distinct, reflections
from mlindex.indexing.search.absences import NEAR_SIGMAS, absences
from mlindex.indexing.search.evidence import log_likelihood, plain_misfit
from mlindex.indexing.search.lines import STRAY
from mlindex.indexing.search.pseudo import WEAK_SHARES, pseudo_centred, repeats


def some_lines(bravais: str, error_sigmas: float):
    """A trial of a lattice and 20 of its lines, so far off, with two that are none of it."""
    cell, centring = generic_cell(bravais), BRAVAIS[bravais].centring
    hkl = reflections(cell, centring, 1.5)
    q2 = np.unique(np.round(quadratic_terms(hkl) @ reciprocal_from_cell(cell), 9))[:36]
    rng = np.random.default_rng(5)
    q2 = np.sort(np.append(rng.choice(q2, 18, replace=False), [0.0911, 0.1907]))
    _, observed = trial_of(bravais, cell, centring, q2)
    q2 = np.sort(q2 + error_sigmas * observed.sigma * rng.normal(size=20))
    return cell, centring, *trial_of(bravais, cell, centring, q2)


def nearest(q2: np.ndarray, calculated: np.ndarray) -> np.ndarray:
    return np.abs(q2[:, None] - calculated).min(axis=1, initial=np.inf)


@pytest.mark.parametrize("bravais", ["mP", "oP", "oC", "tI", "hP", "cP"])
@pytest.mark.parametrize("error_sigmas", [0.0, 1.0])
def test_classes_are_weighed_by_their_own_lines(bravais, error_sigmas):
    _, centring, trial, observed = some_lines(bravais, error_sigmas)
    found = absences(trial, observed)
    q2, cell = observed.q2, trial.cell
    hkl = reflections(cell, centring, q2[-1] * 1.05)
    calculated = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    best, plain = -np.inf, None
    for extinction in extinction_classes(bravais, centring):
        own = calculated[allowed_mask(hkl, extinction)]
        lines = own[distinct(own)]
        lines = lines[lines <= q2[-1] + 2 * observed.sigma[-1]]
        value = max(
            log_likelihood(
                plain_misfit(nearest(q2, own)), errors, observed.stray, max(len(lines), 1), q2[-1]
            )
            for errors in observed.errors
        )
        plain = value if plain is None else plain
        if value > best:
            best, n_lines = value, len(lines)
            early = lines[lines <= q2[10]]
            off = np.abs(early[:, None] - q2) / observed.sigma
            unseen = np.mean(off.min(axis=1) > NEAR_SIGMAS)
    assert found.best == pytest.approx(best - plain, abs=1e-8)
    assert found.allowed == n_lines
    assert found.unseen == pytest.approx(unseen)


@pytest.mark.parametrize("bravais", ["aP", "mC", "oP", "hP"])
def test_pseudo_centring_is_a_mixture_of_strong_and_weak_lines(bravais):
    cell, centring, _, observed = some_lines(bravais, 0.5)
    q2 = observed.q2
    hkl = reflections(cell, centring, q2[-1] * 1.05)
    calculated = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    free = extinction_classes(bravais, centring)[0]
    starts, translations = repeats(bravais, centring)
    found = pseudo_centred(
        hkl,
        calculated,
        q2,
        observed.sigma,
        observed.errors,
        observed.stray,
        free.rotations.astype(np.int64),
        free.translations_24.astype(np.int64),
        starts,
        translations,
        WEAK_SHARES,
    )
    assert len(found) == len(starts) - 1 > 0
    for s, value in enumerate(found):
        own = translations[starts[s] : starts[s + 1]]
        weak = np.any(hkl @ own.T % 24 != 0, axis=1)
        parts = [(calculated[~weak], 1 - WEAK_SHARES), (calculated[weak], WEAK_SHARES)]
        totals = []
        for errors in observed.errors:
            density = 0.0
            for lines, share in parts:
                number = np.sum(lines[distinct(lines)] <= q2[-1] + 2 * observed.sigma[-1])
                z = nearest(q2, lines) / errors
                normal = np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * errors)
                density = density + share[:, None] / max(number, 1) * normal
            totals.append(np.log((1 - STRAY) * q2[-1] * density + STRAY).sum(axis=1))
        assert value == pytest.approx(np.log(np.mean(np.exp(np.max(totals, axis=0)))), rel=1e-9)
