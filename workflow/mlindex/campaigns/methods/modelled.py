"""Methods that ask models: learn, value each candidate, choose a batch by fantasies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from mlindex.campaigns.batches import chosen_batch
from mlindex.campaigns.methods.contract import Proposals, Seen
from mlindex.campaigns.methods.options import DEFAULTS, Options
from mlindex.campaigns.methods.spread import Diversity, farthest, scaled
from mlindex.campaigns.models.belief import Belief, Fantasies
from mlindex.campaigns.models.failure import chance_of_success
from mlindex.campaigns.models.portfolio import Portfolio, learnt
from mlindex.campaigns.models.priors import expectation

#: From a belief of candidates and the options to the value (m,) of measuring each.
Value = Callable[[Belief, Options], np.ndarray]
#: From a belief of the chosen and the options to what each is worth, in words.
Reason = Callable[[Belief, Options], Sequence[str]]
#: Below so many rows models are not asked.
FEWEST = 2
#: The last of a batch of so many or more is not the models' choice: where they are wrong from the
#: start, what they choose may never say so. Of 500 crystals whose largest cells are looked for by
#: their patterns, in batches of ten, one campaign of six found none of 25 in 100, and finds 23 so;
#: the mean of all six rises from 19.7 to 23.2. A tenth of each plate of 96 cost a screen 6 % of its
#: crystals, so that it is one of a plate.
_FAR_FROM = 10
_FAR = "far from all that was measured, in case the models are wrong"
#: Share of a first batch that is chosen by past campaigns. Protein screens with another one as the
#: past, plates of 96, three campaigns each: with a half of it and the rest by chance first plates
#: of four related pairs have 2.32 times as many crystals as random ones, with three quarters 2.81;
#: all four plates of an unrelated pair 2.47, and 1.94. With the rest far from each other in place
#: of by chance, a half gave 2.11 and 2.10.
_STAKED = 0.6
#: Candidates among which the farthest is looked for.
_LOOKED_AT = 5000


@dataclass(frozen=True)
class Modelled:
    """A method that values candidates by what models expect of them."""

    value: Value
    reason: Reason
    options: Options = DEFAULTS
    #: It has something to say of what past campaigns alone are known of.
    uses_past: ClassVar[bool] = True

    def propose(
        self, seen: Seen, candidates: np.ndarray, count: int, rng: np.random.Generator
    ) -> Proposals:
        """The most valuable, each as if those before had given what is expected of them."""
        if len(seen.scores) < FEWEST:
            return first_proposals(seen, candidates, count, rng)
        count = min(count, len(candidates))
        if not count:
            return Diversity(self.options).propose(seen, candidates, 0, rng)
        portfolio = learnt(seen, self.options)
        believed = self._belief(portfolio, seen, candidates)
        success = chance_of_success(seen, candidates)

        def worth(belief: Belief) -> np.ndarray:
            return _discounted(self.value(belief, self.options), success[belief.numbers])

        def fantasies(numbers: np.ndarray) -> Fantasies:
            return Fantasies(portfolio.models, candidates[numbers])

        chosen = chosen_batch(believed, fantasies, worth, count)
        if not _FAR_FROM <= count < len(candidates):
            return self.proposed(seen, portfolio, believed.at(chosen), success[chosen])
        chosen[-1] = farthest_left(seen, candidates, chosen[:-1])
        found = self.proposed(seen, portfolio, believed.at(chosen), success[chosen])
        expected = found.why[-1].partition("; ")[0]
        return replace(found, why=(*found.why[:-1], f"{expected}; {_FAR}"))

    def rate(self, seen: Seen, candidates: np.ndarray) -> np.ndarray:
        """The value (m,) of measuring each candidate next."""
        if len(seen.scores) < FEWEST:
            return expected_by_past(seen, candidates)
        belief = self._belief(learnt(seen, self.options), seen, candidates)
        return _discounted(self.value(belief, self.options), chance_of_success(seen, candidates))

    def _belief(self, portfolio: Portfolio, seen: Seen, candidates: np.ndarray) -> Belief:
        """The belief of candidates, the pending ones taken as measured."""
        belief, waiting = portfolio.belief(candidates), len(seen.pending)
        if waiting:
            imagined = Fantasies(portfolio.models, np.vstack([seen.pending, candidates]))
            whole = portfolio.belief(imagined.candidates)
            for number in range(waiting):
                imagined.measure(whole, number)
            belief = belief.with_deviations(whole.deviations[:, waiting:])
        return belief

    def proposed(
        self, seen: Seen, portfolio: Portfolio, belief: Belief, success: np.ndarray | None = None
    ) -> Proposals:
        """Proposals of the chosen candidates, with what is believed of them."""
        success = np.ones(len(belief.numbers)) if success is None else success
        mean, deviation = belief.mean, belief.deviation
        back = portfolio.targets.scores
        expected = back(mean)
        error = 0.5 * (back(mean + deviation) - back(mean - deviation))
        best, why = seen.scores.max(), []
        for one, doubt, text, gives in zip(
            expected, error, self.reason(belief, self.options), success, strict=True
        ):
            place = "above" if one > best else "below"
            sentence = f"expected {one:.3g} ± {doubt:.2g}, {place} the best so far ({best:.3g})"
            fails = f"; {1 - gives:.0%} that it fails" if gives < 0.995 else ""
            why.append(f"{sentence}; {text}{fails}")
        return Proposals(belief.numbers, expected, error, tuple(why))


def farthest_left(seen: Seen, candidates: np.ndarray, chosen: np.ndarray) -> int:
    """The candidate farthest from all that was measured, is pending, has failed or is chosen."""
    left = np.setdiff1d(np.arange(len(candidates)), chosen)
    left = left[:: -(-len(left) // _LOOKED_AT)]
    taken = np.vstack([seen.features, seen.pending, seen.failed, candidates[chosen]])
    rows = (scaled(taken, seen.groups), scaled(candidates[left], seen.groups))
    return int(left[farthest(*rows, 1, 0)[0]])


def expected_by_past(seen: Seen, candidates: np.ndarray) -> np.ndarray:
    """The mean (m,) of what past campaigns expect; 0 without any."""
    if not seen.priors:
        return np.zeros(len(candidates))
    return np.mean([expectation(past, candidates) for past in seen.priors], axis=0)


def first_proposals(
    seen: Seen, candidates: np.ndarray, count: int, rng: np.random.Generator
) -> Proposals:
    """Without rows: of each five the three best by past campaigns, and two by chance.

    Not all is staked on the past: whether it says anything of this campaign is not known yet.
    Without any, candidates far from each other.
    """
    count = min(count, len(candidates))
    if not seen.priors:
        return Diversity().propose(seen, candidates, count, rng)
    past = np.argsort(-expected_by_past(seen, candidates), kind="stable")
    turns = np.ceil(_STAKED * np.arange(count + 1))
    is_past = np.diff(turns) > 0
    chosen = np.empty(count, dtype=int)
    chosen[is_past] = past[: is_past.sum()]
    chosen[~is_past] = rng.permutation(np.sort(past[is_past.sum() :]))[: (~is_past).sum()]
    said = np.where(is_past, "past campaigns expect most of it", "by chance, to see what is new")
    nothing = np.full(count, np.nan)
    return Proposals(chosen, nothing, nothing.copy(), tuple(said.tolist()))


def _discounted(value: np.ndarray, success: np.ndarray) -> np.ndarray:
    """Values, drawn to the lowest of all by the chance that nothing is measured."""
    low = value.min(initial=0.0)
    return low + (value - low) * success
