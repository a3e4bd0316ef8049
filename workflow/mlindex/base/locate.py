"""Lets jobs that run in another environment or on another machine find this package."""

import os
from pathlib import Path


def share_package_path() -> None:
    """Put the folder that holds this package first on PYTHONPATH of all child processes."""
    folder = str(Path(__file__).parents[2])
    others = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and p != folder]
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *others])
