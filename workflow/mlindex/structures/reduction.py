"""The three cells of an entry: conventional, reindexed and Niggli, and what leads to each.

- Conventional: as the entry states it, made to obey its symmetry exactly.
- Reindexed: on axes along the symmetry directions with least centring, rhombohedral lattices on
  rhombohedral axes; where the lattice system sorts its axes, a < b < c (Moreau, ML-Index
  Methods, 2.1.1). Before sorting, the two shortest vectors across the unique axis are taken with
  an angle that is not acute, or the Niggli cell where nothing fixes an angle, unless the settings
  say otherwise. Axes of equal length stay in the order that they had.
- Niggli: by gemmi (Grosse-Kunstleve et al., Acta Cryst. A60 (2004) 1).

Operators are matrices P with (a', b', c') = (a, b, c) P of positive determinant; Miller indices as
rows transform alike, h' = h P. Whether all three cells give the same q² is checked on every entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.base.errors import MlindexError
from mlindex.crystal import basis
from mlindex.crystal.cell import cell_from_metric, cell_volume, metric_tensor, reciprocal_from_cell
from mlindex.crystal.lattice import AXES, BRAVAIS, LatticeSystem, quadratic_terms
from mlindex.crystal.niggli import FIXED_EPSILON_A2, niggli_reduction
from mlindex.crystal.plane import shortest_plane_vectors
from mlindex.crystal.reindexed import free_from_reindexed, reindexed_from_free
from mlindex.crystal.space_groups import whole_operations_of
from mlindex.structures.settings import Reduction
from mlindex.structures.tables import CELLS, REJECTS

#: The columns of entries that are needed here; scripts need read no others.
COLUMNS = (
    "entry_id",
    "source",
    "path",
    "spacegroup_number",
    "hm_symbol",
    "hall_symbol",
    "lattice_system",
    "bravais_lattice",
    *cell_names(""),
)
#: Greatest relative difference of a reflection's q² among the three cells.
MAX_DISCREPANCY = 1e-6

_RULES = {1: "symmetry and lattice", 2: "Niggli reduction", 3: "same q² list"}
_STAGE = "reduction"
#: Greatest relative change that symmetry may make to a parameter of the cell as given.
_MAX_CHANGE = 0.01
#: Miller indices compared run from minus to plus this.
_MAX_INDEX = 4
_NIGGLI_STEPS = 1000
#: Lengths and metric elements closer than this, relatively, are equal: rounding decides nothing.
_TIE = 1e-9
_TIE_DECIMALS = 8
_BLOCK = 2000


@dataclass
class _Reduced:
    """What is filled in for each entry: cells (n, 6), operators (n, 3, 3), and problems."""

    conventional: np.ndarray
    reindexed: np.ndarray
    niggli: np.ndarray
    to_reindexed: np.ndarray
    to_niggli: np.ndarray
    unique_axis: np.ndarray
    symbol: np.ndarray
    n_points: np.ndarray
    discrepancy: np.ndarray
    #: Row: number of the rule that it broke, what was seen, the reason.
    problems: dict[int, tuple[int, str, str]]

    @classmethod
    def start(cls, cells: np.ndarray) -> _Reduced:
        """Before anything is reduced."""
        n = len(cells)
        operators = np.tile(np.eye(3), (n, 1, 1))
        texts = np.full(n, "", dtype=object)
        return cls(
            cells.copy(),
            cells.copy(),
            cells.copy(),
            operators,
            operators.copy(),
            texts,
            texts.copy(),
            np.ones(n, dtype=np.int64),
            np.zeros(n),
            {},
        )

    def reject(self, rows: Iterable[int], rule: int, seen: str, reason: str) -> None:
        """Note what is wrong with some rows."""
        for row in rows:
            self.problems[int(row)] = (rule, seen, reason)

    def sound(self, rows: np.ndarray) -> np.ndarray:
        """The rows without a problem, of these."""
        return rows[[int(row) not in self.problems for row in rows]] if self.problems else rows


def reduce_entries(
    entries: pd.DataFrame,
    settings: Reduction,
    progress: Callable[[Iterable], Iterable] = iter,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of cells and of rejects of entries, each in the order of ``entries``.

    Rules by which an entry is rejected: 1, its operations do not make the lattice that it claims;
    2, its Niggli reduction fails; 3, the three cells differ by more than
    :data:`MAX_DISCREPANCY` in the q² of some reflection.

    Args:
        entries: the columns :data:`COLUMNS` of the table of entries.
        settings: how the reindexed cell is chosen.
        progress: wraps the loop over groups of entries with equal symmetry.
    """
    entries = entries.reset_index(drop=True)
    reduced = _Reduced.start(entries[cell_names("")].to_numpy(float))
    groups = entries.groupby(["hall_symbol", "bravais_lattice"], sort=True).indices
    for (hall_symbol, bravais), rows in progress(sorted(groups.items())):
        try:
            _reduce_group(reduced, rows, hall_symbol, bravais, settings)
        except MlindexError as error:
            reduced.reject(rows, 1, f"{hall_symbol} as {bravais}", str(error))
    return _cells(entries, reduced), _rejects(entries, reduced)


def _reduce_group(
    reduced: _Reduced, rows: np.ndarray, hall_symbol: str, bravais: str, settings: Reduction
) -> None:
    if bravais not in BRAVAIS:
        raise MlindexError(f"{bravais!r} is no Bravais lattice")
    system = BRAVAIS[bravais].system
    operations = whole_operations_of(hall_symbol)
    setting = basis.standard_setting(hall_symbol, BRAVAIS[bravais])
    given = reduced.conventional[rows]
    cells = _symmetrized(given, operations.rotations)
    reduced.conventional[rows] = cells
    reduced.n_points[rows] = operations.n_points
    for row in np.flatnonzero(~np.all(np.abs(cells - given) <= _MAX_CHANGE * given, axis=1)):
        seen = " ".join(f"{value:g}" for value in given[row])
        reduced.reject([rows[row]], 1, seen, "the cell does not obey its symmetry operations")
    _niggli(reduced, rows, basis.primitive_operator(hall_symbol))
    axes = _axes(cells, reduced.to_niggli[rows], setting, system, settings)
    axes, reduced.unique_axis[rows] = _sorted_axes(cells, axes, setting, system)
    reduced.to_reindexed[rows] = axes
    reindexed = basis.transformed_cells(cells, axes)
    reduced.reindexed[rows] = _exact(reindexed, reduced.unique_axis[rows], system)
    reduced.symbol[rows] = _symbols(hall_symbol, axes)
    sound = reduced.sound(rows)
    for start in range(0, len(sound), _BLOCK):
        _compare_q2(reduced, sound[start : start + _BLOCK])


def _symmetrized(cells: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Cells (n, 6) that obey their symmetry exactly; those that did stay as they are."""
    averaged = cell_from_metric(basis.symmetrized_metric(metric_tensor(cells), rotations))
    return np.where(np.abs(averaged - cells) <= _TIE * cells, cells, averaged)


def _niggli(reduced: _Reduced, rows: np.ndarray, to_primitive: np.ndarray) -> None:
    conventional = reduced.conventional[rows]
    primitive = basis.transformed_cells(conventional, np.tile(to_primitive, (len(rows), 1, 1)))
    for row, cell in zip(rows.tolist(), primitive.tolist(), strict=True):
        if row in reduced.problems:
            continue
        found = niggli_reduction(
            cell, epsilon=FIXED_EPSILON_A2, most_steps=_NIGGLI_STEPS, with_change=True
        )
        # gemmi's own is_niggli compares without tolerance and fails on equal axes.
        if found.steps >= _NIGGLI_STEPS:
            seen = " ".join(f"{value:g}" for value in cell)
            reduced.reject([row], 2, seen, "the Niggli reduction of the cell does not end")
            continue
        reduced.niggli[row] = found.cell
        reduced.to_niggli[row] = to_primitive @ found.change


def _axes(
    cells: np.ndarray,
    to_niggli: np.ndarray,
    setting: basis.Setting,
    system: LatticeSystem,
    settings: Reduction,
) -> np.ndarray:
    """P (n, 3, 3) from conventional to reindexed axes in any order."""
    fixed = np.tile(setting.operator, (len(cells), 1, 1))
    free_angles = len(system.free_parameters) - 3
    if not (system.sorts_axes and settings.reduce_plane and free_angles > 0):
        return fixed
    if not setting.unique_axis:
        return to_niggli
    unique = AXES.index(setting.unique_axis)
    first, second = (axis for axis in range(3) if axis != unique)
    metric = metric_tensor(basis.transformed_cells(cells, fixed))
    shortest = shortest_plane_vectors(
        metric[:, first, first], metric[:, first, second], metric[:, second, second], _TIE
    )
    change = np.tile(np.eye(3), (len(cells), 1, 1))
    change[np.ix_(range(len(cells)), [first, second], [first, second])] = shortest
    return fixed @ change


def _sorted_axes(
    cells: np.ndarray, axes: np.ndarray, setting: basis.Setting, system: LatticeSystem
) -> tuple[np.ndarray, np.ndarray]:
    """P with the axes sorted and right-handed, and the unique axis of each."""
    n = len(cells)
    order = np.tile(np.arange(3), (n, 1))
    if system.sorts_axes:
        lengths = basis.transformed_cells(cells, axes)[:, :3]
        order = np.argsort(np.round(lengths, _TIE_DECIMALS), axis=1, kind="stable")
    axes = np.take_along_axis(axes, order[:, None, :], axis=2)
    # Minus all three axes is the same cell; minus the unique one alone would be too, but only
    # where there is one.
    axes = axes * np.sign(np.linalg.det(axes))[:, None, None]
    unique = np.full(n, "", dtype=object)
    if setting.unique_axis:
        position = np.argmax(order == AXES.index(setting.unique_axis), axis=1)
        unique = np.array(AXES, dtype=object)[position]
    return axes + 0.0, unique


def _exact(cells: np.ndarray, unique_axis: np.ndarray, system: LatticeSystem) -> np.ndarray:
    """Cells with the parameters that the system fixes or makes equal freed of rounding."""
    ideal = cells.copy()
    for axis in np.unique(unique_axis):
        rows = unique_axis == axis
        free = free_from_reindexed(cells[rows], system, axis)
        ideal[rows] = reindexed_from_free(free, system, axis)
    return np.where(np.abs(ideal - cells) <= _TIE * cells, ideal, cells)


def _symbols(hall_symbol: str, operators: np.ndarray) -> list[str]:
    distinct, which = np.unique(operators.reshape(-1, 9), axis=0, return_inverse=True)
    symbols = [basis.symbol_after(hall_symbol, operator) for operator in distinct]
    return [symbols[i] for i in which.ravel()]


def _compare_q2(reduced: _Reduced, rows: np.ndarray) -> None:
    """Note the largest relative q² difference of each row; reject rows where it is too large."""
    hkl = _half_sphere()
    in_lattice = hkl @ reduced.to_niggli[rows[0]]
    hkl = hkl[np.all(np.abs(in_lattice - np.rint(in_lattice)) < _TIE, axis=1)]
    expected = quadratic_terms(hkl) @ reciprocal_from_cell(reduced.conventional[rows]).T
    worst = np.zeros(len(rows))
    for operators, cells in (
        (reduced.to_reindexed[rows], reduced.reindexed[rows]),
        (reduced.to_niggli[rows], reduced.niggli[rows]),
    ):
        moved = hkl @ operators
        found = np.einsum("nmt,nt->mn", quadratic_terms(moved), reciprocal_from_cell(cells))
        difference = np.abs(found / expected - 1).max(axis=0)
        # A reflection that is none in the other cell has no q² there.
        broken = np.abs(moved - np.rint(moved)).max(axis=(1, 2)) > _TIE
        difference[broken | ~np.isfinite(difference)] = np.inf
        worst = np.maximum(worst, difference)
    reduced.discrepancy[rows] = worst
    bad = worst > MAX_DISCREPANCY
    for row, value in zip(rows[bad], worst[bad], strict=True):
        reason = f"the q² of the three cells differ relatively by more than {MAX_DISCREPANCY:g}"
        reduced.reject([row], 3, f"{value:.3g}", reason)


def _half_sphere() -> np.ndarray:
    """Miller indices within the limit, one of each Friedel pair, without (0 0 0)."""
    side = 2 * _MAX_INDEX + 1
    every = np.indices((side, side, side)).reshape(3, -1).T - _MAX_INDEX
    return every[len(every) // 2 + 1 :]


def _cells(entries: pd.DataFrame, reduced: _Reduced) -> pd.DataFrame:
    kept = reduced.sound(np.arange(len(entries)))
    if not len(kept):
        return CELLS.empty()
    frame = entries.iloc[kept].reset_index(drop=True)
    columns: dict[str, object] = {
        "reindexed_hm_symbol": reduced.symbol[kept],
        "unique_axis": reduced.unique_axis[kept],
        "reindexed_operator": list(reduced.to_reindexed[kept].reshape(-1, 9)),
        "niggli_operator": list(reduced.to_niggli[kept].reshape(-1, 9)),
        "volume_A3": cell_volume(reduced.conventional[kept]),
        "q2_discrepancy": reduced.discrepancy[kept],
        "n_points": reduced.n_points[kept],
    }
    for prefix, cells in (
        ("", reduced.conventional),
        ("reindexed_", reduced.reindexed),
        ("niggli_", reduced.niggli),
    ):
        columns.update(zip(cell_names(prefix), cells[kept].T, strict=True))
    for name in ("entry_id", "lattice_system", "bravais_lattice", "hm_symbol", "hall_symbol"):
        columns[name] = frame[name].to_numpy(object)
    columns["spacegroup_number"] = frame["spacegroup_number"].to_numpy(np.int16)
    return pd.DataFrame(columns)[CELLS.names]


def _rejects(entries: pd.DataFrame, reduced: _Reduced) -> pd.DataFrame:
    rows = [
        {
            "entry_id": entries["entry_id"][row],
            "source": entries["source"][row],
            "path": entries["path"][row],
            "stage": _STAGE,
            "rule": rule,
            "rule_name": _RULES[rule],
            "seen": seen,
            "reason": reason,
        }
        for row, (rule, seen, reason) in sorted(reduced.problems.items())
    ]
    return pd.DataFrame(rows, columns=REJECTS.names) if rows else REJECTS.empty()
