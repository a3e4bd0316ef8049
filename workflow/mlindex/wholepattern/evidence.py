"""The evidence that a fit speaks for its cell: what it leaves, and what it was given to do so.

All is in units of -2 ln(probability), so that the least is the best and differences are those of
chi². With c the chi² per point, the misfit of points that count as N independent ones is N c where
the errors assumed suffice, and N (1 + ln c) where they are as large as the fit shows, c above 1.
Charged are beside it:

- every line that is there, for its height h with the uncertainty s: heights of lines are spread
  evenly over their logarithm, so a line takes the share s sqrt(2 pi) / ((h + s) D) of what was
  possible, where D is the range of the logarithm;
- which of the lines are there at all: zero heights are as frequent as the cell itself shows, since
  absences by symmetry and superstructures make many. Each line is one or the other, and both are
  added up;
- every free peak the same as a line that is there, and its position among all that the pattern
  can tell apart; the stronger it is beside the strongest line, the less probable is it as a stray;
- the cell, for how much sharper the pattern knows it than before (MacKay, Neural Comput. 4 (1992)
  415): a lattice of more parameters than needed pays for each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.wholepattern.candidate import CellFit
from mlindex.wholepattern.data import Data
from mlindex.wholepattern.solve import factor

#: Heights of lines cover this range of their natural logarithm, from the noise to the strongest.
_LOG_RANGE = 8.0
#: Strays are drawn from an exponential distribution of this mean share of the strongest line.
_STRAY_SHARE = 0.1
#: Cells are expected within this share of the size of their reciprocal parameters.
_CELL_SHARE = 0.3
_ROUNDS = 5


@dataclass(frozen=True)
class Evidence:
    """-2 ln(probability) in its parts; the least total is the best.

    ``misfit`` is what the fit leaves, ``lines`` for heights and absences, ``strays`` for the free
    peaks, ``cell`` for the cell; ``n_lines`` are the lines that count as there.
    """

    misfit: float
    lines: float
    strays: float
    cell: float
    n_lines: float

    @property
    def total(self) -> float:
        """All together."""
        return self.misfit + self.lines + self.strays + self.cell


def evidence(data: Data, fit: CellFit, together: float) -> Evidence:
    """The evidence of a fit.

    Args:
        data: the points that were fitted.
        fit: the fit.
        together: how many neighbouring points err as one.
    """
    solution = fit.fitted.solution
    chi2 = float(solution.residual @ solution.residual)
    n_independent = len(data) / together
    is_line = solution.placed.order < fit.n_lines
    per_point = chi2 / len(data)
    # Errors are at least those assumed, which hold what no profile fits; beyond, as large as shown.
    misfit = min(per_point, 1 + np.log(max(per_point, 1.0)))
    scale = np.sqrt(together * max(per_point, 1.0))
    lower, _, begin = factor(
        solution.normal, solution.first, solution.start, np.arange(len(is_line))
    )
    # Of overlapping lines each is known as far as those before it leave it open.
    ratio = solution.height * lower[begin[1:] - 1] / scale
    ends = np.cumsum([len(part.lines) for part in fit.parts])
    of = np.searchsorted(ends, solution.placed.order, side="right")
    each = [_lines(ratio[of == number]) for number in range(len(fit.parts))]
    lines, there = (sum(values) for values in zip(*each, strict=True))
    strongest = max(float(solution.height.max(initial=0.0)), 1e-300)
    share = solution.height[~is_line] / strongest
    places = np.maximum((data.x[-1] - data.x[0]) / solution.placed.columns.fwhm[~is_line], 1.0)
    # They are a set: which of them is called the first makes no difference.
    rank = np.arange(1, len(share) + 1)
    strays = _height(ratio[~is_line]) + 2 * np.log(np.maximum(places / rank, 1.0))
    strays += 2 * share / _STRAY_SHARE
    return Evidence(
        float(n_independent * misfit),
        lines,
        float(strays.sum()),
        _cell(fit, scale),
        there,
    )


def _height(ratio: np.ndarray) -> np.ndarray:
    """-2 ln of the share that a height of so many uncertainties (m,) takes of what was possible."""
    return 2 * np.log((1 + ratio) * _LOG_RANGE / np.sqrt(2 * np.pi))


def _lines(ratio: np.ndarray) -> tuple[float, float]:
    """What lines with heights of so many uncertainties (k,) cost, and how many of them are there.

    The fit has each at its best; where it is taken as absent that is to be paid.
    """
    if not len(ratio):
        return 0.0, 0.0
    present, absent = -_height(ratio) / 2, -(np.minimum(ratio, 40.0) ** 2) / 2
    share = 0.5
    for _ in range(_ROUNDS):
        both = np.logaddexp(np.log(share) + present, np.log1p(-share) + absent)
        there = float(np.exp(np.log(share) + present - both).sum())
        share = (there + 1) / (len(ratio) + 2)
    return float(-2 * both.sum()), there


def _cell(fit: CellFit, scale: float) -> float:
    """ln of how much smaller the volume of possible cells is after the fit, squared."""
    inverse, begin, total = np.linalg.inv(fit.fitted.information), 0, 0.0
    for part in fit.parts:
        n = part.system.n_free
        own = slice(begin, begin + n)
        information = np.linalg.inv(inverse[own, own]) / scale**2
        size = float(np.mean((fit.fitted.p[own] @ part.system.basis_matrix)[:3]))
        total += np.linalg.slogdet(np.eye(n) + information * (_CELL_SHARE * size) ** 2)[1]
        begin += n
    return float(total)
