"""What indexing returns: candidates, how far each lattice was searched, and the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.axes import CellOnAxes, on_axes, own_axes
from mlindex.crystal.cell import cell_volume
from mlindex.crystal.formula_volume import Formula
from mlindex.indexing.profile import CandidateProfile, PhasesProfile
from mlindex.indexing.shift import LineShift
from mlindex.patterns.peaklist import PeakList

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from mlindex.indexing.calibration import Calibration
    from mlindex.patterns.measured import MeasuredPattern

#: A first candidate that is less probable than this, its partners included, is not convincing.
CONVINCING_PROBABILITY = 0.9
#: Relative: volumes this near to a whole ratio are of sub- and superlattices.
_WHOLE = 5e-3


@dataclass(frozen=True)
class AbsentLine:
    """A line that a candidate predicts inside the measured range and that was not observed."""

    hkl: tuple[int, int, int]
    q2_inv_A2: float


@dataclass(frozen=True)
class Extinction:
    """An extinction symbol and how well the observed and the absent lines agree with it.

    ``symbol`` is written as in International Tables A, e.g. ``P 1 21/c 1``; ``space_groups`` are
    Hermann-Mauguin symbols of the groups that have it; ``probability`` is among all symbols of the
    candidate's Bravais lattice.
    """

    symbol: str
    space_groups: tuple[str, ...]
    probability: float
    #: Observed lines that only reflections forbidden by this symbol explain; by the whole profile,
    #: forbidden lines that are four errors above 0.
    contradicted: int


@dataclass(frozen=True)
class Partner:
    """Another lattice that explains the same line positions.

    ``relation`` says how it is related, e.g. ``subcell of index 2``, ``supercell of index 2 that
    indexes 1 more`` or ``geometrical ambiguity``; ``distinguishing_q2_inv_A2`` are lines (rising,
    n at most 5) that one of the two predicts and the other does not, inside or beyond the measured
    range. ``probability`` is its own as a candidate; None where it is not among the candidates.
    """

    bravais: str
    #: In the standard setting, with its centring letter.
    cell: np.ndarray
    centring: str
    relation: str
    distinguishing_q2_inv_A2: tuple[float, ...] = ()
    probability: float | None = None

    @cached_property
    def settings(self) -> tuple[CellOnAxes, ...]:
        """Its cell on all the axes that it is shown on, the usual ones first."""
        return on_axes(self.bravais, self.centring, self.cell)


@dataclass(frozen=True)
class Candidate:
    """A cell in the setting that the package computes with, and everything that is said of it.

    That setting has hR on rhombohedral axes, and mC and oC with the centring of their shortest
    axes; :attr:`settings` holds the cell on the axes that readers expect.
    Arrays over lines run over the ``n`` lines that the search used, see :attr:`lines`.
    """

    bravais: str
    #: Centring letter in this setting; P for hR, which is given on rhombohedral axes here.
    centring: str
    #: a, b, c (A), alpha, beta, gamma (degrees), and their standard uncertainties, 0 where fixed.
    cell: np.ndarray
    cell_error: np.ndarray
    #: The reduced (Niggli) primitive cell.
    niggli: np.ndarray
    volume_A3: float
    #: On the first 20 lines used (all, if fewer): de Wolff's M, Smith and Snyder's F, and
    #: Oishi-Tomiyasu's reversed M and symmetric M (see :mod:`mlindex.indexing.merit`).
    m20: float
    f_n: float | None
    m20_reversed: float
    m20_symmetric: float
    #: Natural logarithm of the evidence for this cell against lines at random.
    log_evidence: float
    #: Probability that this is the lattice, by the learned ranking; the probabilities of all
    #: candidates and of "none of them" add up to 1.
    probability: float
    #: (n, 3) Miller indices, 0 0 0 where not indexed; (n,) q² observed, the shift taken off;
    #: (n,) q² calculated; (n,) indexed.
    hkl: np.ndarray
    q2_corrected_inv_A2: np.ndarray
    q2_calculated_inv_A2: np.ndarray
    indexed: np.ndarray
    #: Different lines that the lattice allows up to the last line used.
    n_calculated: int
    absent: tuple[AbsentLine, ...] = ()
    extinctions: tuple[Extinction, ...] = ()
    partners: tuple[Partner, ...] = ()
    #: Probability that it, or one of its partners among the candidates, is the lattice.
    probability_with_partners: float = 0.0
    #: Covariance (6, 6) of the cell, where it was refined.
    cell_covariance: np.ndarray | None = None
    #: Where other lines than the first n of the list were used: their positions in it (n,), from 0.
    used_lines: np.ndarray | None = None
    #: Its fit to the whole profile, where a pattern was indexed.
    profile: CandidateProfile | None = None
    #: Zero shift of 2theta and sample displacement, 0 where not refined. Where the lines don't
    #: tell the two apart, the errors of the cell contain both.
    shift: LineShift = field(default=LineShift())
    #: The log-evidence where many lines may be a second phase's, of lists with intensities.
    log_evidence_if_mixed: float | None = None

    @property
    def zero_shift_deg(self) -> float:
        """Zero shift: observed 2theta = true 2theta + zero shift + displacement cos(theta)."""
        return self.shift.zero_deg

    @property
    def displacement_deg(self) -> float:
        """Sample displacement as a shift of 2theta that goes with cos(theta)."""
        return self.shift.displacement_deg

    @cached_property
    def settings(self) -> tuple[CellOnAxes, ...]:
        """The cell on all the axes that it is shown on, the usual ones first."""
        covariance = self.cell_covariance
        return on_axes(self.bravais, self.centring, self.cell, self.cell_error, covariance)

    def with_usual_indices(self) -> Candidate:
        """The same with the usual one of equivalent indices for each line."""
        axes = own_axes(self.bravais, self.centring)
        named = axes.hkl(np.array([line.hkl for line in self.absent]).reshape(-1, 3)).tolist()
        return replace(
            self,
            hkl=axes.hkl(self.hkl),
            absent=tuple(
                AbsentLine((h, k, l), line.q2_inv_A2)
                for (h, k, l), line in zip(named, self.absent, strict=True)
            ),
        )

    def times(self, other: Candidate) -> int:
        """How many primitive cells of another candidate its own holds; 0 if no whole number."""
        ratio = float(cell_volume(self.niggli) / cell_volume(other.niggli))
        return round(ratio) if abs(ratio - round(ratio)) < _WHOLE * ratio else 0

    @cached_property
    def lines(self) -> np.ndarray:
        """Positions in the list (n,), from 0 and rising, of the lines used."""
        return np.arange(self.n_used) if self.used_lines is None else self.used_lines

    @property
    def n_indexed(self) -> int:
        """Lines indexed."""
        return int(self.indexed.sum())

    @property
    def n_used(self) -> int:
        """Lines used."""
        return len(self.indexed)

    def __repr__(self) -> str:
        return (
            f"Candidate({_cell_text(self)}, M{min(20, self.n_used)} = {self.m20:.1f}, "
            f"{self.n_indexed} of {self.n_used} lines, probability {self.probability:.2f})"
        )


@dataclass(frozen=True, eq=False)
class SamplePhase:
    """A phase of a sample beside the first cell, or that cell where there are others.

    ``kind`` says where it comes from: ``known`` (it was given), ``standard``, ``recognized`` (a
    common substance) or ``found``.
    ``lines`` are the positions in the list (m,), from 0, of its lines; ``shared`` (m,) says which
    of them are partly another phase's. ``share`` is its part of the intensity of all lines, None
    where the list has no intensities; shared lines count half. ``expected`` is how many lines it
    has in the range.
    """

    name: str
    kind: str
    cell: np.ndarray
    centring: str
    lines: np.ndarray
    shared: np.ndarray
    share: float | None
    expected: int
    #: What was found: the candidate, with the positions of its lines, and why it is convincing.
    candidate: Candidate | None = None
    reason: str = ""


@dataclass(frozen=True)
class Searched:
    """How far one Bravais lattice was searched. ``status``: complete, cut off or not reached."""

    bravais: str
    status: str
    trials: int
    seconds: float


@dataclass(frozen=True)
class SymmetryShares:
    """How probable classes of symmetry are by the cells found and by the lines alone, joined.

    The most probable of each level, by name, best first; names as ``mlindex symmetry`` has them.
    """

    bravais: tuple[tuple[str, float], ...]
    extinction_symbol: tuple[tuple[str, float], ...]
    space_group: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class IndexingResult:
    """Candidates, best first, and how they were found.

    ``convincing`` is the verdict on the first candidate; ``reason`` says why (not). ``notes`` say
    what was corrected in the list, and what the search noticed.
    """

    peaks: PeakList
    candidates: tuple[Candidate, ...]
    searched: tuple[Searched, ...]
    convincing: bool
    reason: str
    seconds: float
    notes: tuple[str, ...] = ()
    #: The chemical formula, if it was given.
    formula: Formula | None = None
    #: What was asked for: time limit, lattices, error, ... as given.
    options: dict[str, float | int | str | bool | None] = field(default_factory=dict)
    #: The phases of the sample where there is more than one, or where some were given.
    phases: tuple[SamplePhase, ...] = ()
    #: Their fit together to the whole profile, where a pattern was indexed.
    together: PhasesProfile | None = None
    #: What a standard in the sample says of 2theta, where one was named.
    calibration: Calibration | None = None
    #: The symmetry that a classifier joined with the search sees, where that was asked for: of
    #: lists without a convincing cell.
    symmetry: SymmetryShares | None = None

    def __repr__(self) -> str:
        verdict = "convincing" if self.convincing else "not convincing"
        best = f"{verdict}: {_cell_text(self.candidates[0])}" if self.candidates else "no cell"
        n = len(self.candidates)
        return f"IndexingResult({self.peaks.name!r}, {best}; {n} candidate{'s' * (n != 1)})"

    @property
    def further_phases(self) -> tuple[SamplePhase, ...]:
        """Phases whose cells were found beside the first."""
        return tuple(phase for phase in self.phases if phase.candidate is not None)[1:]

    @cached_property
    def phase_of_lines(self) -> list[str]:
        """The phases that each line of the list belongs to, by name; empty where that is open."""
        names: list[list[str]] = [[] for _ in range(len(self.peaks))]
        for phase in self.phases:
            for line in phase.lines:
                names[line].append(phase.name)
        return [" + ".join(several) for several in names]

    def _repr_html_(self) -> str | None:
        return _views[-1].html(self) if _views else None

    def to_frame(self, table: str = "candidate_cells") -> pd.DataFrame:
        """One of the tables of a result as a data frame of pandas, by default that of its cells.

        Args:
            table: a table of :mod:`mlindex.indexing.tables`, such as ``candidate_lines`` or
                ``absent_lines``.

        Raises:
            MlindexError: there is no such table, or pandas is not installed.
        """
        return _view().frame(self, table)

    def plot(self, candidate: int = 1, pattern: MeasuredPattern | None = None) -> go.Figure:
        """The figure of the result page: observed lines, and tick marks of every candidate.

        Args:
            candidate: rank of the one that is laid over the lines.
            pattern: the pattern that the lines are from, if that is to be drawn as well.

        Raises:
            MlindexError: there is no candidate of that rank.
        """
        return _view().figure(self, candidate, pattern)


def _cell_text(candidate: Candidate) -> str:
    """Lattice and cell on the usual axes, e.g. ``mC 4.6865 3.4249 5.1302 90 99.499 90``."""
    shown = candidate.settings[0]
    lengths = " ".join(f"{value:.4f}" for value in shown.cell[:3])
    angles = " ".join(f"{value:.6g}" for value in shown.cell[3:])
    return f"{candidate.bravais[0]}{shown.centring} {lengths} {angles}"


@dataclass(frozen=True)
class Views:
    """How a result is shown in a notebook: as HTML, as a data frame, as a figure."""

    html: Callable[[IndexingResult], str]
    frame: Callable[[IndexingResult, str], Any]
    figure: Callable[[IndexingResult, int, MeasuredPattern | None], Any]


_views: list[Views] = []


def show_with(views: Views) -> None:
    """Register how results are shown; the module that shows them imports this one and calls it."""
    _views.append(views)


def _view() -> Views:
    if not _views:
        # A result read from a pickle, say, where nothing of the package was asked for by name.
        raise MlindexError("nothing to show results with: import mlindex.reports.result.notebook")
    return _views[-1]
