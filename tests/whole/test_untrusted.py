"""Files from elsewhere: no code runs, nothing leads outside, memory is bounded, digests count."""

import ast
import gzip
import json
import os
import pickle
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from helpers.cif_texts import CORUNDUM
from helpers.small_results import NAME, sources, tables, write_tree
from mlindex import files as readers
from mlindex.base.errors import MlindexError
from mlindex.base.provenance import file_digest
from mlindex.base.schema import read_table
from mlindex.learning.arrays import read_arrays, write_arrays
from mlindex.method.models import ModelSet
from mlindex.structures.cif import block_names, read_document
from mlindex.structures.manifest import update_manifest
from mlindex.structures.quality import check_shard
from mlindex.structures.settings import Quality
from mlindex.structures.sources import SOURCE, FolderSource, Shards
from mlindex.structures.tables import ENTRIES, FILES

PROJECT = Path(__file__).parents[2]
CODE = [*PROJECT.glob("workflow/**/*.py"), *PROJECT.glob("workflow/rules/*.smk")]
#: Modules that load code with data, or run text.
DANGEROUS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
DANGEROUS_CALLS = {
    "eval",
    "exec",
    "compile",
    "read_pickle",
    "to_pickle",
    "unsafe_load",
    "full_load",
}
#: Calls that take allow_pickle, and what they must say.
WITH_PICKLES = {"load", "save", "savez", "savez_compressed", "write_array", "read_array"}


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            owner = function.value if isinstance(function, ast.Attribute) else None
            name = function.attr if owner is not None else getattr(function, "id", "")
            yield node, ast.unparse(owner) if owner is not None else "", name


def problems(text):
    """What in a module could run code that comes with data."""
    tree = ast.parse(text)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in DANGEROUS]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module] * (node.module.split(".")[0] in DANGEROUS)
    for node, owner, name in calls(tree):
        keywords = {k.arg: ast.unparse(k.value) for k in node.keywords}
        numpy_io = owner in ("np", "numpy", "np.lib.format") and name in WITH_PICKLES
        said_by_default = "True" if numpy_io else "False"
        if name in DANGEROUS_CALLS and owner in ("", "builtins", "pd", "yaml"):
            found.append(name)
        elif keywords.get("allow_pickle", said_by_default) != "False":
            found.append(f"{owner}.{name}")
        elif owner == "yaml" and name in ("load", "load_all"):
            found.append("yaml.load")
        elif keywords.get("shell", "False") != "False" or (owner, name) == ("os", "system"):
            found.append("a shell")
    return found


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from joblib import load",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.savez(path, a=1)",
        "yaml.load(text)",
        "eval(text)",
        "pd.read_pickle(path)",
        "subprocess.run(command, shell=True)",
    ],
)
def test_the_audit_sees_what_it_looks_for(text):
    assert len(problems(text)) == 1


@pytest.mark.parametrize(
    "text", ["np.load(p, allow_pickle=False)", "json.load(f)", "yaml.safe_load(t)", "re.compile(t)"]
)
def test_the_audit_passes_what_is_safe(text):
    assert problems(text) == []


def test_no_module_loads_code_with_data():
    found = {}
    for path in CODE:
        if path.suffix == ".py" and (seen := problems(path.read_text())):
            found[path.name] = seen
    assert found == {}
    rules = [
        p for p in CODE if p.suffix == ".smk" and re.search(r"\b(pickle|eval)\b", p.read_text())
    ]
    assert rules == []


def test_the_config_can_only_hold_data(tmp_path):
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load("!!python/object/apply:os.system ['true']")


class Trap:
    """Unpickled, it leaves a file."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("name", ["arrow.py_extension_type", "pandas"])
def test_a_pickle_in_the_schema_of_a_table_is_left_alone(tmp_path, name):
    marker = tmp_path / "ran"
    metadata = {
        b"ARROW:extension:name": name.encode(),
        b"ARROW:extension:metadata": pickle.dumps(Trap(marker)),
    }
    schema = pa.schema([pa.field("d_A", pa.float64(), metadata=metadata)])
    path = tmp_path / "lines.parquet"
    pq.write_table(pa.table([pa.array([4.0, 3.0, 2.0, 1.5])], schema=schema), path)
    assert len(readers.read(path)) == 4
    with pytest.raises(MlindexError, match="not a table 'files'"):
        read_table(path, FILES)
    assert not marker.exists()
    pickle.loads(metadata[b"ARROW:extension:metadata"])
    assert marker.exists()


def test_only_these_modules_load_weights_without_a_list_of_digests():
    """They read what their own job has just written; all else goes through ModelSet.load."""
    loads = re.compile(r"\b(?:VarianceNetwork|AssignmentNetwork|Trees)\.load\(")
    found = {p.name for p in CODE if p.suffix == ".py" and loads.search(p.read_text())}
    found -= {"models.py"}
    assert found == {"assignment.py", "forest.py", "overlap.py", "regression.py"}


def check(root, paths, settings=None):
    files = pd.DataFrame({"path": paths})
    return check_shard(files, root, FolderSource(name="s", path=str(root)), settings or Quality())


@pytest.mark.parametrize(
    "path",
    [
        "../secret.cif",
        "in/../../secret.cif",
        "/etc/passwd",
        "a\0.cif",
        "x" * 5000 + ".cif",
        "",
        ".",
    ],
)
def test_a_listed_path_can_not_lead_outside(tmp_path, path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.cif").write_text(CORUNDUM)
    checked = check(root, [path])
    assert checked.entries.empty
    assert len(checked.rejects) == 1
    assert checked.rejects["rule"].tolist() == [0]


HOSTILE_NAMES = ["../../up", "/etc/passwd", "..", "a/b", "$(touch&x)", "%s", "a" * 100_000, "\\x00"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_block_name_is_only_a_name(tmp_path, name):
    root = tmp_path / "cifs"
    root.mkdir()
    (root / "a.cif").write_text(CORUNDUM.replace("data_corundum", f"data_{name}"))
    checked = check(root, ["a.cif"])
    assert checked.seen == 1
    ids = [*checked.entries["entry_id"], *checked.rejects["entry_id"]]
    assert ids[0].startswith("s:a:")
    assert len(ids[0]) < 300
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.cif", "cifs"]
    ENTRIES.arrow(checked.entries)


def test_long_names_are_cut_and_still_told_apart(tmp_path):
    long = "n" * 1000
    (tmp_path / "a.cif").write_text(f"data_{long}a\n_x 1\ndata_{long}b\n_x 1\ndata_{long}a\n_x 1\n")
    document, _ = read_document("a.cif", tmp_path, 1)
    names = [name for _, name, _ in block_names(document)]
    assert len(set(names)) == 3
    assert names[2] == f"{names[0]}#2"


def test_a_reject_does_not_repeat_a_whole_file(tmp_path):
    text = CORUNDUM.replace("'R -3 c'", "'" + "R -3 c " * 100_000 + "'")
    (tmp_path / "a.cif").write_text(text.replace("_space_group_IT_number 167\n", ""))
    row = check(tmp_path, ["a.cif"]).rejects.iloc[0]
    assert len(row.seen) < 600
    assert "characters" in row.seen


def test_a_compressed_bomb_is_not_unfolded(tmp_path):
    with gzip.open(tmp_path / "a.cif.gz", "wb") as stream:
        for _ in range(60):
            stream.write(b" " * 1_000_000)
    checked = check(tmp_path, ["a.cif.gz"], Quality(max_file_MB=1))
    assert "larger than quality.max_file_MB" in checked.rejects["reason"][0]


@pytest.mark.skipif(not hasattr(os, "fsencode") or os.name != "posix", reason="needs byte names")
def test_a_file_name_that_is_no_text_is_listed_and_rejected(tmp_path):
    root = tmp_path / "cifs"
    root.mkdir()
    try:
        (root / os.fsdecode(b"caf\xe9.cif")).write_text(CORUNDUM)
    except OSError:
        pytest.skip("the file system takes no such name")
    (root / "gone.cif").symlink_to(tmp_path / "nowhere")
    (root / "line\nbreak.cif").write_text(CORUNDUM)
    source = FolderSource(name="s", path=str(root))
    update_manifest(source, Shards(), tmp_path / "manifest")
    files = read_table(tmp_path / "manifest/000.files.parquet", FILES)
    assert files["path"].tolist() == ["caf\\xe9.cif", "gone.cif", "line\nbreak.cif"]
    checked = check_shard(files, root, source, Quality())
    assert sorted(checked.rejects["path"]) == ["caf\\xe9.cif", "gone.cif"]
    assert checked.entries["entry_id"].tolist() == ["s:line\nbreak:corundum"]


@pytest.mark.parametrize("name", ["../up", "a/b", "", "a b", "a\n", "."])
def test_a_source_can_not_be_named_like_a_path(name):
    with pytest.raises(ValueError, match="name"):
        SOURCE.validate_python({"kind": "folder", "name": name, "path": "x"})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("untrusted")
    sources(folder)
    return write_tree(folder, tables(folder)) / f"models/{NAME}"


@pytest.fixture
def models(trained, tmp_path):
    shutil.copytree(trained, tmp_path / NAME)
    return tmp_path / NAME


def forged(models, change):
    """Change model.json."""
    path = models / "model.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def forged_arrays(models, change):
    """Change the arrays of a forest and its digest in model.json, as one who knows how would."""
    path = sorted((models / "forest").glob("*.npz"))[0]
    arrays = dict(read_arrays(path))
    change(arrays)
    write_arrays(path, arrays)
    name = path.relative_to(models).as_posix()
    forged(models, lambda m: m["sha256"].update({name: file_digest(path)}))
    return path


def test_the_models_load_as_they_are(models):
    assert ModelSet.load(models).groups


@pytest.mark.parametrize("name", ["forest", "scaling", "reference", "groups", "templates"])
def test_a_changed_model_file_is_refused(models, name):
    path = next((models / name).glob("*.npz")) if name == "forest" else models / f"{name}.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(MlindexError, match=rf"{path.name} missing or changed since training"):
        ModelSet.load(models)


def outside(manifest):
    manifest["groups"][0]["forest"] = "../../elsewhere.npz"


def absolute(manifest):
    manifest["groups"][0]["forest"] = "/elsewhere/forest.npz"


def unlisted(manifest):
    manifest["sha256"].pop(manifest["groups"][0]["forest"])


def without_table(manifest):
    manifest["sha256"].pop("scaling.parquet")


def without_groups(manifest):
    del manifest["groups"]


def of_numbers(manifest):
    manifest["groups"] = [1, 2]


def of_no_system(manifest):
    manifest["lattice_system"] = "../cubic"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (outside, "lies outside the directory"),
        (absolute, "lies outside the directory"),
        (unlisted, "has no digest"),
        (without_table, "scaling.parquet has no digest"),
        (without_groups, "not the list of a model directory"),
        (of_numbers, "not the list of a model directory"),
        (of_no_system, "lattice system|not the list"),
    ],
    ids=lambda v: v.__name__ if callable(v) else "",
)
def test_a_forged_list_is_refused(models, change, message):
    forged(models, change)
    with pytest.raises(MlindexError, match=message):
        ModelSet.load(models)


def circle(arrays):
    inner = int(np.flatnonzero(arrays["left"] >= 0)[-1])
    arrays["left"][inner] = 0


def far_child(arrays):
    inner = int(np.flatnonzero(arrays["left"] >= 0)[0])
    arrays["right"][inner] = 10**6


def far_root(arrays):
    arrays["root"][0] = 10**6


def far_peak(arrays):
    arrays["feature"][:] = 10**6


def negative_peak(arrays):
    arrays["feature"][:] = -5


def short_values(arrays):
    arrays["value"] = arrays["value"][:2]


def wide_values(arrays):
    arrays["value"] = np.repeat(arrays["value"], 3, axis=1)


def texts(arrays):
    arrays["threshold"] = arrays["threshold"].astype(str)


@pytest.mark.parametrize(
    "change",
    [circle, far_child, far_root, far_peak, negative_peak, short_values, wide_values, texts],
    ids=lambda v: v.__name__,
)
def test_arrays_that_are_no_trees_are_refused_before_they_are_walked(models, change):
    path = forged_arrays(models, change)
    with pytest.raises(MlindexError, match=path.name):
        ModelSet.load(models)


def test_compressed_or_endless_arrays_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(1_000_000))
    with pytest.raises(MlindexError, match="compressed"):
        read_arrays(tmp_path / "a.npz")
    head = {"descr": "<f8", "fortran_order": False, "shape": (2**50,)}
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive, archive.open("a.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(stream, head)
    with pytest.raises(MlindexError, match=r"b\.npz"):
        read_arrays(tmp_path / "b.npz")
    head_text = b"\x93NUMPY\x01\x00\x76\x00" + b"__import__('os').abort()".ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        archive.writestr("a.npy", head_text)
    with pytest.raises(MlindexError, match=r"c\.npz"):
        read_arrays(tmp_path / "c.npz")
