"""Cells refined on indexed lines by least squares, with standard uncertainties.

q² = H · x is linear in the free reciprocal parameters of a lattice system, so weighted linear least
squares gives the cell at once. A zero shift z and a sample displacement d (observed 2theta = true
2theta + z + d cos(theta)) enter through q² = (2 sin(theta) / lambda)² and are linearized,
d(q²)/d(2theta) = 2 sin(2theta) / lambda². Variances are those of the normal equations times the
reduced chi², carried to the cell with the exact derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta, q2_per_radian, two_theta_from_q2
from mlindex.crystal.cell import cell_derivatives, cell_from_reciprocal, reciprocal_from_cell
from mlindex.crystal.lattice import LatticeSystem, quadratic_terms
from mlindex.crystal.lines import nearest_index, reflections
from mlindex.indexing.shift import LineShift

_ITERATIONS = 20
_SHIFT_CONVERGED_DEG = 1e-9
#: Median absolute deviation of a normal distribution, in standard deviations.
_MAD = 0.6744897501960817
#: Normal equations worse than this, scaled to a unit diagonal, determine nothing.
_SINGULAR = 1e-10
#: Misfits below this many errors are the rounding of computers, and choose no model.
_LEAST_MISFIT = 1e-3


@dataclass(frozen=True)
class Refined:
    """A refined cell.

    Attributes:
        cell: a, b, c (A), alpha, beta, gamma (degrees).
        cell_error: their standard uncertainties, 0 where fixed by symmetry.
        cell_covariance: their covariance (6, 6).
        shift: refined zero shift and displacement with their errors; 0 where not refined.
        hkl: Miller indices used (n, 3), 0 0 0 where a line has none.
        used: which lines the cell was refined on (n,).
        q2_corrected_inv_A2: observed q² (n,) with the shift taken off.
        q2_calculated_inv_A2: calculated q² (n,); NaN where a line has no indices.
        chi2_reduced: weighted sum of squares per degree of freedom; 0 without any, and then the
            uncertainties are those of the given sigmas alone.
        log_likelihood: what the lines say of this model among others with other shifts, see
            :mod:`mlindex.indexing.shift_choice`; -inf without a degree of freedom.
    """

    cell: np.ndarray
    cell_error: np.ndarray
    cell_covariance: np.ndarray
    shift: LineShift
    hkl: np.ndarray
    used: np.ndarray
    q2_corrected_inv_A2: np.ndarray
    q2_calculated_inv_A2: np.ndarray
    chi2_reduced: float
    log_likelihood: float


def refine(
    cell: np.ndarray,
    centring: str,
    system: LatticeSystem,
    q2_inv_A2: np.ndarray,
    sigma_q2_inv_A2: np.ndarray,
    hkl: np.ndarray | None = None,
    two_theta_deg: np.ndarray | None = None,
    wavelength_A: float | None = None,
    zero_shift: bool = False,
    displacement: bool = False,
    start_deg: float = 0.0,
    outlier_sigmas: float | None = None,
) -> Refined:
    """Refine a cell, and a zero shift or displacement if asked, on indexed lines.

    Args:
        cell: six cell parameters to start from (A, degrees). They only matter where ``hkl`` is
            None: then every line takes the nearest reflection of this cell.
        centring: centring letter in this setting, for that same case.
        system: the lattice system whose constraints the cell obeys.
        q2_inv_A2: observed q² (n,), 1/A².
        sigma_q2_inv_A2: their standard uncertainties (n,), positive.
        hkl: Miller indices (n, 3), 0 0 0 for a line that has none.
        two_theta_deg: observed 2theta (n,), degrees; from q² if None.
        wavelength_A: wavelength in A, needed for a shift.
        zero_shift: whether to refine a zero shift of 2theta.
        displacement: whether to refine a sample displacement.
        start_deg: the shift to start from, degrees of 2theta.
        outlier_sigmas: lines farther than this many robust standard deviations from the fit are
            left out, one after another, the worst first; None keeps all.

    Raises:
        ValueError: if there are fewer lines than parameters, if their indices don't determine
            the cell, if the result is no cell, or if a shift lacks its wavelength.
    """
    q2 = np.asarray(q2_inv_A2, dtype=float)
    sigma = np.asarray(sigma_q2_inv_A2, dtype=float)
    kinds = (zero_shift, displacement)
    if any(kinds) and wavelength_A is None:
        raise ValueError("a shift can't be refined without the wavelength")
    if hkl is None:
        hkl = _nearest_hkl(cell, centring, q2)
    hkl = np.asarray(hkl, dtype=np.int64).reshape(-1, 3)
    indexed = hkl.any(axis=1)
    angles = _angles(q2, two_theta_deg, wavelength_A) if any(kinds) else None
    start = np.where(np.cumsum(kinds) == 1, start_deg, 0.0) * kinds
    design = system.design_matrix(hkl)
    problem = _CellProblem(design, q2, sigma, angles, wavelength_A, np.array(kinds), start)
    used = indexed.copy()
    while True:
        fit = _fit(problem, used)
        worst = _outlier(problem, fit, used, outlier_sigmas)
        if worst is None:
            return _refined(system, problem, fit, hkl, used)
        used[worst] = False


@dataclass(frozen=True)
class _CellProblem:
    """Lines to fit; ``two_theta_deg`` is None where no shift is refined.

    ``kinds`` (2,) says whether a zero shift and a displacement are, ``start`` (2,) from where.
    """

    design: np.ndarray
    q2: np.ndarray
    sigma: np.ndarray
    two_theta_deg: np.ndarray | None
    wavelength_A: float | None
    kinds: np.ndarray
    start: np.ndarray

    @property
    def n_parameters(self) -> int:
        """Free parameters of the cell, and shifts."""
        return self.design.shape[1] + int(self.kinds.sum())

    def corrected(self, shift: np.ndarray) -> np.ndarray:
        """q² with zero shift and displacement (2,) taken off."""
        if self.two_theta_deg is None:
            return self.q2
        true = LineShift(*shift).taken_off(self.two_theta_deg)
        return q2_from_two_theta(true, self.wavelength_A)

    def slopes(self, shift: np.ndarray) -> np.ndarray:
        """d(q²)/d(shift) per degree at the corrected angles, (n, k) of the kinds refined."""
        angle = np.radians(LineShift(*shift).taken_off(self.two_theta_deg))
        slope = np.radians(q2_per_radian(angle, self.wavelength_A))
        return np.column_stack([slope, slope * np.cos(angle / 2)])[:, self.kinds]


@dataclass(frozen=True)
class _Fit:
    """Parameters x, their covariance (shifts last), residuals over sigma (n,).

    ``shift`` (2,) and its errors: zero shift and displacement, 0 where not refined.
    """

    x: np.ndarray
    shift: np.ndarray
    shift_error: np.ndarray
    covariance: np.ndarray
    residual: np.ndarray
    chi2_reduced: float
    log_likelihood: float


def _angles(q2: np.ndarray, two_theta_deg: np.ndarray | None, wavelength_A: float) -> np.ndarray:
    if two_theta_deg is not None:
        return np.asarray(two_theta_deg, dtype=float)
    angles = two_theta_from_q2(q2, wavelength_A)
    if np.isnan(angles).any():
        raise ValueError(f"lines can't be reached with a wavelength of {wavelength_A} A")
    return angles


def _nearest_hkl(cell: np.ndarray, centring: str, q2: np.ndarray) -> np.ndarray:
    hkl = reflections(cell, centring, float(q2.max()) * 1.05)
    if not len(hkl):
        raise ValueError("the cell has no reflection up to the last line")
    calculated = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    return hkl[nearest_index(q2, calculated)]


def _fit(problem: _CellProblem, used: np.ndarray) -> _Fit:
    """Least squares on the lines used; iterated where a shift makes it nonlinear."""
    n_free, kinds = problem.design.shape[1], problem.kinds
    n_parameters = problem.n_parameters
    if used.sum() < n_parameters:
        raise ValueError(f"{used.sum()} indexed lines for {n_parameters} parameters: too few")
    shift = problem.start.copy()
    for _ in range(_ITERATIONS):
        design, q2 = problem.design, problem.corrected(shift)
        if kinds.any():
            design = np.column_stack([design, problem.slopes(shift)])
        rows = (design / problem.sigma[:, None])[used]
        x, covariance = _least_squares(rows, (q2 / problem.sigma)[used])
        step = x[n_free:]
        shift[kinds] += step
        if np.all(np.abs(step) < _SHIFT_CONVERGED_DEG):
            break
    residual = (problem.corrected(shift) - problem.design @ x[:n_free]) / problem.sigma
    freedom = int(used.sum()) - n_parameters
    squares = float(np.sum(residual[used] ** 2))
    chi2 = squares / freedom if freedom else 0.0
    scaled = covariance * (chi2 if freedom else 1.0)
    error = np.zeros(2)
    error[kinds] = np.sqrt(np.diag(scaled)[n_free:])
    said = _log_likelihood(covariance, squares, freedom)
    return _Fit(x[:n_free], shift, error, scaled, residual, chi2, said)


def _log_likelihood(covariance: np.ndarray, squares: float, freedom: int) -> float:
    """ln of the probability of the lines, but for a constant: all parameters integrated over, and
    the unknown scale of the errors (prior 1/scale) too."""
    if freedom < 1:
        return -np.inf
    n = len(covariance)
    size = np.sqrt(np.diag(covariance))
    spread = np.linalg.slogdet(covariance / np.outer(size, size))[1] / 2 + np.log(size).sum()
    squares += (freedom + n) * _LEAST_MISFIT**2
    half = freedom / 2
    return float(spread + n / 2 * np.log(2 * np.pi) + lgamma(half) - half * np.log(squares / 2))


def _least_squares(rows: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scale = np.linalg.norm(rows, axis=0)
    if not scale.all():
        raise ValueError("the indices of the lines don't determine the cell")
    left, singular, vectors = np.linalg.svd(rows / scale, full_matrices=False)
    if singular[-1] ** 2 < _SINGULAR * singular[0] ** 2:
        raise ValueError("the indices of the lines don't determine the cell")
    x = (vectors.T @ (left.T @ right / singular)) / scale
    covariance = ((vectors.T / singular**2) @ vectors) / np.outer(scale, scale)
    return x, covariance


def _outlier(
    problem: _CellProblem, fit: _Fit, used: np.ndarray, outlier_sigmas: float | None
) -> int | None:
    """The line to leave out next, None if there is none or none can be spared."""
    if outlier_sigmas is None or used.sum() <= problem.n_parameters + 1:
        return None
    size = np.where(used, np.abs(fit.residual), 0.0)
    # Never below the stated errors: a few lines that fit by chance make no others outliers.
    spread = max(float(np.median(size[used])) / _MAD, 1.0)
    worst = int(size.argmax())
    return worst if size[worst] > outlier_sigmas * spread else None


def _refined(
    system: LatticeSystem, problem: _CellProblem, fit: _Fit, hkl: np.ndarray, used: np.ndarray
) -> Refined:
    cell = cell_from_reciprocal(fit.x @ system.basis_matrix)
    if not np.isfinite(cell).all():
        raise ValueError("the lines don't fit any cell with these indices")
    # Angles that the system fixes must come out exact.
    cell = system.cell_from_free(system.free_from_cell(cell))
    n_free = len(fit.x)
    jacobian = cell_derivatives(cell) @ system.basis_matrix.T
    of_free = fit.covariance[:n_free, :n_free]
    variance = np.einsum("ij,jk,ik->i", jacobian, of_free, jacobian)
    free = np.array([isinstance(entry, str) for entry in system.template])
    return Refined(
        cell=cell,
        cell_error=np.where(free, np.sqrt(np.maximum(variance, 0.0)), 0.0),
        cell_covariance=jacobian @ of_free @ jacobian.T,
        shift=LineShift(*fit.shift.tolist(), *fit.shift_error.tolist()),
        hkl=hkl,
        used=used,
        q2_corrected_inv_A2=problem.corrected(fit.shift),
        q2_calculated_inv_A2=np.where(hkl.any(axis=1), problem.design @ fit.x, np.nan),
        chi2_reduced=fit.chi2_reduced,
        log_likelihood=fit.log_likelihood,
    )
