"""What is made again when code of the convergent-beam wing changes, and what is not."""

import shutil
from pathlib import Path

import pytest

from mlindex.base.imports import PACKAGE, Package, code_digest, forget

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow/scripts"
STAGES = ("cbed_stacks", "train_cbed", "study_cbed", "cbed_learning", "cbed_space_group")


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    root = tmp_path_factory.mktemp("package") / "mlindex"
    yield Package(shutil.copytree(PACKAGE.root, root, ignore=shutil.ignore_patterns("__pycache__")))
    forget()


@pytest.mark.parametrize(
    ("module", "stale"),
    [
        # A changed model is trained again, from the stacks that are there.
        ("cbed/model.py", {"train_cbed"}),
        ("cbed/training.py", {"train_cbed"}),
        # What is seen of patterns is seen again, and all that comes of it.
        ("cbed/dark_lines.py", {"cbed_stacks"}),
        # The model of the package is no part of any stage.
        ("cbed/shipped.py", set()),
        ("cbed/answer.py", set()),
    ],
)
def test_a_changed_module_makes_its_own_stages_stale(copied, module, stale):
    def digests():
        forget()
        return {name: code_digest(SCRIPTS / f"{name}.py", copied) for name in STAGES}

    before, path = digests(), copied.root / module
    content = path.read_text("utf-8")
    try:
        path.write_text(f"{content}\nCHANGED = 1\n", "utf-8")
        changed = {name for name, digest in digests().items() if digest != before[name]}
    finally:
        path.write_text(content, "utf-8")
    assert stale <= changed
    assert ("cbed_stacks" in changed) == ("cbed_stacks" in stale)
    if not stale:
        assert not changed
