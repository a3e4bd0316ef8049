"""Examples of a lattice system all in memory, where the workflow streams them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlindex.crystal.lattice import LatticeSystem
from mlindex.method.examples import stream_examples
from mlindex.method.histograms import compare
from mlindex.method.scaling import Scaling
from mlindex.method.settings import Augmentation
from mlindex.method.tables import EXAMPLES
from mlindex.patterns.settings import Peaks, Simulation


@dataclass(frozen=True)
class Augmented:
    """Examples (table EXAMPLES) and the tables that document how they were made, see Made."""

    examples: pd.DataFrame
    first_peak: pd.DataFrame
    acceptance: pd.DataFrame
    histograms: pd.DataFrame
    given_up: int


def make_examples(
    dataset: pd.DataFrame,
    reference: pd.DataFrame,
    scaling: Scaling,
    system: LatticeSystem,
    settings: Augmentation,
    peaks: Peaks,
    simulation: Simulation,
    rng: np.random.Generator,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Augmented:
    """As :func:`stream_examples`, all in memory."""
    parts: list[pd.DataFrame] = []
    made = stream_examples(
        lambda _: [dataset.reset_index(drop=True)],
        reference,
        scaling,
        system,
        settings,
        peaks,
        simulation,
        rng,
        parts.append,
        progress,
    )
    filled = [part for part in parts if len(part)]
    examples = pd.concat(filled or [EXAMPLES.empty()], ignore_index=True)
    histograms = compare(lambda: filled, made.list_1, scaling, system)
    return Augmented(examples, made.first_peak, made.acceptance, histograms, made.given_up)
