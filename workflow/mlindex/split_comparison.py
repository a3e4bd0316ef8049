"""How much the choice of the split unit changes validation errors.

One random forest is trained for each Bravais lattice on the training side of each of the two
splits and measured on its validation side. The stricter split's error is the more honest one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

from mlindex.axes import reindexed_from_free
from mlindex.cell import cell_volume
from mlindex.lattice import LatticeSystem
from mlindex.scaling import Scaling, fit_scaling, observed_q2, reindexed_free, training_entries
from mlindex.settings.models import Forest
from mlindex.split import SPLIT_UNITS, VALIDATION
from mlindex.tables.training import SPLITS

_PERCENTILES = {"median": 50.0, "percentile_90": 90.0}


def compare_splits(
    dataset: pd.DataFrame, system: LatticeSystem, settings: Forest, rng: np.random.Generator
) -> pd.DataFrame:
    """The table SPLITS: errors of the reindexed cell's parameters and volume.

    Args:
        dataset: table DATASET; entries that are not usable are left out.
        system: its lattice system.
        settings: size of the forests, the same as those of the models.
        rng: gives the forests' seed, one for both splits.

    Returns:
        Median and 90th percentile of the absolute relative error, by split unit and Bravais
        lattice; none for a Bravais lattice with an empty side or too few entries for one tree.
    """
    seed = int(rng.integers(2**31))
    rows: list[dict] = []
    for unit in SPLIT_UNITS:
        sided = dataset.assign(side=dataset[f"side_{unit}"])
        scaling = Scaling.from_table(fit_scaling(sided, system))
        for bravais, part in sided.groupby("bravais_lattice", sort=True):
            train = training_entries(part)
            held_out = part[part["usable"].astype(bool) & (part["side"] == VALIDATION)]
            if len(train) < settings.min_samples_leaf or held_out.empty:
                continue
            forest = _forest(train, system, scaling, settings, seed)
            errors = _relative_errors(forest, held_out, system, scaling)
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


def _forest(
    train: pd.DataFrame, system: LatticeSystem, scaling: Scaling, settings: Forest, seed: int
) -> RandomForestRegressor:
    forest = RandomForestRegressor(
        n_estimators=settings.trees,
        max_samples=max(1, round(settings.subsample * len(train))),
        min_samples_leaf=settings.min_samples_leaf,
        random_state=seed,
        n_jobs=1,
    )
    target = scaling.free(reindexed_free(train, system), system)
    # scikit-learn wants a single target as a vector.
    target = target[:, 0] if system.n_free == 1 else target
    return forest.fit(scaling.q2(observed_q2(train, system)), target)


def _relative_errors(
    forest: RandomForestRegressor, held_out: pd.DataFrame, system: LatticeSystem, scaling: Scaling
) -> dict[str, np.ndarray]:
    scaled = forest.predict(scaling.q2(observed_q2(held_out, system)))
    predicted = scaling.free_inverse(np.reshape(scaled, (len(held_out), system.n_free)), system)
    true = reindexed_free(held_out, system)
    errors = {
        name: np.abs(predicted[:, i] / true[:, i] - 1.0)
        for i, name in enumerate(system.free_parameters)
    }
    volumes = _volumes(predicted, held_out, system), _volumes(true, held_out, system)
    errors["volume"] = np.abs(volumes[0] / volumes[1] - 1.0)
    return errors


def _volumes(free: np.ndarray, frame: pd.DataFrame, system: LatticeSystem) -> np.ndarray:
    axes = frame["unique_axis"].to_numpy().astype(str)
    volume = np.empty(len(frame))
    for axis in np.unique(axes):
        rows = axes == axis
        volume[rows] = cell_volume(reindexed_from_free(free[rows], system, axis))
    return volume
