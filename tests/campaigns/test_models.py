"""The models against scikit-learn's and against themselves without the rows left out."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern

from mlindex.campaigns.methods.contract import Seen
from mlindex.campaigns.methods.options import Options
from mlindex.campaigns.models.belief import Fantasies
from mlindex.campaigns.models.failure import chance_of_success
from mlindex.campaigns.models.forest import Forest
from mlindex.campaigns.models.gaussian import (
    Gaussian,
    Hyper,
    Likelihood,
    rows_to_learn_from,
)
from mlindex.campaigns.models.portfolio import learnt, stacked
from mlindex.campaigns.models.priors import Trust, expectation
from mlindex.campaigns.models.targets import normal_scores, standardized, upper_scores

GROUPS = np.array([0, 1, 1, 2])
HYPER = Hyper(np.array([0.5, 0.8, 1.5]), 1.3, 0.2)


def truth(x):
    return np.sin(5 * x[:, 0]) + x[:, 1] ** 2


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    x = rng.random((40, 4))
    return x, truth(x) + 0.05 * rng.standard_normal(40)


@pytest.mark.parametrize("kernel", ["matern52", "matern32", "squared_exponential"])
def test_a_gaussian_process_is_that_of_scikit_learn(rows, kernel):
    x, y = rows
    ours = Gaussian.of(x, y, GROUPS, HYPER, kernel)
    scales = [0.5, 0.8, 0.8, 1.5]
    smooth = {"matern52": 2.5, "matern32": 1.5}.get(kernel)
    shape = Matern(scales, nu=smooth) if smooth else RBF(scales)
    theirs = GaussianProcessRegressor(
        ConstantKernel(1.3**2) * shape, alpha=0.2**2 + 1e-8 * 1.3**2, optimizer=None
    ).fit(x, y - ours.mean)
    points = np.random.default_rng(1).random((9, 4))
    mean, deviation = theirs.predict(points, return_std=True)
    found = ours.predict(points)
    np.testing.assert_allclose(found.mean, mean + ours.mean, atol=1e-6)
    np.testing.assert_allclose(found.deviation, deviation, atol=1e-6)


@pytest.mark.parametrize("kernel", ["matern52", "matern32", "squared_exponential"])
def test_the_gradient_of_the_likelihood_is_its_slope(rows, kernel):
    x, y = rows
    likelihood = Likelihood(x, standardized(y).values, GROUPS, kernel)
    theta = likelihood.centre + np.array([0.3, -0.2, 0.1, 0.2, -0.3])
    slope = approx_fprime(theta, lambda t: likelihood(t)[0], 1e-6)
    np.testing.assert_allclose(likelihood(theta)[1], slope, atol=1e-4)


def test_left_out_rows_are_predicted_as_without_them(rows):
    x, y = rows
    whole = Gaussian.of(x, y, GROUPS, HYPER)
    out = whole.left_out()
    for i in (0, 17):
        keep = np.arange(len(y)) != i
        without = Gaussian.of(x[keep], y[keep], GROUPS, HYPER).predict(x[i][None])
        assert out.mean[i] == pytest.approx(without.mean[0], abs=0.01)
        assert out.deviation[i] == pytest.approx(np.hypot(without.deviation[0], 0.2), abs=1e-6)


def test_one_row_more_is_as_learnt_from_all(rows):
    x, y = rows
    less = Gaussian.of(x[:-1], y[:-1], GROUPS, HYPER)
    more = less.with_row(x[-1], y[-1])
    np.testing.assert_allclose(more.root @ more.root.T, _covariance(more), atol=1e-9)
    np.testing.assert_allclose(_covariance(more) @ more.alpha, y - more.mean, atol=1e-9)


def _covariance(model):
    noise = model.noise**2 + np.append(np.full(39, 1e-8 * model.signal**2), 0)
    return model.covariance(model.features, model.features) + np.diag(noise)


def test_relevant_columns_get_short_scales(rows):
    columns = Gaussian.learnt(rows[0], standardized(rows[1]).values, GROUPS).columns
    assert columns[0] < columns[3]
    assert columns[1] == columns[2]


def test_hyperparameters_are_from_few_numbers_of_rows():
    numbers = {rows_to_learn_from(n) for n in range(1, 500)}
    assert all(0.82 * n <= rows_to_learn_from(n) <= n for n in range(1, 500))
    assert len(numbers) < 60


def test_a_forest_predicts_as_scikit_learn(rows):
    rng = np.random.default_rng(2)
    x, points = rng.random((150, 6)), rng.random((200, 6))
    ours = Forest.learnt(x, truth(x))
    theirs = ExtraTreesRegressor(100, bootstrap=True, max_features=0.5, random_state=0)
    found, other = ours.predict(points), theirs.fit(x, truth(x)).predict(points)
    error, theirs_error = (np.std(p - truth(points)) for p in (found.mean, other))
    assert error < 1.1 * theirs_error
    assert np.corrcoef(found.mean, other)[0, 1] > 0.97
    out = ours.left_out()
    assert np.std(out.mean - truth(x)) == pytest.approx(error, rel=0.25)
    assert np.mean(((out.mean - truth(x)) / out.deviation) ** 2) == pytest.approx(1)


@pytest.mark.parametrize("scores", [[1.0], [2.0, 2.0, 2.0], [1.0, 1.0, 5.0]])
def test_models_take_rows_that_say_little(scores):
    x = np.random.default_rng(1).random((len(scores), 3))
    seen = Seen.of(x, scores)
    for model in ("portfolio", "gaussian", "forest"):
        belief = learnt(seen, Options(model=model)).belief(np.random.default_rng(2).random((7, 3)))
        assert np.isfinite(belief.mean).all()
        assert (belief.deviation > 0).all()


def test_the_worse_half_of_many_rows_is_equally_bad():
    scores = np.random.default_rng(0).permutation(100).astype(float)
    targets = upper_scores(scores)
    known = normal_scores(scores).values
    apart = scores >= 50
    assert np.allclose(targets.values[apart], known[apart])
    assert np.allclose(targets.values[~apart], known[scores == 50])
    assert np.allclose(targets.scores(targets.values[scores > 50]), scores[scores > 50])
    # Few rows are all told apart.
    assert np.allclose(upper_scores(scores[:30]).values, normal_scores(scores[:30]).values)


def test_of_classes_the_best_one_is_learnt_once_it_has_rows():
    scores = np.repeat([90.0, 50.0, 25.0, 10.0], [60, 20, 10, 10])
    targets = upper_scores(scores)
    np.testing.assert_allclose([targets.values.mean(), targets.values.std()], [0, 1], atol=1e-9)
    assert len(np.unique(targets.values)) == 2
    # A target stands for the mean score of its rows, and what is in between for a share of both.
    expected = np.where(scores == 90, 90, scores[scores < 90].mean())
    np.testing.assert_allclose(targets.scores(targets.values), expected)
    few = np.repeat([90.0, 50.0, 10.0], [2, 20, 20])
    np.testing.assert_allclose(upper_scores(few).values[:2], normal_scores(few).values[:2])
    assert len(np.unique(upper_scores(few).values)) == 3
    numbers = np.append(np.arange(30.0), [40.0, 40.0, 40.0])
    assert len(np.unique(upper_scores(numbers).values)) > 20


def test_normal_scores_go_by_rank_and_lead_back():
    scores = np.array([3.0, 1.0, 1000.0, 3.0])
    targets = normal_scores(scores)
    np.testing.assert_array_equal(np.argsort(targets.values), np.argsort(scores))
    assert targets.values[0] == targets.values[3]
    np.testing.assert_allclose(targets.scores(targets.values), scores)
    assert targets.scores(np.array([targets.values.max() + 1]))[0] > 1000


def test_weights_go_to_the_model_that_predicts():
    rng = np.random.default_rng(3)
    x = rng.random((60, 2))
    y = standardized(truth(x)).values
    good = Gaussian.learnt(x, y, np.arange(2))
    none = Forest.learnt(rng.random((60, 2)), y)
    weights = stacked([good, none], y)
    assert weights[0] > 0.9
    assert weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("model", ["portfolio", "gaussian", "forest"])
def test_a_past_campaign_counts_as_far_as_it_agrees(model: str) -> None:
    rng = np.random.default_rng(4)
    past, x, points = rng.random((200, 3)), rng.random((8, 3)), rng.random((200, 3))

    def expected(*signs: float) -> np.ndarray:
        priors = tuple((past, sign * truth(past)) for sign in signs)
        return learnt(Seen.of(x, truth(x), priors=priors), Options(model=model)).belief(points).mean

    alone = expected()
    np.testing.assert_allclose(expected(-1.0), alone)
    np.testing.assert_allclose(expected(-1.0, 1.0), expected(1.0))
    agrees = {name: np.corrcoef(found, truth(points))[0, 1] for name, found in
              (("with", expected(1.0)), ("alone", alone))}  # fmt: skip
    assert 1 - agrees["with"] < 0.7 * (1 - agrees["alone"])


def test_slopes_of_past_campaigns_are_those_of_least_squares() -> None:
    rng = np.random.default_rng(7)
    past, x = rng.random((300, 3)), rng.random((60, 3))
    pasts = ((past, truth(past)), (past, past[:, 2]), (past, -truth(past)))
    z = np.stack([expectation(one, x) for one in pasts], axis=1)
    y = 0.7 * z[:, 0] + 0.2 * z[:, 1]
    np.testing.assert_allclose(Trust.learnt(pasts, x, y).slopes, (0.7, 0.2, 0), atol=0.06)


def test_fantasies_shrink_doubt_where_they_are(rows):
    x, y = rows
    seen = Seen.of(x[:, :2], y)
    portfolio = learnt(seen, Options())
    points = np.array([[0.5, 0.5], [0.5, 0.51], [0.95, 0.02]])
    belief = portfolio.belief(points)
    before = belief.deviations.copy()
    Fantasies(portfolio.models, points).measure(belief, 0)
    shrunk = belief.deviations / before
    assert (shrunk <= 1 + 1e-12).all()
    assert (shrunk[:, 1] < shrunk[:, 2]).all()
    model = portfolio.models[0]
    true = model.with_row(points[0], 0.0).predict(points).deviation
    np.testing.assert_allclose(belief.deviations[0], true, atol=1e-6)


def test_failures_are_foreseen_apart_from_scores():
    rng = np.random.default_rng(6)
    x = rng.random((60, 2))
    bad = x[:, 0] > 0.7
    seen = Seen.of(x[~bad], np.zeros((~bad).sum()), failed=x[bad])
    success = chance_of_success(seen, np.array([[0.2, 0.5], [0.9, 0.5]]))
    assert success[0] > 0.9
    assert success[1] < 0.2
    assert chance_of_success(Seen.of(x, np.zeros(60)), x).min() == 1
