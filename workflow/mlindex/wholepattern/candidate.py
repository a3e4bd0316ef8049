"""The profile fit of one cell: its lines, and free peaks where they leave something clear."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.lattice import LatticeSystem
from mlindex.wholepattern.data import Data
from mlindex.wholepattern.fit import Expected, Fitted, minimize
from mlindex.wholepattern.lines import CellLines, cell_lines, system_parameters, together
from mlindex.wholepattern.model import N_SHIFTS, Layout, Peaks
from mlindex.wholepattern.reference import Reference, reach
from mlindex.wholepattern.strays import needed, unexplained

#: What zero shift and displacement are expected to be within, in degrees: adjusted instruments
#: show less than half of it, hasty samples twice as much.
SHIFT_SIGMA_DEG = 0.1
#: Cells found on the first lines may miss later ones by a width: wider peaks find their way.
_BLUR, _ROUGH_STEPS, _STEPS = 2.0, 8, 12
#: But cells move by no more than this share of q², for somewhere any cell meets some lines: without
#: a limit a monoclinic axis of 6.78 A became one of 5.29 A.
_REACH = 0.02
#: Lines beyond the ends of the pattern still add their tails, and may come in.
_PAD_FWHM, _PAD_DEG = 3.0, 0.5
#: A peak found this many widths from any line is nobody's; nearer ones the residual tells of.
_APART_FWHM = 0.8
#: Free peaks show one another: they are chosen so often.
_CHOICES = 2
#: Parameters that the fit charges for a free peak: its height, its position, and that it was
#: chosen among the peaks found.
_STRAY_PARAMETERS = 3


@dataclass(frozen=True)
class PhaseCell:
    """A cell (A, degrees) that obeys a lattice system, and its centring letter."""

    system: LatticeSystem
    centring: str
    cell: np.ndarray


@dataclass(frozen=True)
class Part:
    """A cell of a fit: its lattice system, and its lines, those too close to be told apart taken
    as one."""

    system: LatticeSystem
    lines: CellLines


@dataclass(frozen=True)
class CellFit:
    """A fit of a cell, or of several phases together.

    Attributes:
        parts: the cells.
        peaks: lines and free peaks as they were fitted.
        layout: which of the refined parameters is which.
        expected: what was known of them.
        fitted: what came of it.
    """

    parts: tuple[Part, ...]
    peaks: Peaks
    layout: Layout
    expected: Expected
    fitted: Fitted

    @property
    def system(self) -> LatticeSystem:
        """The lattice system of the cell, the first of several."""
        return self.parts[0].system

    @property
    def lines(self) -> CellLines:
        """The lines (k,) of the cell, the first of several."""
        return self.parts[0].lines

    @property
    def n_lines(self) -> int:
        """Lines of all cells."""
        return sum(len(part.lines) for part in self.parts)

    @property
    def n_parameters(self) -> int:
        """Lines, free peaks and refined parameters."""
        free = int(np.sum(~self.expected.fixed))
        return self.n_lines + len(self.peaks.free_deg) + free

    def chi2_reduced(self) -> float:
        """Sum of squares of the residuals per degree of freedom."""
        residual = self.fitted.solution.residual
        return float(residual @ residual) / max(len(residual) - self.n_parameters, 1)


def fit_cell(
    reference: Reference,
    found_deg: np.ndarray,
    system: LatticeSystem,
    cell: np.ndarray,
    centring: str,
    zero_shift_deg: float = 0.0,
    near: bool = False,
) -> CellFit:
    """Fit one cell to the points of a reference.

    Args:
        reference: the points, and what peaks look like.
        found_deg: rising positions of the peaks found (m,), which may be nobody's.
        system: the lattice system whose constraints the cell obeys.
        cell, centring: its six parameters (A, degrees) and centring letter.
        zero_shift_deg: shift to start from.
        near: the cell is so near that no wide peaks need to find it.

    Raises:
        ValueError: the cell has too many reflections.
    """
    begun = _begun(reference, system, cell, centring, zero_shift_deg)
    data, lines = reference.data, begun.lines
    rough = begun
    if not near:
        rough = _fit(data, begun, lines, apart(data, begun, lines.design, found_deg), _BLUR)
    fit = _fit(data, rough, lines, apart(data, rough, lines.design, found_deg))
    return _fit(data, fit, lines, _wanted(reference, fit))


def _begun(
    reference: Reference,
    system: LatticeSystem,
    cell: np.ndarray,
    centring: str,
    zero_shift_deg: float,
) -> CellFit:
    """A cell of which nothing was fitted yet, with all its lines."""
    data, layout = reference.data, Layout(system.n_free, reference.angles)
    x = system_parameters(cell, system)
    start = np.concatenate([x, [zero_shift_deg, 0.0], reference.shape])
    lines = cell_lines(cell, centring, system, data.radiation.first_A, padded(reference))
    expected = _expected(reference, layout, start, system)
    return CellFit((Part(system, lines),), Peaks.none(layout), layout, expected, Fitted.at(start))


def glance(
    reference: Reference,
    system: LatticeSystem,
    cell: np.ndarray,
    centring: str,
    zero_shift_deg: float,
) -> CellFit:
    """The heights of the lines of a cell as it is, fitted in one step: the arguments of
    :func:`fit_cell`, and what it raises."""
    begun = _begun(reference, system, cell, centring, zero_shift_deg)
    return _fit(reference.data, begun, begun.lines, np.empty(0), most=0)


def padded(reference: Reference) -> tuple[float, float]:
    """The range of the points, in degrees, with what lines beyond its ends may add to it."""
    x = reference.data.x
    widest = float(reference.angles.shape(reference.shape, x, 1.0).fwhm.max())
    pad = _PAD_FWHM * widest + _PAD_DEG
    return float(x[0] - pad), float(x[-1] + pad)


def again(reference: Reference, fit: CellFit, most: int) -> CellFit:
    """The same lines fitted to points with other uncertainties, free peaks chosen anew.

    Args:
        reference: the points.
        fit: the fit so far.
        most: steps at most, before and after each choice.
    """
    data = reference.data
    fit = refit(data, fit, most)
    for _ in range(_CHOICES):
        free = _wanted(reference, fit)
        if np.array_equal(free, fit.peaks.free_deg):
            break
        design = fit.peaks.design
        at = positions(data, design, fit.layout, fit.fitted.p)
        far = reach(data, np.concatenate([at, free]), fit.fitted.p, fit.layout)
        fit = refit(data, replace(fit, peaks=Peaks(design, free, far)), most)
    return fit


def refit(data: Data, fit: CellFit, most: int, held: np.ndarray | None = None) -> CellFit:
    """The same lines and free peaks fitted to points with other uncertainties.

    Args:
        data: the points.
        fit: the fit so far.
        most: steps at most.
        held: which parameters are 0 from now on (p,), if any.
    """
    expected, p = fit.expected, fit.fitted.p
    if held is not None:
        p = _conditional(fit, held)
        expected = Expected(
            np.where(held, 0.0, expected.mean),
            np.where(held, 0.0, expected.sigma),
            expected.reach,
        )
    fitted = minimize(data, fit.peaks, fit.layout, expected, p, most=most)
    return replace(fit, expected=expected, fitted=fitted)


def _conditional(fit: CellFit, held: np.ndarray) -> np.ndarray:
    """The parameters that are best, to first order, where some (p,) are 0."""
    inside = fit.fitted.information[np.ix_(~held, ~held)]
    across = fit.fitted.information[np.ix_(~held, held)]
    p = np.where(held, 0.0, fit.fitted.p)
    p[~held] += np.linalg.solve(inside, across @ fit.fitted.p[held])
    return p


def positions(data: Data, design: np.ndarray, layout: Layout, p: np.ndarray) -> np.ndarray:
    """Observed positions (k,) in degrees of lines with that design (k, n)."""
    zero, displacement = layout.shifts(p)
    q2 = np.maximum(design @ layout.cell(p), 1e-12)
    true = two_theta_from_q2(q2, data.radiation.first_A, at_most_180=True)
    return true + zero + displacement * np.cos(np.radians(true) / 2)


def _expected(
    reference: Reference, layout: Layout, start: np.ndarray, system: LatticeSystem
) -> Expected:
    mean, sigma = start.copy(), np.full(layout.size, np.inf)
    reach = np.full(layout.size, np.inf)
    reach[: layout.n_cell] = cell_reach(layout.cell(start), system)
    shifts = slice(layout.n_cell, layout.n_cell + N_SHIFTS)
    mean[shifts], sigma[shifts] = 0.0, SHIFT_SIGMA_DEG
    sigma[layout.n_cell + N_SHIFTS :] = reference.shape_sigma
    return Expected(mean, sigma, reach)


def cell_reach(x: np.ndarray, system: LatticeSystem) -> np.ndarray:
    """How far free reciprocal parameters (p,) may go: a share of what they are at most, the
    diagonal ones as they are."""
    a, b, c = np.sqrt((x @ system.basis_matrix)[:3])
    most = np.array([a * a, b * b, c * c, 2 * b * c, 2 * a * c, 2 * a * b])
    return _REACH * most[list(system.pick)]


def _fit(
    data: Data,
    before: CellFit,
    every: CellLines,
    free_deg: np.ndarray,
    blur: float = 1.0,
    most: int = _STEPS,
) -> CellFit:
    """Fit from where another fit ended; wide peaks find only the cell and the zero shift."""
    layout, p = before.layout, before.fitted.p
    order = np.argsort(positions(data, every.design, layout, p), kind="stable")
    rising = every.taken(order)
    at = positions(data, rising.design, layout, p)
    lines = together(rising, at, layout.angles.shape(layout.shape(p), at, blur).fwhm)
    at = positions(data, lines.design, layout, p)
    far = reach(data, np.concatenate([at, free_deg]), p, layout)
    peaks = Peaks(lines.design, free_deg, far)
    expected = before.expected
    if blur > 1:
        sigma = expected.sigma.copy()
        sigma[layout.n_cell + 1 :] = 0.0
        expected, most = Expected(p, sigma, expected.reach), _ROUGH_STEPS
    fitted = minimize(data, peaks, layout, expected, p, blur, most)
    return replace(before, parts=(Part(before.system, lines),), peaks=peaks, fitted=fitted)


def apart(data: Data, fit: CellFit, design: np.ndarray, found_deg: np.ndarray) -> np.ndarray:
    """Peaks found that are far from any line of that design (k, p): positions in degrees."""
    p = fit.fitted.p
    at = positions(data, design, fit.layout, p)
    width = fit.layout.angles.shape(fit.layout.shape(p), found_deg, 1.0).fwhm
    nearest = np.abs(found_deg[:, None] - at).min(axis=1, initial=np.inf)
    return found_deg[nearest > _APART_FWHM * width]


def _wanted(reference: Reference, fit: CellFit) -> np.ndarray:
    """Free peaks that the misfit asks for: rising positions in degrees."""
    data, solution = reference.data, fit.fitted.solution
    charge = _STRAY_PARAMETERS * np.log(reference.independent) * reference.together
    column = np.empty(len(solution.height), dtype=np.int64)
    column[solution.placed.order] = np.arange(len(column))
    had = fit.peaks.free_deg
    kept = had[needed(solution, column[fit.n_lines :]) > charge]
    new = unexplained(data, solution, fit.layout, fit.fitted.p, charge, kept)
    return np.sort(np.concatenate([kept, new]))
