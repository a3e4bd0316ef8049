"""Crystals for stacks, stacks to rows, and what is left out with its reason."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest

from helpers.cbed_crystals import gallium_arsenide
from helpers.small_workflow import PROJECT
from mlindex.base.errors import MlindexError
from mlindex.cbed.crystals import COLUMNS, Left, commonest, entry_crystals, generated_crystals
from mlindex.cbed.folder import stack_files
from mlindex.cbed.looked import LOOKED_AT
from mlindex.cbed.settings import BeamChoice, Cbed, Detector
from mlindex.cbed.shards import Seen, read, recorded, simulated
from mlindex.cbed.store import read_stacks
from mlindex.cbed.tables import CBED_EXAMPLES, CBED_FEATURES, CBED_REJECTS
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.structures.tables import ENTRIES

RESOURCES = PROJECT / "resources"
SETTINGS = Cbed(
    groups=230,
    beams=BeamChoice(q_max_inv_A=1.2, max_strong=12, max_beams=40, max_directions_across=9),
    detector=Detector(pixels=128, pixel_inv_A=0.02),
    thicknesses_A=(100, 200),
)


class Written(list):
    """Rows that a table takes."""

    def __init__(self, table):
        super().__init__()
        self.table = table

    def write(self, rows):
        self.table.arrow(rows)
        self.extend(rows)


def shard(found, kept=None) -> tuple[Written, Written, Written]:
    tables = [Written(table) for table in (CBED_FEATURES, CBED_REJECTS, CBED_EXAMPLES)]
    recorded(found, *(table.write for table in tables), kept)
    return tuple(tables)


def test_a_generated_crystal_has_its_group_and_is_the_same_in_any_job():
    alone = list(generated_crystals(224, 1, SETTINGS, RESOURCES, 5))
    among = list(generated_crystals(223, 2, SETTINGS, RESOURCES, 5))
    (name, atoms), (again, same) = alone[0], among[1]
    assert name == again == "cbed:generated:000224"
    assert np.array_equal(atoms.xyz, same.xyz)
    assert atoms.space_group == 225
    assert atoms.cell[:3].max() <= 10


def test_groups_without_small_cells_are_left_out_and_said_to_be():
    tiny = SETTINGS.model_copy(update={"longest_axis_A": 3.0})
    (left,) = generated_crystals(228, 1, tiny, RESOURCES, 5)
    assert isinstance(left, Left)
    assert "axes up to 3 A" in left.reason
    assert left.seen == "space group 229"


def test_the_commonest_groups_of_each_crystal_system_are_made_in_turn():
    few = SETTINGS.model_copy(update={"groups": 2})
    assert list(commonest(2)) == [2, 15]
    assert list(commonest(230)) == list(range(1, 231))
    systems = classes_of("crystal_system").of(commonest(20))
    # There are two triclinic ones.
    assert sorted(np.bincount(systems)) == [2, 3, 3, 3, 3, 3, 3]
    made = [atoms.space_group for _, atoms in generated_crystals(0, 3, few, RESOURCES, 5)]
    assert made == [2, 15, 2]
    natural = few.model_copy(update={"balance": "natural"})
    made = [atoms.space_group for _, atoms in generated_crystals(0, 20, natural, RESOURCES, 5)]
    # More than five in six are P -1.
    assert set(made) == {2, 15}
    assert made.count(2) > made.count(15)


def entries() -> pd.DataFrame:
    row = ("lab:gaas:1", 216, "F -4 2 3", 5.65, 5.65, 5.65, 90.0, 90.0, 90.0)
    sites = (["Ga", "As"], [0, 0.25], [0, 0.25], [0, 0.25], [1.0, 1.0], [0.0, 0.01])
    long = ("lab:long:1", 216, "F -4 2 3", 25.0, 25.0, 25.0, 90.0, 90.0, 90.0)
    frame = pd.DataFrame([(*row, *sites), (*long, *sites)], columns=list(COLUMNS))
    assert set(COLUMNS) <= set(ENTRIES.names)
    return frame


def test_entries_are_crystals_and_those_with_long_axes_are_left_out():
    found = list(entry_crystals(entries(), 5, SETTINGS, 1))
    left = [one for one in found if isinstance(one, Left)]
    ((name, atoms),) = [one for one in found if not isinstance(one, Left)]
    assert [one.entry_id for one in left] == ["lab:long:1"]
    assert "25 A" in left[0].seen
    assert name == "lab:gaas:1"
    assert len(atoms) == 8
    assert set(atoms.u_iso_A2) == {0.006, 0.01}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A shard of one crystal, with its stacks kept."""
    path = tmp_path_factory.mktemp("stacks") / "kept.h5"
    crystals = [("lab:gaas:1", gallium_arsenide()), Left("lab:no:1", "", "", "as it was")]
    return path, shard(simulated(crystals, SETTINGS, 1), path)


def test_rows_say_what_a_stack_is_of(made):
    features, rejects, examples = made[1]
    assert [row["stack"] for row in features] == [0, 1]
    assert [row["thickness_A"] for row in features] == [100.0, 200.0]
    first = features[0]
    assert (first["spacegroup_number"], first["bravais_lattice"]) == (216, "cF")
    assert first["structure_type"] == "216 | A1 B1 | 2.0"
    assert first["niggli_a_A"] == pytest.approx(5.653 / np.sqrt(2))
    assert len(first["features"]) == len(LOOKED_AT)
    assert "Point groups that agree: " in first["reasoning"]
    assert [row["reason"] for row in rejects] == ["as it was"]
    assert len(examples) == 1
    assert np.prod(examples[0]["shape"]) == len(examples[0]["pixels"])


def test_kept_stacks_give_the_same_rows_when_their_file_is_the_source(made):
    path, (features, _, _) = made
    again, rejects, _ = shard(read(path))
    assert rejects == []
    for row, other in zip(features, again, strict=True):
        assert row["structure_type"] == other["structure_type"]
        assert np.array_equal(row["features"], other["features"])


def test_the_same_seed_draws_the_same_conditions(made):
    crystals = [("lab:gaas:1", gallium_arsenide())]
    (first, _), again = simulated(crystals, SETTINGS, 1), made[1][0]
    assert isinstance(first, Seen)
    assert first.row["energy_keV"] == again[0]["energy_keV"]
    assert np.array_equal(first.row["features"], again[0]["features"])


def test_broken_samples_and_files_are_left_out_with_their_reasons(made, tmp_path):
    path = tmp_path / "broken.h5"
    path.write_bytes(made[0].read_bytes())
    with h5py.File(path, "r+") as file:
        first, second = sorted(file)
        del file[first].attrs["space_group"]
        file[second].attrs["formula"] = "nothing of the kind"
    features, rejects, _ = shard(read(path))
    assert features == []
    assert [row["sample"] for row in rejects] == [first, second]
    assert "no space group" in rejects[0]["reason"]
    cut = tmp_path / "cut.h5"
    cut.write_bytes(made[0].read_bytes()[:2000])
    features, rejects, _ = shard(read(cut))
    assert features == []
    assert len(rejects) == 1
    assert rejects[0]["entry_id"] == "cut.h5"
    assert list(dict(read_stacks(made[0]))) == [first, second]


def test_a_folder_is_the_source_where_it_holds_stacks(tmp_path):
    with pytest.raises(MlindexError, match="and no folder"):
        stack_files(tmp_path / "nowhere")
    with pytest.raises(MlindexError, match="no file in"):
        stack_files(tmp_path)
    for name in ("batch_train_0.h5", "a b.hdf5", "notes.txt"):
        (tmp_path / name).touch()
    assert list(stack_files(tmp_path)) == ["a_b", "batch_train_0"]
    (tmp_path / "a_b.h5").touch()
    with pytest.raises(MlindexError, match="rename one"):
        stack_files(tmp_path)
