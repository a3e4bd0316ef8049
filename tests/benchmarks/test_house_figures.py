"""benchmarks/house.py on a package of five modules."""

from __future__ import annotations

import pytest

from helpers.benchmark_modules import benchmark
from mlindex.base import imports

FILES = {
    "workflow/mlindex/__init__.py": "",
    "workflow/mlindex/low/one.py": "ONE = 1\n",
    "workflow/mlindex/low/two.py": "from mlindex.low.one import ONE\n\nTWO = ONE + ONE\n",
    "workflow/mlindex/high/three.py": "from mlindex.low import two\n\nTHREE = two.TWO + 1\n",
    "workflow/mlindex/beside.py": "def f():\n    from mlindex.high.three import THREE\n",
    "workflow/scripts/count.py": "from mlindex.high.three import THREE\n",
}


@pytest.fixture
def measured():
    with benchmark("house") as module:
        yield module.measured


@pytest.fixture
def tree(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield tmp_path
    imports.forget()


def test_floors_ties_and_lines_are_counted(tree, measured):
    house = measured(tree)
    assert (house.modules, house.lines, house.imports) == (5, 9, 3)
    assert (house.rooms, house.ties, house.crossings) == (4, 2, 2)
    assert (house.floors, house.module_floors) == (3, 4)
    assert house.room_circles == house.module_circles == []
    assert house.stages == {"count": 7}


def test_circles_are_found_and_stand_on_one_floor(tree, measured):
    (tree / "workflow/mlindex/low/one.py").write_text("import mlindex.beside\n")
    house = measured(tree)
    assert house.room_circles == house.wing_circles == [["high", "low", "mlindex.beside"]]
    assert house.floors == 1
    assert len(house.module_circles) == 1
