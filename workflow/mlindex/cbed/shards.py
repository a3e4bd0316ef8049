"""Stacks of a shard of crystals or of a file, each with what classifiers see of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from mlindex.base.columns import cell_names
from mlindex.base.errors import MlindexError
from mlindex.base.provenance import derive_seed
from mlindex.cbed.atoms import Atoms
from mlindex.cbed.crystals import Left
from mlindex.cbed.looked import in_words, looked_at
from mlindex.cbed.settings import Cbed
from mlindex.cbed.stack import Asked, Stack, simulated_stacks
from mlindex.cbed.store import Refused, read_stacks, write_stacks
from mlindex.cbed.zones import strongest_zones
from mlindex.crystal.cell import cell_volume
from mlindex.crystal.niggli import coarse_epsilon, niggli_reduction
from mlindex.crystal.space_groups import bravais_symbol, symmetry_of
from mlindex.learning.split import composition_family, structure_type
from mlindex.structures.composition import parse_formula

#: Pixels across a pattern that is kept to be looked at.
_COARSE = 160
#: What calculations raise for crystals and stacks that make no sense.
_SENSELESS = (MlindexError, ArithmeticError, LookupError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Seen:
    """A stack under its name in a file, with its row of CBED_FEATURES."""

    name: str
    stack: Stack
    row: dict[str, Any]


def simulated(
    crystals: Iterable[tuple[str, Atoms] | Left], settings: Cbed, seed: int
) -> Iterator[Seen | Left]:
    """The stacks of crystals, at energies and thicknesses drawn for each.

    Args:
        crystals: names and atoms, or what was left out before.
        settings: energies, thicknesses, specimen, beams, detector.
        seed: each crystal derives its own from it.
    """
    for number, crystal in enumerate(crystals):
        if isinstance(crystal, Left):
            yield crystal
            continue
        entry, atoms = crystal
        rng = np.random.default_rng(derive_seed(seed, "stack", entry))
        try:
            asked = Asked(
                strongest_zones(atoms),
                _drawn(settings.energies_keV, settings.energies_each, rng),
                _drawn(settings.thicknesses_A, settings.thicknesses_each, rng),
            )
            how = (settings.specimen, settings.beams, settings.detector)
            for count, one in enumerate(simulated_stacks(atoms, asked, entry, *how, rng)):
                yield Seen(f"sample_{number}_{count}", one.stack, row_of(entry, count, one.stack))
        except _SENSELESS as error:
            yield Left(entry, "", f"{atoms.formula} in {atoms.volume_A3:.0f} A³", str(error))


def _drawn(values: tuple[float, ...], count: int, rng: np.random.Generator) -> tuple[float, ...]:
    different = np.unique(values)
    return tuple(np.sort(rng.permutation(different)[:count]).tolist())


def read(path: Path) -> Iterator[Seen | Left]:
    """The stacks of a file in the layout of the SMC 2019 challenge, and what can't be used.

    A crystal is known by its ``material``, and by its place in the file where none is stated.
    """
    counts: Counter[str] = Counter()
    try:
        for name, found in read_stacks(path):
            if isinstance(found, Refused):
                yield Left(path.name, name, found.seen, found.reason)
                continue
            entry = f"cbed:{found.material or f'{path.stem}:{name}'}"
            try:
                yield Seen(name, found, row_of(entry, counts[entry], found))
                counts[entry] += 1
            except _SENSELESS as error:
                yield Left(path.name, name, found.formula, str(error))
    except MlindexError as error:
        yield Left(path.name, "", "", str(error))


def row_of(entry: str, number: int, stack: Stack) -> dict[str, Any]:
    """A row of CBED_FEATURES.

    Raises:
        MlindexError, ValueError, RuntimeError: space group, formula or cell make no sense, or the
            patterns show nothing.
    """
    if stack.space_group is None:
        raise MlindexError("no space group is stated: nothing can be learnt from it")
    group = gemmi.find_spacegroup_by_number(stack.space_group)
    points = symmetry_of(group.hall).group.cen_ops
    counts = {element: n for element, n in parse_formula(stack.formula).items() if n > 0}
    if not counts:
        raise MlindexError("no formula is stated")
    niggli = niggli_reduction(stack.cell, group, epsilon=coarse_epsilon(stack.cell)).cell
    numbers, looked = list(counts.values()), looked_at(stack)
    return {
        "entry_id": entry,
        "stack": number,
        "formula": stack.formula,
        "spacegroup_number": stack.space_group,
        "bravais_lattice": bravais_symbol(group),
        "structure_type": structure_type(
            stack.space_group, list(counts), numbers, sum(numbers) / len(points)
        ),
        "composition_family": composition_family(list(counts)),
        **dict(zip(cell_names(""), stack.cell.tolist(), strict=True)),
        **dict(zip(cell_names("niggli_"), niggli.tolist(), strict=True)),
        "volume_A3": float(cell_volume(stack.cell)),
        "n_points": len(points),
        "energy_keV": float(stack.energy_keV),
        "thickness_A": stack.thickness_A,
        "zones": np.ravel(stack.zones).tolist(),
        "reasoning": in_words(looked.reasoning),
        "features": looked.numbers,
    }


def _example(one: Seen) -> dict[str, Any]:
    """A row of CBED_EXAMPLES."""
    patterns = one.stack.patterns
    step = max(1, patterns.shape[1] // _COARSE)
    n = patterns.shape[1] // step
    cut = patterns[:, : n * step, : n * step].reshape(len(patterns), n, step, n, step)
    grey = cut.mean(axis=(2, 4)) ** 0.25
    grey *= 255 / np.maximum(grey.max(axis=(1, 2), keepdims=True), 1e-30)
    return {
        "entry_id": one.row["entry_id"],
        "stack": one.row["stack"],
        "shape": list(grey.shape),
        "pixels": np.rint(grey).astype(np.int16).ravel(),
    }


def recorded(
    found: Iterable[Seen | Left],
    features: Callable[[list[dict[str, Any]]], None],
    rejects: Callable[[list[dict[str, Any]]], None],
    examples: Callable[[list[dict[str, Any]]], None],
    kept: str | Path | None = None,
) -> None:
    """Write what was found, one stack in memory at a time.

    Args:
        found: stacks, and what was left out.
        features, rejects, examples: take rows of the tables of these names.
        kept: the file for the stacks themselves; None keeps none.
    """
    shown: list[tuple[tuple[int, int], dict[str, Any]]] = []

    def stacks() -> Iterator[tuple[str, Stack]]:
        for one in found:
            if isinstance(one, Left):
                rejects([one.row])
            else:
                features([one.row])
                # Jobs begin with the same space group: the first ones would be all alike.
                key = (derive_seed(0, one.row["entry_id"]), one.row["stack"])
                if not shown or key < shown[0][0]:
                    shown[:] = [(key, _example(one))]
                yield one.name, one.stack

    if kept is None:
        for _ in stacks():
            pass
    else:
        write_stacks(kept, stacks(), compressed=True)
    examples([row for _, row in shown])
