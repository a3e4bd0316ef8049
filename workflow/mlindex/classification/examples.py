"""Examples of the classifiers: lines of crystals, as calculated and as they would be measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd

from mlindex.base.provenance import derive_seed
from mlindex.classification.features import features_of
from mlindex.classification.settings import SymmetryExamples
from mlindex.classification.tables import SYMMETRY_EXAMPLES
from mlindex.crystal.bragg import q2_from_two_theta
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.patterns.realism import MeasuredLines, draw_measurement, measured_lines
from mlindex.patterns.settings import Realism, Simulation

#: Columns of the tables that :func:`choose_crystals` and :func:`examples` need.
DATASET_COLUMNS = ("entry_id", "bravais_lattice", "structure_type", "composition_family")
CELL_COLUMNS = ("entry_id", "spacegroup_number")
REFLECTION_COLUMNS = ("entry_id", "q2_inv_A2", "intensity")


def choose_crystals(
    dataset: pd.DataFrame, cells: pd.DataFrame, settings: SymmetryExamples, seed: int
) -> pd.DataFrame:
    """The crystals of a lattice system that examples are made from.

    Of each Bravais lattice its extinction symbols take turns, so that rare ones are as well shown
    as there are crystals. What is chosen does not depend on the order of the rows.

    Args:
        dataset: rows of DATASET, DATASET_COLUMNS at least.
        cells: rows of CELLS of these entries, in any order; CELL_COLUMNS at least.
        settings: how many.
        seed: of the order in which crystals are taken.
    """
    frame = dataset[list(DATASET_COLUMNS)].merge(
        cells[list(CELL_COLUMNS)], on="entry_id", validate="1:1"
    )
    symbol = classes_of("extinction_symbol").of(frame["spacegroup_number"].to_numpy())
    keys = [derive_seed(seed, "crystal", entry) for entry in frame["entry_id"]]
    frame = frame.assign(_symbol=symbol, _key=keys).sort_values(["_key", "entry_id"])
    frame["_turn"] = frame.groupby(["bravais_lattice", "_symbol"]).cumcount()
    order = frame.sort_values(["_turn", "_key"], kind="stable")
    chosen = order.groupby("bravais_lattice", sort=False).head(settings.crystals)
    return chosen.drop(columns=["_symbol", "_key", "_turn"]).sort_values(
        "entry_id", ignore_index=True
    )


def examples(
    crystals: pd.DataFrame,
    reflections: pd.DataFrame,
    settings: SymmetryExamples,
    realism: Realism,
    simulation: Simulation,
    seed: int,
    progress: Callable[[Iterable], Iterable] = iter,
) -> pd.DataFrame:
    """The lists of lines of some crystals; each second phase is another crystal of ``reflections``.

    Args:
        crystals: rows of :func:`choose_crystals`; those without reflections are passed over.
        reflections: rows of REFLECTIONS, REFLECTION_COLUMNS at least.
        settings, realism: how many lists, and how patterns are measured.
        simulation: what the reflections were calculated with.
        seed: each crystal derives its own from it.

    Returns:
        Rows of SYMMETRY_EXAMPLES, by entry. Lists without any line are left out.
    """
    lines = {
        entry: (np.asarray(q2, dtype=float), np.asarray(intensity, dtype=float))
        for entry, q2, intensity in zip(
            *(reflections[name] for name in REFLECTION_COLUMNS), strict=True
        )
    }
    names = sorted(lines)
    rows = []
    for crystal in progress(list(crystals.itertuples(index=False))):
        if crystal.entry_id not in lines:
            continue
        rng = np.random.default_rng(derive_seed(seed, "example", crystal.entry_id))
        rows += [
            (
                crystal.entry_id,
                crystal.spacegroup_number,
                crystal.bravais_lattice,
                crystal.structure_type,
                crystal.composition_family,
                number,
                wavelength,
                found.q2_inv_A2[: settings.lines],
                found.intensity[: settings.lines] / found.intensity.max(),
                found.last_q2_inv_A2,
            )
            for number, wavelength, found in _lists(
                crystal.entry_id, lines, names, settings.measured, realism, simulation, rng
            )
            if len(found.intensity)
        ]
    frame = pd.DataFrame(rows, columns=SYMMETRY_EXAMPLES.names[:-1])
    columns = (frame[name].tolist() for name in ("q2_inv_A2", "intensity", "last_q2_inv_A2"))
    return frame.assign(features=list(features_of(*columns)))


def _lists(
    entry: str,
    lines: dict[str, tuple[np.ndarray, np.ndarray]],
    names: list[str],
    measured: int,
    realism: Realism,
    simulation: Simulation,
    rng: np.random.Generator,
) -> Iterator[tuple[int, float, MeasuredLines]]:
    """Number, wavelength and lines: as calculated, and of each measurement."""
    wavelength = simulation.wavelength_A
    q2, intensity = lines[entry]
    seen = intensity > 0
    last = float(q2_from_two_theta(np.array([simulation.two_theta_max_deg]), wavelength)[0])
    yield 0, wavelength, MeasuredLines(q2[seen], intensity[seen], 0.0, last)
    for number in range(1, measured + 1):
        how = draw_measurement(realism, rng)
        second = lines[names[rng.integers(len(names))]]
        found = measured_lines(lines[entry], second, wavelength, how, rng)
        yield number, how.wavelength_A, found
