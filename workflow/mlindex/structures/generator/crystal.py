"""One generated crystal: cell, composition, atoms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import gemmi
import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.cell import cell_volume
from mlindex.crystal.lattice import AXES, BRAVAIS
from mlindex.crystal.reindexed import standard_order
from mlindex.crystal.space_groups import Symmetry
from mlindex.structures.generator.placing import PlacedAtoms, place_atoms
from mlindex.structures.generator.positions import Positions, positions_of
from mlindex.structures.generator.settings_table import unique_axis
from mlindex.structures.generator.shapes import rhombohedral_axes
from mlindex.structures.generator.statistics import (
    VOLUME_CLASSES_A3,
    Compositions,
    cell_mixture,
    compositions,
)
from mlindex.structures.generator.superstructure import Repeat, broken, draw_repeat, repeated, suits
from mlindex.structures.sources import GeneratorSource

#: Range of the volume of an atom, whatever the composition.
VOLUME_PER_ATOM_A3 = (10.0, 30.0)
_VOLUME_SPREAD = 0.12
#: Share of the cell that spheres of half the clash distance fill at most when placed blindly.
_PACKING = 0.25
_CELLS = 25
_ATTEMPTS_PER_CELL = 8
#: Fractional coordinates that agree to this are of the same atom.
_SAME_FRACTION = 1e-4
#: A new cell is this much larger than drawn for each one that failed before.
_GROWTH = 1.1
#: Parents and sublattices that are drawn before a superstructure is given up.
_SUPERSTRUCTURES = 50
#: Fewer atoms in the primitive cell than this may happen to have more symmetry than is stated.
_FEW_ATOMS = 16
#: More than so many in a superstructure do not repeat by chance.
_MANY_ATOMS = 100


@dataclass(frozen=True)
class GeneratedCrystal:
    """A crystal as it is written: cell (6,) in A and degrees as the text rounds it."""

    symbol: str
    cell: np.ndarray
    elements: tuple[str, ...]
    sites: PlacedAtoms
    u_iso_A2: np.ndarray
    formula: str
    formula_units: int

    @property
    def volume_A3(self) -> float:
        """Volume of the conventional cell in A³."""
        return float(cell_volume(self.cell))


@dataclass(frozen=True)
class _Plan:
    """What is fixed before atoms are placed.

    ``placing``: the positions with the operations that atoms are placed with, those of a
    superstructure's parent where there is a ``repeat``.
    """

    symbol: str
    positions: Positions
    placing: Positions
    repeat: Repeat | None
    cell: np.ndarray
    lattice_A: np.ndarray
    lattice_points: int


def make_crystal(
    symbol: str,
    bravais: str,
    settings: GeneratorSource,
    resources: Path,
    rng: np.random.Generator,
) -> GeneratedCrystal:
    """A crystal in a setting, by gemmi's extended Hermann-Mauguin symbol.

    Raises:
        MlindexError: no draw gave atoms that do not clash.
    """
    positions = positions_of(symbol)
    choices = compositions(resources, BRAVAIS[bravais].system.name)
    share = settings.superstructure_share
    repeats = share > 0 and rng.random() < share
    spare = None
    for failed in range(_CELLS):
        cell, repeat = _cell(symbol, bravais, positions, resources, repeats, rng)
        plan = _plan(symbol, positions, settings, cell, repeat, _GROWTH**failed)
        choice = choices[int(np.searchsorted(VOLUME_CLASSES_A3, cell_volume(plan.cell)))]
        for _ in range(_ATTEMPTS_PER_CELL):
            crystal = _attempt(plan, choice, settings, rng)
            if crystal is None:
                continue
            if _keeps_lattice(crystal, plan):
                return crystal
            spare = spare or crystal
    if spare is not None:
        return spare
    raise MlindexError(
        f"generator: no atoms could be placed in {symbol} without clashes; "
        f"lower clash_fraction ({settings.clash_fraction}) or raise volume_per_atom_A3"
    )


def _cell(symbol, bravais, positions, resources, repeats, rng) -> tuple[np.ndarray, Repeat | None]:
    """A cell in the setting, that of a superstructure if it ``repeats`` and one is met."""
    group = gemmi.find_spacegroup_by_name(symbol)
    centring = Symmetry(group.operations()).centrings
    for _ in range(_SUPERSTRUCTURES if repeats else 0):
        drawn = draw_repeat(bravais, resources, rng)
        repeat = None if drawn is None else _repeat_in_setting(drawn, bravais, group)
        if repeat is not None and suits(repeat, positions, centring):
            return repeat.cell, repeat
    return _in_setting(cell_mixture(resources, bravais).draw(rng), bravais, group), None


def _plan(symbol, positions, settings, cell, repeat, growth) -> _Plan:
    placing = positions if repeat is None else repeated(positions, repeat.translations)
    points = round(1 / abs(np.linalg.det(positions.primitive)))
    least = points * int(placing.multiplicities.min()) * settings.volume_per_atom_A3
    cell = cell.copy()
    # The smallest orbit must fit, even into the smallest cells of the lattice.
    cell[:3] *= max(1.0, np.cbrt(least / (growth * cell_volume(cell)))) * np.cbrt(growth)
    # Rounded as the text states it, so that volume and atoms are those of the file.
    cell = np.concatenate([np.round(cell[:3], 5), np.round(cell[3:], 4)])
    lattice = np.array(gemmi.UnitCell(*cell).orth.mat.tolist()).T.copy()
    return _Plan(symbol, positions, placing, repeat, cell, lattice, points)


def _in_setting(cell: np.ndarray, bravais: str, group: gemmi.SpaceGroup) -> np.ndarray:
    if group.ext == "R":
        return rhombohedral_axes(cell)
    order = standard_order(BRAVAIS[bravais].system, AXES[unique_axis(group)])
    out = np.empty(6)
    for standard, axis in enumerate(order):
        out[axis], out[3 + axis] = cell[standard], cell[3 + standard]
    return out


def _repeat_in_setting(repeat: Repeat, bravais: str, group: gemmi.SpaceGroup) -> Repeat:
    cell = _in_setting(repeat.cell, bravais, group)
    if group.ext == "R":
        # Points of the hexagonal cell that differ by lattice points only become whole numbers.
        axes = np.array(BRAVAIS[bravais].other_setting.basis)
        return Repeat(cell, np.zeros((1, 3)), repeat.translations @ axes)
    order = standard_order(BRAVAIS[bravais].system, AXES[unique_axis(group)])
    to_setting = np.argsort(order)
    return Repeat(cell, repeat.lattice[:, to_setting], repeat.translations[:, to_setting])


def _attempt(
    plan: _Plan, choice: Compositions, settings: GeneratorSource, rng: np.random.Generator
) -> GeneratedCrystal | None:
    elements, fractions = choice.draw(rng)
    radii = settings.clash_fraction * _radii(elements)
    per_atom = settings.volume_per_atom_A3 * np.exp(_VOLUME_SPREAD * rng.standard_normal())
    crowded = np.pi / 6 * np.sum(fractions * (2 * radii) ** 3) / _PACKING
    per_atom = max(per_atom, crowded)
    if not VOLUME_PER_ATOM_A3[0] <= per_atom <= 0.9 * VOLUME_PER_ATOM_A3[1]:
        return None
    volume = float(cell_volume(plan.cell)) / plan.lattice_points
    wanted = max(round(volume / per_atom), int(plan.placing.multiplicities.min()))
    counts = _counts(fractions, wanted)
    sites = place_atoms(plan.placing, plan.lattice_A, counts, radii, rng)
    if plan.repeat is not None and len(sites.fractions):
        sites = broken(sites, plan.positions, plan.repeat, plan.lattice_A, len(elements), rng)
        if sites is None:
            return None
    placed = int(sites.multiplicities.sum())
    if not placed or not VOLUME_PER_ATOM_A3[0] <= volume / placed <= VOLUME_PER_ATOM_A3[1]:
        return None
    return _finished(plan, elements, sites, rng)


@lru_cache(maxsize=2000)
def _radii(elements: tuple[str, ...]) -> np.ndarray:
    return np.array([gemmi.Element(e).covalent_r for e in elements])


def _counts(fractions: np.ndarray, wanted: int) -> np.ndarray:
    """Whole numbers of atoms near ``fractions * wanted``, of sum ``wanted``."""
    exact = fractions * wanted
    counts = np.floor(exact).astype(np.int64)
    short = wanted - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:short]] += 1
    return counts


def _finished(
    plan: _Plan, elements: tuple[str, ...], sites: PlacedAtoms, rng: np.random.Generator
) -> GeneratedCrystal:
    order = np.argsort(sites.elements, kind="stable")
    sites = PlacedAtoms(sites.fractions[order], sites.elements[order], sites.multiplicities[order])
    totals = np.bincount(sites.elements, sites.multiplicities, len(elements)).astype(int)
    totals = totals * plan.lattice_points
    units = math.gcd(*(int(n) for n in totals))
    parts = [
        f"{e}{n // units if n > units else ''}" for e, n in zip(elements, totals, strict=True) if n
    ]
    return GeneratedCrystal(
        plan.symbol,
        plan.cell,
        elements,
        sites,
        _displacements(elements, sites, rng),
        " ".join(sorted(parts)),
        units,
    )


def _displacements(
    elements: tuple[str, ...], sites: PlacedAtoms, rng: np.random.Generator
) -> np.ndarray:
    """Isotropic displacements in A²: larger in molecular crystals, largest for hydrogen."""
    molecular = {"C", "H"} <= set(elements)
    typical = (0.04 if molecular else 0.012) * np.exp(0.35 * rng.standard_normal())
    hydrogen = np.array([1.2 if e == "H" else 1.0 for e in elements])[sites.elements]
    spread = np.exp(0.2 * rng.standard_normal(len(hydrogen)))
    return np.clip(typical * hydrogen * spread, 0.002, 0.2)


def _keeps_lattice(crystal: GeneratedCrystal, plan: _Plan) -> bool:
    """Whether the atoms have no translations but those that the setting states.

    The axes are drawn at random, so only a translation could make the lattice another one. An
    orbit on general positions excludes it, and so do many atoms, but in superstructures.
    """
    general = crystal.sites.multiplicities == plan.positions.multiplicities[0]
    placed = int(crystal.sites.multiplicities.sum())
    repeats = plan.repeat is not None
    if placed > _MANY_ATOMS or (not repeats and (np.any(general) or placed > _FEW_ATOMS)):
        return True
    fractions, kinds = _primitive_atoms(crystal, plan)
    rarest = np.argmin(np.bincount(kinds)[kinds])
    for other in np.flatnonzero(kinds == kinds[rarest]):
        if other == rarest:
            continue
        delta = fractions + fractions[other] - fractions[rarest] - fractions[:, None]
        near = np.abs(delta - np.round(delta)).max(axis=2) < _SAME_FRACTION
        if np.all(np.any(near & (kinds == kinds[:, None]), axis=1)):
            return False
    return True


def _primitive_atoms(crystal: GeneratedCrystal, plan: _Plan) -> tuple[np.ndarray, np.ndarray]:
    """Fractions (n, 3) and kinds (n,) of the atoms of a primitive cell."""
    positions, sites = plan.positions, crystal.sites
    images = np.einsum("oij,sj->soi", positions.rotations, sites.fractions)
    images = (images + positions.translations) @ np.linalg.inv(positions.primitive)
    orbits = [np.unique(np.round(image % 1.0, 6) % 1.0, axis=0) for image in images]
    kinds = np.repeat(sites.elements, [len(orbit) for orbit in orbits])
    return np.vstack(orbits), kinds
