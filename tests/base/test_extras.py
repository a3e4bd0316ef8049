"""What needs an extra of the installation says so in one sentence."""

import sys

import pytest
from typer.testing import CliRunner

from mlindex.apps.cli import app
from mlindex.base.errors import MlindexError
from mlindex.base.extras import needing


def test_verify_without_its_packages_says_what_installs_them(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("mlindex.apps.verify")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pandas", None)
    done = CliRunner().invoke(app, ["verify", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr == (
        "mlindex: mlindex verify needs pandas, which is not installed: run pip install "
        '"mlindex[workflow]", or in a clone pip install -e ".[workflow]"\n'
    )


def test_what_is_missing_of_mlindex_itself_is_a_fault():
    with pytest.raises(ModuleNotFoundError), needing("this"):
        import mlindex.nothing  # noqa: F401
    with (
        pytest.raises(MlindexError, match=r'this needs tomato, .*"mlindex\[app\]"'),
        needing("this", "app"),
    ):
        import tomato  # noqa: F401
