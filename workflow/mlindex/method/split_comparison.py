"""How much the choice of the split unit changes validation errors.

One random forest is trained for each Bravais lattice on the training side of each of the two
splits and measured on its validation side. The stricter split's error is the more honest one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

from mlindex.base.columns import cell_names
from mlindex.crystal.cell import cell_volume
from mlindex.crystal.lattice import LatticeSystem
from mlindex.crystal.reindexed import reindexed_from_free
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.rows import observed_q2, reindexed_free
from mlindex.learning.sides import TRAIN, VALIDATION
from mlindex.learning.split import SPLIT_UNITS
from mlindex.method.scaling import Scaling, ScalingFit
from mlindex.method.settings import Forest
from mlindex.method.tables import SPLITS

#: Columns of DATASET that :func:`compare_splits` needs.
COLUMNS = (
    *("bravais_lattice", "unique_axis", "usable", "side"),
    *(f"side_{unit}" for unit in SPLIT_UNITS),
    *cell_names(""),
    "observed_q2_inv_A2",
)
_PERCENTILES = {"median": 50.0, "percentile_90": 90.0}


@dataclass(frozen=True)
class _Entries:
    """Usable entries as arrays, row by row: scaled q² and free parameters are made from them.

    ``q2_inv_A2`` (n, n_peaks), ``free`` (n, n_free) in A and degrees, ``axis`` (n,).
    """

    q2_inv_A2: np.ndarray
    free: np.ndarray
    axis: np.ndarray

    def take(self, rows: np.ndarray) -> _Entries:
        return _Entries(self.q2_inv_A2[rows], self.free[rows], self.axis[rows])


def compare_splits(
    dataset: pd.DataFrame | Iterable[pd.DataFrame],
    system: LatticeSystem,
    settings: Forest,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The table SPLITS: errors of the reindexed cell's parameters and volume.

    Args:
        dataset: table DATASET, at least :data:`COLUMNS`, whole or in blocks; entries that are
            not usable are left out.
        system: its lattice system.
        settings: size of the forests, the same as those of the models.
        rng: gives the forests' seed, one for both splits.

    Returns:
        Median and 90th percentile of the absolute relative error, by split unit and Bravais
        lattice; none for a Bravais lattice with an empty side or too few entries for one tree.
    """
    blocks = [dataset] if isinstance(dataset, pd.DataFrame) else dataset
    sides, entries = _gathered(blocks, system)
    seed = int(rng.integers(2**31))
    rows: list[dict] = []
    for unit in SPLIT_UNITS:
        scaling = _scaling(entries, sides[unit] == TRAIN, system)
        for bravais in np.unique(sides["bravais_lattice"]):
            here = sides["bravais_lattice"] == bravais
            train, held_out = (here & (sides[unit] == side) for side in (TRAIN, VALIDATION))
            if train.sum() < settings.min_samples_leaf or not held_out.any():
                continue
            forest = _forest(entries.take(train), system, scaling, settings, seed)
            errors = _relative_errors(forest, entries.take(held_out), system, scaling)
            rows += [
                {
                    "split_unit": unit,
                    "bravais_lattice": bravais,
                    "parameter": parameter,
                    "metric": metric,
                    "value": float(np.percentile(values, percent)),
                    "entries": len(values),
                }
                for parameter, values in errors.items()
                for metric, percent in _PERCENTILES.items()
            ]
    return pd.DataFrame(rows, columns=SPLITS.names) if rows else SPLITS.empty()


def _gathered(
    blocks: Iterable[pd.DataFrame], system: LatticeSystem
) -> tuple[dict[str, np.ndarray], _Entries]:
    """Bravais lattice and side by each unit of the usable entries, and their numbers."""
    names = {"bravais_lattice": "bravais_lattice", **{u: f"side_{u}" for u in SPLIT_UNITS}}
    texts: dict[str, list[np.ndarray]] = {name: [np.empty(0, "U20")] for name in names}
    q2, free = [np.empty((0, n_peaks_of(system)))], [np.empty((0, system.n_free))]
    axes = [np.empty(0, "U1")]
    for block in blocks:
        usable = block[block["usable"].to_numpy(dtype=bool)]
        for name, column in names.items():
            texts[name].append(usable[column].to_numpy(dtype=str))
        q2.append(observed_q2(usable, system))
        free.append(reindexed_free(usable, system))
        axes.append(usable["unique_axis"].to_numpy(dtype=str))
    entries = _Entries(*(np.concatenate(parts) for parts in (q2, free, axes)))
    return {name: _coded(parts) for name, parts in texts.items()}, entries


def _coded(parts: list[np.ndarray]) -> np.ndarray:
    """Texts of which few differ, as references to these."""
    joined = pd.Categorical(np.concatenate(parts))
    return np.asarray(joined.categories, dtype=object)[joined.codes]


def _scaling(entries: _Entries, train: np.ndarray, system: LatticeSystem) -> Scaling:
    fit = ScalingFit().with_entries(entries.q2_inv_A2[train], entries.free[train], system)
    return Scaling.from_table(fit.table())


def _forest(
    train: _Entries, system: LatticeSystem, scaling: Scaling, settings: Forest, seed: int
) -> RandomForestRegressor:
    forest = RandomForestRegressor(
        n_estimators=settings.trees,
        max_samples=max(1, round(settings.subsample * len(train.free))),
        min_samples_leaf=settings.min_samples_leaf,
        random_state=seed,
        n_jobs=1,
    )
    target = scaling.free(train.free, system)
    # scikit-learn wants a single target as a vector.
    target = target[:, 0] if system.n_free == 1 else target
    return forest.fit(scaling.q2(train.q2_inv_A2), target)


def _relative_errors(
    forest: RandomForestRegressor, held_out: _Entries, system: LatticeSystem, scaling: Scaling
) -> dict[str, np.ndarray]:
    true, axes = held_out.free, held_out.axis
    scaled = forest.predict(scaling.q2(held_out.q2_inv_A2))
    predicted = scaling.free_inverse(np.reshape(scaled, true.shape), system)
    errors = {
        name: np.abs(predicted[:, i] / true[:, i] - 1.0)
        for i, name in enumerate(system.free_parameters)
    }
    volumes = _volumes(predicted, axes, system), _volumes(true, axes, system)
    errors["volume"] = np.abs(volumes[0] / volumes[1] - 1.0)
    return errors


def _volumes(free: np.ndarray, axes: np.ndarray, system: LatticeSystem) -> np.ndarray:
    volume = np.empty(len(free))
    for axis in np.unique(axes):
        rows = axes == axis
        volume[rows] = cell_volume(reindexed_from_free(free[rows], system, str(axis)))
    return volume
