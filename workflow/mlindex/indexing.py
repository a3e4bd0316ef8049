"""Indexing a measured peak list with trained models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlindex.engine.finish import Solution
from mlindex.errors import MlindexError
from mlindex.lattice import BRAVAIS
from mlindex.merit import f_n
from mlindex.peaklist import PeakList
from mlindex.settings.models import Optimization
from mlindex.tables.columns import cell_names
from mlindex.tables.results import CANDIDATES
from mlindex.validation import Models, candidate_cells, run_engine

#: de Wolff's rule of thumb: above 10, with at most two lines unindexed, a cell is likely right.
CONVINCING_M = 10.0
CONVINCING_UNINDEXED = 2
#: A line is indexed within this many errors, and a cell explains within this many on average.
_ERRORS = 3.0
#: Share of a line's error that is epsilon: discrepancies below it are as good as none.
_EPSILON_SHARE = 1 / 3


@dataclass(frozen=True)
class IndexingResult:
    """Frames of CANDIDATES, best first, and LINES, and remarks for the reader."""

    candidates: pd.DataFrame
    lines: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def convincing(self) -> bool:
        """Whether the best cell passes de Wolff's rule: M above 10, two lines unindexed at most."""
        if self.candidates.empty:
            return False
        best = self.candidates.iloc[0]
        unindexed = int(best["lines"] - best["indexed"])
        return bool(best["m20"] >= CONVINCING_M and unindexed <= CONVINCING_UNINDEXED)

    def as_text(self) -> str:
        """The notes and the ranked cells as plain text."""
        verdict = "" if self.convincing else "no convincing cell\n"
        shown = ["rank", "bravais_lattice", *cell_names(""), "volume_A3", "m20", "f_n", "indexed"]
        table = self.candidates[shown].to_string(index=False, float_format="{:.4f}".format)
        return "".join(f"note: {note}\n" for note in self.notes) + verdict + table + "\n"


def index_sample(
    peaks: PeakList,
    model_sets: Sequence[Models],
    optimization: Optimization,
    rng: np.random.Generator,
    two_theta_error_deg: float = 0.03,
    keep: int = 20,
) -> IndexingResult:
    """Index a peak list in every lattice system that there are models for.

    The first lines are used, as many as a system's models need. Lists that are too short for a
    system leave it out, with a note; if none remains, that is an error.

    Args:
        peaks: the list.
        model_sets: trained models, one of each lattice system to try.
        optimization: config section.
        rng: random generator; each lattice system draws from its own child.
        two_theta_error_deg: expected error of 2theta.
        keep: cells to return, at most.

    Raises:
        MlindexError: no models, or too few lines for any of them.
    """
    if not model_sets:
        raise MlindexError("there are no trained models; make them first (see the README)")
    usable = [m for m in model_sets if m.system.n_peaks <= len(peaks)]
    notes = list(peaks.notes)
    needs = ", ".join(
        f"{m.system.name} {m.system.n_peaks}" for m in model_sets if m.system.n_peaks > len(peaks)
    )
    if not usable:
        raise MlindexError(
            f"{peaks.name}: {len(peaks)} lines are too few: the models need {needs}; measure to "
            "higher angles, or try a lattice system that needs fewer"
        )
    if needs:
        notes.append(f"left out, as {len(peaks)} lines are too few for their models: {needs}")
    ranked: list[tuple[Solution, int]] = []
    # A system's cells don't depend on which others are tried.
    master = int(rng.integers(2**62))
    for models in usable:
        child = np.random.default_rng([master, *models.system.name.encode()])
        used = models.system.n_peaks
        for solution in _solutions(peaks, models, optimization, child, two_theta_error_deg):
            ranked.append((solution, used))
    ranked.sort(key=lambda pair: -pair[0].merit.m)
    rows = [
        _row(rank, solution, used, peaks) for rank, (solution, used) in enumerate(ranked[:keep], 1)
    ]
    candidates = pd.DataFrame(rows, columns=CANDIDATES.names) if rows else CANDIDATES.empty()
    used = max(m.system.n_peaks for m in usable)
    return IndexingResult(candidates, peaks.table(used), tuple(notes))


def _solutions(
    peaks: PeakList,
    models: Models,
    optimization: Optimization,
    rng: np.random.Generator,
    two_theta_error_deg: float,
) -> tuple[Solution, ...]:
    q2 = peaks.q2_inv_A2[: models.system.n_peaks]
    error = peaks.q2_error_inv_A2(two_theta_error_deg)[: models.system.n_peaks]
    measured = optimization.model_copy(update={"explain_factor": _ERRORS / _EPSILON_SHARE})
    cells = candidate_cells(q2, models, measured, rng)
    return run_engine(q2, cells, models, measured, rng, error * _EPSILON_SHARE).solutions


def _row(rank: int, solution: Solution, used: int, peaks: PeakList) -> dict[str, Any]:
    q2 = peaks.q2_inv_A2[:used]
    figure = solution.merit
    f_value = None
    if peaks.wavelength_A is not None and figure.n_calculated:
        f_value = f_n(q2, figure.q2_calculated_inv_A2, figure.n_calculated, peaks.wavelength_A)
    hkl = np.where(solution.indexed[:, None], figure.hkl, 0)
    return {
        "rank": rank,
        "lattice_system": BRAVAIS[solution.bravais].system.name,
        "bravais_lattice": solution.bravais,
        **dict(zip(cell_names(""), solution.cell, strict=True)),
        **dict(zip(cell_names("niggli_"), solution.lattice.reduced, strict=True)),
        "volume_A3": solution.volume_A3,
        "m20": figure.m,
        "f_n": f_value,
        "indexed": solution.n_indexed,
        "lines": used,
        "negative_log_likelihood": solution.nll,
        **{name: hkl[:, axis].tolist() for axis, name in enumerate("hkl")},
        "q2_calculated_inv_A2": figure.q2_calculated_inv_A2.tolist(),
    }
