"""Results broken in many ways: each is found, and nothing else."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.indexing_results import monoclinic
from helpers.small_results import NAME, SHARDS, sources, tables, write_tree
from mlindex.apps.command import Done, write
from mlindex.apps.declared import declared
from mlindex.apps.verify import verify_results
from mlindex.apps.verify.layout import places, table_at
from mlindex.base.errors import MlindexError
from mlindex.base.schema import read_provenance, read_table, write_table
from mlindex.indexing.tables import CANDIDATE_CELLS
from mlindex.learning.arrays import read_arrays, write_arrays
from mlindex.method.tables import SCALING
from mlindex.structures.tables import FILES

LAB, MADE = SHARDS


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    sources(folder)
    found = tables(folder)
    write_tree(folder, found)
    write(Done(monoclinic(), None, None).for_sample("x"), folder / "results/indexed/x")
    return folder, found


@pytest.fixture
def tree(made, tmp_path):
    """A sound tree of the test's own, with its sources beside it."""
    shutil.copytree(made[0], tmp_path, dirs_exist_ok=True)
    return tmp_path / "results"


def only_finding(report):
    assert len(report.findings) == 1, report.as_text()
    assert report.exit_code == 1
    return report.findings[0]


def test_a_sound_tree_has_no_finding(made):
    report = verify_results(made[0] / "results")
    assert report.findings == ()
    assert report.exit_code == 0
    assert report.notes == ()
    assert "everything is in order" in report.as_text()
    entries = sum(len(made[1][f"{k}/{s}"].frame) for k in ("entries",) for s in SHARDS)
    assert report.checked["entries"] == entries + 1 == 242
    assert report.checked["digests of model files"] > 8
    assert report.checked["indexed samples"] == 1


def without(row):
    return lambda frame: frame.drop(index=frame.index[row]).reset_index(drop=True)


def setting(column, row, value):
    def change(frame):
        values = frame[column].tolist()
        values[row] = value(values[row]) if callable(value) else value
        return frame.assign(**{column: values})

    return change


def added_file(frame):
    row = {**frame.iloc[0].to_dict(), "path": "more.cif"}
    return pd.concat([frame, pd.DataFrame([row])], ignore_index=True)


def foreign_type(frame):
    """An entry of the validation side gets the structure type of a training entry."""
    sides = frame["side"].tolist()
    train, held_out = sides.index("train"), sides.index("validation")
    return setting("structure_type", held_out, frame["structure_type"].iloc[train])(frame)


def crossed(frame):
    """An augmented example of the validation side is trained on."""
    row = int(np.flatnonzero(frame["augmented"] & (frame["side"] == "validation"))[0])
    return setting("side", row, "train")(frame)


def seen_entry(found):
    """An entry of the training side among those indexed for validation."""
    dataset = found[f"dataset/{NAME}"].frame
    lattice = found[f"validation/{NAME}"].frame["bravais_lattice"].iloc[0]
    train = dataset["usable"] & (dataset["side"] == "train")
    chosen = dataset.loc[train & (dataset["bravais_lattice"] == lattice), "entry_id"].iloc[0]
    return setting("entry_id", 0, chosen)


CONTENT = {
    "a file without entry": (
        f"sources/{LAB}.files",
        added_file,
        "1 files of the shard gave no entry and no reject: more.cif",
    ),
    "a made crystal that was lost": (
        f"sources/{MADE}.files",
        None,
        "221 crystals were made, 220 were kept or rejected",
    ),
    "a cell lost before its peaks": (
        f"peaks/{MADE}",
        without(3),
        "1 entries went in and did not come out",
    ),
    "a duplicate without representative": (
        f"duplicates/{NAME}",
        setting("representative_id", 4, "lab:nobody:x"),
        "1 entries have no kept entry that stands for them",
    ),
    "another count of a group": (
        f"groups/{NAME}",
        setting("usable", 0, lambda v: v + 1),
        "1 groups have other counts in the dataset",
    ),
    "a structure type on both sides": (
        f"dataset/{NAME}",
        foreign_type,
        r"1 units \(structure type\) are on both sides",
    ),
    "an example on its parent's other side": (
        f"examples/{NAME}",
        crossed,
        "1 examples are on the other side than the entry they come from",
    ),
    "a training entry indexed for validation": (
        f"validation/{NAME}",
        seen_entry,
        "1 entries are indexed that models may be trained on",
    ),
    "a rate with another count": (
        f"rates/{NAME}",
        setting("successes", 0, lambda v: v + 1),
        "1 rates are not those of the validation table",
    ),
    "a wrong cell that is not counted": (
        f"indexing_rates/{NAME}",
        setting("wrong", 2, False),
        "1 lists are judged otherwise than their ranks say",
    ),
    "a figure of more entries": (
        f"forest/{NAME}/metrics",
        setting("entries", 0, lambda v: v + 1),
        "figures were not measured on the entries held out for them",
    ),
    "a scaling of both sides": (
        f"scaling/{NAME}",
        setting("mean", 0, lambda v: v * 1.001),
        "is not what the training side of the dataset gives",
    ),
    "a reference list of other entries": (
        f"reference/{NAME}",
        setting("mean_q_inv_A", 7, lambda v: v * 1.001),
        "is not what the training side of the dataset gives",
    ),
}


@pytest.mark.parametrize("case", CONTENT)
def test_wrong_content_is_found(made, tmp_path, case):
    folder, found = made
    name, change, message = CONTENT[case]
    for part in ("cifs", "made"):
        shutil.copytree(folder / part, tmp_path / part)
    if change is added_file:
        (tmp_path / "cifs/more.cif").write_bytes((tmp_path / "cifs/0.cif").read_bytes())
    elif change is None:
        path = tmp_path / "made" / f"{NAME}_000.cif.gz"
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"data_more\n"))
    elif change is seen_entry:
        change = seen_entry(found)
    broken = {} if change is None else {name: change}
    finding = only_finding(verify_results(write_tree(tmp_path, found, broken), sources=False))
    name = name if change is not added_file else f"entries/{LAB}"
    assert finding.file == f"results/{name}.parquet"
    assert re.search(message, finding.seen), finding.seen
    assert finding.advice


def cut(tree):
    path = tree / f"rates/{NAME}.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    return path, "not readable as a table"


def older_schema(tree):
    path = tree / f"patterns/{LAB}.parquet"
    table = pq.read_table(path)
    wide = table.set_column(1, "scale", table["scale"].cast(pa.float32()))
    pq.write_table(wide, path)
    return path, "does not fit the table 'patterns': scale"


def unequal_lists(tree):
    path = tree / f"reflections/{LAB}.parquet"
    table = pq.read_table(path)
    lists = [v[:-1] for v in table["q2_inv_A2"].to_pylist()]
    place = table.schema.get_field_index("q2_inv_A2")
    field = table.schema.field(place)
    pq.write_table(table.set_column(place, field, pa.array(lists, field.type)), path)
    return path, "lists in h and q2_inv_A2 are not equally long"


def deleted(tree):
    path = tree / f"reflections/{LAB}.parquet"
    path.unlink()
    return path, f"is missing; results/peaks/{LAB}.parquet came from it"


def deleted_partner(tree):
    path = tree / f"rejects/simulation/{LAB}.parquet"
    path.unlink()
    return path, "is missing, though other tables of its rule simulate are there"


def changed_input(tree):
    path = tree / f"scaling/{NAME}.parquet"
    frame = read_table(path, SCALING)
    write_table(path, SCALING, frame, {**read_provenance(path), "seed": 5})
    return path, "was changed after .*examples.* came from it"


def changed_source(tree):
    (tree.parent / "cifs/3.cif").write_text("data_other\n")
    return tree / f"sources/{LAB}.files.parquet", "1 files of .* are changed .*: 3.cif"


def missing_source(tree):
    shutil.rmtree(tree.parent / "cifs")
    return tree / f"sources/{LAB}.files.parquet", "the source's folder .* is not there, 22 files"


def hidden_file(tree):
    path = tree / f"cells/{LAB.replace('000', '.000.parquet.k3jd8s_x')}"
    path.write_bytes(b"half")
    return path, "a hidden file or folder that is no part of the results"


def hidden_folder(tree):
    path = tree / f"models/.{NAME}.k3jd8s_x"
    shutil.copytree(tree / f"models/{NAME}", path)
    return path, "a hidden file or folder"


def weights(folder):
    return next((folder / f"models/{NAME}/forest").glob("*.npz"))


def changed_weight(tree):
    path = weights(tree)
    arrays = dict(read_arrays(path))
    arrays["value"] = arrays["value"] * 1.0001
    write_arrays(path, arrays)
    return path.parents[1], f"1 files are not those that were trained: forest/{path.name}"


def no_number(tree):
    path = weights(tree)
    arrays = dict(read_arrays(path))
    arrays["value"] = np.full_like(arrays["value"], np.nan)
    write_arrays(path, arrays)
    return path, "array value holds values that are no numbers"


def pickled_weights(tree):
    path = weights(tree)
    np.savez(path, value=np.array([{"a": 1}], dtype=object))
    return path, "not readable as model weights .*allow_pickle=False"


def added_weights(tree):
    path = weights(tree)
    shutil.copy(path, path.with_name("other.npz"))
    return path.parents[1], "1 files are there that model.json does not list: forest/other.npz"


def other_models(tree):
    path = tree / f"models/{NAME}/model.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "statement": "better"}))
    return path.parent, "is another set of models than results/trained"


def unreadable_list(tree):
    path = tree / f"models/{NAME}/model.json"
    path.write_text("{")
    return path, "not readable as the list of a model directory"


def lost_table(tree):
    (tree / "indexed/x/absent_lines.parquet").unlink()
    (tree / "indexed/x/result.txt").unlink()
    return tree / "indexed/x", "lacks result.txt, absent_lines.parquet"


def lost_cell(tree):
    (tree / "indexed/x/best.cif").unlink()
    return tree / "indexed/x", "lacks best.cif, though a cell was found"


def other_document(tree):
    path = tree / "indexed/x/result.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "schema": 1}))
    return path, r"does not fit the schema of results \(schema: must be 2\)"


def cut_document(tree):
    path = tree / "indexed/x/result.json"
    path.write_bytes(path.read_bytes()[:-40])
    return path, r"does not fit the schema of results \(the whole: is no JSON"


def other_cells(tree):
    path = tree / "indexed/x/candidate_cells.parquet"
    frame = read_table(path, CANDIDATE_CELLS)
    frame = frame.assign(a_A=frame["a_A"] * 1.0001)
    write_table(path, CANDIDATE_CELLS, frame, read_provenance(path))
    return path, "does not say what result.json beside it says"


BREAKS = (
    lost_table,
    lost_cell,
    other_document,
    cut_document,
    other_cells,
    cut,
    older_schema,
    unequal_lists,
    deleted,
    deleted_partner,
    changed_input,
    changed_source,
    missing_source,
    hidden_file,
    hidden_folder,
    changed_weight,
    no_number,
    pickled_weights,
    added_weights,
    other_models,
    unreadable_list,
)


@pytest.mark.parametrize("break_", BREAKS, ids=lambda b: b.__name__)
def test_a_damaged_file_is_found(tree, break_):
    path, message = break_(tree)
    finding = only_finding(verify_results(tree))
    assert finding.file == f"results/{path.relative_to(tree).as_posix()}"
    assert re.search(message, finding.seen), finding.seen
    assert finding.advice


def test_temporary_files_of_stopped_jobs_are_noted_and_no_fault(tree):
    file = tree / f"cells/{LAB.replace('000', '.000.parquet.k3jd8s_x.part')}"
    file.write_bytes(b"half")
    shutil.copytree(tree / f"models/{NAME}", tree / f"models/.{NAME}.k3jd8s_x.part")
    report = verify_results(tree)
    assert report.exit_code == 0
    (note,) = (note for note in report.notes if "temporary" in note)
    assert note.startswith("2 temporary files or folders of jobs that were stopped")
    assert f"results/{file.relative_to(tree)}" in note
    assert "the next start of snakemake removes them" in note


def test_sources_can_be_left_out(tree):
    shutil.rmtree(tree.parent / "cifs")
    assert verify_results(tree, sources=False).exit_code == 0


def test_a_list_that_points_outside_its_source_is_found(tree):
    path = tree / f"sources/{LAB}.files.parquet"
    files = read_table(path, FILES)
    write_table(path, FILES, files.assign(path="../made/x"), read_provenance(path))
    report = verify_results(tree)
    assert any("missing or not readable" in f.seen for f in report.findings)


def test_nothing_is_written(made):
    root = made[0] / "results"
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*")}
    verify_results(root)
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*")} == before


def test_a_folder_that_is_not_there_is_explained(tmp_path):
    with pytest.raises(MlindexError, match="no such folder; give the folder"):
        verify_results(tmp_path / "none")


def test_every_place_is_that_of_its_table_alone():
    for place, table in places():
        path = PurePosixPath(place.glob.replace("*", "x"))
        assert table_at(path) is table
        assert [p for p, _ in places() if p.fits(path)] == [place]
    assert table_at(PurePosixPath("deeper/entries/lab/000.parquet")) is None


def test_every_table_of_the_workflow_says_where_it_lies():
    without = {table.name for table in declared() if not table.places}
    assert without == {"batch_samples", "next_regions", "symmetry_answers"}


def test_a_class_that_was_never_seen_is_no_fault_of_a_classifier(tree):
    folder = tree / "classifiers/bravais"
    folder.mkdir(parents=True)
    write_arrays(folder / "symmetry.npz", {"baseline": np.array([0.0, -np.inf])})
    assert verify_results(tree).findings == ()
    write_arrays(folder / "symmetry.npz", {"baseline": np.array([0.0, np.nan])})
    assert (
        "array baseline holds values that are no numbers" in only_finding(verify_results(tree)).seen
    )
