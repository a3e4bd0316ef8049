"""Small EXAMPLES, GROUPS, SCALING and REFERENCE frames of made-up crystals, for tests only."""

import itertools

import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.base.schema import STRING
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import AXES, LatticeSystem, bravais_of, quadratic_terms
from mlindex.crystal.reindexed import cell_to_standard
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.tables import GROUPS
from mlindex.method.tables import EXAMPLES, REFERENCE, SCALING

_LARGEST_INDEX = 6


def unique_hkl(system: LatticeSystem) -> np.ndarray:
    """Miller indices that give different lines in every cell of the system, simplest first."""
    span = range(-_LARGEST_INDEX, _LARGEST_INDEX + 1)
    hkl = np.array([v for v in itertools.product(span, repeat=3) if any(v)])
    _, first = np.unique(system.design_matrix(hkl), axis=0, return_index=True)
    kept = hkl[np.sort(first)]
    return kept[np.argsort((kept**2).sum(axis=1), kind="stable")]


def reference_hkl(system: LatticeSystem, count: int = 120) -> np.ndarray:
    """A reference list with (0, 0, 0) last."""
    hkl = unique_hkl(system)
    return np.concatenate([hkl[: min(count, len(hkl) + 1) - 1], [[0, 0, 0]]])


def make_frames(
    system: LatticeSystem,
    counts: dict[str, int],
    rng: np.random.Generator,
    augmented_share: float = 0.3,
) -> dict[str, pd.DataFrame]:
    """Frames with ``counts`` examples in each group; a group is named like mP_b_00."""
    hkl, reference = unique_hkl(system), reference_hkl(system)
    known = {tuple(v): n for n, v in enumerate(map(tuple, system.design_matrix(reference)))}
    rows = []
    for group, count in counts.items():
        axis = group.split("_")[1]
        axis = axis if axis in AXES else ""
        for number in range(count):
            cell = _reindexed_cell(system, axis, rng)
            standard = cell_to_standard(cell, system, axis)
            q2 = quadratic_terms(hkl) @ reciprocal_from_cell(standard)
            order = np.argsort(q2)[: n_peaks_of(system)]
            labels = [
                known.get(tuple(v), len(reference) - 1) for v in system.design_matrix(hkl[order])
            ]
            rows.append(
                {
                    "example_id": f"{group}:{number}",
                    "parent_id": f"{group}:{number}",
                    "augmented": bool(rng.random() < augmented_share),
                    "side": "validation" if number % 5 == 0 else "train",
                    "bravais_lattice": group[:2],
                    "hm_symbol": "P 1",
                    "unique_axis": axis,
                    "group": group,
                    **dict(zip(cell_names(""), cell, strict=True)),
                    "q2_inv_A2": q2[order],
                    **dict(zip("hkl", hkl[order].T, strict=True)),
                    "label": labels,
                }
            )
    examples = pd.DataFrame(rows, columns=EXAMPLES.names)
    return {
        "examples": examples,
        "scaling": _scaling(examples, system),
        "reference": _reference(reference),
        "groups": _groups(counts),
    }


def group_names(system: LatticeSystem) -> list[str]:
    """One group for each Bravais lattice, and for each unique axis where there is one."""
    axes = AXES if system.unique_axis is not None else ("0",)
    return [f"{b.symbol}_{axis}_00" for b in bravais_of(system.name) for axis in axes]


def _reindexed_cell(system: LatticeSystem, axis: str, rng: np.random.Generator) -> np.ndarray:
    lengths, angles = np.sort(rng.uniform(4.0, 12.0, 3)), rng.uniform(70.0, 110.0, 3)
    cell = system.cell_from_free(system.free_from_cell(np.concatenate([lengths, angles])))
    if system.unique_axis is None:
        return cell
    full = np.full(6, 90.0)
    full[:3] = lengths
    full[3 + AXES.index(axis)] = angles[0]
    return full


def _scaling(examples: pd.DataFrame, system: LatticeSystem) -> pd.DataFrame:
    q2 = np.stack(list(examples["q2_inv_A2"]))
    rows = [
        ("q2_inv_A2", q2.mean(), q2.std(), q2.size),
        ("length_A", 8.0, 2.5, 3 * len(examples)),
        ("angle_rad", np.pi / 2, 0.2, len(examples)),
    ]
    return pd.DataFrame(rows, columns=SCALING.names)


def _reference(hkl: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(hkl, columns=list("hkl"))
    return frame.assign(mean_q_inv_A=np.arange(len(hkl), dtype=float))[REFERENCE.names]


def _groups(counts: dict[str, int]) -> pd.DataFrame:
    rows = []
    for group, count in counts.items():
        axis = group.split("_")[1]
        axis = axis if axis in AXES else ""
        row = {
            "group": group,
            "bravais_lattice": group[:2],
            "unique_axis": axis,
            "entries": count,
            "group_entries": count,
            "merged": False,
        }
        texts = {c.name: "" for c in GROUPS.columns if c.dtype == STRING}
        rows.append({**{c.name: 0 for c in GROUPS.columns}, **texts, **row})
    return pd.DataFrame(rows, columns=GROUPS.names)
