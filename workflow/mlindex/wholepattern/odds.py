"""What fits to the whole profile change the odds of candidates by.

The ranking has judged the positions of the lines, and that a cell should predict few that are not
there; the evidence of the profile judges the latter again. What the ranking has not seen is how
well the lines fit the points, other peaks included, and how much of the intensity a cell leaves to
these:

    odds = odds before * f(misfit)^MISFIT * f(evidence)^EVIDENCE * (left + FLOOR)^-LEFT
    f(x) = (1 + x / SCALE)^-SCALE

``misfit`` is by how much ln(likelihood) of the fit is behind that of the best candidate, what free
peaks cost in it, and ``left`` the share of the intensity that no line of the cell explains.

``evidence`` is by how much ln(evidence) is behind the best of those candidates with which the
comparison is fair: neither has the lines of the other. Of two such cells the one with the wrong
lines can't mend them, and what no cell explains (a second phase, the shape of the peaks) weighs on
both. But a supercell takes that up with its further lines, so that between a cell and its
supercells the other terms decide.

The powers are those of errors whose scale is not known: once that is integrated out, a likelihood
falls by a power of the misfit, not exponentially.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.crystal.equivalence import lattice_of, same
from mlindex.crystal.tolerances import FOUND_LATTICE
from mlindex.indexing.result import Candidate
from mlindex.wholepattern.result import ProfileFit

#: MISFIT was fitted (conditional logit) on simulated patterns of 51 real crystals with a second
#: phase of 0, 5, 10 and 20 % of the intensity in turn; LEFT, since fits keep cells near where they
#: were, lies between what these wanted (1.4) and what 83 measured patterns want (0.7): their
#: ln(probability of the true lattice) is -72.1 by lines alone, -66.0 with 1.4 and -64.0 with 1. The
#: evidence of the profile in place of both, multiplied or tempered, makes the measured ones worse.
MISFIT, SCALE, LEFT, FLOOR = 0.4, 3.0, 1.0, 0.01
#: The same as that of the misfit; not fitted. On 36 simulated superstructures, 28 mixtures (2 and
#: 10 % of a second phase) and 40 measured patterns whose true lattice is fitted, it is first in 18,
#: 28 and 32 with 0, in 20, 28 and 34 with any value from 0.4 to 1.2. On others, not looked at
#: before (13 measured minerals, 14 superstructures, 16 mixtures with 5 and 20 %): 12, 11 and 11
#: with 0, 12, 11 and 12 with 0.4 to 1.2; ln(probability) of the minerals rises from -13.0 to -8.9
#: with 0.4, that of mixtures falls from -20.4 to -26.4, and further beyond. Comparing a cell with
#: its supercells as well loses first places among all kinds.
EVIDENCE = 0.4
#: A supercell gains no more than its parent unless it indexes so many lines more, as in the
#: verdict: its many lines take up noise, and those of other phases. On the patterns above this
#: costs 0.9 and 1.2 of ln(probability), and changes no first place; with a later ranking it kept
#: the parent first on a measured pattern with impurities (CdS).
_MORE_LINES = 2


@dataclass(frozen=True)
class Weights:
    """The powers of the terms, see above."""

    misfit: float = MISFIT
    evidence: float = EVIDENCE
    left: float = LEFT


def log_factors(
    found: Sequence[Candidate],
    fits: Sequence[ProfileFit | None],
    weights: Weights = Weights(),
) -> np.ndarray:
    """Natural logarithm of what the fits (m,) change the odds of their candidates by, up to a
    constant; candidates without a fit lose as much as those that lose most.

    No supercell gains more than its parent by misfit and by what is left, see
    :func:`parents_first`; the evidence counts its further lines, and stands beside that.
    """
    there = [i for i, fit in enumerate(fits) if fit is not None]
    fitted, cells = [fits[i] for i in there], [found[i] for i in there]
    cost = np.array([fit.evidence.misfit + fit.evidence.strays for fit in fitted]) / 2
    share = np.array([1 - fit.explained for fit in fitted])
    own = -weights.misfit * SCALE * np.log1p((cost - cost.min()) / SCALE)
    own -= weights.left * np.log(share + FLOOR)
    out = np.full(len(fits), own.min())
    out[there] = own
    out = parents_first(found, out)
    behind = np.full(len(fits), np.nan)
    behind[there] = evidence_behind(cells, fitted)
    behind[np.isnan(behind)] = np.nanmax(behind)
    return out - weights.evidence * SCALE * np.log1p(behind / SCALE)


def evidence_behind(found: Sequence[Candidate], fits: Sequence[ProfileFit]) -> np.ndarray:
    """By how much ln(evidence) of each fit (m,) is behind the best of those that it can be compared
    with: neither of the two has the lines of the other."""
    log_evidence = -np.array([fit.evidence.total for fit in fits]) / 2
    has = lines_of(found, fits)
    fair = ~(has | has.T)
    best = np.where(fair, log_evidence, -np.inf).max(axis=1)
    return np.maximum(best - log_evidence, 0.0)


def lines_of(found: Sequence[Candidate], fits: Sequence[ProfileFit]) -> np.ndarray:
    """Which cell has the lines of which other: bool (m, m), the first of the first index.

    That is a supercell, or a cell of less symmetry of the same lattice, with more lines.
    """
    lattices = [lattice_of(fit.cell, cell.centring) for cell, fit in zip(found, fits, strict=True)]
    out = np.zeros((len(found), len(found)), dtype=bool)
    for i, j in itertools.permutations(range(len(found)), 2):
        times = found[i].times(found[j])
        related = times > 1 or (times == 1 and same(lattices[i], lattices[j], *FOUND_LATTICE))
        out[i, j] = related and len(fits[i].lines) > len(fits[j].lines)
    return out


def parents_first(found: Sequence[Candidate], log_factor: np.ndarray) -> np.ndarray:
    """The logarithms (m,) for these candidates, where no supercell gains more than a parent whose
    lines it has, unless it indexes more of them."""
    out = log_factor.copy()
    for i, cell in enumerate(found):
        for j, parent in enumerate(found):
            few = cell.n_indexed - parent.n_indexed < _MORE_LINES
            if few and cell.times(parent) > 1 and np.all(cell.indexed[parent.indexed]):
                out[i] = min(out[i], log_factor[j])
    return out


def reweighed(before: np.ndarray, log_factor: np.ndarray) -> np.ndarray:
    """Probabilities (m,) whose odds have been multiplied; their sum stays.

    What the sum lacks of 1 is for "none of them", of which the profile says nothing.
    """
    weighed = before * np.exp(log_factor - log_factor.max())
    total = weighed.sum()
    return weighed * (before.sum() / total) if total > 0 else before
