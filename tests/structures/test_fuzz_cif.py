"""A short run of the CIF fuzzer, and what longer runs of it have found."""

import numpy as np
import pandas as pd
import pytest

from helpers.cif_texts import CORUNDUM
from helpers.fuzz_cif import MUTATIONS, generated, mutated, run
from mlindex.structures.quality import check_shard
from mlindex.structures.settings import Quality
from mlindex.structures.sources import FolderSource


@pytest.fixture(scope="module")
def originals():
    return generated(1, 3)


def test_every_mutated_file_is_accounted_for(originals):
    tally = run(originals, 500, 3, lambda _: None)
    assert tally.lost == []
    assert tally.unforeseen == {}
    assert tally.files == 500
    assert tally.entries > 100
    assert tally.rejects > 100
    assert tally.reduced > 0.9 * tally.entries
    assert tally.simulated > 0.9 * tally.entries


def test_a_seed_fixes_the_files(originals):
    first, again, other = (
        [mutated(originals, rng) for _ in range(50)]
        for rng in (np.random.default_rng(seed) for seed in (1, 1, 2))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("mutation", dict.fromkeys(MUTATIONS), ids=lambda m: m.__name__)
def test_each_mutation_changes_files_and_takes_any(originals, mutation):
    rng = np.random.default_rng(4)
    changed = [mutation(data, originals, rng) != data for data in originals * 3]
    assert sum(changed) > len(changed) / 2
    for data in (b"x", b"\n", b"\x00\xff", b"data_x\n_cell_length_a 5\n"):
        assert isinstance(mutation(data, originals, rng), bytes)


def check(folder, text):
    (folder / "a.cif").write_text(text)
    source = FolderSource(name="s", path=str(folder))
    return check_shard(pd.DataFrame({"path": ["a.cif"]}), folder, source, Quality())


def test_a_crystal_of_hydrogen_alone_with_another_z_keeps_it(tmp_path):
    text = CORUNDUM.replace("'Al2 O3'", "'H5'").replace("_Z 6", "_Z 4")
    text = text.replace("Al1 0", "H1 0").replace("O1 0.3", "H2 0.3")
    row = check(tmp_path, text).entries.iloc[0]
    assert (row.formula_units, row.formula_units_source) == (4, "stated")
    assert "the sites say 6" in row.notes


def test_a_line_that_can_not_be_mended_is_told_as_it_is(tmp_path):
    row = check(tmp_path, CORUNDUM + "_odd\x01tag 'a' b\n").rejects.iloc[0]
    assert row.rule == 0
    assert "places" not in row.reason
