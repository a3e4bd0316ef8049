"""The drawings of the pages, as SVG files beside this script.

python docs/pictures/draw.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
INK, PALE, BLUE, RED, GREY = "#1f2933", "#eef3f8", "#1f6fb2", "#c0392b", "#7b8794"
#: Height of a box and of a line of its text.
BOX, LINE = 54, 16


def main() -> None:
    """Write every drawing."""
    for name, text in drawings().items():
        (HERE / name).write_text(text, encoding="utf-8")


def drawings() -> dict[str, str]:
    """Each file's name and what is in it."""
    return {
        "search.svg": search(),
        "zone.svg": zone(),
        "evidence.svg": evidence(),
        "verdict.svg": verdict(),
        "method.svg": method(),
    }


def svg(width: int, height: int, parts: Sequence[str]) -> str:
    """A drawing on white, so that it can be read on a dark page too."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="13">'
    )
    mark = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="{GREY}"/></marker></defs>'
    )
    ground = f'<rect width="{width}" height="{height}" rx="6" fill="white"/>'
    return "\n".join([head, mark, ground, *parts, "</svg>", ""])


def text(x: float, y: float, words: str, colour: str = INK, anchor: str = "middle") -> str:
    """Words at a place; ``anchor`` is start, middle or end."""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str = INK, more: str = "") -> str:
    """A line; ``more`` are further attributes."""
    return (
        f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{colour}" '
        f'stroke-width="1.5" {more}/>'
    )


def arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    """An arrow."""
    return line(x1, y1, x2, y2, GREY, 'marker-end="url(#tip)"')


def dot(x: float, y: float, colour: str, radius: float = 4) -> str:
    """A point."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{colour}"/>'


def box(x: float, y: float, width: float, words: str, colour: str = PALE) -> str:
    """A box with one or two lines of text, split at a bar."""
    lines = words.split("|")
    middle = y + BOX / 2 + 5 - LINE * (len(lines) - 1) / 2
    shown = "".join(text(x + width / 2, middle + LINE * i, one) for i, one in enumerate(lines))
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{BOX}" rx="6" fill="{colour}" '
        f'stroke="{GREY}"/>{shown}'
    )


def row(y: float, boxes: Sequence[str], width: float, gap: float, x: float = 16) -> Iterator[str]:
    """Boxes side by side, an arrow from each to the next."""
    for i, words in enumerate(boxes):
        left = x + i * (width + gap)
        yield box(left, y, width, words)
        if i:
            yield arrow(left - gap, y + BOX / 2, left - 2, y + BOX / 2)


def search() -> str:
    """From lines to a verdict."""
    ways = (
        "cubic to orthorhombic:|all low indices",
        "monoclinic: a zone,|then votes",
        "triclinic: pairs of zones,|then votes",
    )
    parts = [box(16, 90, 130, "20 lines,|one stage")]
    for i, words in enumerate(ways):
        y = 16 + i * 74
        parts += [arrow(146, 117, 178, y + 27), box(180, y, 190, words)]
        parts += [arrow(370, y + 27, 402, 117)]
    parts += [box(404, 90, 150, "14 Bravais lattices:|recognized, refined")]
    parts += [arrow(554, 117, 582, 117), box(584, 90, 150, "weighed by|their evidence")]
    parts += [arrow(659, 144, 659, 246), box(584, 248, 150, "supercells;|up to 40 lines")]
    parts += list(_back(248))
    return svg(750, 318, parts)


def _back(y: float) -> Iterator[str]:
    """The way on to the left, and back to another stage."""
    for left, words in ((404, "ranking:|probabilities"), (200, "verdict")):
        yield box(left, y, 150, words)
    yield arrow(584, y + 27, 556, y + 27)
    yield arrow(404, y + 27, 352, y + 27)
    yield '<path d="M620 144 V 196 Q 620 222 590 222 H 110 Q 81 222 81 190 V 148" fill="none" '
    yield f'stroke="{GREY}" stroke-width="1.5" stroke-dasharray="5 4" marker-end="url(#tip)"/>'
    yield text(250, 240, "not explained: next stage", GREY)


def zone() -> str:
    """A rectangular zone with b*, and the layer beside it that is still free to slide."""
    parts = []
    for k in range(4):
        for l in range(4):
            parts.append(dot(60 + 62 * l, 220 - 48 * k, BLUE))
            parts.append(dot(364 + 62 * l, 220 - 48 * k, RED))
    parts += [arrow(60, 220, 60, 176), text(46, 196, "b*", BLUE)]
    parts += [arrow(60, 220, 118, 220), text(92, 240, "c*", BLUE)]
    parts += [text(153, 40, "zone 0kl, from two lines", BLUE)]
    parts += [text(457, 40, "layer 1kl, from a third line", RED)]
    parts += [arrow(340, 262, 420, 262), arrow(420, 262, 340, 262)]
    parts += [text(430, 267, "its place along c*: the other lines vote", INK, "start")]
    return svg(720, 284, parts)


def evidence() -> str:
    """Lines on reflections, within errors, and lines anywhere."""
    reflections = (60, 118, 171, 236, 262, 330, 395, 433, 498, 556)
    lines = (61, 117, 172, 264, 329, 360, 434, 497, 557)
    parts = [text(16, 30, "1  the lattice: lines lie on its reflections", INK, "start")]
    for x in reflections:
        parts.append(line(x, 60, x, 100, BLUE))
        parts.append(
            f'<path d="M{x - 12} 60 q 7 0 10 -18 q 2 -8 4 0 q 3 18 10 18" fill="none" '
            f'stroke="{BLUE}" stroke-width="1"/>'
        )
    parts += [line(x, 104, x, 128, RED if x == 360 else INK) for x in lines]
    parts += [text(360, 146, "stray", RED), text(620, 84, "calculated", BLUE, "start")]
    parts += [text(620, 121, "observed", INK, "start")]
    parts += [text(236, 146, "not seen", GREY), dot(236, 116, GREY, 2.5), dot(395, 116, GREY, 2.5)]
    parts += [text(16, 190, "2  chance: lines lie anywhere up to the last", INK, "start")]
    parts += [f'<rect x="40" y="206" width="520" height="24" fill="{PALE}" stroke="{GREY}"/>']
    parts += [line(x, 206, x, 230) for x in lines]
    parts += [text(16, 262, "evidence = probability of 1 / probability of 2", INK, "start")]
    return svg(710, 280, parts)


def verdict() -> str:
    """The objections in their order."""
    asked = (
        "enough|evidence?",
        "lines|indexed?",
        "no parameter on|one line?",
        "probable, with|partners?",
        "no better|supercell?",
        "not nearly more|symmetric?",
        "not small and|triclinic?",
        "room for the|formula?",
    )
    parts = [*row(16, asked[:4], 130, 26), *row(150, asked[4:], 130, 26)]
    parts += [
        '<path d="M549 70 V 96 Q 549 110 535 110 H 96 Q 81 110 81 124 V 146" fill="none" '
        f'stroke="{GREY}" stroke-width="1.5" marker-end="url(#tip)"/>'
    ]
    parts += [text(315, 104, "yes, each time", GREY), arrow(549, 204, 549, 236)]
    parts += [box(474, 238, 150, "a convincing cell", "#dff2e3")]
    parts += [box(16, 238, 390, "the first no: not convincing, and why", "#fbe6e3")]
    return svg(640, 308, parts)


def method() -> str:
    """The stages of the workflow."""
    first = ("CIF files or|generator", "quality|control", "duplicates|removed", "reduced|cells")
    second = (
        "patterns,|peak lists",
        "groups, split|80 to 20",
        "networks, forests,|templates",
        "candidate|cells",
    )
    parts = [*row(16, first, 150, 28), *row(120, second, 150, 28)]
    parts += [
        '<path d="M625 70 V 80 Q 625 94 611 94 H 105 Q 91 94 91 104 V 116" fill="none" '
        f'stroke="{GREY}" stroke-width="1.5" marker-end="url(#tip)"/>'
    ]
    parts += [arrow(625, 174, 625, 222), box(550, 224, 150, "optimization")]
    for left, words in ((372, "validation|indexing"), (194, "report")):
        parts += [arrow(left + 178, 251, left + 152, 251), box(left, 224, 150, words)]
    return svg(716, 294, parts)


if __name__ == "__main__":
    main()
