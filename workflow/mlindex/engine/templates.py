"""Candidates from sets of Miller indices that the first lines of training entries often have.

A template names one reference reflection for each of as many low lines as the cell has free
reciprocal parameters; q² = H x then gives the cell by solving linear equations. (Later work on
the method found that fewer entries are left without a near candidate this way than by networks
or forests.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from mlindex.cell import cell_from_reciprocal
from mlindex.lattice import LatticeSystem
from mlindex.schema import stack
from mlindex.tables.training import TEMPLATES

#: Lines beyond the first n_free from which the lines of a template may be chosen.
_SPARE_LINES = 3
#: Templates of one example: the first that determine a cell, in order of their lines.
_PER_EXAMPLE = 6
_SINGULAR = 1e-9


def learn_templates(
    examples: pd.DataFrame, reference_hkl: np.ndarray, system: LatticeSystem, rows: int
) -> pd.DataFrame:
    """The most frequent templates of the training examples, as TEMPLATES.

    Args:
        examples: EXAMPLES; only the training side is used.
        reference_hkl: reference reflections (r, 3), the last row (0 0 0).
        system: the lattice system.
        rows: templates to keep, at most.
    """
    labels = stack(examples.loc[examples["side"] == "train", "label"], int)
    design = system.design_matrix(reference_hkl)
    counts: Counter[tuple[tuple[int, ...], tuple[int, ...]]] = Counter()
    for row in labels:
        counts.update(_templates_of(row, design, len(reference_hkl) - 1))
    # Equal counts are ordered by content, so that the table doesn't depend on the input's order.
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:rows]
    return pd.DataFrame(
        {
            "line": [list(lines) for (lines, _), _ in ordered],
            "label": [list(named) for (_, named), _ in ordered],
            "examples": [count for _, count in ordered],
        },
        columns=TEMPLATES.names,
    )


def _templates_of(
    labels: np.ndarray, design: np.ndarray, unknown: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    n_free = design.shape[1]
    found = 0
    for lines in combinations(range(min(len(labels), n_free + _SPARE_LINES)), n_free):
        named = labels[list(lines)]
        if np.any(named == unknown) or abs(np.linalg.det(design[named])) < _SINGULAR:
            continue
        yield lines, tuple(int(v) for v in named)
        found += 1
        if found == _PER_EXAMPLE:
            return


def template_cells(
    q2_inv_A2: np.ndarray,
    templates: pd.DataFrame,
    reference_hkl: np.ndarray,
    system: LatticeSystem,
    count: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Cells (n, 6) in the standard setting solved from templates drawn by their frequency.

    At most ``count``: templates whose solution is no cell drop out.
    """
    lines, labels = stack(templates["line"], int), stack(templates["label"], int)
    weight = templates["examples"].to_numpy(dtype=float)
    fits = lines.max(axis=1) < len(q2_inv_A2)
    if not fits.any():
        return np.empty((0, 6))
    weight = np.where(fits, weight, 0.0)
    size = min(count, int(fits.sum()))
    drawn = rng.choice(len(templates), size, replace=False, p=weight / weight.sum())
    design = system.design_matrix(reference_hkl)[labels[drawn]]
    x = np.linalg.solve(design, q2_inv_A2[lines[drawn]][..., None])[..., 0]
    cells = cell_from_reciprocal(x @ system.basis_matrix)
    return cells[np.all(np.isfinite(cells), axis=1)]
