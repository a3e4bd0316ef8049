"""From pools of trials to a ranking over all lattices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlindex.crystal.cell import (
    cell_from_metric,
    cell_from_reciprocal,
    metric_tensor,
    reciprocal_from_cell,
)
from mlindex.crystal.equivalence import Lattice, lattice_of, volume_tolerance
from mlindex.crystal.equivalence_kernels import is_one_of
from mlindex.crystal.lattice import BRAVAIS, CENTRING_CODES, BravaisLattice
from mlindex.crystal.recognition import nearest_of_each, recognize
from mlindex.crystal.tolerances import ONE_CANDIDATE
from mlindex.indexing.search.evidence import ObservedPattern, model_of, refine_and_weigh
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.pool import Pool
from mlindex.indexing.search.walked import walk_of, walked_centrings

#: Of each Bravais lattice so many trials are refined, the best of them with a zero shift as well,
#: and so many of all these go on.
_REFINED, _SHIFTED, _KEPT = 200, 50, 12
#: So many go through lattice recognition.
_RECOGNIZED = 24
_MOST_REFLECTIONS = 1500
#: Trials whose volumes differ by more, in ln V, are not one lattice.
_SAME_LOG_VOLUME = volume_tolerance(*ONE_CANDIDATE)
#: Relative length and angle, in degrees, much smaller than what makes two trials one lattice.
_KEY, _KEY_DEG = 1e-4, 5e-3
#: A trial may be of a higher symmetry that moves its lines by this much (relative q²).
_SYMMETRY_TOLERANCE = 4e-3
_LETTERS = {code: letter for letter, code in CENTRING_CODES.items()}


@dataclass(frozen=True)
class Trial:
    """A refined lattice in the setting walked, and what speaks for it.

    ``centring`` is its letter there, ``cell`` the six parameters there (A, degrees), ``shift_deg``
    the zero shift it was refined with, ``difference`` (n,) observed - calculated q².
    """

    bravais: BravaisLattice
    centring: str
    x: np.ndarray
    cell: np.ndarray
    shift_deg: float
    evidence: float
    number: int
    difference: np.ndarray

    def lattice(self) -> Lattice:
        """For comparisons."""
        return self._lattice

    @cached_property
    def _lattice(self) -> Lattice:
        return lattice_of(self.cell, self.centring)


def weigh(
    bravais: BravaisLattice,
    x: np.ndarray,
    centring: np.ndarray,
    observed: Observed,
    shift_deg: float,
    refine_shift: bool,
) -> dict[int, Trial]:
    """Refine free parameters x (m, f) with centring codes (m,): the good ones, best first, by their
    places among those given."""
    parameters = np.column_stack([x, np.full(len(x), shift_deg)])
    system = bravais.system
    evidence, numbers, differences = refine_and_weigh(
        parameters,
        np.asarray(centring, dtype=np.int64),
        np.array(walk_of(system).domain),
        model_of(walk_of(system).matrix, observed.q2[-1], refine_shift, _MOST_REFLECTIONS),
        ObservedPattern(
            observed.q2,
            observed.sigma,
            observed.errors,
            observed.slope,
            observed.stray,
            observed.resolution,
        ),
    )
    cells = cell_from_reciprocal(parameters[:, :-1] @ walk_of(system).matrix)
    good = np.isfinite(evidence) & np.all(np.isfinite(cells), axis=1)
    return {
        i: Trial(
            bravais,
            _LETTERS[int(centring[i])],
            parameters[i, :-1],
            cells[i],
            float(parameters[i, -1]),
            float(evidence[i]),
            int(numbers[i]),
            differences[i],
        )
        for i in np.argsort(-evidence, kind="stable").tolist()
        if good[i]
    }


def trial_of(
    bravais: BravaisLattice, cell: np.ndarray, centring: str, observed: Observed, shift_deg: float
) -> Trial | None:
    """A cell (6,) in the setting of the table refined and weighed, with a zero shift where it
    starts with one."""
    x, letter = walked(cell, bravais, centring)
    codes = np.array([CENTRING_CODES[letter]])
    found = weigh(bravais, x[None], codes, observed, shift_deg, shift_deg != 0.0)
    return next(iter(found.values()), None)


def trials_of(
    bravais: BravaisLattice, pool: Pool, observed: Observed, shift_deg: float
) -> list[Trial]:
    """The best trials of a pool, refined without and, the best of these, with a zero shift."""
    x6, _, centring = pool.best(_REFINED)
    if not len(x6):
        return []
    x = x6 @ np.linalg.pinv(walk_of(bravais.system).matrix)
    found = weigh(bravais, x, centring, observed, shift_deg, shift_deg != 0)
    trials = list(found.values())
    if shift_deg == 0 and observed.shiftable:
        best = list(found)[:_SHIFTED]
        trials += weigh(bravais, x[best], centring[best], observed, shift_deg, True).values()
    return different(sorted(trials, key=lambda t: -t.evidence), _KEPT)


def different(ranked: Iterable[Trial], most: int) -> list[Trial]:
    """The first of each lattice, at most so many."""
    kept: list[Trial] = []
    cells = np.empty((most, 6))
    seen: set[tuple] = set()
    for trial, key in _keyed(list(ranked)):
        if key in seen:
            continue
        seen.add(key)
        cell = trial.lattice().reduced
        if not is_one_of(cell, cells[: len(kept)], _SAME_LOG_VOLUME, *ONE_CANDIDATE):
            cells[len(kept)] = cell
            kept.append(trial)
            if len(kept) == most:
                break
    return kept


def _keyed(trials: list[Trial]) -> Iterator[tuple[Trial, tuple]]:
    """Trials with keys: those with the same key need no comparison to be one lattice."""
    cells = np.array([trial.cell for trial in trials]).reshape(-1, 6)
    places = np.rint(np.hstack([np.log(cells[:, :3]) / _KEY, cells[:, 3:] / _KEY_DEG]))
    for trial, place in zip(trials, places.tolist(), strict=True):
        yield trial, (trial.bravais.symbol, trial.centring, *place)


def with_higher_symmetry(trials: list[Trial], observed: Observed) -> list[Trial]:
    """The trials and, of the best, every lattice of higher symmetry that they nearly have."""
    found = list(trials)
    for trial in sorted(trials, key=lambda t: -t.evidence)[:_RECOGNIZED]:
        x6 = reciprocal_from_cell(trial.lattice().reduced)
        for way in nearest_of_each(x6, _SYMMETRY_TOLERANCE):
            bravais = BRAVAIS[way.bravais]
            if bravais.system.n_free < trial.bravais.system.n_free:
                x, letter = walked(way.cell, bravais, way.centring)
                codes = np.array([CENTRING_CODES[letter]])
                for refine_shift in (False, True) if observed.shiftable else (False,):
                    shift = trial.shift_deg if refine_shift else 0.0
                    found += weigh(bravais, x[None], codes, observed, shift, refine_shift).values()
    return found


def walked(cell: np.ndarray, bravais: BravaisLattice, centring: str) -> tuple[np.ndarray, str]:
    """Free reciprocal parameters (f,) and centring letter in the setting walked."""
    system = bravais.system
    if bravais.other_setting is not None:
        rows = np.array(bravais.other_setting.basis)
        cell = cell_from_metric(rows @ metric_tensor(cell) @ rows.T)
        centring = walked_centrings(bravais)
    return reciprocal_from_cell(cell) @ np.linalg.pinv(walk_of(system).matrix), centring


def tabled(bravais: BravaisLattice, cell: np.ndarray, centring: str) -> tuple[np.ndarray, str]:
    """The cell (6,) and centring letter in the setting of the one table, from those walked."""
    if bravais.other_setting is None:
        return cell, centring
    rows = np.linalg.inv(np.array(bravais.other_setting.basis, dtype=float))
    return cell_from_metric(rows @ metric_tensor(cell) @ rows.T), bravais.centring


def standard(trial: Trial) -> tuple[np.ndarray, str]:
    """Conventional cell (6,) and centring letter in the standard setting."""
    own = recognize(reciprocal_from_cell(trial.lattice().reduced), 1e-5, trial.bravais.symbol)
    if not own:
        return trial.cell, trial.centring
    best = min(own, key=lambda way: way.distance)
    return best.cell, best.centring
