"""The compiled loops of the profile fit against slow, plain twins and against SciPy."""

import numpy as np
import pytest
from scipy.optimize import nnls

from mlindex.wholepattern.kernels import (
    BY_ASYMMETRY,
    BY_ETA,
    BY_LOG_WIDTH,
    BY_POSITION,
    KINDS,
    Columns,
    add_up,
    derivative_rows,
    fill,
    gains,
    normal_rows,
    overlaps,
    products,
    project,
)
from mlindex.wholepattern.solve import (
    RIDGE,
    backward,
    border_left,
    factor,
    forward,
    nonnegative,
)

X = np.arange(10.0, 22.0, 0.02)


def shape(position, fwhm, eta, asymmetry, split, ratio):
    """A peak and its second line at the points, in plain numpy."""
    out = np.zeros(len(X))
    for times, at in ((1.0, position), (ratio, position + split)):
        width = fwhm * np.exp(np.where(at > X, asymmetry, -asymmetry))
        z2 = ((X - at) / width) ** 2
        out += times * (eta / (1 + 4 * z2) + (1 - eta) * np.exp(-4 * np.log(2) * z2))
    return out


def columns(seed, n=25, ratio=0.5):
    """Random peaks with windows of different lengths, some of them at one place."""
    rng = np.random.default_rng(seed)
    position = np.sort(rng.uniform(9.9, 22.1, n))
    position[n // 2] = position[n // 2 - 1]
    fwhm, eta = rng.uniform(0.1, 0.3, n), rng.uniform(0, 1, n)
    reach = rng.uniform(1, 12, n) * fwhm
    split = np.full(n, 0.04)
    low, high = np.searchsorted(X, position - reach), np.searchsorted(X, position + split + reach)
    offset = np.concatenate([[0], np.cumsum(high - low)])
    asymmetry = rng.uniform(-0.2, 0.2, n)
    return Columns(position, fwhm, eta, asymmetry, split, ratio, low, high, offset)


def filled(peaks, weight):
    values, slopes = np.empty(peaks.offset[-1]), np.empty((KINDS, peaks.offset[-1]))
    fill(X, weight, peaks, values, slopes)
    return values, slopes


def dense(peaks, values):
    """The columns as a matrix (n, k)."""
    out = np.zeros((len(X), len(peaks.low)))
    for k, (low, high) in enumerate(zip(peaks.low, peaks.high, strict=True)):
        out[low:high, k] = values[peaks.offset[k] : peaks.offset[k + 1]]
    return out


@pytest.mark.parametrize("ratio", [0.0, 0.5])
def test_columns_are_weighted_peaks_in_windows(ratio):
    peaks = columns(1, ratio=ratio)
    weight = np.random.default_rng(2).uniform(0.5, 2, len(X))
    found = dense(peaks, filled(peaks, weight)[0])
    for k in range(len(peaks.low)):
        own = weight * shape(*(peaks[i][k] for i in range(5)), ratio)
        inside = (np.arange(len(X)) >= peaks.low[k]) & (np.arange(len(X)) < peaks.high[k])
        assert np.allclose(found[:, k], np.where(inside, own, 0))


@pytest.mark.parametrize(
    ("kind", "which"), [(BY_POSITION, 0), (BY_LOG_WIDTH, 1), (BY_ETA, 2), (BY_ASYMMETRY, 3)]
)
def test_slopes_are_derivatives(kind, which):
    peaks, step = columns(3), 1e-6
    slopes = filled(peaks, np.ones(len(X)))[1]
    change = peaks.fwhm * step if kind == BY_LOG_WIDTH else step
    ends = []
    for sign in (1, -1):
        moved = list(peaks)
        moved[which] = moved[which] + sign * change
        ends.append(filled(Columns(*moved), np.ones(len(X)))[0])
    numeric = (ends[0] - ends[1]) / (2 * step)
    # A peak that moves across a point has a kink there, if it is asymmetric.
    off = np.abs(slopes[kind] - numeric) > 1e-4 * np.abs(slopes[kind]).max()
    assert off.mean() < 0.002


def test_sums_and_products_are_those_of_the_matrix():
    peaks = columns(4)
    values, slopes = filled(peaks, np.ones(len(X)))
    matrix, rng = dense(peaks, values), np.random.default_rng(5)
    height, rows = rng.uniform(0, 3, matrix.shape[1]), rng.normal(size=(4, len(X)))
    height[3] = 0
    total = np.zeros(len(X))
    add_up(peaks, values, height, total)
    assert np.allclose(total, matrix @ height)
    crossed = np.empty((matrix.shape[1], 4))
    project(peaks, values, rows, crossed)
    assert np.allclose(crossed, matrix.T @ rows.T)
    assert np.allclose(products(rows), rows @ rows.T)
    kind, factors = np.array([BY_ETA, BY_POSITION]), rng.normal(size=(2, matrix.shape[1]))
    found = np.empty((2, len(X)))
    derivative_rows(peaks, slopes, height, kind, factors, found)
    for p in range(2):
        assert np.allclose(found[p], dense(peaks, slopes[kind[p]]) @ (height * factors[p]))
    residual = rng.normal(size=len(X))
    product = matrix.T @ residual
    expected = np.where(product > 0, product**2 / (matrix**2).sum(axis=0), 0)
    assert np.allclose(gains(peaks, values, residual), expected)


@pytest.mark.parametrize("seed", range(5))
def test_normal_rows_hold_every_overlap(seed):
    peaks = columns(seed, n=40)
    values, _ = filled(peaks, np.ones(len(X)))
    first, start = overlaps(peaks)
    rows = normal_rows(peaks, values, first, start)
    full = np.zeros((40, 40))
    for k in range(40):
        full[k, first[k] : k + 1] = rows[start[k] : start[k + 1]]
    matrix = dense(peaks, values)
    assert np.allclose(full, np.tril(matrix.T @ matrix))


def test_factor_of_chosen_columns():
    peaks = columns(7)
    values, _ = filled(peaks, np.ones(len(X)))
    first, start = overlaps(peaks)
    rows = normal_rows(peaks, values, first, start)
    chosen = np.array([0, 2, 3, 7, 12, 13, 20, 24])
    lower, inner, begin = factor(rows, first, start, chosen)
    matrix = dense(peaks, values)[:, chosen]
    normal = matrix.T @ matrix
    normal[np.diag_indices(len(chosen))] *= 1 + RIDGE
    expected = np.linalg.cholesky(normal)
    for i in range(len(chosen)):
        assert np.allclose(lower[begin[i] : begin[i + 1]], expected[i, inner[i] : i + 1])
        assert not expected[i, : inner[i]].any()
    right = np.random.default_rng(1).normal(size=(len(chosen), 2))
    solved = right.copy()
    forward(lower, inner, begin, solved)
    assert np.allclose(expected @ solved, right)
    both = solved.copy()
    backward(lower, inner, begin, both)
    assert np.allclose(normal @ both, right)


def test_border_that_is_left_is_the_schur_complement():
    rng = np.random.default_rng(2)
    solved, border = rng.normal(size=(9, 4)), rng.normal(size=(3, 3))
    # The last column is the right side, and is none of the border.
    expected = border - solved[:, :3].T @ solved[:, :3]
    assert np.allclose(border_left(solved, border, 3), expected)


def solved(peaks, values, border, y):
    first, start = overlaps(peaks)
    rows = normal_rows(peaks, values, first, start)
    cross = np.empty((len(peaks.low), len(border) + 1))
    project(peaks, values, np.vstack([border, y]), cross)
    passive = np.ones(len(peaks.low), dtype=bool)
    right, mixed = np.ascontiguousarray(cross[:, -1]), np.ascontiguousarray(cross[:, :-1])
    return nonnegative(
        rows, first, start, right, mixed, border @ border.T, border @ y, passive
    ), passive


@pytest.mark.parametrize("seed", range(8))
def test_least_squares_are_those_of_scipy(seed):
    peaks = columns(seed, n=60)
    rng = np.random.default_rng(seed)
    values, _ = filled(peaks, np.ones(len(X)))
    matrix = dense(peaks, values)
    border = np.stack([np.ones(len(X)), X - X.mean()])
    true = np.where(rng.random(60) < 0.4, 0, rng.exponential(20, 60))
    y = matrix @ true + 3 - 0.2 * border[1] + rng.normal(size=len(X))
    (height, beta), passive = solved(peaks, values, border, y)
    # nnls has no free unknowns: a background of either sign is two.
    _, norm = nnls(np.hstack([matrix, border.T, -border.T]), y)
    left = y - matrix @ height - beta @ border
    assert left @ left == pytest.approx(norm**2, rel=1e-5)
    assert (height >= 0).all()
    assert np.array_equal(passive, height > 0)


def test_nothing_there_gives_no_heights():
    peaks = columns(1)
    values, _ = filled(peaks, np.ones(len(X)))
    (height, beta), _ = solved(peaks, values, np.ones((1, len(X))), np.full(len(X), 2.0))
    assert height.max() < 1e-3
    assert beta == pytest.approx(2, abs=1e-3)
