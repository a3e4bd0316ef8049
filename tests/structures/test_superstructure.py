"""Generated superstructures against gemmi, spglib and what they nearly repeat by."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pytest
import spglib

from mlindex.crystal.cell import cell_from_metric, reciprocal_from_cell
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS, BravaisLattice
from mlindex.crystal.pseudosymmetry import next_two_fold_deg
from mlindex.crystal.recognition import conventional
from mlindex.structures.generator.ciftext import block_text
from mlindex.structures.generator.crystal import GeneratedCrystal, make_crystal
from mlindex.structures.generator.positions import positions_of
from mlindex.structures.generator.settings_table import bravais_symbol, load_settings
from mlindex.structures.generator.superstructure import Repeat, draw_repeat, suits
from mlindex.structures.sources import GeneratorSource

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
ALL = GeneratorSource(superstructure_share=1.0)


def repeats(bravais: str, count: int, seed: int) -> list[Repeat]:
    rng = np.random.default_rng(seed)
    drawn = (draw_repeat(bravais, RESOURCES, rng) for _ in range(20 * count))
    return [repeat for repeat in drawn if repeat is not None][:count]


def primitive(cell: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A primitive cell of the lattice with these points in a cell, by gemmi's reduction."""
    basis = np.array(gemmi.UnitCell(*cell).orth.mat.tolist()).T
    shifts = np.indices((3, 3, 3)).reshape(3, -1).T - 1
    vectors = ((points[:, None] + shifts).reshape(-1, 3)) @ basis
    vectors = vectors[np.argsort(np.linalg.norm(vectors, axis=1), kind="stable")][1:]
    chosen: list[np.ndarray] = []
    for vector in vectors:
        if np.linalg.matrix_rank([*chosen, vector], tol=1e-3) == len(chosen) + 1:
            chosen.append(vector)
    rows = np.array(chosen)
    return cell_from_metric(rows @ rows.T)


@pytest.mark.parametrize("bravais", BRAVAIS.values(), ids=lambda b: b.symbol)
def test_the_cell_is_of_the_lattice_and_the_parent_has_more_points(
    bravais: BravaisLattice,
) -> None:
    found = repeats(bravais.symbol, 4, 1)
    assert len(found) == 4
    for repeat in found:
        own = primitive(repeat.cell, repeat.lattice)
        assert conventional(reciprocal_from_cell(own)).bravais == bravais.symbol
        count = len(repeat.translations)
        assert count in (2, 3, 4)
        assert not repeat.translations[0].any()
        points = (repeat.translations[:, None] + repeat.lattice).reshape(-1, 3) % 1.0
        assert len(np.unique(np.round(points, 6) % 1.0, axis=0)) == count * len(repeat.lattice)
        # A lattice: sums of its points are points.
        sums = (points[:, None] + points).reshape(-1, 3)
        assert len(np.unique(np.round(sums % 1.0, 6) % 1.0, axis=0)) == len(points)
        parent = primitive(repeat.cell, points)
        ratio = gemmi.UnitCell(*own).volume / gemmi.UnitCell(*parent).volume
        assert ratio == pytest.approx(count, rel=1e-6)


def atoms(structure: gemmi.SmallStructure) -> list[gemmi.SmallStructure.Site]:
    structure.setup_cell_images()
    return structure.get_all_unit_cell_sites()


def read(crystal: GeneratedCrystal) -> gemmi.SmallStructure:
    block = gemmi.cif.read_string(block_text("one", crystal)).sole_block()
    return gemmi.make_small_structure_from_block(block)


@pytest.mark.parametrize("number", range(1, 231, 4))
def test_sites_of_each_space_group_are_counted_as_gemmi_counts(number: int) -> None:
    group = gemmi.find_spacegroup_by_number(number)
    crystal = make_crystal(
        group.xhm(), bravais_symbol(group), ALL, RESOURCES, np.random.default_rng(number)
    )
    structure = read(crystal)
    assert structure.cell.is_compatible_with_spacegroup(group)
    centring = len(list(group.operations().cen_ops))
    assert len(atoms(structure)) == int(crystal.sites.multiplicities.sum()) * centring


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_translation_is_left_but_many_nearly_are(system: str) -> None:
    settings, rng = load_settings(RESOURCES, system), np.random.default_rng(3)
    nearly = []
    for k in settings.draw(rng, 15):
        symbol = settings.symbols[k]
        crystal = make_crystal(symbol, settings.bravais[k], ALL, RESOURCES, rng)
        structure = read(crystal)
        whole = atoms(structure)
        cell = (
            np.array(structure.cell.orth.mat.tolist()).T,
            [site.fract.tolist() for site in whole],
            # As if all elements were one: what is exchanged does not count.
            [1] * len(whole),
        )
        kinds = [site.element.atomic_number for site in whole]
        strict = spglib.get_symmetry_dataset((*cell[:2], kinds), symprec=1e-4)
        points = len(list(gemmi.find_spacegroup_by_name(symbol).operations().cen_ops))
        assert len(whole) / len(np.unique(strict.mapping_to_primitive)) == points
        loose = spglib.get_symmetry_dataset(cell, symprec=0.3)
        nearly.append(
            loose is not None and len(whole) / len(np.unique(loose.mapping_to_primitive)) > points
        )
    assert np.mean(nearly) > 0.2


def test_a_setting_with_another_centring_does_not_suit() -> None:
    (repeat,) = repeats("oI", 1, 5)
    for symbol, fits in (("I m m m", True), ("C m m m", False), ("P m m m", False)):
        group = gemmi.find_spacegroup_by_name(symbol)
        centring = np.array(list(group.operations().cen_ops), dtype=float) / gemmi.Op.DEN
        assert suits(repeat, positions_of(symbol), centring) is fits


@pytest.mark.parametrize("bravais", BRAVAIS.values(), ids=lambda b: b.symbol)
def test_the_own_axes_of_a_lattice_do_not_count(bravais: BravaisLattice) -> None:
    cell = gemmi.UnitCell(*bravais.system.generic_cell())
    reduced = gemmi.GruberVector(cell, bravais.centrings[0])
    reduced.niggli_reduce()
    parameters = np.array(reduced.get_cell().parameters)
    assert next_two_fold_deg(bravais, parameters, 0.5) == np.inf


def test_obliquity_of_nearly_right_angles() -> None:
    # One angle off by half a degree: its two axes have that obliquity, the third is exact.
    cell = np.array([5.0, 6.0, 7.3, 90.0, 90.5, 90.0])
    assert next_two_fold_deg(BRAVAIS["mP"], cell, 6.0) == pytest.approx(0.5, abs=1e-3)
    assert next_two_fold_deg(BRAVAIS["mP"], cell, 0.4) == np.inf
    assert next_two_fold_deg(BRAVAIS["aP"], cell, 6.0) == pytest.approx(0, abs=1e-3)
