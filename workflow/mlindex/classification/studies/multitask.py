"""Multitask: what further outputs of the network add to the space group.

One network is trained to the space group alone, and others beside it to the crystal system, the
extinction symbol, the volume, the axes or the angles, each with its own head. Whatever a head is
trained to, the group alone is asked. All have the same lists, draws of numbers and steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from mlindex.base.provenance import derive_seed
from mlindex.classification.studies.judge import Row, judge_by_kind
from mlindex.classification.studies.material import Material
from mlindex.classification.studies.subject import Subject
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.learning.learners.convolution import ConvolutionalNetwork
from mlindex.learning.learners.fitting.convolution import KIND, Head, Told, fit_told
from mlindex.learning.parts import TRAIN

#: The variant that all others are compared with, and the one with all heads.
ALONE, ALL = "alone", "all"
#: A network that trains in seconds: the comparison is what counts.
SMALL: Mapping[str, object] = MappingProxyType(
    {"channels": (8, 16, 24), "kernel": 9, "hidden": (64,), "dropout": 0.2}
)
#: Weight of the loss of a head beside that of the group; not tuned.
_OF_CLASSES, _OF_NUMBERS = 0.5, 0.5
_AXES = ("reindexed_a_A", "reindexed_b_A", "reindexed_c_A")
_ANGLES = ("reindexed_alpha_deg", "reindexed_beta_deg", "reindexed_gamma_deg")


def heads_of(numbers: np.ndarray, cells: pd.DataFrame) -> dict[str, Told]:
    """What each head is to give of n lists, by its name.

    Args:
        numbers: space groups (n,), 1 to 230.
        cells: rows of CELLS (n,), one for each list.
    """
    told = {}
    for level in ("crystal_system", "extinction_symbol"):
        classes = classes_of(level)
        head = Head(level, len(classes), 1, _OF_CLASSES)
        told[level] = Told(head, classes.of(numbers)[:, None])
    volume = np.log(cells["volume_A3"] / cells["n_points"]).to_numpy()[:, None]
    of_cell = {
        "volume": volume,
        "axes": np.log(cells[list(_AXES)].to_numpy(dtype=float)),
        "angles": np.cos(np.radians(cells[list(_ANGLES)].to_numpy(dtype=float))),
    }
    for name, values in of_cell.items():
        told[name] = Told(Head(name, 0, values.shape[1], _OF_NUMBERS), values)
    return told


def study(subject: Subject) -> Iterator[Row]:
    """Rows of the group alone, with each head, and with all."""
    material = Material.of(
        subject.examples, subject.level, subject.classifiers, subject.seed, grid=True
    )
    lists = material.judged()
    if not len(lists):
        return
    cells = subject.cells.set_index("entry_id").loc[subject.examples["entry_id"]]
    told = heads_of(subject.examples["spacegroup_number"].to_numpy(), cells)
    variants = {ALONE: (), **{name: (one,) for name, one in told.items()}, ALL: (*told.values(),)}
    guesses: dict[str, list[np.ndarray]] = {name: [] for name in variants}
    seeds = [derive_seed(subject.seed, "repeat", n) for n in range(subject.settings.seeds)]
    for name, seed in subject.progress([(name, seed) for name in variants for seed in seeds]):
        train = material.lists_of(material.some(TRAIN, subject.settings.crystals, seed))
        learner = _trained(subject, material, train, variants[name], seed)
        inputs = material.rows.take(lists).inputs
        guesses[name].append(learner.predict_proba(inputs).argmax(axis=1))
    judge = judge_by_kind(subject, material, lists)
    alone = judge.judged(guesses[ALONE])
    for name, own in guesses.items():
        against = None if name == ALONE else alone
        judged = alone if against is None else judge.judged(own)
        yield from judged.rows(name, len(train), against)


def _trained(
    subject: Subject, material: Material, train: np.ndarray, told: tuple[Told, ...], seed: int
) -> ConvolutionalNetwork:
    """The network with these heads; numbers are standardized by the training lists."""
    own = []
    for head, values in told:
        wanted = values[train]
        if not head.classes:
            spread = wanted.std(axis=0)
            wanted = (wanted - wanted.mean(axis=0)) / np.where(spread > 0, spread, 1)
        own.append(Told(head, wanted))
    parameters = {**KIND.parameters, **SMALL, "epochs": subject.settings.epochs}
    rows = material.rows.take(train)
    arrays = fit_told(rows, material.n_classes, parameters, derive_seed(seed, "fit"), told=own)
    return ConvolutionalNetwork.from_arrays(arrays)
