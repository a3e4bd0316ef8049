"""Splitting: whether the profile asks for a lower symmetry than a cell has.

A distortion too small to move peaks apart leaves them broad or askew. A cell of the higher symmetry
then indexes every line, and only the profile shows that it is not enough: the same cell, bent, fits
much better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import gemmi
import numpy as np

from mlindex.crystal.cell import cell_from_reciprocal, reciprocal_from_cell
from mlindex.crystal.equivalence import Lattice, lattice_of, same
from mlindex.crystal.holohedries import reciprocal_change, reciprocal_metric
from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.recognition import EXACT, Recognized, recognize
from mlindex.crystal.space_groups import whole_operations
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import FoundPeaks
from mlindex.wholepattern.candidates import CellToFit, fit_candidates
from mlindex.wholepattern.result import ProfileFit

#: Peaks of which the strain is taken.
_FIRST = 20
#: Axes are said to be equal, of two ways to take a cell, up to rounding.
_DIGITS = 6
_EXACT_DEG, _NOTHING = 1e-3, 1e-6
_SAME, _SAME_DEG = 1e-6, 1e-4
#: A bent cell is nearer the truth where ln(evidence) grows by so much, and so much of the misfit
#: that exceeds the counting error goes. Of 61 measured patterns 57 first cells had no such child;
#: the four that had are pseudosymmetric: two right ones gain at most 5 with 44 %, or 34 with 36 %,
#: and two wrong ones 184 with 52 % and 109 with 61 %.
_GAIN, _SHARE = 10.0, 0.4
#: Where the misfit is hardly more than the counting error there is nothing to gain.
_MISFIT = 1.2
#: It explains as much of the intensity but for this, and is still as near to the other cell.
_LESS, _LENGTHS, _ANGLES_DEG = 0.005, 0.02, 1.0


def lower_cell(
    pattern: MeasuredPattern,
    cell: CellToFit,
    peaks: FoundPeaks,
    workers: int | None = None,
    over: Callable[[], bool] = lambda: False,
) -> CellToFit | None:
    """The cell of the next lower symmetry that the profile asks for, as it was fitted; None if it
    asks for none.

    Args:
        pattern: the pattern.
        cell: the cell of the higher symmetry.
        peaks: all peaks of the pattern.
        workers: threads; if None, one for each core that may be used, up to 4.
        over: asked before each fit; once it says True, no more are made.
    """
    children = bent(cell, _strain(peaks))
    cells = [cell, replace(cell, near=True), *children]
    fits = fit_candidates(pattern, cells, peaks, workers, over)
    own = min(
        (fit for fit in fits.fits[:2] if fit) if fits else (),
        key=lambda fit: fit.evidence.total,
        default=None,
    )
    if own is None or own.goodness < _MISFIT:
        return None
    bent_cells = [
        (fit, replace(child, cell=fit.cell))
        for child, fit in zip(children, fits.fits[2:], strict=True)
        if fit is not None and _shows_more(own, fit)
    ]
    gains = [own.evidence.total - fit.evidence.total for fit, _ in bent_cells]
    if max(gains, default=0.0) < 2 * _GAIN:
        return None
    # Bent the wrong way it fits worse, though with fewer lines apart.
    fit, best = min(bent_cells, key=lambda both: both[0].r_wp)
    return best if own.evidence.total > fit.evidence.total and _near(cell, best) else None


def bent_in_vain(
    cell: CellToFit, fit: ProfileFit, symmetric: CellToFit, symmetric_fit: ProfileFit
) -> bool:
    """Whether a cell is another one of higher symmetry, bent, which the profile does not ask for.

    What a cell that was bent out of another must show, one that the search has found must show too.
    Of 79 simulated and measured first cells nine were near a candidate of higher symmetry: eight,
    of which four were right and four are distorted supercells, have 117 and more of ln(evidence)
    before that, and one, wrong, -9 (RuO2).
    """
    gain = (symmetric_fit.evidence.total - fit.evidence.total) / 2
    if gain >= _GAIN or _n_free(symmetric) >= _n_free(cell):
        return False
    return _near(replace(symmetric, cell=symmetric_fit.cell), replace(cell, cell=fit.cell))


def _n_free(cell: CellToFit) -> int:
    return BRAVAIS[cell.bravais].system.n_free


def _shows_more(own: ProfileFit, fit: ProfileFit) -> bool:
    """Whether a fit leaves much less misfit than another, and hardly more of the intensity."""
    counting = (own.r_wp / own.goodness) ** 2
    gone = (own.r_wp**2 - fit.r_wp**2) / (own.r_wp**2 - counting)
    return gone >= _SHARE and fit.explained >= own.explained - _LESS


def _near(cell: CellToFit, other: CellToFit) -> bool:
    first, second = (lattice_of(c.cell, c.centring) for c in (cell, other))
    return same(first, second, _LENGTHS, _ANGLES_DEG)


def _strain(peaks: FoundPeaks) -> float:
    """Relative change of q² that moves a peak by its width, in the middle of the search's peaks."""
    theta = np.radians(np.median(peaks.two_theta_deg[:_FIRST])) / 2
    return float(np.radians(np.median(peaks.fwhm_deg)) / np.tan(theta))


def bent(cell: CellToFit, strain: float) -> list[CellToFit]:
    """Cells of the next lower symmetry, each bent both ways out of the higher one.

    Lines that are one by symmetry are fitted as one: a fit that starts with the higher symmetry
    keeps it.

    Args:
        cell: the cell.
        strain: greatest relative change of the q² of a reflection.
    """
    primitive = lattice_of(cell.cell, cell.centring).reduced
    found = gemmi.find_lattice_symmetry(gemmi.UnitCell(*primitive), "P", _EXACT_DEG)
    rotations = whole_operations(found).rotations
    out: list[CellToFit] = []
    for way in _next_lower(cell, primitive):
        x6 = reciprocal_from_cell(way.cell)
        known: list[Lattice] = []
        for change in _directions(way, rotations):
            for sign in (-strain, strain):
                moved = cell_from_reciprocal(x6 + sign * change)
                lattice = lattice_of(moved, way.centring)
                if not any(same(lattice, other, _SAME, _SAME_DEG) for other in known):
                    known.append(lattice)
                    out.append(CellToFit(way.bravais, way.centring, moved, cell.shift, near=True))
    return out


def _next_lower(cell: CellToFit, primitive: np.ndarray) -> Iterator[Recognized]:
    """The lattices of the next lower symmetry that the lattice of a cell has, each once."""
    ways = recognize(reciprocal_from_cell(primitive), EXACT)
    own = BRAVAIS[cell.bravais].system.n_free
    lower = sorted({BRAVAIS[way.bravais].system.n_free for way in ways} - set(range(own + 1)))
    seen = set()
    for way in ways:
        key = way.bravais, tuple(np.round(way.cell, _DIGITS))
        if lower and BRAVAIS[way.bravais].system.n_free == lower[0] and key not in seen:
            seen.add(key)
            yield way


def _directions(way: Recognized, rotations: np.ndarray) -> Iterator[np.ndarray]:
    """Changes (6,) of the reciprocal parameters of a lattice that keep what the lower symmetry asks
    for, and on the average over ``rotations`` (r, 3, 3) of its primitive axes are nothing; the
    greatest relative change of a q² is 1."""
    x6 = reciprocal_from_cell(way.cell)
    here = np.linalg.inv(way.operator) @ rotations @ way.operator
    average = reciprocal_change(here).mean(axis=0)
    # In the frame in which the cell is the unit matrix, eigenvalues are relative changes of q².
    frame = reciprocal_change(np.linalg.cholesky(reciprocal_metric(x6)))
    basis = BRAVAIS[way.bravais].system.basis_matrix
    left = basis - basis @ average.T
    _, size, rows = np.linalg.svd(left @ frame.T)
    for row in rows[: int(np.sum(size > _NOTHING * size[0]))]:
        greatest = np.abs(np.linalg.eigvalsh(reciprocal_metric(row))).max()
        yield np.linalg.solve(frame, row / greatest)
