"""``python -m mlindex``: the command."""

from mlindex.apps.cli import app

app(prog_name="mlindex")
