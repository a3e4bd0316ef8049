"""Rows of SYMMETRY_EXAMPLES whose features tell the class partly, for studies of classifiers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlindex.classification.settings import Classifiers
from mlindex.classification.studies.subject import Subject

#: Space groups and crystals of each.
CRYSTALS = {14: 120, 2: 90, 15: 60, 62: 60, 225: 40, 221: 40}
_LISTS = 2


def study_examples(crystals: dict[int, int] = CRYSTALS, seed: int = 3) -> pd.DataFrame:
    """Two lists of each crystal, a structure type for every two crystals."""
    rng = np.random.default_rng(seed)
    rows = []
    for place, (number, count) in enumerate(crystals.items()):
        for i in range(count):
            centre = np.zeros(4)
            centre[place % 3] = 2.0 + place
            for measurement in range(_LISTS):
                lines = np.sort(rng.uniform(0.02, 0.5, 12))
                features = (centre + rng.normal(0, 1.5, 4)).astype(np.float32)
                keys = (f"g{number}_{i:03d}", number, "aP", f"{number} type {i // 2}", f"f{i // 5}")
                rows.append((*keys, measurement, 1.54, lines, np.ones(12), 0.6, features))
    names = ["entry_id", "spacegroup_number", "bravais_lattice", "structure_type"]
    names += ["composition_family", "measurement", "wavelength_A", "q2_inv_A2", "intensity"]
    return pd.DataFrame(rows, columns=[*names, "last_q2_inv_A2", "features"])


def small_subject(settings, examples=None, cells=None, classifiers=None, seed=5) -> Subject:
    """What a study is given, small."""
    frame = study_examples() if examples is None else examples
    none = pd.DataFrame() if cells is None else cells
    return Subject(frame, none, "", classifiers or Classifiers(), settings, seed)
