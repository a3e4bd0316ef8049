"""The profile fit of several phases together: each has its cell, and its lines their intensities.

Background, shifts, widths and shape are those of all. The fit begins with that of the first cell,
the others are added one by one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlindex.wholepattern.candidate import (
    CellFit,
    Part,
    PhaseCell,
    again,
    apart,
    cell_reach,
    padded,
    positions,
    refit,
)
from mlindex.wholepattern.fit import Expected, Fitted
from mlindex.wholepattern.lines import CellLines, cell_lines, system_parameters, together
from mlindex.wholepattern.model import Layout, Peaks
from mlindex.wholepattern.reference import Reference, reach

#: Steps with a further phase: its lines are found, then taken together anew where they lie.
_STEPS, _ROUNDS = 6, 2
_LAST_STEPS = 3
#: Lines of a phase in the range of the fit; with more of them, there is one at every point.
_MOST_LINES = 600


def with_phase(known: Reference, fit: CellFit, phase: PhaseCell) -> CellFit:
    """A fit with one more phase, which may take the place of free peaks.

    Args:
        known: the points, and what peaks look like.
        fit: the fit so far.
        phase: the phase.

    Raises:
        ValueError: it has too many lines.
    """
    system = phase.system
    wavelength_A, ends = known.data.radiation.first_A, padded(known)
    lines = cell_lines(phase.cell, phase.centring, system, wavelength_A, ends)
    if len(lines) > _MOST_LINES:
        raise ValueError(f"{len(lines)} lines are more than {_MOST_LINES}")
    x = system_parameters(phase.cell, system)
    n = fit.layout.n_cell

    def added(values: np.ndarray, more: np.ndarray) -> np.ndarray:
        return np.concatenate([values[:n], more, values[n:]])

    expected = Expected(
        added(fit.expected.mean, x),
        added(fit.expected.sigma, np.full(len(x), np.inf)),
        added(fit.expected.reach, cell_reach(x, system)),
    )
    every = (*(part.lines for part in fit.parts), lines)
    parts = (*fit.parts, Part(system, lines))
    layout = Layout(n + len(x), fit.layout.angles)
    joint = CellFit(parts, Peaks.none(layout), layout, expected, Fitted.at(added(fit.fitted.p, x)))
    free = fit.peaks.free_deg
    for _ in range(_ROUNDS):
        joint = _placed(known, joint, every, free)
        joint = refit(known.data, joint, _STEPS)
        free = joint.peaks.free_deg
    return again(known, joint, _LAST_STEPS)


def _placed(
    known: Reference, fit: CellFit, every: tuple[CellLines, ...], free_deg: np.ndarray
) -> CellFit:
    """The phases with their lines where these lie now, and the free peaks that are apart."""
    data, layout, p = known.data, fit.layout, fit.fitted.p
    parts, designs, begin = [], [], 0
    for part, lines in zip(fit.parts, every, strict=True):
        n = part.system.n_free
        whole = np.zeros((len(lines), layout.n_cell))
        whole[:, begin : begin + n] = lines.design
        at = positions(data, whole, layout, p)
        order = np.argsort(at, kind="stable")
        width = layout.angles.shape(layout.shape(p), at[order], 1.0).fwhm
        kept = together(lines.taken(order), at[order], width)
        whole = np.zeros((len(kept), layout.n_cell))
        whole[:, begin : begin + n] = kept.design
        parts.append(Part(part.system, kept))
        designs.append(whole)
        begin += n
    design = np.concatenate(designs)
    free = apart(data, fit, design, free_deg)
    at = np.concatenate([positions(data, design, layout, p), free])
    peaks = Peaks(design, free, reach(data, at, p, layout))
    return replace(fit, parts=tuple(parts), peaks=peaks)
