"""The verdict on the first candidate: whether it is convincing, and what speaks against it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mlindex.crystal.cell import cell_volume, reciprocal_from_cell
from mlindex.crystal.formula_volume import Formula, volume_factor
from mlindex.crystal.lattice import BRAVAIS, quadratic_terms
from mlindex.crystal.lines import reflections
from mlindex.crystal.pseudosymmetry import next_two_fold_deg
from mlindex.indexing.account import Account, account, clear_lines_more
from mlindex.indexing.result import CONVINCING_PROBABILITY, Candidate

#: Lists with fewer lines are short.
_FEW_LINES = 20
#: Log-evidence a candidate needs, whatever the others have, and that of a short list. Lines at
#: random reach -3 (24 lists of 20). Of 896 lists with noise, a zero shift, impurities or gaps 14
#: had a cell between 5 and 10 that nothing else speaks against, all right; a wrong one of a short
#: list had 10.
_LEAST_EVIDENCE, _LEAST_EVIDENCE_FEW = 5.0, 10.0
#: Where the whole profile of a pattern with few lines is explained but for this share, the points
#: between the lines speak for the cell as well: 7 is enough. Of 83 measured patterns 14 have so few
#: lines and are so explained by a first cell with a probability of 0.9; all are right, with 8 or
#: more, and the wrong ones beside them have 8 and less, at most 0.8 probable.
_EXPLAINED_BUT, _LEAST_EVIDENCE_EXPLAINED = 0.01, 7.0
#: A candidate that leaves more than this share of the lines unindexed is not convincing, where
#: their intensities are not known.
_MOST_UNINDEXED = 0.2
#: Nor one that leaves more than the first share of the intensity, or, with the log-evidence given
#: or more, the second; its lines may be as many as they will. The known cells of 47 of 59 measured
#: lists leave less than 10 % (most others are of another temperature, or shifted); right cells
#: of four mixtures of 10 and 20 % left 2 to 11 %; an axis tripled for impurities left 14 %, with a
#: log-evidence of 12.
#: Of what a first phase leaves, which always holds remains of its lines, the second share counts.
_MOST_LEFT, _SURE, _MOST_LEFT_SURE = 0.1, 20.0, 0.25
#: A supercell that indexes so many lines more, with so little less log-evidence, casts doubt,
#: however probable the ranking finds it that they are impurities'.
_MORE_LINES, _LITTLE_LESS = 2, 5.0
#: The same where the lines are clear (their intensities known) and have most of the intensity left.
#: Of SbI3 the true cell has 9 less than a subcell; supercells that meet impurities of right cells
#: had 23 and more less (10 measured and simulated patterns).
_LESS_CLEAR = 12.0
#: A lattice that is so near, in degrees, to having another two-fold axis is often that of a
#: superstructure's parent, distorted by what orders in it. Of real calculated lists of 20 lines
#: (README.md) 97 have such a first cell, 15 of them wrong; of shorter ones 15, 7 of them wrong.
_NEARLY_DEG, _NEARLY_DEG_FEW = 0.3, 1.0
#: The whole profile shows such lines: where it is explained but for this share of the intensity, it
#: has none.
_NOTHING_LEFT = 1e-3
#: So small a triclinic cell, in A³, is often that of a superstructure's parent: of 506 real lists
#: (README.md) 16 had such a first cell that nothing else speaks against, 6 of them wrong, and of
#: 144 larger triclinic ones 1. Its free parameters are all six.
_SMALL_A3, _NO_SYMMETRY = 140.0, 6
_LEVERAGE_ROUNDING = 1e-9
#: Reflections explain a line so near to it, in root-mean-square misfits of all lines, or relative
#: to the last line's q² where the list is of calculated ones.
_NEAR_RMS, _NEAR_REL = 3.0, 1e-6
#: A cell whose volume the formula makes so much less probable, for it is small, is none.
_LEAST_ROOM = 0.1


def verdict(
    found: Sequence[Candidate],
    explained: bool = False,
    complete: bool = True,
    formula: Formula | None = None,
    intensity: np.ndarray | None = None,
    further: bool = False,
    beside: str = "",
) -> tuple[bool, str]:
    """Whether the first candidate is convincing, and why (not).

    Args:
        found: candidates, the most probable first.
        explained: some lattices explain the lines, even if no cell is determined.
        complete: the search was not cut off.
        formula: the chemical formula, if it is known.
        intensity: of the lines of the list (n,) or more, if they are known.
        further: the list is what other phases leave.
        beside: what was recognized beside it, in words, its lines left out.
    """
    if not found:
        return False, _nothing(explained, complete)
    best = found[0]
    left = account(best, intensity)
    objections = (
        _by_chance(best),
        _unindexed(best, left, further),
        _one_line(best),
        _improbable(best),
        _superstructure(best, found[1:]),
        # Clear lines that a further phase leaves may be remains of the first.
        "" if further else _clear_lines(best, found[1:], intensity),
        _pseudo_symmetric(best),
        _small(best),
        _too_small(best, formula),
    )
    against = next((objection for objection in objections if objection), "")
    return not against, against or _convincing(best, left, beside)


def _nothing(explained: bool, complete: bool) -> str:
    if explained:
        return "Some lattices explain the lines, but their cells are not determined: add lines."
    if not complete:
        return "The search ended before it found anything."
    return "No lattice explains the lines: check wavelength, zero shift and impurities."


def _by_chance(best: Candidate) -> str:
    least = _LEAST_EVIDENCE if _own_lines(best) >= _FEW_LINES else _LEAST_EVIDENCE_FEW
    if best.profile is not None and 1 - best.profile.explained <= _EXPLAINED_BUT:
        least = min(least, _LEAST_EVIDENCE_EXPLAINED)
    evidence = _evidence(best)
    if evidence >= least:
        return ""
    return (
        f"The best cell explains {best.n_indexed} of {best.n_used} lines little better than "
        f"chance (log-evidence {evidence:.1f}; at least {least:g} is needed)."
    )


def _evidence(best: Candidate) -> float:
    """Its log-evidence, whether the lines that it leaves are impurities or a second phase's."""
    mixed = best.log_evidence_if_mixed
    return best.log_evidence if mixed is None else max(best.log_evidence, mixed)


def _own_lines(best: Candidate) -> int:
    """Lines used, those at one reflection counted once: scans that were joined repeat them."""
    return len(
        np.unique(np.where(best.indexed, best.q2_calculated_inv_A2, -np.arange(best.n_used)))
    )


def _unindexed(best: Candidate, left: Account | None, further: bool) -> str:
    unindexed = best.n_used - best.n_indexed
    if left is not None:
        sure = further or _evidence(best) >= _SURE
        most = _MOST_LEFT_SURE if sure else _MOST_LEFT
        if left.share <= most:
            return ""
        return (
            f"The best cell leaves {unindexed} of {best.n_used} lines unindexed, with "
            f"{_tenths(left.share)} of the intensity."
        )
    if unindexed <= _MOST_UNINDEXED * best.n_used:
        return ""
    return f"The best cell leaves {unindexed} of {best.n_used} lines unindexed."


def _convincing(best: Candidate, left: Account | None, beside: str) -> str:
    sure = (
        f"Together with its partners its probability is {_percent(best.probability_with_partners)}."
    )
    if left is None or not left.lines:
        return f"{sure} Beside it there is {beside}." if beside else sure
    who = f"Together with {beside} it" if beside else "It"
    lines = "1 line" if left.lines == 1 else f"{left.lines} lines"
    return (
        f"{sure} {who} explains {_tenths(1 - left.share)} of the diffracted intensity; {lines} "
        f"({_tenths(left.share)}) may be an impurity."
    )


def _tenths(share: float) -> str:
    return f"{100 * share:.1f} %"


def _one_line(best: Candidate) -> str:
    rows = BRAVAIS[best.bravais].system.design_matrix(best.hkl[best.indexed])
    if np.linalg.matrix_rank(rows) < rows.shape[1]:
        return ""
    doubtful, lines = _doubtful(best, rows), np.flatnonzero(best.indexed)
    if np.linalg.matrix_rank(rows[~doubtful]) < rows.shape[1]:
        shown = ", ".join(_hkl(best, line) for line in lines[doubtful][:3])
        return (
            f"Several reflections explain lines such as {shown}; the other lines do not determine "
            "all axes and angles: add lines."
        )
    alone = _alone(rows[~doubtful])
    if not alone.any():
        return ""
    return (
        f"Only {_hkl(best, lines[~doubtful][alone][0])} determines one of the axes or angles, and "
        "no other line confirms it: add lines."
    )


def _doubtful(best: Candidate, rows: np.ndarray) -> np.ndarray:
    """Which of the m lines indexed, with rows (m, n_free) of H, another reflection with a different
    row explains as well: bool (m,)."""
    observed = best.q2_corrected_inv_A2[best.indexed]
    misfit = observed - best.q2_calculated_inv_A2[best.indexed]
    near = max(_NEAR_RMS * float(np.sqrt(np.mean(misfit**2))), _NEAR_REL * observed[-1])
    hkl = reflections(best.cell, best.centring, float(observed[-1]) + near)
    others = BRAVAIS[best.bravais].system.design_matrix(hkl)
    q2 = quadratic_terms(hkl) @ reciprocal_from_cell(best.cell)
    explains = np.abs(q2 - observed[:, None]) < near
    differs = np.any(others != rows[:, None], axis=2)
    return np.any(explains & differs, axis=1)


def _alone(rows: np.ndarray) -> np.ndarray:
    """Which lines the fit of the others leaves open: it meets them exactly, whatever they are (a
    leverage of 1)."""
    orthogonal, _ = np.linalg.qr(rows)
    return np.square(orthogonal).sum(axis=1) > 1 - _LEVERAGE_ROUNDING


def _hkl(best: Candidate, line: int) -> str:
    h, k, l = best.settings[0].axes.hkl(best.hkl[[line]])[0]
    return f"({h} {k} {l})"


def _improbable(best: Candidate) -> str:
    sure = best.probability_with_partners
    if sure >= CONVINCING_PROBABILITY:
        return ""
    return (
        f"The first cell and its partners have a probability of only {_percent(sure)}: other "
        "cells explain the lines about as well, or none explains them well."
    )


def _superstructure(best: Candidate, others: Sequence[Candidate]) -> str:
    for other in others:
        index, more = other.times(best), other.n_indexed - best.n_indexed
        keeps = bool(np.all(other.indexed[best.indexed]))
        near = other.log_evidence >= best.log_evidence - _LITTLE_LESS
        if index > 1 and keeps and near and more >= _MORE_LINES:
            volume = other.settings[0].volume_A3
            return (
                f"A supercell of index {index} indexes {more} more lines and fits nearly as well "
                f"({other.bravais}, {volume:.0f} Å³): a superstructure, or impurities."
            )
    return ""


def _clear_lines(best: Candidate, others: Sequence[Candidate], intensity: np.ndarray | None) -> str:
    for other in others:
        index = other.times(best)
        if index < 2 or other.log_evidence < best.log_evidence - _LESS_CLEAR:
            continue
        more = clear_lines_more(best, other, intensity)
        if more >= _MORE_LINES:
            volume = other.settings[0].volume_A3
            return (
                f"A supercell of index {index} indexes {more} clear lines that the best cell leaves"
                f" ({other.bravais}, {volume:.0f} Å³)."
            )
    return ""


def _pseudo_symmetric(best: Candidate) -> str:
    if best.profile is not None and 1 - best.profile.explained <= _NOTHING_LEFT:
        return ""
    limit = _NEARLY_DEG if best.n_used >= _FEW_LINES else _NEARLY_DEG_FEW
    obliquity = next_two_fold_deg(BRAVAIS[best.bravais], best.niggli, limit)
    if obliquity > limit:
        return ""
    return (
        f"Its lattice is within {math.ceil(100 * obliquity) / 100:.2f} degrees of a higher "
        "symmetry, as the parent lattice of a superstructure often is. Its probability does not "
        "allow for this: look for weak lines, between those used, that only a supercell explains."
    )


def _small(best: Candidate) -> str:
    volume = cell_volume(best.niggli)
    if volume > _SMALL_A3 or BRAVAIS[best.bravais].system.n_free < _NO_SYMMETRY:
        return ""
    return (
        f"Its cell of {volume:.0f} Å³ is small for a triclinic one, and may be the parent cell of "
        "a superstructure. Its probability does not allow for this: look for weak lines, between "
        "those used, that only a supercell explains."
    )


def _too_small(best: Candidate, formula: Formula | None) -> str:
    volume = cell_volume(best.niggli)
    if formula is None or volume > formula.volume_A3:
        return ""
    if volume_factor([volume], [best.bravais], formula)[0] >= _LEAST_ROOM:
        return ""
    return (
        f"Its primitive cell has room for only {volume / formula.volume_A3:.2g} formula units of "
        f"{formula.text}: the true cell is a supercell whose other lines were not observed, or the "
        "formula is wrong."
    )


def _percent(share: float) -> str:
    return "more than 99 %" if share > 0.99 else f"{100 * share:.0f} %"
