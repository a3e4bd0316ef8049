"""What holds for all tests: those that run whole workflows are marked so, and begin first."""

from pathlib import Path

import pytest

WHOLE = Path(__file__).with_name("whole")


def pytest_collection_modifyitems(items):
    for item in items:
        if WHOLE in item.path.parents:
            item.add_marker(pytest.mark.whole)
    # They take longest: begun last, one process would wait for the other.
    items.sort(key=lambda item: item.get_closest_marker("whole") is None)
