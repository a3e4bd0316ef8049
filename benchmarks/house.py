"""How the package is built: floors, ties, circles, and the lines that each stage depends on.

    python benchmarks/house.py [--tree FOLDER ...] [--out house.json]

A tree is a checkout of the project, this one if none is given; to compare with an earlier commit:

    git worktree add --detach ../before COMMIT
    python benchmarks/house.py --tree ../before --tree .

Only the syntax is read. A room is a folder of the package, or a module that lies beside the
wings; a tie is a pair of rooms of which one imports from the other. A room stands one floor above
the highest one that it imports from, likewise a module; those that import each other in a circle
are on one floor. Lines are those of the modules that a stage's script imports, directly or not,
blank ones and comments too: a change in one of them reruns the stage.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path

from mlindex import __version__
from mlindex.base.atomic import atomic_path
from mlindex.base.imports import Package

HERE = Path(__file__).resolve().parents[1]
Graph = Mapping[str, Set[str]]


@dataclass(frozen=True)
class House:
    """Figures of one tree.

    Attributes:
        tree: its commit, with ``-dirty`` where files were changed since; its folder without git.
        modules: number of modules of the package.
        lines: lines of all of them.
        imports: pairs of modules of which one imports the other.
        rooms: number of rooms.
        ties: pairs of rooms of which one imports from the other.
        crossings: pairs of modules of two rooms of which one imports the other.
        floors: levels of imports between rooms.
        module_floors: levels of imports between modules.
        wing_circles: wings that import from each other in a circle, circle by circle.
        room_circles: likewise rooms, those of one wing too.
        module_circles: likewise modules.
        stages: for each script, the lines that its digest depends on.
    """

    tree: str
    modules: int
    lines: int
    imports: int
    rooms: int
    ties: int
    crossings: int
    floors: int
    module_floors: int
    wing_circles: list[list[str]]
    room_circles: list[list[str]]
    module_circles: list[list[str]]
    stages: dict[str, int]

    @property
    def staged(self) -> int:
        """Lines that all stages depend on, added up."""
        return sum(self.stages.values())


def measured(tree: Path) -> House:
    """The figures of a checkout."""
    package = Package(tree.resolve() / "workflow" / "mlindex")
    graph = {module: imported(package, module) for module in package.modules}
    rooms = {module: room(package, module) for module in graph}
    wings = {module: place.partition("/")[0] for module, place in rooms.items()}
    between_rooms, between_wings = merged(graph, rooms), merged(graph, wings)
    pairs = [(a, b) for a, imports in graph.items() for b in imports]
    scripts = sorted((tree / "workflow" / "scripts").glob("*.py"))
    return House(
        tree=commit_of(tree),
        modules=len(graph),
        lines=lines_of(package, set(graph)),
        imports=len(pairs),
        rooms=len(between_rooms),
        ties=sum(map(len, between_rooms.values())),
        crossings=sum(rooms[a] != rooms[b] for a, b in pairs),
        floors=floors_of(between_rooms),
        module_floors=floors_of(graph),
        wing_circles=circles_of(between_wings),
        room_circles=circles_of(between_rooms),
        module_circles=circles_of(graph),
        stages={script.stem: lines_of(package, package.reached(script)) for script in scripts},
    )


def commit_of(tree: Path) -> str:
    """What git calls a checkout, or else its folder's name."""
    command = ["git", "-C", str(tree), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or tree.resolve().name


def imported(package: Package, module: str) -> Set[str]:
    """Modules that a module imports itself; for type checkers only doesn't count."""
    found = package.imports(package.file(module))
    return {item.module for item in found if not item.for_types} - {module}


def room(package: Package, module: str) -> str:
    """The room of a module."""
    folder = package.file(module).parent
    return module if folder == package.root else folder.relative_to(package.root).as_posix()


def lines_of(package: Package, modules: Set[str]) -> int:
    """Lines of modules, all together."""
    return sum(len(package.file(m).read_text(encoding="utf-8").splitlines()) for m in modules)


def merged(graph: Graph, places: Mapping[str, str]) -> Graph:
    """Imports between the places of modules."""
    found: dict[str, set[str]] = {place: set() for place in places.values()}
    for module, imports in graph.items():
        found[places[module]] |= {places[m] for m in imports} - {places[module]}
    return found


def circles_of(graph: Graph) -> list[list[str]]:
    """What can be reached from each other, circle by circle."""
    below = {node: reached(graph, node) for node in graph}
    found = {frozenset(n for n in below[start] if start in below[n]) for start in graph}
    return sorted(sorted(circle) for circle in found if circle)


def reached(graph: Graph, start: str) -> Set[str]:
    """What one imports, directly or not; itself where that goes round."""
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += graph[module]
    return found


def floors_of(graph: Graph) -> int:
    """Levels of imports; a circle is on one floor."""
    circle_of = {node: frozenset(circle) for circle in circles_of(graph) for node in circle}

    @cache
    def floor(node: str) -> int:
        circle = circle_of.get(node, frozenset({node}))
        below = set().union(*(graph[n] for n in circle)) - circle
        return 1 + max(map(floor, below), default=0)

    return max(map(floor, graph))


def table(houses: list[House]) -> str:
    """The figures side by side, one column for each tree."""
    counts = (
        *("modules", "lines", "imports", "rooms", "ties", "crossings"),
        *("floors", "module_floors"),
    )
    circles = ("wing_circles", "room_circles", "module_circles")
    rows = [("", *(house.tree for house in houses))]
    rows += [(name, *(f"{getattr(house, name):,}" for house in houses)) for name in counts]
    rows += [(name, *(f"{len(getattr(house, name))}" for house in houses)) for name in circles]
    rows += [("lines of all stages", *(f"{house.staged:,}" for house in houses))]
    for stage in sorted({stage for house in houses for stage in house.stages}):
        seen = (house.stages.get(stage) for house in houses)
        rows.append((f"  {stage}", *("-" if n is None else f"{n:,}" for n in seen)))
    return "\n".join(f"{row[0]:22}" + "".join(f"{cell:>20}" for cell in row[1:]) for row in rows)


def main() -> int:
    """Print the figures, and write them where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tree", type=Path, action="append", help="a checkout; several are one")
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    options = parser.parse_args()
    houses = [measured(tree) for tree in options.tree or [HERE]]
    print(table(houses))
    for house in houses:
        for circle in house.room_circles:
            print(f"{house.tree}: a circle of {', '.join(circle)}")
    if options.out:
        figures = {
            "command": "python benchmarks/house.py",
            "version": __version__,
            "date": date.today().isoformat(),
            "houses": [asdict(house) | {"lines_of_all_stages": house.staged} for house in houses],
        }
        with atomic_path(options.out) as path:
            path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
