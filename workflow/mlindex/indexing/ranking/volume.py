"""Probabilities with what the volume of a formula unit says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.crystal.formula_volume import Formula, factor_nearby, volume_factor
from mlindex.indexing.search.trials import Trial

#: The ranking leaves next to nothing for "none of them" where its first cell has most: so much of
#: what it gives to the cells behind that one, but no more of the whole than the second, counts for
#: cells that were not found. (Among real calculated lists one in some hundred has no right cell.)
#: Chosen on 58 crystals that the volumes were not fitted to, with their own formula and 5 wrong
#: ones: without it 57 % go up with their own and 56 % down with a wrong one, with it 83 and 79 %
#: (up or above 0.99: 90 %). Of 0.002, 0.005 and 0.01 the first harms own formulas least. Of 100
#: drawn afterwards, some of them the same (docs/how_well/formulas.json), 75 and 78 % moved so, and
#: 80 % up or above 0.99.
_NOT_FOUND, _NOT_FOUND_MOST = 0.9, 0.002
#: Of a cell that was not found, how probable it is that it may have any volume, and not about that
#: of the cells found: without more knowledge, one as the other.
_ANY_VOLUME = 0.5


def weighed_by_volume(
    ranked: Sequence[tuple[Trial, float]], formula: Formula
) -> list[tuple[Trial, float]]:
    """Trials with their probabilities, the most probable first, once the formula is known.

    By Bayes' theorem each is multiplied by the density of its volume among crystals with this
    formula over that among all crystals. So is "none of them", which has what the probabilities
    lack of 1: its volume is not known. It may be any, and the mean of that ratio is 1; or, as
    probable, the lines are so dense that it is about that of the trials, and the ratio is the mean
    over such volumes. A formula that small cells have does not make a small cell more probable,
    but one that its whole units fill.
    """
    if not ranked:
        return []
    before, none = _with_none(np.array([probability for _, probability in ranked]))
    volumes = [trial.lattice().volume_A3 for trial, _ in ranked]
    lattices = [trial.bravais.symbol for trial, _ in ranked]
    weighed = before * volume_factor(volumes, lattices, formula)
    nearby = float(before @ factor_nearby(volumes, lattices, formula) / before.sum())
    none *= _ANY_VOLUME + (1 - _ANY_VOLUME) * nearby
    after = weighed / (weighed.sum() + none)
    order = np.argsort(-after, kind="stable")
    return [(ranked[i][0], float(after[i])) for i in order]


def _with_none(probabilities: np.ndarray) -> tuple[np.ndarray, float]:
    """Probabilities (n,), and that of "none of them" with its part of those behind the first."""
    first = int(np.argmax(probabilities))
    none = max(1 - float(probabilities.sum()), 0.0)
    least = min(_NOT_FOUND * (1 - float(probabilities[first])), _NOT_FOUND_MOST)
    behind = float(np.delete(probabilities, first).sum())
    if least <= none or not behind:
        return probabilities, none
    taken = min(least - none, behind)
    kept = probabilities * (1 - taken / behind)
    kept[first] = probabilities[first]
    return kept, none + taken
