"""Candidates from sets of Miller indices that the first lines of training entries often have.

A template names one reference reflection for each of as many low lines as the cell has free
reciprocal parameters; q² = H x then gives the cell by solving linear equations. (Later work on
the method found that fewer entries are left without a near candidate this way than by networks
or forests.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from mlindex.base.schema import stack
from mlindex.crystal.cell import cell_from_reciprocal
from mlindex.crystal.lattice import LatticeSystem
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.sides import TRAIN
from mlindex.method.tables import TEMPLATES

#: Columns of EXAMPLES that :func:`learn_templates` needs.
COLUMNS = ("side", "label")
#: Lines beyond the first n_free from which the lines of a template may be chosen.
_SPARE_LINES = 3
#: Templates of one example: the first that determine a cell, in order of their lines.
_PER_EXAMPLE = 6
_SINGULAR = 1e-9


def learn_templates(
    examples: pd.DataFrame | Iterable[pd.DataFrame],
    reference_hkl: np.ndarray,
    system: LatticeSystem,
    rows: int,
) -> pd.DataFrame:
    """The most frequent templates of the training examples, as TEMPLATES.

    Args:
        examples: EXAMPLES, at least :data:`COLUMNS`, whole or in blocks; only the training side
            is used.
        reference_hkl: reference reflections (r, 3), the last row (0 0 0).
        system: the lattice system.
        rows: templates to keep, at most.
    """
    design = system.design_matrix(reference_hkl)
    choices = list(
        combinations(range(min(n_peaks_of(system), system.n_free + _SPARE_LINES)), system.n_free)
    )
    blocks = [examples] if isinstance(examples, pd.DataFrame) else examples
    found = [np.empty(0, dtype=np.int64)]
    for block in blocks:
        labels = stack(block.loc[block["side"] == TRAIN, "label"], int)
        if len(labels):
            found.append(_codes(labels, choices, design))
    codes, counts = np.unique(np.concatenate(found), return_counts=True)
    # Equal counts are in the order of the codes, which is that of lines and labels.
    best = np.argsort(-counts, kind="stable")[:rows]
    digits = _digits(codes[best], len(reference_hkl), system.n_free)
    return pd.DataFrame(
        {
            "line": [list(choices[digit]) for digit in digits[:, 0]],
            "label": digits[:, 1:].tolist(),
            "examples": counts[best],
        },
        columns=TEMPLATES.names,
    )


def _codes(
    labels: np.ndarray, choices: Sequence[tuple[int, ...]], design: np.ndarray
) -> np.ndarray:
    """The templates of examples as numbers: the choice of lines, then the labels, in one base."""
    unknown = len(design) - 1
    found = np.zeros(len(labels), dtype=np.int64)
    codes = []
    for number, lines in enumerate(choices):
        open_ = np.flatnonzero(found < _PER_EXAMPLE)
        named = labels[open_][:, list(lines)]
        sound = np.all(named != unknown, axis=1)
        sound[sound] = np.abs(np.linalg.det(design[named[sound]])) >= _SINGULAR
        found[open_[sound]] += 1
        codes.append(_number(number, named[sound], len(design)))
    return np.concatenate(codes)


def _number(choice: int, labels: np.ndarray, base: int) -> np.ndarray:
    # At most 84 choices of lines and six labels below 500: below 2^63.
    code = np.full(len(labels), choice, dtype=np.int64)
    for column in labels.T:
        code = code * base + column
    return code


def _digits(codes: np.ndarray, base: int, count: int) -> np.ndarray:
    """The choice of lines and the ``count`` labels of each code: (n, 1 + count)."""
    digits = np.empty((len(codes), 1 + count), dtype=np.int64)
    rest = codes
    for column in range(count, 0, -1):
        rest, digits[:, column] = np.divmod(rest, base)
    digits[:, 0] = rest
    return digits


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
