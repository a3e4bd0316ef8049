"""Thompson sampling: the best of what might be, by one draw of the models for each of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.campaigns.methods.contract import Proposals, Seen
from mlindex.campaigns.methods.modelled import FEWEST, Modelled, first_proposals
from mlindex.campaigns.methods.options import DEFAULTS, Options
from mlindex.campaigns.methods.upper_bound import value as upper_bound
from mlindex.campaigns.models.portfolio import learnt

#: Candidates that are drawn for together: those of the highest upper bounds.
_MOST = 1000


@dataclass(frozen=True)
class Thompson:
    """A model by its weight, a draw of it, and the candidate that is best in the draw."""

    options: Options = DEFAULTS

    def propose(
        self, seen: Seen, candidates: np.ndarray, count: int, rng: np.random.Generator
    ) -> Proposals:
        """One draw for each proposal."""
        count = min(count, len(candidates))
        if len(seen.scores) < FEWEST or not count:
            return first_proposals(seen, candidates, count, rng)
        portfolio = learnt(seen, self.options)
        belief = portfolio.belief(candidates)
        bounds = upper_bound(belief, self.options)
        listed = np.argsort(-bounds, kind="stable")[: max(_MOST, 2 * count)]
        models = rng.choice(len(portfolio.models), size=count, p=portfolio.weights)
        draws = np.empty((count, len(listed)))
        for number, model in enumerate(portfolio.models):
            wanted = np.flatnonzero(models == number)
            if len(wanted):
                draws[wanted] = model.draws(candidates[listed], len(wanted), rng)
        free = np.ones(len(listed), dtype=bool)
        chosen = []
        for draw in draws:
            chosen.append(int(np.argmax(np.where(free, draw, -np.inf))))
            free[chosen[-1]] = False
        return self._modelled().proposed(seen, portfolio, belief.at(listed[chosen]))

    def rate(self, seen: Seen, candidates: np.ndarray) -> np.ndarray:
        """The upper bound: a draw would be another one each time."""
        return self._modelled().rate(seen, candidates)

    def _modelled(self) -> Modelled:
        return Modelled(
            upper_bound, lambda belief, _: ["best in a draw"] * len(belief.mean), self.options
        )
