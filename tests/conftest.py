"""What holds for all tests: those that run whole workflows are marked so, and in which order."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
WHOLE = TESTS / "whole"
#: Each of the two processes begins with one of these, and what they compile is shared from then on.
COMPILING = (WHOLE / "test_runs.py", TESTS / "apps" / "test_batch.py")


def pytest_collection_modifyitems(items):
    for item in items:
        if WHOLE in item.path.parents:
            item.add_marker(pytest.mark.whole)
    # Whole runs take longest: begun last, one process would wait for the other.
    items.sort(key=lambda item: (item.path not in COMPILING, not item.get_closest_marker("whole")))
