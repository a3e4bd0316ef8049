"""The cells in question: candidates of a result, and partners that have no probability of their
own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlindex.crystal.cell import cell_derivatives, reciprocal_from_cell
from mlindex.crystal.equivalence import lattice_of, same
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.tolerances import ONE_CANDIDATE
from mlindex.indexing.result import Candidate, IndexingResult, Partner

#: Candidates less probable than this are no rivals, and there are at most so many.
LEAST_PROBABILITY, MOST_RIVALS = 0.01, 8
#: What a partner that is no candidate itself has of its candidate's probability.
PARTNER_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class Rival:
    """A cell in question.

    ``found`` is the candidate, or the partner of one; ``candidate`` is that one in both cases, and
    ``rank`` its rank, from 1.
    """

    found: Candidate | Partner
    candidate: Candidate
    rank: int
    probability: float

    @property
    def is_partner(self) -> bool:
        """Whether it is a partner that is not among the candidates."""
        return self.found is not self.candidate

    @property
    def cell(self) -> np.ndarray:
        """Its cell (6,), A and degrees, in the standard setting."""
        return self.found.cell

    @property
    def centring(self) -> str:
        """Its centring letter in that setting."""
        return self.found.centring

    def q2_error(self, hkl: np.ndarray) -> np.ndarray:
        """Standard error (n,) of q² of reflections (n, 3) by that of the cell, 1/A².

        Of a partner, that of its candidate's cell at the same q².
        """
        errors = _q2_error(self.candidate, hkl if not self.is_partner else self.candidate.hkl)
        if not self.is_partner:
            return errors
        own = self.candidate.q2_calculated_inv_A2
        relative = float(np.max(errors / np.maximum(own, own[-1] / 2), initial=0.0))
        return relative * (quadratic_terms(hkl) @ reciprocal_from_cell(self.cell))


def _q2_error(candidate: Candidate, hkl: np.ndarray) -> np.ndarray:
    covariance = candidate.cell_covariance
    if covariance is None:
        covariance = np.diag(np.square(candidate.cell_error))
    # The cell's covariance was carried from that of the reciprocal parameters: the way back.
    back = np.linalg.inv(cell_derivatives(candidate.cell))
    rows = quadratic_terms(hkl) @ back
    return np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", rows, np.nan_to_num(covariance), rows), 0.0))


def rivals_of(result: IndexingResult) -> tuple[Rival, ...]:
    """The cells in question, the most probable first; their probabilities are those of the result,
    and what is missing to 1 is for none of them.

    A partner without a probability of its own takes a small share (:data:`PARTNER_SHARE`) of that
    of its candidate.
    """
    ranked = [
        (rank, one)
        for rank, one in enumerate(result.candidates, 1)
        if one.probability >= LEAST_PROBABILITY and np.all(np.isfinite(one.cell))
    ][:MOST_RIVALS]
    listed = [lattice_of(one.cell, one.centring) for one in result.candidates]
    found: list[Rival] = []
    for rank, one in ranked:
        beside = list(_partners(one, listed))
        whole = 1 + PARTNER_SHARE * len(beside)
        found.append(Rival(one, one, rank, one.probability / whole))
        share = PARTNER_SHARE * one.probability / whole
        found += [Rival(partner, one, rank, share) for partner in beside]
    return tuple(sorted(found, key=lambda rival: -rival.probability))


def _partners(candidate: Candidate, listed: Sequence) -> Iterator[Partner]:
    """Partners that are no candidates; each becomes one of those listed."""
    known = list(listed)
    for partner in candidate.partners:
        lattice = lattice_of(partner.cell, partner.centring)
        if partner.probability is None and not any(
            same(lattice, other, *ONE_CANDIDATE) for other in known
        ):
            known.append(lattice)
            yield partner
