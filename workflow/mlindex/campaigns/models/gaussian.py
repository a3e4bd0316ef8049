"""A compact Gaussian process: length scales by groups of columns, analytic leave-one-out.

Rasmussen & Williams 2006, *Gaussian Processes for Machine Learning*, algorithm 2.1 and sections
5.4.1 to 5.4.2. The mean is a constant, the best linear unbiased one, so that a cluster of good rows
does not raise what is expected elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from mlindex.base.extras import needing
from mlindex.campaigns.models.contract import Prediction
from mlindex.campaigns.models.kernels import KERNELS

with needing("planning of experiments", "campaigns"):
    from scipy.linalg import lapack, solve_triangular
    from scipy.optimize import minimize

#: Prior of the logarithm of a length scale, for one group: mean and standard deviation. It grows
#: with the root of the number of groups (Hvarfner 2024, arXiv 2402.02229), for distances do so.
_SCALE = (np.log(0.7), 0.8)
#: The same of the signal's and the noise's standard deviation, for targets of variance 1.
_SIGNAL = (0.0, 0.5)
_NOISE = (np.log(0.3), 1.0)
_BOUNDS = ((np.log(0.02), np.log(30.0)), (np.log(0.05), np.log(20.0)), (np.log(0.01), np.log(3.0)))
#: Candidates predicted at a time: keeps a table of 500 x 4096 numbers in the cache's reach.
_CHUNK = 4096
#: Hyperparameters are learnt from that many rows more each time, or from one more.
_GROWTH = 1.2


@dataclass(frozen=True)
class Hyper:
    """Hyperparameters: ``scales`` (groups,), ``signal`` and ``noise`` as standard deviations."""

    scales: np.ndarray
    signal: float
    noise: float


def rows_to_learn_from(n: int) -> int:
    """How many of the first n rows hyperparameters are learnt from: all but the last sixth at most.

    The numbers are few, so that what was learnt at one step is there at the next ones.
    """
    level = 12
    if n <= level:
        return n
    while True:
        following = max(level + 1, int(level * _GROWTH))
        if following > n:
            return level
        level = following


class Likelihood:
    """The posterior density of hyperparameters, with its gradient.

    Args:
        features: rows (n, d).
        targets: (n,), of variance about 1.
        groups: (d,) integers.
        kernel: its name.
        noise: standard deviation of the targets' noise where it is known.
    """

    def __init__(
        self,
        features: np.ndarray,
        targets: np.ndarray,
        groups: np.ndarray,
        kernel: str,
        noise: float | None = None,
    ) -> None:
        names = np.unique(groups)
        self.y, self.kernel, self.n = targets, KERNELS[kernel], len(targets)
        self.d2 = np.stack([_distances(x := features[:, groups == g], x).ravel() for g in names])
        count = len(names)
        self.centre = np.full(count + 2, _SCALE[0] + 0.5 * np.log(max(1, count)))
        self.width = np.full(count + 2, _SCALE[1])
        self.centre[-2], self.width[-2] = _SIGNAL
        self.centre[-1], self.width[-1] = _NOISE if noise is None else (np.log(noise), 0.3)
        self.bounds = [_BOUNDS[0]] * count + list(_BOUNDS[1:])
        self.centre = np.clip(self.centre, *np.transpose(self.bounds))

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log density (but for a constant) and its gradient by the logarithms."""
        weights, n = np.exp(-2 * theta[:-2]), self.n
        signal2, noise2 = np.exp(2 * theta[-2:])
        k, slope = self.kernel(weights @ self.d2)
        covariance = signal2 * k.reshape(n, n)
        covariance.flat[:: n + 1] += noise2
        root, failed = lapack.dpotrf(covariance.T, lower=1, overwrite_a=1)
        if failed:
            return 1e10, np.zeros_like(theta)
        inverse, _ = lapack.dpotri(root, lower=1)
        diagonal = inverse.diagonal().copy()
        inverse += inverse.T
        inverse[np.diag_indices(n)] = diagonal
        ones = inverse.sum(axis=1)
        alpha = inverse @ self.y
        alpha -= ones * (alpha.sum() / ones.sum())
        inverse -= alpha[:, None] * alpha
        outer = -inverse
        gradient = np.empty_like(theta)
        weighted = outer.ravel() * slope
        gradient[:-2] = -0.5 * signal2 * weights * (self.d2 @ weighted)
        gradient[-2] = -signal2 * (outer.ravel() @ k)
        gradient[-1] = -noise2 * np.trace(outer)
        value = 0.5 * self.y @ alpha + np.log(np.diag(root)).sum()
        away = (theta - self.centre) / self.width
        return value + 0.5 * away @ away, gradient + away / self.width

    def best(self) -> Hyper:
        """The most probable hyperparameters, found from the middle of their prior."""
        found = minimize(
            self,
            self.centre,
            jac=True,
            method="L-BFGS-B",
            bounds=self.bounds,
            options={"maxiter": 25, "ftol": 1e-5},
        )
        return Hyper(np.exp(found.x[:-2]), *np.exp(found.x[-2:]))


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian process that has seen rows.

    ``columns`` (d,) are the length scales by column, ``root`` (n, n) the lower Cholesky factor of
    the covariance of the targets, ``alpha`` (n,) their weights; ``mean`` and the standard
    deviations ``signal`` and ``noise`` in units of the targets.
    """

    features: np.ndarray
    targets: np.ndarray
    columns: np.ndarray
    kernel: str
    mean: float
    signal: float
    noise: float
    root: np.ndarray
    alpha: np.ndarray

    @classmethod
    def of(
        cls,
        features: np.ndarray,
        targets: np.ndarray,
        groups: np.ndarray,
        hyper: Hyper,
        kernel: str = "matern52",
    ) -> Gaussian:
        """Given hyperparameters, whose scales are in the order of the sorted groups."""
        columns = hyper.scales[np.unique(groups, return_inverse=True)[1]]
        scaled = features / columns
        covariance = hyper.signal**2 * KERNELS[kernel](_distances(scaled, scaled))[0]
        covariance[np.diag_indices_from(covariance)] += hyper.noise**2 + 1e-8 * hyper.signal**2
        root = np.linalg.cholesky(covariance)
        both = _solved(root, np.stack([targets, np.ones_like(targets)], axis=1))
        mean = float(both[:, 0] @ both[:, 1] / (both[:, 1] @ both[:, 1]))
        alpha = _solved(root, both[:, 0] - mean * both[:, 1], transposed=True)
        return cls(features, targets, columns, kernel, mean, hyper.signal, hyper.noise, root, alpha)

    @classmethod
    def learnt(
        cls,
        features: np.ndarray,
        targets: np.ndarray,
        groups: np.ndarray,
        kernel: str = "matern52",
        noise: float | None = None,
        early: np.ndarray | None = None,
    ) -> Gaussian:
        """With hyperparameters learnt from the first rows.

        Args:
            features: (n, d).
            targets: (n,).
            groups: (d,) integers.
            kernel: its name.
            noise: standard deviation of the targets' noise where it is known.
            early: targets (k,) of the first rows, that hyperparameters are learnt from; those of
                :func:`rows_to_learn_from` by default.
        """
        early = targets[: rows_to_learn_from(len(targets))] if early is None else early
        spread = float(early.std()) or 1.0
        hyper = _learnt(
            np.ascontiguousarray(features[: len(early)]).tobytes(),
            (early / spread).tobytes(),
            groups.astype(np.int64).tobytes(),
            kernel,
            None if noise is None else float(np.clip(noise / spread, 0.01, 3)),
        )
        hyper = Hyper(hyper.scales, hyper.signal * spread, hyper.noise * spread)
        return cls.of(features, targets, groups, hyper, kernel)

    def covariance(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Covariance (a, b) of what is expected at two sets of features before any row is seen."""
        k, _ = KERNELS[self.kernel](_distances(a / self.columns, b / self.columns))
        return self.signal**2 * k

    def predict(self, features: np.ndarray) -> Prediction:
        """Expected targets and their standard deviations, without noise, at features (m, d)."""
        mean, deviation = np.empty(len(features)), np.empty(len(features))
        for start in range(0, len(features), _CHUNK):
            part = slice(start, start + _CHUNK)
            k = self.covariance(self.features, features[part])
            mean[part] = self.mean + self.alpha @ k
            explained = np.einsum("ij,ij->j", v := _solved(self.root, k), v)
            deviation[part] = np.sqrt(np.maximum(self.signal**2 - explained, 1e-12))
        return Prediction(mean, deviation)

    def left_out(self) -> Prediction:
        """Each row's target as the others predict it, with noise (eq. 5.12; the mean is kept)."""
        inverse = _solved(self.root, np.eye(len(self.root)))
        variance = 1 / np.einsum("ij,ij->j", inverse, inverse)
        return Prediction(self.targets - self.alpha * variance, np.sqrt(variance))

    def draws(self, features: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draws (count, m) of the process at features (m, d); m³ operations."""
        k = self.covariance(self.features, features)
        half = _solved(self.root, k)
        joint = self.covariance(features, features) - half.T @ half
        values, vectors = np.linalg.eigh(joint)
        spread = vectors * np.sqrt(np.maximum(values, 0))
        return self.mean + self.alpha @ k + rng.standard_normal((count, len(k.T))) @ spread.T

    def with_row(self, features: np.ndarray, target: float) -> Gaussian:
        """With one more row (d,), the mean and the hyperparameters as they are; O(n²)."""
        k = self.covariance(self.features, features[None])[:, 0]
        row = _solved(self.root, k)
        own = np.sqrt(self.signal**2 + self.noise**2 - row @ row)
        n = len(self.root)
        root = np.zeros((n + 1, n + 1))
        root[:n, :n], root[n, :n], root[n, n] = self.root, row, own
        targets = np.append(self.targets, target)
        alpha = _solved(root, _solved(root, targets - self.mean), transposed=True)
        rows = np.vstack([self.features, features])
        return replace(self, features=rows, targets=targets, root=root, alpha=alpha)


@lru_cache(maxsize=64)
def _learnt(
    features: bytes, targets: bytes, groups: bytes, kernel: str, noise: float | None
) -> Hyper:
    """Hyperparameters by what they are learnt from: a replay asks for the same ones many times."""
    y, columns = np.frombuffer(targets), np.frombuffer(groups, dtype=np.int64)
    x = np.frombuffer(features).reshape(len(y), len(columns))
    return Likelihood(x, y, columns, kernel, noise).best()


def _solved(root: np.ndarray, right: np.ndarray, transposed: bool = False) -> np.ndarray:
    return solve_triangular(root, right, lower=True, trans=int(transposed), check_finite=False)


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances (len(a), len(b))."""
    d2 = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)
    d2 -= 2 * (a @ b.T)
    return np.maximum(d2, 0, out=d2)
