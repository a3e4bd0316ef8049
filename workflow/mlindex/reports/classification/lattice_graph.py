"""Confusions of Bravais lattices, drawn on the graph of their special cases."""

from __future__ import annotations

from html import escape
from itertools import combinations

import numpy as np

from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.lattice_relations import lattices_within
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.reports.colours import BLUE, ORANGE, PALE
from mlindex.reports.html import note

#: Places of the lattices: the row of their system, and across.
_PLACES = {
    **{"cP": (0, 1.0), "cI": (0, 2.6), "cF": (0, 4.2)},
    **{"tP": (1, 0.6), "tI": (1, 3.0), "hR": (1, 5.4)},
    **{"hP": (2, 6.2)},
    **{"oP": (3, 0.6), "oC": (3, 2.2), "oI": (3, 3.6), "oF": (3, 5.0)},
    **{"mP": (4, 1.4), "mC": (4, 3.8)},
    **{"aP": (5, 2.6)},
}
_ACROSS, _DOWN, _EDGE, _RADIUS = 110.0, 84.0, 40.0, 17.0
#: Confusions of less than this share of all are left out, and the widest line.
_LEAST, _WIDEST = 0.01, 14.0


def lattice_graph(counts: np.ndarray) -> str:
    """The graph with a line for each pair that is confused, as wide as its lists are many.

    Args:
        counts: of true (rows) and given lattices (14, 14).
    """
    names = classes_of("bravais").names
    pairs = [
        (a, b, int(counts[a, b] + counts[b, a])) for a, b in combinations(range(len(names)), 2)
    ]
    wrong = sum(n for *_, n in pairs)
    if not wrong:
        return ""
    shown = [(names[a], names[b], n) for a, b, n in pairs if n >= _LEAST * wrong]
    most = max(n for *_, n in pairs)
    lines = "".join(_line(a, b, n, n / most) for a, b, n in sorted(shown, key=lambda x: -x[2]))
    edges = "".join(
        f'<path d="{_path(a, b, 0.0)}" stroke="{PALE}" fill="none"/>' for a, b in _maximal()
    )
    width, height = 6.2 * _ACROSS + 2 * _EDGE, 5 * _DOWN + 2 * _EDGE
    picture = (
        f'<div class="scroll"><svg viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="width: {width:.0f}px; max-width: 100%" role="img" '
        f'aria-label="graph of Bravais lattices">{edges}{lines}{"".join(map(_node, names))}</svg>'
        "</div>"
    )
    text = (
        "Lattices from cubic (top) to triclinic. Thin lines lead to the most general lattices that "
        "a lattice is a special case of. Wide ones: pairs that are confused, as wide as the lists "
        "are many; blue where one is a special case of the other, orange where not. Pairs of less "
        f"than {100 * _LEAST:.0f} % of the wrong answers are left out."
    )
    return note(text) + picture


def _maximal() -> list[tuple[str, str]]:
    """Pairs of a lattice and one within it with no other between."""
    return [
        (a, b)
        for a in BRAVAIS
        for b in sorted(lattices_within(a))
        if not any(b in lattices_within(c) for c in lattices_within(a))
    ]


def _line(a: str, b: str, count: int, share: float) -> str:
    kin = a in lattices_within(b) or b in lattices_within(a)
    return (
        f'<path d="{_path(a, b, 0.16)}" stroke="{BLUE if kin else ORANGE}" stroke-opacity="0.55" '
        f'stroke-width="{max(1.5, _WIDEST * share):.1f}" fill="none">'
        f"<title>{escape(a)} and {escape(b)}: {count} lists</title></path>"
    )


def _path(a: str, b: str, bend: float) -> str:
    """A line between two lattices, bent to one side by a share of its length."""
    (x, y), (u, v) = _place(a), _place(b)
    middle = ((x + u) / 2 + bend * (y - v), (y + v) / 2 + bend * (u - x))
    return f"M{x:.0f} {y:.0f}Q{middle[0]:.0f} {middle[1]:.0f} {u:.0f} {v:.0f}"


def _place(name: str) -> tuple[float, float]:
    row, across = _PLACES[name]
    return _EDGE + _ACROSS * across, _EDGE + _DOWN * row


def _node(name: str) -> str:
    x, y = _place(name)
    return (
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{_RADIUS:.0f}" fill="#fff" stroke="#495057"/>'
        f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle" font-size="13" '
        f'fill="#212529">{escape(name)}</text>'
    )
