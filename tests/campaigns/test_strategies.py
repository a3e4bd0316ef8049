"""The strategies against scikit-activeml's and against their definitions; batches and replays."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from skactiveml.base import SkactivemlRegressor
from skactiveml.pool import GreedySamplingX, QueryByCommittee

from mlindex.campaigns.methods import active_search, committee, method
from mlindex.campaigns.methods.contract import Seen
from mlindex.campaigns.methods.expected_improvement import log_improvement
from mlindex.campaigns.methods.local_maxima import LocalMaxima, chain, svr_surface
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.models.belief import Belief
from mlindex.campaigns.models.forest import TREES, _walked
from mlindex.campaigns.models.portfolio import learnt
from mlindex.campaigns.replay import (
    Pool,
    acceleration,
    enhancement,
    found,
    replayed,
    with_interval,
)


def hill(x):
    return -((x - 0.6) ** 2).sum(axis=1)


@pytest.fixture(scope="module")
def material():
    rng = np.random.default_rng(7)
    x, candidates = rng.random((25, 3)), rng.random((60, 3))
    return Seen.of(x, hill(x) + 0.01 * rng.standard_normal(25)), candidates


def test_diversity_is_greedy_sampling_of_scikit_activeml(material):
    seen, candidates = material
    ours = method("diversity").propose(seen, candidates, 4, np.random.default_rng(0)).chosen
    x = np.vstack([seen.features, candidates])
    y = np.append(seen.scores, np.full(len(candidates), np.nan))
    theirs = GreedySamplingX(random_state=0).query(x, y, batch_size=4)
    np.testing.assert_array_equal(ours, theirs - len(seen.scores))


class OneTree(SkactivemlRegressor):
    """A tree of our forest, for scikit-activeml."""

    def __init__(self, forest=None, number=0, missing_label=np.nan, random_state=None):
        super().__init__(random_state=random_state, missing_label=missing_label)
        self.forest, self.number = forest, number

    def fit(self, X, y, sample_weight=None):
        self.fitted_ = True
        return self

    def predict(self, X):
        forest, one = self.forest, slice(self.number, self.number + 1)
        parts = (forest.feature, forest.threshold, forest.child, forest.value)
        return _walked(np.asarray(X, dtype=float), *(part[one] for part in parts))[0]


def test_the_committee_disagrees_as_in_scikit_activeml(material):
    seen, candidates = material
    options = Options(model="forest")
    portfolio = learnt(seen, options)
    trees = [OneTree(portfolio.models[0], number).fit(None, None) for number in range(TREES)]
    query = QueryByCommittee(random_state=0)
    _, theirs = query.query(
        *(seen.features, seen.scores, trees),
        candidates=candidates,
        fit_ensemble=False,
        return_utilities=True,
    )
    ours = committee.value(portfolio.belief(candidates), options)
    clear = theirs[0] > np.median(theirs[0])
    order = np.argsort(theirs[0][clear])
    assert (np.diff(ours[clear][order]) > -1e-9).all()


@pytest.mark.parametrize("z", [-30.0, -21.0, -19.0, -5.0, 0.0, 3.0])
def test_the_logarithm_of_the_improvement(z):
    total, _ = quad(lambda t: t * norm.pdf(t - z) / norm.pdf(z), 0, 12 + max(z, 0))
    assert log_improvement(np.array([z]))[0] == pytest.approx(
        np.log(total) + norm.logpdf(z), rel=2e-2 if z < -20 else 1e-5
    )


def test_the_best_share_is_above_the_level():
    means = np.linspace(-1, 1, 60)[None]
    belief = Belief(
        *(np.ones(1), means, np.full((1, 60), 1e-6), np.array([-2.0, 3.0]), 0.0), np.arange(60)
    )
    level = belief.level_of_best(4.0)
    assert np.sum(means > level) + 1 == 4
    sure = Belief(
        belief.weights, means, belief.deviations, belief.targets, 0.0, np.arange(60), level
    )
    np.testing.assert_allclose(active_search.value(sure, Options()), means[0] > level, atol=1e-3)


@pytest.mark.parametrize(
    "name", ["portfolio", "active_search", "expected_improvement", "upper_bound", "thompson"]
)
def test_what_seeks_the_best_goes_up_the_hill(material, name):
    seen, candidates = material
    proposals = method(name).propose(seen, candidates, 3, np.random.default_rng(1))
    rank = np.argsort(np.argsort(-hill(candidates)))[proposals.chosen]
    assert rank.min() <= 2
    assert np.isfinite(proposals.expected).all()
    assert (proposals.error > 0).all()
    assert proposals.why[0].startswith("expected ")


def test_a_batch_spreads_and_minds_what_is_pending():
    rng = np.random.default_rng(8)
    x = rng.random((12, 2))
    # Twins: each candidate is there twice, all but in one place.
    one = rng.random((30, 2))
    candidates = np.vstack([one, one + 1e-4])
    seen = Seen.of(x, hill(x))
    batch = method("uncertainty").propose(seen, candidates, 6, rng).chosen
    assert len(set(batch % 30)) == 6
    first = batch[0]
    waiting = Seen.of(x, hill(x), pending=candidates[first][None])
    free = np.delete(candidates, first, axis=0)
    again = method("uncertainty").propose(waiting, free, 1, rng).chosen[0]
    assert np.abs(free[again] - candidates[first]).max() > 1e-3


def test_what_fails_is_kept_away_from(material):
    seen, candidates = material
    top = candidates[np.argmax(hill(candidates))]
    failed = top + 0.02 * np.random.default_rng(9).standard_normal((12, 3))
    barred = Seen.of(seen.features, seen.scores, failed=failed)
    chosen = method().propose(barred, candidates, 1, np.random.default_rng(1)).chosen[0]
    assert np.abs(candidates[chosen] - top).max() > 0.02


def test_one_of_a_large_batch_is_far_from_all(material):
    seen, candidates = material
    rng = np.random.default_rng(1)
    found = method().propose(seen, candidates, 12, rng)
    last, others = found.chosen[-1], np.delete(np.arange(len(candidates)), found.chosen)
    taken = np.vstack([seen.features, candidates[found.chosen[:-1]]])
    apart = ((candidates[:, None] - taken) ** 2).sum(axis=2).min(axis=1)
    assert apart[last] >= apart[others].max()
    assert "far from all" in found.why[-1]
    assert np.isfinite(found.expected).all()
    assert len(set(found.chosen.tolist())) == 12
    assert "far from all" not in method().propose(seen, candidates, 9, rng).why[-1]


def test_past_campaigns_take_three_of_five_of_the_first_batch(material):
    _, candidates = material
    x = np.random.default_rng(10).random((100, 3))
    seen = Seen.of(np.empty((0, 3)), np.empty(0), priors=((x, hill(x)),))
    proposals = method().propose(seen, candidates, 10, np.random.default_rng(1))
    is_past = [why.startswith("past") for why in proposals.why]
    assert is_past == [True, True, False, True, False] * 2
    assert len(set(proposals.chosen.tolist())) == 10
    rank = np.argsort(np.argsort(-hill(candidates)))[proposals.chosen[is_past]]
    assert rank.max() < 15


def test_local_maxima_of_two_hills_are_learnt_again():
    rng = np.random.default_rng(11)
    x = rng.random((60, 2))
    y = 90 * np.exp(-20 * ((x - 0.25) ** 2).sum(1)) + 60 * np.exp(-20 * ((x - 0.75) ** 2).sum(1))
    seen = Seen.of(x, y)
    gaussian = LocalMaxima(Options(learner="gaussian", starts=30))
    rounds = gaussian.rounds(seen, rng)
    np.testing.assert_allclose(rounds[0].maxima[0], 0.25, atol=0.05)
    assert np.abs(rounds[0].maxima - 0.75).max(axis=1).min() < 0.05
    written = chain(x, y, svr_surface, rng, 40)
    assert len(written) > 1
    assert len(written[1].rows) < len(written[0].maxima)
    each = LocalMaxima(Options(learner="gaussian", starts=30, measure="each_round"))
    assert len(each.rounds(seen, rng)) == 1
    proposals = each.propose(seen, rng.random((300, 2)), 1, rng)
    assert "local maximum of h(1)" in proposals.why[0]
    assert proposals.expected[0] == pytest.approx(rounds[0].values[0], rel=0.01)


def test_replicates_are_averaged_and_the_best_share_is_found():
    x = np.repeat(np.arange(40.0)[:, None] / 40, 2, axis=0)
    pool = Pool.of(x, np.arange(80.0))
    assert len(pool) == 40
    assert pool.best.sum() == 2
    order = replayed(pool, method("random"), 3, 40)
    assert sorted(order)[0] >= 0
    assert len(set(order)) == len(order)
    shares = found(pool, order, 40)
    assert shares[-1] == 1
    np.testing.assert_array_equal(order, replayed(pool, method("random"), 3, 40))


def test_figures_of_a_known_curve():
    shares = np.tile(np.minimum(1, np.arange(1, 41) / 10), (5, 1))
    assert enhancement(shares, 40) == pytest.approx(4)
    assert acceleration(shares, 40, 0.5) == pytest.approx(4)
    assert np.isnan(acceleration(0.2 * shares, 40, 0.5))
    figure = with_interval(shares, lambda s: enhancement(s, 40), 50)
    assert figure.low == figure.value == figure.high


def test_the_default_is_faster_than_random_on_a_table():
    axes = np.meshgrid(*[np.linspace(0, 1, 5)] * 3)
    x = np.stack([axis.ravel() for axis in axes], axis=1)
    pool = Pool.of(x, hill(x))
    shares = np.stack([found(pool, replayed(pool, method(), s, 40), 40) for s in range(3)])
    assert acceleration(shares, len(pool), 0.5) > 2
