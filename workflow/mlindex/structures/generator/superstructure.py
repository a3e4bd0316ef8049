"""Superstructures: crystals whose atoms nearly repeat by translations that their lattice lacks.

A parent lattice is drawn, of the same or higher symmetry, and a sublattice of it that can have the
symmetry wanted; the atoms are placed as if all vectors of the parent were translations, then
moved, exchanged or left out so that they are not. Reflections that the parent does not have are
weak or not seen at all, and the parent's metric is, but for a little strain, of higher symmetry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mlindex.crystal.cell import cell_from_metric, cell_volume, metric_tensor, reciprocal_from_cell
from mlindex.crystal.derivative import hermite_normal_forms
from mlindex.crystal.equivalence import lattice_of
from mlindex.crystal.lattice import BRAVAIS, BravaisLattice
from mlindex.crystal.recognition import EXACT, Recognized, recognize
from mlindex.structures.generator.placing import PlacedAtoms
from mlindex.structures.generator.positions import Positions, site_freedom
from mlindex.structures.generator.statistics import cell_mixture

_INDICES = (2, 3, 4)
#: Relative changes of lengths, and of angles in radians: least and greatest, by logarithm.
_STRAIN = (3e-4, 0.03)
#: Atoms are moved by so much from where they would repeat, A: least and greatest, by logarithm.
_MOVED_A = (0.02, 0.4)
#: Shares of superstructures in which an atom of a repeated set is another one, or is left out.
_EXCHANGED, _LEFT_OUT = 0.4, 0.2
#: Points of parents lie at multiples of one over this: indices up to 4, centrings and obverse axes.
_DENOMINATOR = 144
_SAME = 1e-5


@dataclass(frozen=True)
class Repeat:
    """How a superstructure nearly repeats, in fractions of its cell.

    ``cell`` (6,) in A and degrees; ``lattice`` (p, 3) its lattice points; ``translations`` (t, 3)
    by which its atoms nearly repeat, one of each class, the first 0.
    """

    cell: np.ndarray
    lattice: np.ndarray
    translations: np.ndarray


def draw_repeat(bravais: str, resources: Path, rng: np.random.Generator) -> Repeat | None:
    """A cell with a repeat, on the axes of the cell mixtures: standard, hR hexagonal.

    None if the parent drawn has no sublattice of that Bravais lattice with the index drawn.
    """
    wanted = BRAVAIS[bravais]
    parents = [b for b in BRAVAIS.values() if b.system.n_free <= wanted.system.n_free]
    parent = parents[rng.integers(len(parents))]
    cell = cell_mixture(resources, parent.symbol).draw(rng)
    metric = metric_tensor(lattice_of(cell, _letter(parent)).reduced)
    forms = hermite_normal_forms(int(rng.choice(_INDICES)))
    for sub in forms[rng.permutation(len(forms))]:
        x6 = reciprocal_from_cell(cell_from_metric(sub @ metric @ sub.T))
        fitting = [r for r in recognize(x6, EXACT) if r.bravais == bravais]
        if fitting:
            repeat = _repeat(fitting[rng.integers(len(fitting))], wanted, sub, rng)
            # Strain can open an angle so far that the axes enclose nothing.
            return repeat if np.isfinite(cell_volume(repeat.cell)) else None
    return None


def _letter(lattice: BravaisLattice) -> str:
    """The centring letter that cells drawn from the mixtures are taken with."""
    if lattice.other_setting is not None:
        return "R"
    return lattice.centring if lattice.system.unique_axis is None else lattice.centrings[0]


def _repeat(
    found: Recognized, wanted: BravaisLattice, sub: np.ndarray, rng: np.random.Generator
) -> Repeat:
    system = wanted.system
    size = np.exp(rng.uniform(*np.log(_STRAIN)))
    free = system.free_from_cell(found.cell)
    lengths = np.array(system.free_positions) < 3
    change = size * rng.standard_normal(len(free))
    free = np.where(lengths, free * np.exp(change), free + np.degrees(change))
    cell, basis = system.cell_from_free(free), np.eye(3)
    if wanted.other_setting is not None:
        basis = np.array(wanted.other_setting.basis, dtype=float)
        cell = cell_from_metric(basis @ metric_tensor(cell) @ basis.T)
    # Rows: the primitive vectors of the superstructure, in fractions of its cell.
    own = np.linalg.inv(found.operator.T) @ np.linalg.inv(basis)
    lattice = _points(own)
    return Repeat(cell, lattice, _classes(_points(np.linalg.inv(sub) @ own), lattice))


def _points(vectors: np.ndarray) -> np.ndarray:
    """All points (p, 3) of the lattice that vectors (3, 3) span, in [0, 1)."""
    count = round(1 / abs(np.linalg.det(vectors)))
    steps = np.indices((count,) * 3).reshape(3, -1).T
    places = np.rint(steps @ vectors * _DENOMINATOR).astype(int) % _DENOMINATOR
    return np.unique(places, axis=0) / _DENOMINATOR


def _classes(points: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """One of each class of points that differ by lattice points: (t, 3), 0 first."""
    left, chosen = points, []
    while len(left):
        chosen.append(left[0])
        left = left[~_among(left, left[0] + lattice)]
    return np.array(chosen)


def _among(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether each of points (n, 3) is one of the others (m, 3), but for whole numbers: (n,)."""
    apart = points[:, None] - others[None]
    return np.any(np.abs(apart - np.round(apart)).max(axis=2) < _SAME, axis=1)


def suits(repeat: Repeat, positions: Positions, centring: np.ndarray) -> bool:
    """Whether a setting with these centring vectors (c, 3) has the lattice of a repeat, and turns
    its translations into one another."""
    if len(centring) != len(repeat.lattice) or not _among(centring, repeat.lattice).all():
        return False
    parent = (repeat.translations[:, None] + repeat.lattice).reshape(-1, 3)
    images = np.einsum("oij,tj->oti", positions.rotations, repeat.translations)
    return bool(_among(images.reshape(-1, 3), parent).all())


def repeated(positions: Positions, translations: np.ndarray) -> Positions:
    """The positions with translations (t, 3) added to the operations."""
    count = len(translations)
    return replace(
        positions,
        rotations=np.tile(positions.rotations, (count, 1, 1)),
        translations=(translations[:, None] + positions.translations).reshape(-1, 3),
        multiplicities=positions.multiplicities * count,
    )


def broken(
    sites: PlacedAtoms,
    positions: Positions,
    repeat: Repeat,
    lattice_A: np.ndarray,
    kinds: int,
    rng: np.random.Generator,
) -> PlacedAtoms | None:
    """Sites of the superstructure itself, from those placed with :func:`repeated` positions.

    Args:
        sites: those placed.
        positions: of the setting, without the repeat.
        repeat: what was repeated by.
        lattice_A: basis vectors of the cell in rows (3, 3).
        kinds: elements that sites may have.
        rng: source of randomness.

    Returns:
        None where no atom could be moved and none was exchanged or left out.
    """
    parts = [_split(site, positions, repeat) for site in sites.fractions]
    counts = [len(part) for part, _ in parts]
    whole = PlacedAtoms(
        np.concatenate([part for part, _ in parts]),
        np.repeat(sites.elements, counts),
        np.concatenate([multiplicities for _, multiplicities in parts]),
    )
    size = np.exp(rng.uniform(*np.log(_MOVED_A)))
    moves = size * rng.standard_normal(whole.fractions.shape) @ np.linalg.inv(lattice_A)
    allowed = np.array([site_freedom(s, positions, repeat.lattice) for s in whole.fractions])
    moves = np.einsum("sij,sj->si", allowed, moves)
    several = np.flatnonzero(np.repeat(counts, counts) > 1)
    moved = replace(whole, fractions=whole.fractions + moves)
    changed = _changed(moved, several, kinds, rng)
    return None if changed is moved and not np.any(np.abs(moves) > _SAME) else changed


def _changed(
    sites: PlacedAtoms, several: np.ndarray, kinds: int, rng: np.random.Generator
) -> PlacedAtoms:
    """The same, or with one of the sites ``several``, which repeat, exchanged or left out."""
    drawn = rng.random()
    if not len(several) or drawn > _EXCHANGED + _LEFT_OUT:
        return sites
    chosen = several[rng.integers(len(several))]
    if drawn < _EXCHANGED and kinds > 1:
        elements = sites.elements.copy()
        elements[chosen] = (elements[chosen] + rng.integers(1, kinds)) % kinds
        return replace(sites, elements=elements)
    kept = np.arange(len(sites.elements)) != chosen
    return PlacedAtoms(sites.fractions[kept], sites.elements[kept], sites.multiplicities[kept])


def _split(site: np.ndarray, positions: Positions, repeat: Repeat) -> tuple[np.ndarray, np.ndarray]:
    """Sites (k, 3) of the setting that a repeated site (3,) consists of, and how many atoms each
    has in the primitive cell (k,)."""
    found, counts, known = [], [], np.empty((0, 3))
    for copy in site + repeat.translations:
        if _among(copy[None], known)[0]:
            continue
        images = positions.rotations @ copy + positions.translations
        alone = _classes(images, repeat.lattice)
        known = np.concatenate([known, (alone[:, None] + repeat.lattice).reshape(-1, 3)])
        found.append(copy)
        counts.append(len(alone))
    return np.array(found), np.array(counts)
