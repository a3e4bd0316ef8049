"""Fabricated results of indexing: made from cells, their lines and figures really computed."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.crystal.cell import cell_volume, reciprocal_from_cell
from mlindex.crystal.equivalence import lattice_of
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import distinct, nearest_index, reflections
from mlindex.indexing.merit import f_n, figures_of_many, merit
from mlindex.indexing.result import (
    AbsentLine,
    Candidate,
    Extinction,
    IndexingResult,
    Partner,
    Searched,
)
from mlindex.indexing.shift import LineShift
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList

CU = 1.5406
#: Paracetamol form I (P 1 21/n 1) and tungsten, in A and degrees.
PARACETAMOL = np.array([7.094, 9.232, 11.657, 90.0, 97.67, 90.0])
TUNGSTEN_A = 3.1648
ZERO_SHIFT = 0.031
IMPURITIES = (13.411, 21.087)
USED = 20


def lines_of(cell, centring, q2_max, group=None):
    """Different q² up to an end that lattice and space group allow, rising, and one hkl of each."""
    hkl = reflections(cell, centring, q2_max)
    if group:
        operations = gemmi.SpaceGroup(group).operations()
        hkl = hkl[[not operations.is_systematically_absent(list(row)) for row in hkl.tolist()]]
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    first = distinct(q2)
    return q2[first], hkl[first]


def candidate(peaks, bravais, cell, centring, *, used=USED, zero=0.0, tolerance=0.02, **more):
    """A candidate with what follows from its cell; ``tolerance`` is a share of q² over 10."""
    cell = np.asarray(cell, dtype=float)
    q2 = peaks.q2_inv_A2[:used]
    wavelength = peaks.wavelength_A
    if wavelength and zero:
        q2 = q2_from_two_theta(two_theta_from_q2(q2, wavelength) - zero, wavelength)
    figure = merit(q2, cell, centring)
    further = figures_of_many(q2, reciprocal_from_cell(cell), centring)
    indexed = np.abs(q2 - figure.q2_calculated_inv_A2) < tolerance * 0.1 * q2
    # The last line may be seen a little below where it is calculated.
    end = max(q2[-1], figure.q2_calculated_inv_A2[indexed].max(initial=0.0)) * (1 + 1e-9)
    allowed, hkl = lines_of(cell, centring, end)
    seen = set(nearest_index(figure.q2_calculated_inv_A2[indexed], allowed).tolist())
    free = [isinstance(p, str) for p in BRAVAIS[bravais].system.template]
    given = {
        "cell_error": np.where(free, 0.0013, 0.0),
        "log_evidence": 10.0,
        "probability": 0.01,
        "absent": tuple(
            AbsentLine(tuple(int(i) for i in hkl[n]), float(allowed[n]))
            for n in range(len(allowed))
            if n not in seen
        ),
    }
    return Candidate(
        bravais=bravais,
        centring=centring,
        cell=cell,
        niggli=lattice_of(cell, centring).reduced,
        volume_A3=float(cell_volume(cell)),
        m20=figure.m,
        f_n=f_n(q2, figure.q2_calculated_inv_A2, figure.n_calculated, wavelength)
        if wavelength
        else None,
        m20_reversed=float(further.m_reversed[0]),
        m20_symmetric=float(further.m_symmetric[0]),
        shift=LineShift(zero),
        hkl=np.where(indexed[:, None], figure.hkl, 0),
        q2_corrected_inv_A2=q2,
        q2_calculated_inv_A2=figure.q2_calculated_inv_A2,
        indexed=indexed,
        n_calculated=figure.n_calculated,
        **{**given, **more},
    )


def monoclinic_peaks(name="paracetamol.xye"):
    """25 lines: 23 of paracetamol with errors and a zero shift, two of something else."""
    rng = np.random.default_rng(3)
    q2, _ = lines_of(PARACETAMOL, "P", 0.2, "P 1 21/n 1")
    angles = two_theta_from_q2(q2[rng.random(len(q2)) < 0.8][:23], CU)
    angles = angles + ZERO_SHIFT + rng.normal(0, 0.004, len(angles))
    angles = np.sort(np.concatenate([angles, IMPURITIES]))
    return PeakList(
        name,
        q2_from_two_theta(angles, CU),
        np.round(rng.exponential(300, len(angles)) + 20),
        CU,
        ("2 lines were given twice and count once",),
        two_theta_error_deg=np.full(len(angles), 0.006),
        fwhm_deg=np.full(len(angles), 0.09),
    )


def monoclinic(name="paracetamol.xye"):
    """A convincing monoclinic cell with impurity lines and partners, and four lesser ones."""
    peaks = monoclinic_peaks(name)
    doubled = PARACETAMOL * [2, 1, 1, 1, 1, 1]
    allowed, _ = lines_of(PARACETAMOL, "P", 0.2)
    more, _ = lines_of(doubled, "P", 0.2)
    extra = more[np.min(np.abs(more[:, None] - allowed), axis=1) > 1e-9]
    best = candidate(
        peaks,
        "mP",
        PARACETAMOL,
        "P",
        zero=ZERO_SHIFT,
        cell_error=np.array([0.0008, 0.0011, 0.0014, 0, 0.012, 0]),
        log_evidence=61.5,
        probability=0.968,
        extinctions=(
            Extinction("P 1 21/n 1", ("P 1 21/n 1",), 0.91, 0),
            Extinction("P 1 21 1", ("P 1 21 1", "P 1 21/m 1"), 0.08, 0),
            Extinction("P 1 c 1", ("P 1 c 1", "P 1 2/c 1"), 0.01, 2),
        ),
        partners=(Partner("mP", doubled, "P", "supercell of index 2", tuple(extra[:5]), 0.021),),
    )
    others = (
        ("mP", doubled, "P", 0.021),
        ("oP", [7.03, 9.232, 11.657, 90, 90, 90], "P", 0.006),
        ("mC", [14.19, 9.23, 11.66, 90, 97.5, 90], "C", 0.002),
        ("aP", [7.1, 9.2, 11.7, 90.4, 97.6, 89.5], "P", 0.001),
    )
    rest = tuple(
        candidate(peaks, bravais, cell, centring, zero=ZERO_SHIFT, probability=share)
        for bravais, cell, centring, share in others
    )
    return IndexingResult(
        peaks,
        (best, *rest),
        searched=searched("aP", "oF"),
        convincing=True,
        reason="The cell explains 18 of 20 lines within their errors, and nothing else does.",
        seconds=4.31,
        notes=("2 of the first 20 lines look like an impurity",),
        options={"time_limit_s": 20.0, "lattices": None, "max_impurities": 3, "fast": False},
    )


def searched(cut_off, not_reached):
    """All 14 lattices, two of them not to the end."""
    status = {cut_off: "cut off", not_reached: "not reached"}
    return tuple(
        Searched(
            b, status.get(b, "complete"), 0 if b == not_reached else 1000 * (n + 1), 0.1 * n + 0.05
        )
        for n, b in enumerate(BRAVAIS)
    )


def one_ambiguous():
    """Tungsten: one candidate whose lines a tetragonal lattice has too (Mighell & Santoro 1975).

    No wavelength, no intensities, no uncertainties, and a fit that is exact.
    """
    cell = np.array([TUNGSTEN_A] * 3 + [90.0] * 3)
    q2, _ = lines_of(cell, "I", 10 * 2 / TUNGSTEN_A**2)
    peaks = PeakList("tungsten.txt", q2, None, None)
    other = np.array([TUNGSTEN_A / np.sqrt(2)] * 2 + [TUNGSTEN_A / 2] + [90.0] * 3)
    only = candidate(
        peaks,
        "cI",
        cell,
        "I",
        cell_error=np.zeros(6),
        probability=0.55,
        partners=(Partner("tP", other, "P", "geometrical ambiguity"),),
    )
    # Positions that fit to rounding make M infinite: no output may stumble over it.
    return IndexingResult(
        peaks,
        (replace(only, m20=np.inf),),
        searched=searched("aP", "mC"),
        convincing=False,
        reason="Two lattices explain all lines equally well.",
        seconds=0.4,
    )


def rhombohedral():
    """Corundum on rhombohedral axes, 2theta known, one candidate."""
    cell = np.array([5.1284] * 3 + [55.287] * 3)
    q2, _ = lines_of(cell, "P", 0.9, "R -3 c:R")
    peaks = PeakList("corundum.csv", q2[:12], np.linspace(100, 10, 12), CU)
    only = candidate(peaks, "hR", cell, "P", used=12, probability=0.99)
    return IndexingResult(
        peaks, (only,), searched("aP", "mC"), True, "All 12 lines are explained.", 0.8
    )


def empty(name="junk.txt"):
    """Nothing found, and no wavelength."""
    q2 = np.sort(np.random.default_rng(1).uniform(0.01, 0.3, 9))
    return IndexingResult(
        PeakList(name, q2, None, None),
        (),
        searched=(Searched("cP", "complete", 120, 0.02), Searched("aP", "not reached", 0, 0.0)),
        convincing=False,
        reason="No cell explains more than 4 of 9 lines.",
        seconds=0.1,
    )


def pattern_of(peaks, name="paracetamol.xye"):
    """A pattern with a Gaussian at each line, a background and noise."""
    grid = np.arange(5.0, 40.0, 0.02)
    centres = two_theta_from_q2(peaks.q2_inv_A2, CU)
    profile = np.exp(-4 * np.log(2) * ((grid[:, None] - centres) / 0.09) ** 2) @ peaks.intensity
    background = 40 + 60 * np.exp(-grid / 10)
    counts = np.random.default_rng(5).poisson(profile + background).astype(float)
    return MeasuredPattern(name, grid, counts, wavelength_A=CU), background, profile + background
