"""Fits cell_statistics.json, from which crystals are generated, to a folder of CIF files.

    python resources/fit_cell_statistics.py FOLDER [--exclude NAME ...] [--out FILE]

Only counts, mixture parameters and histograms are written; nothing of a single file is.
Entries written in P 1 are given the symmetry that spglib finds, and used only for Bravais
lattices and compositions in which the others are few.
"""

from __future__ import annotations

import argparse
import collections
import json
from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
import spglib
from sklearn.mixture import GaussianMixture

from mlindex.crystal.lattice import BRAVAIS, SYSTEMS
from mlindex.structures.generator.settings_table import bravais_symbol, unique_axis
from mlindex.structures.generator.shapes import SHAPES
from mlindex.structures.generator.statistics import BINS, VOLUME_CLASSES_A3, quantities

VOLUME_RANGE_A3 = (20.0, 6000.0)
MIN_GIVEN = 30
MAX_COMPONENTS = 4
SETS_KEPT = 120
COPIES = 8


@dataclass(frozen=True)
class Crystal:
    """What is used of one entry."""

    bravais: str
    unique_axis: int
    cell: tuple[float, ...]
    volume_A3: float
    atoms: tuple[tuple[str, float], ...]
    found: bool


def read_crystal(block: gemmi.cif.Block) -> Crystal | None:
    """One data block as a crystal, None where cell, symmetry or formula is missing."""
    structure = gemmi.make_small_structure_from_block(block)
    group = structure.spacegroup
    atoms = _composition(block, structure)
    if group is None or not structure.cell.is_crystal() or not atoms:
        return None
    cell, found = structure.cell.parameters, False
    if group.number == 1:
        cell, group = _find_symmetry(structure)
        found = True
        if group is None:
            return None
    bravais = bravais_symbol(group)
    if bravais is None or not _consistent(group, cell):
        return None
    volume = gemmi.UnitCell(*cell).volume
    return Crystal(bravais, unique_axis(group), tuple(cell), volume, atoms, found)


def _consistent(group: gemmi.SpaceGroup, cell: tuple[float, ...]) -> bool:
    return gemmi.UnitCell(*cell).is_compatible_with_spacegroup(group, 0.01)


def _composition(
    block: gemmi.cif.Block, structure: gemmi.SmallStructure
) -> tuple[tuple[str, float], ...]:
    counts: dict[str, float] = collections.Counter()
    formula = block.find_value("_chemical_formula_sum")
    if formula and gemmi.cif.as_string(formula).strip():
        for part in gemmi.cif.as_string(formula).split():
            name = part.rstrip("0123456789.")
            counts["H" if name == "D" else name] += float(part[len(name) :] or 1)
    else:
        for site in structure.get_all_unit_cell_sites():
            counts[site.element.name] += site.occ
    # gemmi reads the first letters of Ba6Co as barium: the name must be the whole of it.
    known = all(gemmi.Element(e).atomic_number and gemmi.Element(e).name == e for e in counts)
    if not known or sum(counts.values()) <= 0:
        return ()
    total = sum(counts.values())
    return tuple(sorted((e, n / total) for e, n in counts.items()))


def _find_symmetry(
    structure: gemmi.SmallStructure,
) -> tuple[tuple[float, ...], gemmi.SpaceGroup | None]:
    sites = structure.sites
    positions = np.array([site.fract.tolist() for site in sites])
    lattice = np.array(structure.cell.orth.mat.tolist()).T
    # spglib ends the process where a number is not one.
    if not 0 < len(sites) <= 200 or not (
        np.all(np.isfinite(positions)) and np.all(np.isfinite(lattice))
    ):
        return (), None
    atoms = (
        lattice,
        positions,
        [site.element.atomic_number for site in sites],
    )
    dataset = spglib.get_symmetry_dataset(atoms, symprec=0.01)
    if dataset is None or dataset.number == 1:
        return (), None
    lengths = np.linalg.norm(dataset.std_lattice, axis=1)
    cosines = dataset.std_lattice @ dataset.std_lattice.T / np.outer(lengths, lengths)
    angles = np.degrees(np.arccos([cosines[1, 2], cosines[0, 2], cosines[0, 1]]))
    return (*lengths, *np.round(angles, 6)), gemmi.find_spacegroup_by_number(dataset.number)


def read_folder(folder: Path, exclude: list[str]) -> list[Crystal]:
    """All usable crystals below a folder, each once."""
    crystals: dict[tuple, Crystal] = {}
    for path in sorted(folder.rglob("*.cif")):
        if any(name in str(path.relative_to(folder)) for name in exclude):
            continue
        try:
            blocks = list(gemmi.cif.read(str(path)))
        except (ValueError, RuntimeError, UnicodeDecodeError):
            continue
        for block in blocks:
            try:
                crystal = read_crystal(block)
            except (ValueError, RuntimeError):
                continue
            if crystal and VOLUME_RANGE_A3[0] <= crystal.volume_A3 <= VOLUME_RANGE_A3[1]:
                volume = round(np.log(crystal.volume_A3) / 0.02)
                crystals.setdefault((crystal.bravais, crystal.atoms, volume), crystal)
    return list(crystals.values())


def fit_bravais(symbol: str, crystals: list[Crystal], rng: np.random.Generator) -> dict:
    """Mixture parameters and histograms of one Bravais lattice."""
    shape = SHAPES[BRAVAIS[symbol].system.name]
    mine = [c for c in crystals if c.bravais == symbol]
    given = [c for c in mine if not c.found]
    used = given if len(given) >= MIN_GIVEN else mine
    cells = np.array([c.cell for c in used])
    axes = np.array([c.unique_axis for c in used])
    values = shape.describe(cells, axes)
    mixture = fit_mixture(mirrored(values, shape, rng))
    histograms = {
        name: np.histogram(data, BINS[name])[0].tolist()
        for name, data in quantities(cells, axes, shape).items()
    }
    return {
        "crystals": len(used),
        "found_symmetry": sum(c.found for c in used),
        "ln_volume_range": [float(values[:, 0].min()), float(values[:, 0].max())],
        "mixture": mixture,
        "histograms": histograms,
    }


def mirrored(values: np.ndarray, shape, rng: np.random.Generator) -> np.ndarray:
    """Copies of the coordinates, randomly reflected at the edges at which draws are folded."""
    out = np.repeat(values, COPIES, axis=0)
    for i, coordinate in enumerate(shape.coordinates, start=1):
        if coordinate.fold == "zero":
            out[:, i] *= rng.choice([-1.0, 1.0], len(out))
    return out


def fit_mixture(values: np.ndarray) -> dict:
    """The Gaussian mixture of least BIC."""
    fits = [
        GaussianMixture(n, reg_covar=1e-3, random_state=0, n_init=2).fit(values)
        for n in range(1, MAX_COMPONENTS + 1)
    ]
    # The copies hold no news: they must not buy components.
    crystals = len(values) / COPIES

    def parameters(fit: GaussianMixture) -> float:
        return fit.aic(values) / 2 + len(values) * fit.score(values)

    costs = [-2 * crystals * fit.score(values) + parameters(fit) * np.log(crystals) for fit in fits]
    best = fits[int(np.argmin(costs))]
    return {
        "weights": np.round(best.weights_, 5).tolist(),
        "means": np.round(best.means_, 5).tolist(),
        "covariances": np.round(best.covariances_, 6).tolist(),
    }


def count_compositions(crystals: list[Crystal]) -> dict:
    """Element sets with mean fractions and counts, by lattice system and volume class."""
    sets: dict = collections.defaultdict(lambda: collections.defaultdict(list))
    for crystal in crystals:
        system = BRAVAIS[crystal.bravais].system.name
        number = int(np.searchsorted(VOLUME_CLASSES_A3, crystal.volume_A3))
        names = " ".join(e for e, _ in crystal.atoms)
        sets[system, number][names].append([f for _, f in crystal.atoms])
    return {
        system: [
            _most_frequent(sets[system, number]) for number in range(len(VOLUME_CLASSES_A3) + 1)
        ]
        for system in SYSTEMS
    }


def _most_frequent(sets: dict[str, list[list[float]]]) -> list:
    ranked = sorted(sets.items(), key=lambda item: (-len(item[1]), item[0]))[:SETS_KEPT]
    return [[names, np.round(np.mean(f, axis=0), 4).tolist(), len(f)] for names, f in ranked]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--exclude", nargs="*", default=[], help="parts of paths to leave out")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).with_name("cell_statistics.json")
    )
    arguments = parser.parse_args()
    crystals = read_folder(arguments.folder, arguments.exclude)
    rng = np.random.default_rng(0)
    result = {
        "bravais": {symbol: fit_bravais(symbol, crystals, rng) for symbol in BRAVAIS},
        "compositions": count_compositions(crystals),
    }
    arguments.out.write_text(json.dumps(result, separators=(",", ":")) + "\n", encoding="utf-8")
    for symbol, fit in result["bravais"].items():
        components = len(fit["mixture"]["weights"])
        print(
            f"{symbol}: {fit['crystals']} crystals, {fit['found_symmetry']} with symmetry found,"
            f" {components} components"
        )


if __name__ == "__main__":
    main()
