"""What networks and forests are trained on and judged by: scaled arrays, sides, figures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd

from mlindex.base.columns import cell_names
from mlindex.base.schema import stack
from mlindex.crystal.lattice import ANGLES, AXES, LatticeSystem
from mlindex.crystal.reindexed import free_from_reindexed
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.rows import reindexed_free
from mlindex.learning.sides import TRAIN, VALIDATION
from mlindex.method.scaling import Scaling
from mlindex.method.tables import EXAMPLES

#: Columns of EXAMPLES that :func:`regression_samples` and :func:`by_group` need.
SAMPLE_COLUMNS = (
    *("parent_id", "augmented", "side", "unique_axis", "group"),
    *cell_names(""),
    "q2_inv_A2",
)
_PERCENTILES = (50, 68, 90, 95)

#: Rows of EXAMPLES, whole or in blocks.
Blocks = pd.DataFrame | Iterable[pd.DataFrame]
#: EXAMPLES, or what reads those of one group: the others need never be in memory.
Examples = pd.DataFrame | Callable[[str], Blocks]


@dataclass(frozen=True)
class Trained:
    """What training tells: a TRAINING frame and a METRICS frame."""

    training: pd.DataFrame
    metrics: pd.DataFrame


@dataclass(frozen=True)
class Samples:
    """Arrays of one group, or of a lattice system; all have one row for each example."""

    q2_scaled: np.ndarray
    #: Free cell parameters in A and degrees, shape (n, n_free).
    free: np.ndarray
    free_scaled: np.ndarray
    #: Rows that are trained on, that training is stopped by, and that figures come from.
    train: np.ndarray
    stopping: np.ndarray
    figures: np.ndarray
    #: Of the reindexed cells; the entries of a group share one.
    unique_axis: str = ""


def validation_halves(parents: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Two masks that part examples of the validation side: for stopping, and for figures.

    Training is stopped by one half and reported on the other, so that no figure is measured
    where the stopping point was chosen. The parents, in the order of a digest of their names,
    go to stopping and to figures by turns: neither order nor presence of other groups matters,
    and augmented entries stay with their parent.
    """
    ranked = sorted(set(parents), key=lambda p: hashlib.sha256(p.encode()).digest())
    place = {parent: number for number, parent in enumerate(ranked)}
    first = np.array([place[p] % 2 == 0 for p in parents], dtype=bool)
    return first, ~first


def sides(examples: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks of the rows of EXAMPLES for training, stopping and figures (unaugmented only)."""
    validation = (examples["side"] == VALIDATION).to_numpy()
    stopping = np.zeros(len(examples), dtype=bool)
    first, second = validation_halves(list(examples.loc[validation, "parent_id"]))
    stopping[validation] = first
    figures = np.zeros(len(examples), dtype=bool)
    figures[validation] = second
    figures &= ~examples["augmented"].to_numpy(dtype=bool)
    return (examples["side"] == TRAIN).to_numpy(), stopping, figures


def blocks_of(examples: Blocks) -> Iterable[pd.DataFrame]:
    """The rows in blocks, at least one, of no row where there is none."""
    if isinstance(examples, pd.DataFrame):
        return [examples]
    return chain([EXAMPLES.empty()], examples)


def head(block: pd.DataFrame) -> pd.DataFrame:
    """What :func:`sides` needs of a block: names of parents of the validation side only."""
    held_out = block["side"] == VALIDATION
    columns = block[["parent_id", "augmented", "side"]]
    return columns.assign(parent_id=columns["parent_id"].where(held_out, ""))


def regression_samples(examples: Blocks, system: LatticeSystem, scaling: Scaling) -> Samples:
    """Inputs and targets of the regression models for the examples of one group.

    The targets are the scaled free parameters of the reindexed cell (Moreau 2.1.4, 2.2).
    """
    heads, q2, free, axis = [], [], [], ""
    for block in blocks_of(examples):
        heads.append(head(block))
        free.append(reindexed_free(block, system))
        q2_inv_A2 = stack(block["q2_inv_A2"]).reshape(len(block), n_peaks_of(system))
        q2.append(scaling.q2(q2_inv_A2).astype(np.float32))
        axis = axis or next(iter(block["unique_axis"]), "")
    train, stopping, figures = sides(pd.concat(heads, ignore_index=True))
    parameters = np.concatenate(free)
    return Samples(
        np.concatenate(q2),
        parameters,
        scaling.free(parameters, system).astype(np.float32),
        train,
        stopping,
        figures,
        axis,
    )


def parameter_names(system: LatticeSystem, unique_axis: str) -> tuple[list[str], list[str]]:
    """Names and units of the free parameters of a reindexed cell, in their order."""
    positions = free_from_reindexed(np.arange(6), system, unique_axis).astype(int)
    return [(AXES + ANGLES)[p] for p in positions], ["A" if p < 3 else "degree" for p in positions]


def metric(
    model: str,
    estimator: str,
    name: str,
    value: float,
    entries: int,
    parameter: str = "",
    unit: str = "",
) -> dict[str, object]:
    """A row of METRICS."""
    return {
        "model": model,
        "estimator": estimator,
        "metric": name,
        "parameter": parameter,
        "value": float(value),
        "unit": unit,
        "entries": int(entries),
    }


def error_metrics(
    model: str, estimator: str, errors: np.ndarray, names: Sequence[str], units: Sequence[str]
) -> list[dict[str, object]]:
    """Percentiles of the absolute errors (n, n_free) in A and degrees, as rows of METRICS."""
    if not len(errors):
        return []
    rows = []
    for percentile in _PERCENTILES:
        values = np.percentile(np.abs(errors), percentile, axis=0)
        rows += [
            metric(model, estimator, f"error p{percentile}", value, len(errors), name, unit)
            for value, name, unit in zip(values, names, units, strict=True)
        ]
    return rows


def group_batches(sizes: Mapping[str, int], n_batches: int) -> list[list[str]]:
    """Share groups out among jobs: the largest first, each to the job with least to do.

    Args:
        sizes: entries of each group.
        n_batches: number of jobs.

    Returns:
        ``n_batches`` lists of group names, some empty where there are fewer groups; the same
        for the same sizes, whatever their order.
    """
    batches: list[list[str]] = [[] for _ in range(n_batches)]
    loads = [0] * n_batches
    for group in sorted(sizes, key=lambda g: (-sizes[g], g)):
        lightest = loads.index(min(loads))
        batches[lightest].append(group)
        loads[lightest] += sizes[group]
    return batches


def by_group(examples: Examples, groups: Iterable[str]) -> Iterable[tuple[str, Blocks]]:
    """The examples of each of the groups, in the order of the groups."""
    for group in groups:
        if isinstance(examples, pd.DataFrame):
            yield group, examples[examples["group"] == group].reset_index(drop=True)
        else:
            yield group, examples(group)
