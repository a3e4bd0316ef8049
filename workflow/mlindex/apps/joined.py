"""Symmetry by the cells that a search found and by the lines alone, for results of ``index``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.lattice import BRAVAIS
from mlindex.indexing.result import IndexingResult, SymmetryShares
from mlindex.patterns.measured import MeasuredPattern

#: Classes of each level that a result names.
_MOST = 5


def with_symmetry(result: IndexingResult, pattern: MeasuredPattern | None) -> IndexingResult:
    """The result with its symmetry, where that helps.

    That is a list of one phase that was searched to the end for all lattices, without a convincing
    cell: such a cell says more.

    Args:
        result: of a search.
        pattern: where its lines were found, if in one.
    """
    complete = {s.bravais for s in result.searched if s.status == "complete"} == BRAVAIS.keys()
    if result.convincing or result.phases or not complete:
        return result
    try:
        return replace(result, symmetry=_shares(result, pattern))
    except MlindexError:
        # Where the arrays are damaged, the cells are still what was asked for.
        return result


def warm_up() -> None:
    """Run each compiled function once, so that all of them are in the cache and in memory."""
    from mlindex.classification.features import features_of

    features_of([np.arange(1.0, 9.0)], [None], [9.0])


def _shares(result: IndexingResult, pattern: MeasuredPattern | None) -> SymmetryShares:
    """The most probable classes of each level.

    Raises:
        MlindexError: the shipped arrays are missing or damaged.
    """
    # The command starts quicker without what few results need.
    from mlindex.classification.asking import end_of, probability_of
    from mlindex.classification.joined import SearchEvidence
    from mlindex.classification.shipped import shipped
    from mlindex.classification.shipped_joined import shipped_joined
    from mlindex.crystal.symmetry_classes import classes_of
    from mlindex.indexing.lattices import evidence_of
    from mlindex.learning.labels import at_level

    peaks = result.peaks
    known = pattern is not None and pattern.scale_A is not None
    end = end_of(pattern) if known else float(peaks.q2_inv_A2[-1])
    evidence = SearchEvidence(*(array[None] for array in evidence_of(result)))
    alone = probability_of(peaks, end, shipped())
    joined = shipped_joined().predict_proba(alone[None], evidence)

    def best(level: str) -> tuple[tuple[str, float], ...]:
        share = at_level(joined, level)[0]
        order = np.argsort(-share, kind="stable")[:_MOST]
        return tuple((classes_of(level).names[i], float(share[i])) for i in order)

    return SymmetryShares(best("bravais"), best("extinction_symbol"), best("space_group"))
