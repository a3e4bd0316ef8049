"""Shards of the generator as CIF files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlindex.crystal.lattice import system_of
from mlindex.structures.generator.ciftext import block_text, write_text
from mlindex.structures.generator.crystal import make_crystal
from mlindex.structures.generator.settings_table import load_settings
from mlindex.structures.sources import GeneratorSource


def write_shard(
    path: Path,
    lattice_system: str,
    first: int,
    count: int,
    settings: GeneratorSource,
    resources: Path,
    rng: np.random.Generator,
) -> None:
    """Write ``count`` crystals of a lattice system, one data block each, into one CIF file.

    Args:
        path: the file; gzipped where it ends with .gz.
        lattice_system: one of the seven.
        first: number of the first crystal; blocks are named e.g. mono_000123.
        count: how many.
        settings: the source's settings.
        resources: the folder with spacegroup_frequencies.csv and cell_statistics.json.
        rng: the only source of randomness: the same state gives the same bytes.

    Raises:
        MlindexError: a resource is missing or damaged, or the settings leave no room for atoms.
    """
    system = system_of(lattice_system)
    choices = load_settings(Path(resources), system.name, settings.balance)
    drawn = choices.draw(rng, count)
    blocks = [
        block_text(
            f"{system.name[:4]}_{first + i:06d}",
            make_crystal(choices.symbols[k], choices.bravais[k], settings, Path(resources), rng),
        )
        for i, k in enumerate(drawn)
    ]
    write_text(Path(path), "".join(blocks))
