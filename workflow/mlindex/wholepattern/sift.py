"""The trials that lines leave open, sifted by the whole profile.

A trial's cell and shift are those that its lines were refined with. As far as these reach, its
reflections lie within a fraction of a width of where they are seen: fitting the heights alone, in
one step of a few milliseconds, tells most wrong cells. Those with the best evidence are then
refined, with the whole range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mlindex.base.cores import threads
from mlindex.crystal.equivalence import lattice_of, same
from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.tolerances import FOUND_LATTICE
from mlindex.indexing.search.trials import Trial, standard
from mlindex.indexing.shift import LineShift
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import FoundPeaks
from mlindex.wholepattern.candidate import glance
from mlindex.wholepattern.candidates import CellToFit, end_of_first, fit_candidates
from mlindex.wholepattern.data import prepare
from mlindex.wholepattern.evidence import evidence
from mlindex.wholepattern.reference import Reference, reference

#: Trials that are refined. A triclinic cell of 1,211 A3 came first of 400 trials by one step, 212th
#: by its lines; up to 70 degrees, where its later lines miss by a width, fifth.
_REFINED = 12


def best_of(
    pattern: MeasuredPattern,
    trials: Sequence[Trial],
    first: CellToFit,
    found: FoundPeaks,
    workers: int | None = None,
    over: Callable[[], bool] = lambda: False,
) -> CellToFit | None:
    """The trial whose profile fit has the most evidence, refined; None unless that is more than the
    first candidate's has, by what the best of so many trials has by chance. Of several that are as
    good as the best but for that, it is the smallest.

    Args:
        pattern: the pattern.
        trials: the trials.
        first: the first candidate.
        found: all peaks of the pattern.
        workers: threads; if None, one for each core that may be used, up to 4.
        over: asked often; once it says True, nothing is found.
    """
    if not trials:
        return None
    cells = sifted(pattern, trials, found, workers, over)
    fits = None if over() else fit_candidates(pattern, [first, *cells], found, workers, over)
    if fits is None or fits.fits[0] is None:
        return None
    # Evidence is in units of -2 ln(probability).
    cost = np.array([np.inf if fit is None else fit.evidence.total for fit in fits.fits])
    chance = 2 * np.log(len(trials))
    if cost[0] - cost.min() <= chance:
        return None
    # Supercells fit better: of those that are as good by chance, the smallest.
    as_good = np.flatnonzero(cost - cost.min() <= chance)
    best = min(
        as_good, key=lambda i: lattice_of(cells[i - 1].cell, cells[i - 1].centring).volume_A3
    )
    fit, cell = fits.fits[best], cells[best - 1]
    shift = LineShift(fit.zero_shift.deg if fit.zero_shift.used else 0.0)
    if same(
        lattice_of(fit.cell, cell.centring), lattice_of(first.cell, first.centring), *FOUND_LATTICE
    ):
        return None
    return CellToFit(cell.bravais, cell.centring, fit.cell, shift)


def sifted(
    pattern: MeasuredPattern,
    trials: Sequence[Trial],
    found: FoundPeaks,
    workers: int | None = None,
    over: Callable[[], bool] = lambda: False,
) -> list[CellToFit]:
    """The different trials that fit the profile best as they are; see :func:`best_of`."""
    known = reference(prepare(pattern, found, end_of_first(found)), found)

    def looked_at(trial: Trial) -> tuple[float, CellToFit] | None:
        return None if over() else _glanced(known, trial)

    with ThreadPoolExecutor(workers or threads()) as pool:
        looks = [look for look in pool.map(looked_at, trials) if look is not None]
    return _different((cell for _, cell in sorted(looks, key=lambda look: look[0])), _REFINED)


def _glanced(known: Reference, trial: Trial) -> tuple[float, CellToFit] | None:
    """The evidence of a trial as it is, and its cell; None where that can't be fitted."""
    cell, centring = standard(trial)
    system, shift_deg = BRAVAIS[trial.bravais.symbol].system, trial.shift_deg
    try:
        fit = glance(known, system, cell, centring, shift_deg)
        cost = evidence(known.data, fit, known.together).total
    except (ValueError, np.linalg.LinAlgError):
        return None
    if not np.isfinite(cost):
        return None
    return cost, CellToFit(trial.bravais.symbol, centring, cell, LineShift(shift_deg))


def _different(cells: Iterable[CellToFit], most: int) -> list[CellToFit]:
    """The first of each lattice, at most so many."""
    kept, lattices = [], []
    for cell in cells:
        lattice = lattice_of(cell.cell, cell.centring)
        if any(same(lattice, other, *FOUND_LATTICE) for other in lattices):
            continue
        kept.append(cell)
        lattices.append(lattice)
        if len(kept) == most:
            break
    return kept
