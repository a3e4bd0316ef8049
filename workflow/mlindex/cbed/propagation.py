"""The wave through the crystal: exp(2 pi i M t) on the direct beam, for many directions at once.

Only the diagonal of the structure matrix M depends on the direction, so a step of the Chebyshev
series of the exponential is one matrix product for all directions together (Tal-Ezer & Kosloff,
J. Chem. Phys. 81 (1984) 3967). Weak beams take from strong ones and give nothing back: M is block
triangular, its columns are those of the strong beams.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

#: Terms of the series are left out below this: single precision has 6e-8.
_LEFT_OUT = 1e-7
#: Longest argument of one series. With absorption its terms grow, and rounding errors with them, by
#: the exponential of this at most.
_ARGUMENT, _GROWTH = 400.0, 3.0
#: Squarings of a matrix for the bound of its norm: within N^(1/2^6), a tenth for 500 beams.
_SQUARINGS = 5


@dataclass(frozen=True)
class StructureMatrix:
    """``diagonal`` (n, m) in 1/A for n beams and m directions; ``coupling`` (n, n_strong) in 1/A.

    ``absorption``: the imaginary part of every coefficient over its real part; ``mean_inv_A`` is
    the mean potential over 2K. ``dressing`` (n_strong, n_strong), or None: the wave of the strong
    beams is the dressing times what the matrix propagates, and so is the direct beam before.
    """

    diagonal: np.ndarray
    coupling: np.ndarray
    absorption: float
    mean_inv_A: float
    dressing: np.ndarray | None = None


def intensities(matrix: StructureMatrix, thickness_A: np.ndarray) -> tuple[np.ndarray, int]:
    """|wave|² of every beam and direction at each thickness, and the matrix products taken.

    Args:
        matrix: the structure matrix; the direct beam is its first row.
        thickness_A: rising thicknesses, shape (t,).

    Returns:
        float32 (t, n, m), and a count.
    """
    n, m = matrix.diagonal.shape
    wave = np.zeros((n, m), np.complex64)
    series = _Series.of(matrix)
    dressing = None if matrix.dressing is None else matrix.dressing.astype(series.coupling.dtype)
    n_strong = series.coupling.shape[1]
    wave[:n_strong] = np.eye(n_strong, 1) if dressing is None else dressing[:, :1]
    out = np.empty((len(thickness_A), n, m), np.float32)
    products, reached = 0, 0.0
    for i, thickness in enumerate(np.asarray(thickness_A, dtype=float)):
        wave, used = series.advanced(wave, thickness - reached)
        products, reached = products + used, thickness
        np.square(np.abs(wave), out=out[i])
        if dressing is not None:
            seen = np.empty_like(wave[:n_strong])
            _multiply(dressing, wave[:n_strong], seen)
            np.square(np.abs(seen), out=out[i, :n_strong])
        # What the mean potential absorbs is the same for all beams.
        out[i] *= np.exp(-4 * np.pi * matrix.absorption * matrix.mean_inv_A * thickness)
    return out, products


@dataclass(frozen=True)
class _Series:
    diagonal: np.ndarray
    coupling: np.ndarray
    factor: complex
    middle: float
    half_width: float
    longest: float

    @classmethod
    def of(cls, matrix: StructureMatrix) -> _Series:
        kind = np.complex64 if np.iscomplexobj(matrix.coupling) else np.float32
        coupling = np.ascontiguousarray(matrix.coupling, dtype=kind)
        low, high = spectrum_bounds(coupling[: coupling.shape[1]])
        lowest = float(matrix.diagonal.min()) + low
        highest = float(matrix.diagonal.max()) + high
        middle, half = (highest + lowest) / 2, max((highest - lowest) / 2, 1e-9)
        scaled = ((matrix.diagonal - middle) / half).astype(np.float32)
        factor = complex(1, matrix.absorption) / half
        growth = matrix.absorption * max(-low, high) / half
        longest = min(_ARGUMENT, _GROWTH / max(growth, 1e-9))
        return cls(scaled, coupling, factor, middle, half, longest)

    def advanced(self, wave: np.ndarray, thickness_A: float) -> tuple[np.ndarray, int]:
        """The wave after some more thickness, and the products taken."""
        argument = 2 * np.pi * thickness_A * self.half_width
        steps = max(int(np.ceil(argument / self.longest)), 1)
        terms = series_terms(argument / steps)
        # The middle of the spectrum gives a phase that all beams share: it is left out.
        products = 0
        for _ in range(steps):
            wave = self._step(wave, terms)
            products += len(terms) - 1
        return wave, products

    def _step(self, wave: np.ndarray, terms: np.ndarray) -> np.ndarray:
        n_strong = self.coupling.shape[1]
        product = np.empty_like(wave)
        before, now = np.empty_like(wave), wave.copy()
        total = np.zeros_like(wave)
        _add(total, now, terms[0])
        for k, term in enumerate(terms[1:], 1):
            _multiply(self.coupling, now[:n_strong], product)
            twice = 1.0 if k == 1 else 2.0
            _next(product, self.diagonal, now, before, total, self.factor, twice, term)
            before, now = now, before
        return total


def series_terms(argument: float) -> np.ndarray:
    """Coefficients of exp(i argument x) in Chebyshev polynomials of x, complex64 (n,)."""
    n = int(argument + 12 * np.cbrt(argument + 1) + 24)
    angles = np.pi * (np.arange(2 * n) + 0.5) / (2 * n)
    values = np.exp(1j * argument * np.cos(angles))
    terms = np.cos(np.outer(np.arange(n), angles)) @ values / n
    terms[0] /= 2
    last = np.flatnonzero(np.abs(terms) > _LEFT_OUT)[-1]
    return terms[: last + 1].astype(np.complex64)


def spectrum_bounds(matrix: np.ndarray) -> tuple[float, float]:
    """Lower and upper bound of the eigenvalues of a Hermitian matrix, close and never inside.

    From norms of its powers: the Frobenius norm of M^(2^k), to the power 1/2^k, is at least the
    largest |eigenvalue| and at most N^(1/2^(k+1)) times it.
    """
    largest = _norm_bound(matrix)
    identity = np.eye(len(matrix), dtype=matrix.dtype) * np.float32(largest)
    return largest - _norm_bound(identity - matrix), _norm_bound(identity + matrix) - largest


def _norm_bound(matrix: np.ndarray) -> float:
    power, scale = matrix, 1.0
    for k in range(_SQUARINGS):
        size = float(np.linalg.norm(power))
        if size == 0:
            return 0.0
        scale *= size ** (1 / 2**k)
        power = power / np.float32(size)
        power = power @ power
    return scale * float(np.linalg.norm(power)) ** (1 / 2**_SQUARINGS) * (1 + 1e-5)


def _multiply(coupling: np.ndarray, strong: np.ndarray, out: np.ndarray) -> None:
    """coupling @ strong; with a real matrix at half the cost."""
    if np.iscomplexobj(coupling):
        np.matmul(coupling, strong, out=out)
    else:
        np.matmul(coupling, strong.view(np.float32), out=out.view(np.float32))


@numba.njit(cache=True, fastmath=True)
def _add(total, wave, term):
    for i in range(wave.shape[0]):
        for j in range(wave.shape[1]):
            total[i, j] += term * wave[i, j]


@numba.njit(cache=True, fastmath=True)
def _next(product, diagonal, now, before, total, factor, twice, term):
    """before = twice M now - before (twice = 1: M now), and total += term before."""
    real, imaginary = np.float32(factor.real * twice), np.float32(factor.imag * twice)
    twice = np.float32(twice)
    keep = np.float32(1.0) if twice > 1 else np.float32(0.0)
    term_real, term_imaginary = np.float32(term.real), np.float32(term.imag)
    for i in range(now.shape[0]):
        for j in range(now.shape[1]):
            p, w, b = product[i, j], now[i, j], before[i, j]
            d = twice * diagonal[i, j]
            x = real * p.real - imaginary * p.imag + d * w.real
            y = real * p.imag + imaginary * p.real + d * w.imag
            if keep > 0:
                x -= b.real
                y -= b.imag
            before[i, j] = complex(x, y)
            total[i, j] += complex(
                term_real * x - term_imaginary * y, term_real * y + term_imaginary * x
            )
