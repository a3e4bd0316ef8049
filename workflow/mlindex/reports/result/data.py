"""A result as data: a JSON document with a schema, and Parquet tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from mlindex import __version__
from mlindex.crystal.axes import CellOnAxes
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.lattice import BRAVAIS
from mlindex.indexing.calibration import Calibration
from mlindex.indexing.profile import CandidateProfile, PhaseShare, PhasesProfile
from mlindex.indexing.result import Candidate, IndexingResult, Partner, SymmetryShares
from mlindex.patterns.peaklist import PeakList
from mlindex.reports.result.document import (
    VERSION,
    Cell,
    Document,
    PhasesFitted,
    ProfileFitted,
)
from mlindex.reports.result.view import figure_lines, formula_units

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from mlindex.base.schema import Table

#: JSON Schema (2020-12) of what :func:`as_data` returns.
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **Document.model_json_schema(),
}


def as_data(result: IndexingResult) -> dict[str, Any]:
    """A result as plain dictionaries, lists and numbers that obey :data:`SCHEMA`.

    Nothing is NaN or infinite: what is not known, or not a number, is None.
    """
    wavelength = result.peaks.wavelength_A
    plain = {
        "schema": VERSION,
        "mlindex_version": __version__,
        "sample": result.peaks.name,
        "wavelength_A": wavelength,
        "convincing": bool(result.convincing),
        "reason": result.reason,
        "seconds": _known(float(result.seconds)),
        "notes": list(result.notes),
        "options": {name: _known(value) for name, value in result.options.items()},
        "phases": [_phase(number, result) for number in range(len(result.phases))],
        "together": result.together and _together(result.together),
        "calibration": result.calibration and _calibration(result.calibration),
        "symmetry": result.symmetry and _symmetry(result.symmetry),
        "observed_lines": _observed(result.peaks, result.phase_of_lines),
        "candidates": [
            _candidate(rank, candidate, wavelength)
            | {"formula_units": formula_units(candidate, result.formula)}
            for rank, candidate in enumerate(result.candidates, 1)
        ],
        "searched": [
            {
                "bravais_lattice": s.bravais,
                "status": s.status,
                "trials": int(s.trials),
                "seconds": _known(float(s.seconds)),
            }
            for s in result.searched
        ],
    }
    return Document.model_validate(plain).model_dump(mode="json", by_alias=True)


def _known(value: Any) -> Any:
    """The value as plain Python, None where it is not a finite number."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _numbers(values: np.ndarray | None, n: int) -> list[float | None]:
    return [None] * n if values is None else [_known(float(v)) for v in values]


def _angles(q2: np.ndarray, wavelength_A: float | None) -> list[float | None]:
    return _numbers(two_theta_from_q2(q2, wavelength_A) if wavelength_A else None, len(q2))


def _rows(columns: dict[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _cell(cell: np.ndarray) -> dict[str, float]:
    return dict(zip(Cell.model_fields, (float(v) for v in cell), strict=True))


def _uncertainty(way: CellOnAxes) -> dict[str, float]:
    return _cell(np.nan_to_num(way.cell_error, posinf=0.0))


def _setting(way: CellOnAxes, shown: CellOnAxes) -> dict[str, Any]:
    """A cell on other axes beside the one shown first, but for its uncertainties."""
    axes = way.axes.matrix @ np.linalg.inv(shown.axes.matrix)
    return {
        "setting": way.axes.name,
        "centring": way.centring,
        "cell": _cell(way.cell),
        "volume_A3": way.volume_A3,
        # Adding 0 makes -0 plain.
        "axes": (np.round(axes, 12) + 0.0).tolist(),
    }


def _indices(hkl: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(row) for row in hkl.tolist()]


def _calibration(found: Calibration) -> dict[str, Any]:
    values = {f.name: getattr(found, f.name) for f in fields(found)}
    return values | {"lines": (found.lines + 1).tolist()}


def _symmetry(shares: SymmetryShares) -> dict[str, Any]:
    return {
        f.name: [{"name": n, "probability": min(p, 1.0)} for n, p in getattr(shares, f.name)]
        for f in fields(shares)
    }


def _together(fit: PhasesProfile) -> dict[str, Any]:
    shown = [name for name in PhasesFitted.model_fields if name != "two_theta_max_deg"]
    fitted = {name: _known(getattr(fit, name)) for name in shown}
    return fitted | {"two_theta_max_deg": float(fit.two_theta_deg[-1])}


def _phase_fitted(part: PhaseShare) -> dict[str, Any]:
    return {
        "intensity_share": part.share,
        "intensity_share_error": _known(part.share_error),
        "cell": _cell(part.cell),
        "cell_uncertainty": _cell(np.nan_to_num(part.cell_error, posinf=0.0)),
        "log_evidence": _known(part.log_evidence),
    }


def _phase(number: int, result: IndexingResult) -> dict[str, Any]:
    phase, fit = result.phases[number], result.together
    further = any(phase is one for one in result.further_phases)
    candidate = _candidate(1, phase.candidate, result.peaks.wavelength_A) if further else None
    return {
        "name": phase.name,
        "kind": phase.kind,
        "centring": phase.centring,
        "cell": _cell(phase.cell),
        "lines": (phase.lines + 1).tolist(),
        "shared_lines": (phase.lines[phase.shared] + 1).tolist(),
        "expected": phase.expected,
        "intensity_share": phase.share,
        "candidate": candidate and candidate | {"formula_units": None},
        "reason": phase.reason if further else "",
        "profile": fit and _phase_fitted(fit.phases[number]),
    }


def _observed(peaks: PeakList, phases: Sequence[str]) -> list[dict[str, Any]]:
    n = len(peaks)
    return _rows(
        {
            "line": range(1, n + 1),
            "q2_inv_A2": _numbers(peaks.q2_inv_A2, n),
            "d_A": _numbers(1 / np.sqrt(peaks.q2_inv_A2), n),
            "two_theta_deg": _angles(peaks.q2_inv_A2, peaks.wavelength_A),
            "two_theta_error_deg": _numbers(peaks.two_theta_error_deg, n),
            "fwhm_deg": _numbers(peaks.fwhm_deg, n),
            "intensity": _numbers(peaks.intensity, n),
            "phase": [name or None for name in phases],
        }
    )


def _candidate(rank: int, candidate: Candidate, wavelength: float | None) -> dict[str, Any]:
    absent = np.array([a.q2_inv_A2 for a in candidate.absent])
    shown = candidate.settings[0]
    return {
        "rank": rank,
        "bravais_lattice": candidate.bravais,
        "lattice_system": BRAVAIS[candidate.bravais].system.name,
        "centring": shown.centring,
        "setting": shown.axes.name,
        "cell": _cell(shown.cell),
        "cell_uncertainty": _uncertainty(shown),
        "other_settings": [
            _setting(way, shown) | {"cell_uncertainty": _uncertainty(way)}
            for way in candidate.settings[1:]
        ],
        "niggli_cell": _cell(candidate.niggli),
        "volume_A3": shown.volume_A3,
        "m20": _known(float(candidate.m20)),
        "f_n": None if candidate.f_n is None else _known(float(candidate.f_n)),
        "m20_reversed": _known(float(candidate.m20_reversed)),
        "m20_symmetric": _known(float(candidate.m20_symmetric)),
        "n_figure": figure_lines(candidate),
        "log_evidence": _known(float(candidate.log_evidence)),
        "probability": float(candidate.probability),
        "probability_with_partners": float(candidate.probability_with_partners),
        "zero_shift_deg": float(candidate.shift.zero_deg),
        "zero_shift_error_deg": float(candidate.shift.zero_error_deg),
        "displacement_deg": float(candidate.shift.displacement_deg),
        "displacement_error_deg": float(candidate.shift.displacement_error_deg),
        "n_indexed": candidate.n_indexed,
        "n_used": candidate.n_used,
        "n_calculated": int(candidate.n_calculated),
        "profile": _profile(candidate.profile),
        "lines": _candidate_lines(candidate, wavelength),
        "absent": _rows(
            {
                "hkl": _indices(shown.axes.hkl(np.array([a.hkl for a in candidate.absent]))),
                "q2_inv_A2": absent.tolist(),
                "d_A": (1 / np.sqrt(absent)).tolist(),
                "two_theta_deg": _angles(absent, wavelength),
            }
        ),
        "extinctions": [
            {f.name: getattr(e, f.name) for f in fields(e)} | {"space_groups": list(e.space_groups)}
            for e in candidate.extinctions
        ],
        "partners": [_partner(partner, wavelength) for partner in candidate.partners],
    }


def _profile(profile: CandidateProfile | None) -> dict[str, Any] | None:
    if profile is None:
        return None
    shown = [name for name in ProfileFitted.model_fields if name != "two_theta_max_deg"]
    fitted = {name: _known(getattr(profile, name)) for name in shown}
    return fitted | {"two_theta_max_deg": float(profile.two_theta_deg[-1])}


def _candidate_lines(candidate: Candidate, wavelength: float | None) -> list[dict[str, Any]]:
    n = candidate.n_used
    corrected = np.asarray(candidate.q2_corrected_inv_A2, dtype=float)
    calculated = np.where(candidate.indexed, candidate.q2_calculated_inv_A2, np.nan)
    difference = None
    if wavelength:
        difference = two_theta_from_q2(corrected, wavelength) - two_theta_from_q2(
            calculated, wavelength
        )
    return _rows(
        {
            "line": (candidate.lines + 1).tolist(),
            "indexed": candidate.indexed.tolist(),
            "hkl": [
                row if yes else None
                for row, yes in zip(
                    _indices(candidate.settings[0].axes.hkl(candidate.hkl)),
                    candidate.indexed,
                    strict=True,
                )
            ],
            "q2_corrected_inv_A2": corrected.tolist(),
            "q2_calculated_inv_A2": _numbers(calculated, n),
            "d_calculated_A": _numbers(1 / np.sqrt(calculated), n),
            "two_theta_calculated_deg": _angles(calculated, wavelength),
            "q2_difference_inv_A2": _numbers(corrected - calculated, n),
            "two_theta_difference_deg": _numbers(difference, n),
        }
    )


def _partner(partner: Partner, wavelength: float | None) -> dict[str, Any]:
    q2, shown = np.array(partner.distinguishing_q2_inv_A2), partner.settings[0]
    return {
        "bravais_lattice": partner.bravais,
        "centring": shown.centring,
        "setting": shown.axes.name,
        "cell": _cell(shown.cell),
        "other_settings": [
            _setting(way, shown) | {"cell_uncertainty": None} for way in partner.settings[1:]
        ],
        "relation": partner.relation,
        "distinguishing_q2_inv_A2": q2.tolist(),
        "distinguishing_two_theta_deg": _angles(q2, wavelength) if wavelength else None,
        "probability": None if partner.probability is None else float(partner.probability),
    }


def tables(result: IndexingResult) -> dict[str, pd.DataFrame]:
    """The tables declared in :mod:`mlindex.indexing.tables`, by name."""
    return {table.name: table.arrow(rows).to_pandas() for table, rows in _tables(result)}


def write_tables(
    result: IndexingResult, directory: str | Path, provenance: Mapping[str, Any] | None = None
) -> list[Path]:
    """Write each of :func:`tables` to ``directory/{name}.parquet``, one file at a time.

    ``provenance`` is written with them, besides the version.

    Returns:
        The files written.
    """
    from pathlib import Path

    from mlindex.base.schema import write_table

    written = []
    for table, rows in _tables(result):
        path = Path(directory) / f"{table.name}.parquet"
        own = {"mlindex_version": __version__}
        write_table(path, table, rows, {**own, **(provenance or {})})
        written.append(path)
    return written


def _tables(result: IndexingResult) -> list[tuple[Table, list[dict[str, Any]]]]:
    from mlindex.reports.result.parquet import rows_of

    return rows_of(as_data(result))
