"""Generated crystals against gemmi, spglib, brute force and the fitted statistics."""

from __future__ import annotations

import gzip
from pathlib import Path

import gemmi
import numpy as np
import pandas as pd
import pytest
import spglib

from mlindex.base.columns import cell_names
from mlindex.base.errors import MlindexError
from mlindex.crystal.lattice import BRAVAIS, SYSTEMS
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.structures.generator.ciftext import block_text
from mlindex.structures.generator.compare import real_against_generated
from mlindex.structures.generator.crystal import make_crystal
from mlindex.structures.generator.positions import positions_of
from mlindex.structures.generator.settings_table import bravais_symbol, load_settings, unique_axis
from mlindex.structures.generator.shapes import SHAPES
from mlindex.structures.generator.source import write_shard
from mlindex.structures.generator.statistics import cell_mixture
from mlindex.structures.sources import GeneratorSource

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
SOURCE = GeneratorSource()


def shard(path: Path, system: str, count: int, seed: int = 1) -> list[gemmi.cif.Block]:
    write_shard(path, system, 100, count, SOURCE, RESOURCES, np.random.default_rng(seed))
    return list(gemmi.cif.read(str(path)))


def structures(folder: Path, system: str, count: int) -> list[gemmi.SmallStructure]:
    blocks = shard(folder / "shard.cif.gz", system, count)
    return [gemmi.make_small_structure_from_block(block) for block in blocks]


def atoms(structure: gemmi.SmallStructure) -> list[gemmi.SmallStructure.Site]:
    structure.setup_cell_images()
    return structure.get_all_unit_cell_sites()


@pytest.mark.parametrize("level", ["bravais", "extinction_symbol"])
def test_classes_are_equally_frequent_down_to_the_level_that_is_asked_for(level: str) -> None:
    settings = load_settings(RESOURCES, "tetragonal", level)
    groups = [gemmi.find_spacegroup_by_name(symbol).number for symbol in settings.symbols]
    number, above = classes_of(level).of(groups), classes_of("bravais").of(groups)
    shares = np.bincount(number, settings.probabilities)
    for lattice in np.unique(above):
        inside = shares[np.unique(number[above == lattice])]
        assert np.allclose(inside, inside[0])
        assert inside.sum() == pytest.approx(1 / 2)


@pytest.mark.parametrize("number", range(1, 231))
def test_each_space_group_is_written_and_read_back(number: int) -> None:
    group = gemmi.find_spacegroup_by_number(number)
    bravais = bravais_symbol(group)
    system = BRAVAIS[bravais].system
    settings = load_settings(RESOURCES, system.name)
    assert settings.probabilities[settings.symbols.index(group.xhm())] > 0

    crystal = make_crystal(group.xhm(), bravais, SOURCE, RESOURCES, np.random.default_rng(number))
    block = gemmi.cif.read_string(block_text("one", crystal)).sole_block()
    read = gemmi.make_small_structure_from_block(block)
    assert read.spacegroup.xhm() == group.xhm()
    stated = block.find_loop("_space_group_symop_operation_xyz")
    from_file = gemmi.GroupOps([gemmi.Op(x.strip("'")) for x in stated])
    assert from_file == group.operations()
    assert read.cell.is_compatible_with_spacegroup(group)
    # The formula times Z is what gemmi finds in the cell from the sites and the operations.
    formula = gemmi.cif.as_string(block.find_value("_chemical_formula_sum")).split()
    per_unit = sum(
        int(p.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") or 1) for p in formula
    )
    assert len(atoms(read)) == per_unit * int(block.find_value("_cell_formula_units_Z"))


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_two_atoms_clash_by_brute_force(tmp_path: Path, system: str) -> None:
    for structure in structures(tmp_path, system, 6):
        sites = atoms(structure)
        lattice = np.array(structure.cell.orth.mat.tolist()).T
        x = np.array([s.fract.tolist() for s in sites])
        radius = np.array([s.element.covalent_r for s in sites])
        cutoff = SOURCE.clash_fraction * (radius[:, None] + radius)
        shifts = np.stack(np.meshgrid(*[range(-2, 3)] * 3), axis=-1).reshape(-1, 3)
        for shift in shifts:
            delta = (x[:, None] - x - shift) @ lattice
            distance = np.sqrt((delta**2).sum(axis=-1))
            if not shift.any():
                np.fill_diagonal(distance, np.inf)
            assert np.all(distance > cutoff - 1e-3)


@pytest.mark.parametrize("system", SYSTEMS)
def test_atoms_fill_the_cell_as_in_real_crystals(tmp_path: Path, system: str) -> None:
    ratios = np.array([s.cell.volume / len(atoms(s)) for s in structures(tmp_path, system, 60)])
    assert np.all((ratios > 9.9) & (ratios < 30.1))
    assert 15.5 < ratios.mean() < 21.5


def test_same_generator_gives_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        shard(tmp_path / f"{name}.cif.gz", "orthorhombic", 10, seed)
    a, b, c = ((tmp_path / f"{n}.cif.gz").read_bytes() for n in "abc")
    assert a == b
    assert a != c


def test_blocks_are_numbered_and_plain_text_equals_gzipped(tmp_path: Path) -> None:
    blocks = shard(tmp_path / "a.cif", "monoclinic", 3)
    assert [b.name for b in blocks] == ["mono_000100", "mono_000101", "mono_000102"]
    shard(tmp_path / "a.cif.gz", "monoclinic", 3)
    assert (
        gzip.decompress((tmp_path / "a.cif.gz").read_bytes()) == (tmp_path / "a.cif").read_bytes()
    )


@pytest.mark.parametrize("system", SYSTEMS)
def test_spglib_finds_the_stated_lattice(tmp_path: Path, system: str) -> None:
    same = []
    for structure in structures(tmp_path, system, 40):
        sites = atoms(structure)
        cell = (
            np.array(structure.cell.orth.mat.tolist()).T,
            [s.fract.tolist() for s in sites],
            [s.element.atomic_number for s in sites],
        )
        found = spglib.get_symmetry_dataset(cell, symprec=1e-3)
        bravais = bravais_symbol(gemmi.find_spacegroup_by_number(found.number))
        same.append(bravais == bravais_symbol(structure.spacegroup))
    assert np.mean(same) >= 0.95


@pytest.mark.parametrize("symbol", BRAVAIS)
def test_generated_volumes_follow_the_fitted_mixture(tmp_path: Path, symbol: str) -> None:
    system = BRAVAIS[symbol].system
    settings = load_settings(RESOURCES, system.name)
    names = [n for n, b in zip(settings.symbols, settings.bravais, strict=True) if b == symbol]
    p = np.array([settings.probabilities[settings.symbols.index(n)] for n in names])
    rng = np.random.default_rng(3)
    crystals = [
        make_crystal(n, symbol, SOURCE, RESOURCES, rng)
        for n in rng.choice(names, 150, p=p / p.sum())
    ]
    frame = pd.DataFrame([c.cell for c in crystals], columns=cell_names(""))
    frame["bravais_lattice"] = symbol
    frame["hm_symbol"] = [c.symbol for c in crystals]
    table = real_against_generated(frame, RESOURCES)
    assert list(table.columns) == [
        "quantity",
        "bravais_lattice",
        "kind",
        "left",
        "right",
        "share",
    ]
    for _, rows in table.groupby("quantity"):
        real, generated = (
            rows[rows.kind == k].share.cumsum().to_numpy() for k in ("real", "generated")
        )
        assert np.abs(real - generated).max() < 0.3
    volume = table[table.quantity == "log10_volume_A3"]
    assert 0.9 < volume[volume.kind == "generated"].share.sum() <= 1.0 + 1e-9


@pytest.mark.parametrize("name", SYSTEMS)
def test_shapes_come_back_from_their_coordinates(name: str) -> None:
    rng = np.random.default_rng(2)
    symbol = next(s for s, b in BRAVAIS.items() if b.system.name == name)
    mixture = cell_mixture(RESOURCES, symbol)
    cells = np.array([mixture.draw(rng) for _ in range(30)])
    shape = SHAPES[name]
    coordinates = shape.describe(cells, np.ones(len(cells), dtype=int))
    np.testing.assert_allclose(shape.cells(coordinates), cells, rtol=1e-5, atol=1e-4)


def test_special_positions_are_those_of_the_tables() -> None:
    # International Tables A, multiplicities of Fm-3m (No. 225) divided by its 4 lattice points.
    found = set(positions_of("F m -3 m").multiplicities.tolist())
    assert found == {48, 24, 12, 8, 6, 2, 1}
    assert set(positions_of("P 21 21 21").multiplicities.tolist()) == {4}
    assert set(positions_of("P -1").multiplicities.tolist()) == {2, 1}


def test_settings_leave_out_lattices_in_disguise() -> None:
    assert bravais_symbol(gemmi.SpaceGroup("A 1 2 1")) == "mC"
    assert unique_axis(gemmi.SpaceGroup("P 1 1 21/b")) == 2
    symbols = {n for name in SYSTEMS for n in load_settings(RESOURCES, name).symbols}
    assert len({gemmi.SpaceGroup(s).number for s in symbols}) == 230
    assert {"P 1 1 21/b", "R -3:R", "P 21 2 21"} <= symbols


def test_missing_resources_are_named(tmp_path: Path) -> None:
    with pytest.raises(MlindexError, match=r"spacegroup_frequencies\.csv"):
        write_shard(tmp_path / "x.cif", "cubic", 0, 1, SOURCE, tmp_path, np.random.default_rng(0))
