"""Trials refined by least squares and weighed by the evidence for them.

The evidence compares two accounts of the lines: each is one of the N reflections of the lattice,
displaced by a normal error, or a stray, with a probability of its own; or each lies anywhere.
Integrated over the free parameters (Laplace's approximation) it prefers few parameters and few
reflections where the fit is as good: the determinant of the normal equations is the price of a
parameter. The scale of the errors is not trusted: it is taken from a grid, so that exact lists are
worth more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from mlindex.base.linear import cholesky, solve_positive
from mlindex.crystal.walk import Region, form_of, k_range, l_row, last_h, q2_of
from mlindex.indexing.search.kernels import design_row, place_of

_ROOT_2_PI = float(np.sqrt(2 * np.pi))
#: Prior spread of a zero shift, degrees of 2theta.
SHIFT_SPREAD_DEG = 0.06
#: Reciprocal parameters are thought to lie anywhere up to this share of the last line's q².
_PRIOR_SHARE = 0.25
#: Widths of Cauchy's weights, step by step, in errors. Wide ones pull in trials solved from few
#: lines; narrow ones let exact lines win over neighbours taken for them. The best step counts.
_WIDTHS = np.array([0.0, 1.5, 0.7, 0.3, 0.12, 0.04])
#: Keeps one line that fits exactly from outweighing all others in the choice of the best step.
_EXACT = 0.02
#: Logarithms take long: one is taken for the product of so many lines, which no number is too
#: small or too large for.
AT_ONCE = 16
#: Lines within so many widths draw a trial, and within so many errors they tell its parameters.
_DRAWN, _TELLING = 10.0, 4.0
#: Reflections are walked to this much beyond the last line, and counted to so many errors.
_REACH, _COUNTED = 1.05, 2.0
#: Reflections so near, relatively, are one line by symmetry.
_ONE_LINE = 1e-8


class ObservedPattern(NamedTuple):
    """Lines (n,): q² as observed, 1/A², its expected errors, the errors at every scale tried
    (s, n), d(q²)/d(2theta), 1/A² per degree, how probable it is that each is a stray, and how far
    apart reflections near it are two lines, 1/A²: 0 where all are."""

    q2: np.ndarray
    sigma: np.ndarray
    errors: np.ndarray
    slope: np.ndarray
    stray: np.ndarray
    resolution: np.ndarray


class Misfit(NamedTuple):
    """How lines (n,) miss the reflections of a trial.

    ``difference`` from the nearest one, 1/A²; ``gap``, 1/A², how far apart two reflections are that
    are not resolved and have the line between them, 0 where there are none; ``again``: another line
    is nearer to the same reflection, so that this one is no further evidence.
    """

    difference: np.ndarray
    gap: np.ndarray
    again: np.ndarray


class Model(NamedTuple):
    """What is refined: the first ``size`` of the free parameters and the zero shift.

    ``basis`` (f, 6): x6 = x @ basis; ``prior`` (f + 1,) spreads of the parameters. Trials with
    more than ``most`` reflections are not weighed.
    """

    basis: np.ndarray
    prior: np.ndarray
    size: int
    most: int


class Fit(NamedTuple):
    """How the lines (n,) lie in a trial: q² calculated, observed - calculated, hkl (n, 3), and
    the derivatives of q² by the parameters (n, f + 1)."""

    calculated: np.ndarray
    difference: np.ndarray
    hkl: np.ndarray
    rows: np.ndarray


def model_of(basis: np.ndarray, q2_last: float, refine_shift: bool, most: int) -> Model:
    """The model of a lattice system with that basis, for lines up to q2_last."""
    prior = np.full(len(basis) + 1, _PRIOR_SHARE * q2_last)
    prior[-1] = SHIFT_SPREAD_DEG
    return Model(basis, prior, len(basis) + int(refine_shift), most)


@njit(cache=True, nogil=True)
def refine_and_weigh(
    parameters: np.ndarray,
    centring: np.ndarray,
    domain: np.ndarray,
    model: Model,
    pattern: ObservedPattern,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Refine trials and weigh them.

    Args:
        parameters: free reciprocal parameters and zero shift of 2theta in degrees (m, f + 1),
            changed in place; the shift stays as given where it is not refined.
        centring: codes (m,).
        domain: of the lattice system.
        model: see :func:`model_of`.
        pattern: the lines, no shift taken off.

    Returns:
        evidence (m,), -inf where there is none; number of reflections up to the last line (m,);
        differences (m, n) observed - calculated.
    """
    m, n = parameters.shape[0], pattern.q2.shape[0]
    evidence = np.full(m, -np.inf)
    numbers = np.zeros(m, dtype=np.int64)
    differences = np.zeros((m, n))
    calculated, hkl = np.empty(n), np.zeros((n, 3), dtype=np.int64)
    rows = np.empty((n, parameters.shape[1]))
    for t in range(m):
        region = Region(domain[0], domain[1], domain[2], centring[t])
        fit = Fit(calculated, differences[t], hkl, rows)
        numbers[t] = _refine(parameters[t], region, model, pattern, fit)
        if numbers[t] > 0:
            _derive(model.basis, pattern.slope, fit)
            evidence[t] = _weigh(parameters[t], region, numbers[t], model, pattern, fit)
    return evidence, numbers, differences


@njit(cache=True, nogil=True)
def _refine(
    parameters: np.ndarray, region: Region, model: Model, pattern: ObservedPattern, fit: Fit
) -> int:
    """Refine a trial in place; its number of reflections, 0 where it can't be weighed."""
    best, least = parameters.copy(), np.inf
    for step in range(len(_WIDTHS) + 1):
        number = _place(parameters, region, model, pattern, fit)
        if number == 0:
            if step == 0:
                return 0
            parameters[:] = best
            continue
        off = np.sum(np.log(np.abs(fit.difference) / pattern.sigma + _EXACT))
        off += fit.difference.shape[0] * np.log(number)
        if off < least:
            least = off
            best[:] = parameters
            if step == len(_WIDTHS):
                return number
        if step < len(_WIDTHS):
            width = _WIDTHS[step]
            if step == 0:
                width = min(max(np.median(np.abs(fit.difference) / pattern.sigma), 0.03), 2.0)
            _derive(model.basis, pattern.slope, fit)
            _move(parameters, width, model, pattern, fit)
    parameters[:] = best
    return _place(parameters, region, model, pattern, fit)


@njit(cache=True, nogil=True)
def _place(
    parameters: np.ndarray, region: Region, model: Model, pattern: ObservedPattern, fit: Fit
) -> int:
    """Give every line its nearest reflection; the number of reflections, 0 if too many or none."""
    x6 = _x6(parameters, model)
    observed = pattern.q2 - pattern.slope * parameters[-1]
    last = observed[-1] + _COUNTED * pattern.sigma[-1]
    number = _nearest(x6, region, observed, last, model.most, fit)
    fit.difference[:] = observed - fit.calculated
    return number


@njit(cache=True, nogil=True)
def _x6(parameters: np.ndarray, model: Model) -> np.ndarray:
    """The six reciprocal parameters."""
    x6 = np.zeros(6)
    for s in range(model.basis.shape[0]):
        for u in range(6):
            x6[u] += parameters[s] * model.basis[s, u]
    return x6


@njit(cache=True, nogil=True)
def _nearest(
    x6: np.ndarray, region: Region, q2: np.ndarray, q2_last: float, most: int, fit: Fit
) -> int:
    """The reflection nearest to each line, and the number of reflections up to q2_last.

    0 where x6 is no lattice or has too many reflections.
    """
    form, q2_end = form_of(x6), q2[-1] * _REACH
    calculated, hkl = fit.calculated, fit.hkl
    calculated[:] = np.inf
    if not form.a > 0.0:
        return 0
    count, walked = 0, 0
    for h in range(last_h(form, q2_end) + 1):
        k_low, k_high = k_range(form, region, h, q2_end)
        for k in range(k_low, k_high + 1):
            l_low, number, step = l_row(form, region, h, k, q2_end)
            walked += number
            for i in range(number):
                l = l_low + i * step
                value = q2_of(form, h, k, l)
                if value <= q2_last:
                    count += 1
                low, high = _nearer(value, q2, calculated)
                for line in range(low, high):
                    calculated[line] = value
                    hkl[line, 0], hkl[line, 1], hkl[line, 2] = h, k, l
            if walked > most:
                return 0
    return count


@njit(cache=True, nogil=True)
def _nearer(value: float, q2: np.ndarray, calculated: np.ndarray) -> tuple[int, int]:
    """The range of lines that a value is nearer to than what was calculated for them so far.

    Lines rise: where one has something nearer, that is nearer to all beyond it as well.
    """
    low = high = place_of(value, q2)
    while high < q2.shape[0] and abs(value - q2[high]) < abs(calculated[high] - q2[high]):
        high += 1
    while low > 0 and abs(value - q2[low - 1]) < abs(calculated[low - 1] - q2[low - 1]):
        low -= 1
    return low, high


@njit(cache=True, nogil=True)
def _derive(basis: np.ndarray, slope: np.ndarray, fit: Fit) -> None:
    """Fill the derivatives of q² by the free parameters and by the zero shift."""
    for i in range(fit.rows.shape[0]):
        design_row(basis, fit.hkl[i], fit.rows[i])
        fit.rows[i, -1] = slope[i]


@njit(cache=True, nogil=True)
def _move(
    parameters: np.ndarray, width: float, model: Model, pattern: ObservedPattern, fit: Fit
) -> None:
    """A step of least squares with Cauchy's weights, ``width`` in errors, in place."""
    size, prior, sigma = model.size, model.prior, pattern.sigma
    normal, right = np.zeros((size, size)), np.zeros(size)
    for i in range(sigma.shape[0]):
        z = fit.difference[i] / (width * sigma[i])
        if abs(z) > _DRAWN:
            continue
        w = 1.0 / (sigma[i] * sigma[i] * (1 + z * z))
        for s in range(size):
            right[s] += w * fit.rows[i, s] * fit.difference[i]
            for u in range(s + 1):
                normal[s, u] += w * fit.rows[i, s] * fit.rows[i, u]
    for s in range(size):
        # The factor keeps parameters that only few lines tell apart from making it singular.
        normal[s, s] = (1 + 1e-10) * normal[s, s] + 1e-6 / (prior[s] * prior[s])
    shift = parameters.shape[0] - 1
    if size > shift:
        normal[shift, shift] += 1 / (prior[shift] * prior[shift])
        right[shift] -= parameters[shift] / (prior[shift] * prior[shift])
    if solve_positive(normal, right):
        parameters[:size] += right


@njit(cache=True, nogil=True)
def _weigh(
    parameters: np.ndarray,
    region: Region,
    number: int,
    model: Model,
    pattern: ObservedPattern,
    fit: Fit,
) -> float:
    """The evidence for a trial: of the scales of the errors the best, at the price of choosing."""
    best, best_errors = -np.inf, pattern.errors[0]
    misfit = plain_misfit(fit.difference)
    _mark_repeated(fit, misfit.again)
    if pattern.resolution[0] > 0.0:
        number += _unresolved(parameters, region, model, pattern, misfit.gap)
    for errors in pattern.errors:
        value = log_likelihood(misfit, errors, pattern.stray, number, pattern.q2[-1])
        if value <= best:
            continue
        information = _information(errors, model, fit)
        if not cholesky(information):
            continue
        # The root of the determinant is the price of the parameters.
        for s in range(model.size):
            value -= np.log(information[s, s])
        if model.size == model.prior.shape[0]:
            value -= 0.5 * (parameters[-1] / model.prior[-1]) ** 2
        if value > best:
            best, best_errors = value, errors
    _take_as_pairs(misfit, best_errors)
    return best - np.log(pattern.errors.shape[0])


@njit(cache=True, nogil=True)
def _unresolved(
    parameters: np.ndarray,
    region: Region,
    model: Model,
    pattern: ObservedPattern,
    gap: np.ndarray,
) -> int:
    """The number of pairs of neighbouring reflections that are not resolved.

    ``gap`` (n,) becomes how far apart those are that a line lies between, 0 where there are none.
    """
    q2 = pattern.q2 - pattern.slope * parameters[-1]
    values = np.empty(model.most + 1)
    count = _values(_x6(parameters, model), region, q2[-1] * _REACH, values)
    values = np.sort(values[:count])
    pairs, line = 0, 0
    for i in range(1, count):
        low, high = values[i - 1], values[i]
        while line < q2.shape[0] and q2[line] < low:
            line += 1
        if line == q2.shape[0]:
            break
        if high - low <= _ONE_LINE * high or high - low > pattern.resolution[line]:
            continue
        pairs += 1
        for inside in range(line, q2.shape[0]):
            if q2[inside] > high:
                break
            gap[inside] = high - low
    return pairs


@njit(cache=True, nogil=True)
def _values(x6: np.ndarray, region: Region, q2_end: float, values: np.ndarray) -> int:
    """Fill in q² of the reflections up to an end, in no order; how many there are, or fit in."""
    form, count = form_of(x6), 0
    for h in range(last_h(form, q2_end) + 1):
        k_low, k_high = k_range(form, region, h, q2_end)
        for k in range(k_low, k_high + 1):
            l_low, number, step = l_row(form, region, h, k, q2_end)
            for i in range(number):
                if count == values.shape[0]:
                    return count
                values[count] = q2_of(form, h, k, l_low + i * step)
                count += 1
    return count


@njit(cache=True, nogil=True)
def _mark_repeated(fit: Fit, again: np.ndarray) -> None:
    """Mark all lines at one reflection but the nearest: several scans measured it, or the others
    are strays."""
    for i in range(1, again.shape[0]):
        if fit.calculated[i] != fit.calculated[i - 1]:
            continue
        first = i - 1
        while again[first]:
            first -= 1
        if abs(fit.difference[i]) < abs(fit.difference[first]):
            again[first] = True
        else:
            again[i] = True


@njit(cache=True, nogil=True)
def _take_as_pairs(misfit: Misfit, errors: np.ndarray) -> None:
    """Lines that are rather pairs of reflections lie as near to their place as others do."""
    gap, difference = misfit.gap, misfit.difference
    for i in range(gap.shape[0]):
        if gap[i] > 0.0 and gap[i] * normal_density(difference[i], errors[i]) < 1.0:
            difference[i] = min(max(difference[i], -errors[i]), errors[i])


@njit(cache=True, nogil=True)
def _information(errors: np.ndarray, model: Model, fit: Fit) -> np.ndarray:
    """What the lines tell of the parameters, in units of their priors: (size, size)."""
    size, prior = model.size, model.prior
    found = np.eye(size)
    for i in range(errors.shape[0]):
        if abs(fit.difference[i] / errors[i]) > _TELLING:
            continue
        w = 1.0 / errors[i] ** 2
        for s in range(size):
            for u in range(s + 1):
                found[s, u] += (
                    w * fit.rows[i, s] * fit.rows[i, u] * prior[s] * prior[u] / (2 * np.pi)
                )
    return found


@njit(cache=True, nogil=True)
def plain_misfit(difference: np.ndarray) -> Misfit:
    """Lines each at a reflection of its own, none of them a pair."""
    n = difference.shape[0]
    return Misfit(difference, np.zeros(n), np.zeros(n, dtype=np.bool_))


@njit(cache=True, nogil=True)
def log_likelihood(
    misfit: Misfit, errors: np.ndarray, stray: np.ndarray, number: int, q2_max: float
) -> float:
    """Log-likelihood ratio of lines (n,) near so many reflections to lines that lie anywhere.

    Pairs of reflections that are not resolved count among the number.
    """
    total, product = 0.0, 1.0
    for i in range(errors.shape[0]):
        density = normal_density(misfit.difference[i], errors[i])
        if misfit.gap[i] > 0.0:
            density += 1.0 / misfit.gap[i]
        odds = (1 - stray[i]) * q2_max / number * density + stray[i]
        product *= min(odds, 1.0) if misfit.again[i] else odds
        if (i + 1) % AT_ONCE == 0:
            total += np.log(product)
            product = 1.0
    return total + np.log(product)


@njit(cache=True, nogil=True)
def normal_density(difference: float, sigma: float) -> float:
    """Probability density of a normal error; 0 beyond 30 standard deviations."""
    z = difference / sigma
    return np.exp(-0.5 * z * z) / (_ROOT_2_PI * sigma) if abs(z) < 30 else 0.0
