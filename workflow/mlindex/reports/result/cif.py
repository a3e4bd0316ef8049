"""The best cell as a CIF with its peak list (core and powder dictionaries of the IUCr)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath

import gemmi
import numpy as np

from mlindex import __version__
from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.lattice import ANGLES, AXES
from mlindex.indexing.result import Candidate, IndexingResult
from mlindex.indexing.shift import NO_SHIFT
from mlindex.patterns.peaklist import PeakList
from mlindex.reports.result.notation import (
    cell_numbers,
    figure_of_merit,
    lattice_name,
    other_cells,
    percent,
    shift_text,
    volume,
)
from mlindex.reports.result.view import figure_lines, headline

_UNKNOWN = "?"
_LINE_WIDTH = 78


def best_cell_cif(result: IndexingResult) -> str:
    """CIF of the first candidate: cell, suggested space group, peaks and their indices.

    The space group is the first of the most probable extinction symbol, a suggestion; without
    one the file states the Bravais lattice only.

    Raises:
        MlindexError: if there is no candidate.
    """
    if not result.candidates:
        raise MlindexError(
            f"{result.peaks.name}: there is no cell to write as CIF ({result.reason})"
        )
    best = result.candidates[0]
    document = gemmi.cif.Document()
    block = document.add_new_block(_block_name(result.peaks.name))
    _set(block, "_audit_creation_method", f"mlindex {__version__}")
    for tag, number in zip(_cell_tags(), cell_numbers(best.settings[0]), strict=True):
        block.set_pair(tag, number)
    block.set_pair("_cell_volume", volume(best.settings[0].volume_A3))
    block.set_pair("_cell_formula_units_Z", _UNKNOWN)
    _set(block, "_cell_special_details", _details(result, best))
    _symmetry(block, best)
    _measurement(block, result.peaks, best)
    _peaks(block, result.peaks, best)
    _indices(block, best)
    return document.as_string()


def phase_cifs(result: IndexingResult) -> dict[str, str]:
    """CIF of each further phase whose cell was found, by the name of its file."""
    return {
        f"phase_{number}.cif": best_cell_cif(
            replace(result, candidates=(phase.candidate,), convincing=True, reason=phase.reason)
        )
        for number, phase in enumerate(result.further_phases, 2)
    }


def _block_name(name: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", PurePath(name).stem).strip("_")
    return stem or "cell"


def _cell_tags() -> list[str]:
    lengths = [f"_cell_length_{name}" for name in AXES]
    return lengths + [f"_cell_angle_{name}" for name in ANGLES]


def _set(block: gemmi.cif.Block, tag: str, text: str) -> None:
    block.set_pair(tag, gemmi.cif.quote(_ascii(text)))


def _ascii(text: str) -> str:
    """``text`` in the characters that CIF 1.1 allows."""
    for sign, spelled in (
        *(("α", "alpha"), ("β", "beta"), ("γ", "gamma")),
        *(("Å", "A"), ("°", " degrees"), ("−", "-"), ("∞", "infinite"), ("³", "^3^")),
    ):
        text = text.replace(sign, spelled)
    return "".join(c if c == "\n" or " " <= c <= "~" else "?" for c in text)


def _details(result: IndexingResult, best: Candidate) -> str:
    import textwrap

    n = figure_lines(best)
    texts = [
        f"Found by indexing the powder pattern {result.peaks.name}.",
        headline(result),
        result.reason,
        f"Lattice: {lattice_name(best)}. M{n} = {figure_of_merit(best.m20)}"
        + (f", F{n} = {figure_of_merit(best.f_n)}" if best.f_n is not None else "")
        + f", {best.n_indexed} of {best.n_used} lines indexed.",
    ]
    texts += [f"The same lattice, {name}: {cell}." for name, cell in other_cells(best)]
    texts += [
        f"Extinction symbol {e.symbol} ({percent(e.probability)}): {', '.join(e.space_groups)}."
        for e in best.extinctions[:3]
    ]
    # A line that begins with a semicolon would end the text field.
    lines = [line for text in texts for line in textwrap.wrap(_ascii(text), _LINE_WIDTH)]
    return "\n".join(f" {line}" for line in lines)


def _symmetry(block: gemmi.cif.Block, best: Candidate) -> None:
    # The dictionary writes S for a lattice centred in one face, whichever it is.
    _set(block, "_space_group_Bravais_type", best.bravais.replace("C", "S"))
    group = suggested_group(best)
    if group is None:
        return
    _set(block, "_space_group_crystal_system", group.crystal_system_str())
    _set(block, "_space_group_name_H-M_alt", group.xhm())
    block.set_pair("_space_group_IT_number", str(group.number))


def suggested_group(candidate: Candidate) -> gemmi.SpaceGroup | None:
    """The first tabulated space group of the most probable extinction symbol, if any.

    Its setting is that of the cell shown first, e.g. ``R -3 c:H``.
    """
    alpha, _, gamma = (float(angle) for angle in candidate.settings[0].cell[3:])
    for name in candidate.extinctions[0].space_groups if candidate.extinctions else ():
        group = gemmi.find_spacegroup_by_name(name, alpha, gamma)
        if group is not None:
            return group
    return None


def _measurement(block: gemmi.cif.Block, peaks: PeakList, best: Candidate) -> None:
    block.set_pair("_cell_measurement_reflns_used", str(best.n_indexed))
    if peaks.wavelength_A is None:
        return
    theta = two_theta_from_q2(peaks.q2_inv_A2[best.lines], peaks.wavelength_A) / 2
    block.set_pair("_cell_measurement_wavelength", f"{peaks.wavelength_A:g}")
    block.set_pair("_cell_measurement_theta_min", f"{theta[0]:.2f}")
    block.set_pair("_cell_measurement_theta_max", f"{theta[-1]:.2f}")
    block.set_pair("_diffrn_radiation_wavelength", f"{peaks.wavelength_A:g}")
    if best.shift != NO_SHIFT:
        text = shift_text(best.shift).replace("θ", "theta").replace("×", "*")
        _set(block, "_pd_proc_info_data_reduction", f"Subtracted from 2theta: {text}.")


def _peaks(block: gemmi.cif.Block, peaks: PeakList, best: Candidate) -> None:
    """The lines used, corrected for the shift, as the powder dictionary wants its peaks."""
    q2 = best.q2_corrected_inv_A2
    columns = {"id": [str(i + 1) for i in best.lines]}
    if peaks.wavelength_A is not None:
        angles = two_theta_from_q2(q2, peaks.wavelength_A)
        columns["2theta_centroid"] = [f"{angle:.4f}" for angle in angles]
    columns["d_spacing"] = [f"{d:.5f}" for d in 1 / np.sqrt(q2)]
    if peaks.fwhm_deg is not None and peaks.wavelength_A is not None:
        columns["width_2theta"] = [f"{width:.4f}" for width in peaks.fwhm_deg[best.lines]]
    if peaks.intensity is not None:
        columns["intensity"] = [f"{intensity:.6g}" for intensity in peaks.intensity[best.lines]]
    _loop(block, "_pd_peak_", columns)


def _indices(block: gemmi.cif.Block, best: Candidate) -> None:
    indexed = np.flatnonzero(best.indexed)
    if not len(indexed):
        return
    hkl = best.settings[0].axes.hkl(best.hkl[indexed])
    columns = {
        f"refln_index_{name}": [str(int(i)) for i in hkl[:, axis]]
        for axis, name in enumerate("hkl")
    }
    spacings = 1 / np.sqrt(best.q2_calculated_inv_A2[indexed])
    columns["refln_d_spacing"] = [f"{d:.5f}" for d in spacings]
    columns["pd_refln_peak_id"] = [str(i + 1) for i in best.lines[indexed]]
    _loop(block, "_", columns)


def _loop(block: gemmi.cif.Block, prefix: str, columns: dict[str, list[str]]) -> None:
    block.init_loop(prefix, list(columns)).set_all_values(list(columns.values()))
