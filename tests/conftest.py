"""What holds for all tests: those that run whole workflows are marked so, and in which order."""

import compileall
import signal
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
WHOLE = TESTS / "whole"
#: Each of the two processes begins with one of these, and what they compile is shared from then on.
COMPILING = (WHOLE / "test_runs.py", TESTS / "apps" / "test_batch.py")


def pytest_configure(config):
    # Hundreds of processes import the package or a copy of it, some where Python may keep nothing.
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(TESTS.parent / "workflow" / "mlindex", quiet=1)


def pytest_collection_modifyitems(items):
    for item in items:
        if WHOLE in item.path.parents:
            item.add_marker(pytest.mark.whole)
    # Whole runs take longest: begun last, one process would wait for the other.
    items.sort(key=lambda item: (item.path not in COMPILING, not item.get_closest_marker("whole")))


@pytest.fixture
def heard():
    """Ctrl-C is heard, also where tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
