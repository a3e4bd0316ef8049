"""Shared by the tests: the project, real data where there is some, and a small workflow."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"


@pytest.fixture(scope="session")
def real_cifs():
    """A folder of real CIF files; the test is skipped where there is none."""
    folder = SHARED / "cifs"
    if not folder.is_dir():
        pytest.skip("no folder of real CIF files beside the project")
    return folder


@pytest.fixture(scope="session")
def real_patterns():
    """A folder of measured patterns; the test is skipped where there is none."""
    folder = SHARED / "experimental"
    if not folder.is_dir():
        pytest.skip("no folder of measured patterns beside the project")
    return folder
