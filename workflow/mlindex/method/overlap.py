"""How far the forest and the network of a group say the same (the comparison of Moreau 2.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mlindex.crystal.lattice import LatticeSystem
from mlindex.learning.tables import METRICS
from mlindex.learning.trees import Trees
from mlindex.method.networks import VarianceNetwork
from mlindex.method.scaling import Scaling
from mlindex.method.training_data import (
    Examples,
    by_group,
    metric,
    parameter_names,
    regression_samples,
)

_ESTIMATOR = "both"
#: An estimate is good where every free parameter is within this share of its true value.
_GOOD = 0.05


def compare_estimators(
    examples: Examples,
    regression_directories: Path | Sequence[Path],
    forest_directory: Path,
    system: LatticeSystem,
    scaling: Scaling,
) -> pd.DataFrame:
    """METRICS that compare forest and network, for each group that has both.

    Measured on the validation entries that figures come from: the correlation of their signed
    scaled errors for each parameter; the share of entries to which the network, or the forest,
    is closer (Euclidean distance of scaled parameters); the shares that both, only one, or
    neither get within 5 % in every free parameter. The estimates are the network's mean and the
    mean over all trees.
    """
    if isinstance(regression_directories, str | Path):
        regression_directories = [Path(regression_directories)]
    networks = {p.stem: p for d in regression_directories for p in sorted(Path(d).glob("*.npz"))}
    forests = {p.stem: p for p in sorted(Path(forest_directory).glob("*.npz"))}
    rows: list[dict] = []
    for group, part in by_group(examples, sorted(networks.keys() & forests.keys())):
        samples = regression_samples(part, system, scaling)
        if not samples.figures.any():
            continue
        q2, truth = samples.q2_scaled[samples.figures], samples.free[samples.figures]
        network = VarianceNetwork.load(networks[group]).predict(q2)[0].astype(float)
        forest = Trees.load(forests[group]).predict(q2).mean(axis=1)
        names, _ = parameter_names(system, samples.unique_axis)
        scaled = scaling.free(truth, system)
        rows += _correlations(group, network - scaled, forest - scaled, names)
        rows += _shares(group, network - scaled, forest - scaled)
        estimates = (scaling.free_inverse(v, system) for v in (network, forest))
        rows += _found(group, *(np.all(np.abs(e / truth - 1) < _GOOD, axis=1) for e in estimates))
    return pd.DataFrame(rows, columns=METRICS.names)


def _correlations(
    group: str, network: np.ndarray, forest: np.ndarray, names: Sequence[str]
) -> list[dict]:
    rows = []
    for column, name in enumerate(names):
        pair = network[:, column], forest[:, column]
        # With a constant error, as with fewer than two entries, there is no correlation.
        if len(network) > 1 and all(np.ptp(errors) > 0 for errors in pair):
            value = np.corrcoef(*pair)[0, 1]
            rows.append(
                metric(group, _ESTIMATOR, "correlation of errors", value, len(network), name)
            )
    return rows


def _shares(group: str, network: np.ndarray, forest: np.ndarray) -> list[dict]:
    distances = np.linalg.norm(network, axis=1), np.linalg.norm(forest, axis=1)
    closer = float(np.mean(distances[0] < distances[1]))
    shares = {"network closer": closer, "forest closer": 1 - closer}
    return [metric(group, _ESTIMATOR, n, v, len(network)) for n, v in shares.items()]


def _found(group: str, network: np.ndarray, forest: np.ndarray) -> list[dict]:
    shares = {
        "both within 5 %": network & forest,
        "only network within 5 %": network & ~forest,
        "only forest within 5 %": ~network & forest,
        "neither within 5 %": ~network & ~forest,
    }
    return [metric(group, _ESTIMATOR, n, v.mean(), len(network)) for n, v in shares.items()]
