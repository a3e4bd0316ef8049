"""From ranked trials to candidates with everything that is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.cell import cell_volume, reciprocal_from_cell
from mlindex.crystal.equivalence import lattice_of, same
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.lines import distinct, nearest_index, reflections
from mlindex.crystal.tolerances import ONE_CANDIDATE, ROUNDED_MISFIT_REL, SHOWN_LINE_REL
from mlindex.indexing.ambiguity import partners
from mlindex.indexing.extinction import suggest
from mlindex.indexing.merit import f_n, figures_of_many, merit
from mlindex.indexing.refine import Refined, refine
from mlindex.indexing.result import AbsentLine, Candidate, Partner
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.trials import Trial, standard
from mlindex.indexing.shift_choice import refine_with_shift
from mlindex.patterns.peaklist import PeakList

#: A line is indexed within this many errors, in units of how well the cell fits.
_ERRORS = 4.0
_LEAST_SCALE = 0.5
_M_LINES = 20
#: Cells of the list that are less probable are no rivals, even with the same lines.
_RIVAL = 1e-4
_MOST_PARTNERS = 6


def candidates(
    ranked: list[tuple[Trial, float]],
    observed: Observed,
    peaks: PeakList,
    taken_off_deg: float = 0.0,
) -> tuple[Candidate, ...]:
    """Candidates of trials and their probabilities, in the order given; see :func:`detailed`.

    ``taken_off_deg`` is a zero shift that was taken off the lines before the search: that of a
    candidate is the whole one.
    """
    made = []
    for trial, probability in ranked:
        try:
            made.append(_candidate(trial, probability, observed, peaks, taken_off_deg))
        except ValueError:
            # Undetermined by its lines, or with more reflections than any list could tell apart.
            continue
    return tuple(made)


def detailed(
    found: Sequence[Candidate], observed: Observed, peaks: PeakList, most: int
) -> tuple[Candidate, ...]:
    """Candidates with the usual indices, and extinctions and partners of the first ``most``."""
    return tuple(
        (with_details(c, found, observed, peaks) if rank < most else c).with_usual_indices()
        for rank, c in enumerate(found)
    )


def _candidate(
    trial: Trial, probability: float, observed: Observed, peaks: PeakList, taken_off_deg: float
) -> Candidate:
    cell, centring = standard(trial)
    system = trial.bravais.system
    unshifted = observed.q2 - observed.slope * trial.shift_deg
    hkl, calculated = _assigned(cell, centring, unshifted)
    scale = max(
        _LEAST_SCALE, float(np.median(np.abs(unshifted - calculated) / observed.sigma)) / 0.6745
    )
    indexed = np.abs(unshifted - calculated) <= _ERRORS * min(scale, 1.0) * observed.sigma
    used = np.where(indexed[:, None], hkl, 0)
    wavelength, angles, shift = peaks.wavelength_A, None, trial.shift_deg + taken_off_deg
    if shift and observed.shiftable:
        angles = two_theta_from_q2(observed.q2, wavelength) + taken_off_deg

    def fit(zero_shift: bool, displacement: bool) -> Refined:
        return refine(
            cell,
            centring,
            system,
            observed.q2,
            observed.sigma,
            used,
            angles,
            wavelength,
            zero_shift,
            displacement,
            taken_off_deg,
        )

    refined = fit(False, False) if angles is None else refine_with_shift(fit)
    return _described(trial, refined, centring, indexed, probability, peaks)


def _described(
    trial: Trial,
    refined: Refined,
    centring: str,
    indexed: np.ndarray,
    probability: float,
    peaks: PeakList,
) -> Candidate:
    q2 = refined.q2_corrected_inv_A2
    used = q2[:_M_LINES]
    x6, floor = reciprocal_from_cell(refined.cell), ROUNDED_MISFIT_REL * used[-1]
    figure = merit(used, refined.cell, centring, floor)
    further = figures_of_many(used, x6, centring, floor)
    hkl, calculated = _assigned(refined.cell, centring, q2)
    f_value = None
    if peaks.wavelength_A is not None and figure.n_calculated:
        f_value = f_n(used, figure.q2_calculated_inv_A2, figure.n_calculated, peaks.wavelength_A)
        f_value = f_value if np.isfinite(f_value) else None
    allowed = reflections(refined.cell, centring, q2[-1] * (1 + 1e-9))
    number = len(distinct(quadratic_terms(allowed) @ x6))
    candidate = Candidate(
        bravais=trial.bravais.symbol,
        centring=centring,
        cell=refined.cell,
        cell_error=refined.cell_error,
        cell_covariance=refined.cell_covariance,
        niggli=lattice_of(refined.cell, centring).reduced,
        volume_A3=float(cell_volume(refined.cell)),
        m20=figure.m,
        f_n=f_value,
        m20_reversed=float(further.m_reversed[0]),
        m20_symmetric=float(further.m_symmetric[0]),
        log_evidence=trial.evidence,
        probability=probability,
        probability_with_partners=probability,
        hkl=np.where(indexed[:, None], hkl, 0),
        q2_corrected_inv_A2=q2,
        q2_calculated_inv_A2=calculated,
        indexed=indexed,
        n_calculated=number,
        shift=refined.shift,
    )
    return replace(candidate, absent=_absent(candidate))


def _assigned(cell: np.ndarray, centring: str, q2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hkl = reflections(cell, centring, q2[-1] * 1.05)
    if not len(hkl):
        raise ValueError("no reflection below the last line")
    calculated = quadratic_terms(hkl) @ reciprocal_from_cell(cell)
    nearest = nearest_index(q2, calculated)
    return hkl[nearest], calculated[nearest]


def _absent(candidate: Candidate) -> tuple[AbsentLine, ...]:
    q2 = candidate.q2_corrected_inv_A2
    hkl = reflections(candidate.cell, candidate.centring, q2[-1])
    lines = quadratic_terms(hkl) @ reciprocal_from_cell(candidate.cell)
    first = distinct(lines)
    seen = candidate.q2_calculated_inv_A2[candidate.indexed]
    absent = first[_far_from(lines[first], seen, SHOWN_LINE_REL)]
    return tuple(
        AbsentLine((h, k, l), value)
        for (h, k, l), value in zip(hkl[absent].tolist(), lines[absent].tolist(), strict=True)
    )


def _far_from(values: np.ndarray, others: np.ndarray, tolerance: float) -> np.ndarray:
    """Which of the values (n,) none of the others (m,) lies near, relative to the value: (n,)."""
    difference = np.abs(values[:, None] - others)
    return np.all(difference > tolerance * values[:, None], axis=1)


def with_details(
    candidate: Candidate, others: Sequence[Candidate], observed: Observed, peaks: PeakList
) -> Candidate:
    """The same with extinction symbols and partners, ``others`` of the list among these."""
    n = candidate.n_used
    q2 = candidate.q2_corrected_inv_A2
    differences = np.abs(q2 - candidate.q2_calculated_inv_A2)[candidate.indexed]
    fit = float(np.max(differences / q2[candidate.indexed])) if candidate.indexed.any() else 1e-4
    tolerance = min(max(1.5 * fit, 1e-6), 3e-3)
    intensity = None if peaks.intensity is None else peaks.intensity[:n]
    try:
        extinctions = suggest(
            candidate.bravais,
            candidate.centring,
            candidate.cell,
            candidate.hkl,
            q2,
            observed.sigma,
            intensity,
        )
        geometrical = partners(candidate, float(q2[-1]), q2, tolerance)
    except ValueError:
        # Cells with so many reflections that absences and derivative lattices tell nothing.
        extinctions, geometrical = (), ()
    rivals = [
        other
        for other in others
        if other is not candidate
        and other.probability >= _RIVAL
        and _has_its_lines(other, candidate, tolerance)
    ][:_MOST_PARTNERS]
    mine = _calculated(candidate)
    listed = tuple(_as_partner(candidate, mine, other, tolerance) for other in rivals)
    together = candidate.probability + sum(r.probability for r in rivals)
    known = [lattice_of(p.cell, p.centring) for p in listed]
    geometrical = tuple(
        p
        for p in geometrical
        if not any(same(lattice_of(p.cell, p.centring), k, *ONE_CANDIDATE) for k in known)
    )
    return replace(
        candidate,
        # Where the whole profile was fitted, it has told more than the positions do.
        extinctions=(candidate.extinctions or extinctions)[:10],
        partners=(listed + geometrical)[:_MOST_PARTNERS],
        probability_with_partners=min(1.0, together),
    )


def _has_its_lines(other: Candidate, candidate: Candidate, tolerance: float) -> bool:
    """Whether another candidate indexes the same lines at the same calculated positions.

    A supercell may index more: what the first leaves out may be what tells them apart.
    """
    mine = candidate.indexed
    difference = np.abs(candidate.q2_calculated_inv_A2 - other.q2_calculated_inv_A2)
    alike = np.all((difference <= tolerance * candidate.q2_calculated_inv_A2)[mine])
    more = np.any(other.indexed & ~mine)
    return bool(alike and np.all(other.indexed[mine]) and (not more or other.times(candidate) > 1))


def _as_partner(
    candidate: Candidate, mine: np.ndarray, other: Candidate, tolerance: float
) -> Partner:
    """Another candidate as a partner of one with the lines ``mine`` (n,), q² in 1/A²."""
    theirs = _calculated(other)
    apart = np.concatenate(
        [mine[_far_from(mine, theirs, tolerance)], theirs[_far_from(theirs, mine, tolerance)]]
    )
    up, down = other.times(candidate), candidate.times(other)
    relation = "other lattice with the lines observed"
    if max(up, down) > 1:
        relation = f"supercell of index {up}" if up > 1 else f"subcell of index {down}"
    more = other.n_indexed - candidate.n_indexed
    if more:
        relation += f" that indexes {more} more"
    return Partner(
        other.bravais,
        other.cell,
        other.centring,
        relation,
        tuple(np.sort(apart)[:5].tolist()),
        other.probability,
    )


def _calculated(candidate: Candidate) -> np.ndarray:
    hkl = reflections(candidate.cell, candidate.centring, candidate.q2_corrected_inv_A2[-1])
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(candidate.cell)
    return q2[distinct(q2)]
