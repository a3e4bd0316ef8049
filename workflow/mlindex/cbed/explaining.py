"""What patterns show, and what follows from it, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlindex.cbed.likeness import Operation
from mlindex.cbed.reasoning import Reasoning, State, ZoneReasoning
from mlindex.cbed.seen import Seen

#: Groups that are named at most; the others are counted.
_MOST_NAMED = 8
#: A row of discs alternates, and has a dark line, below these ratios. A screw axis or glide plane
#: gave less in 9 of 10 rows looked at in simulated patterns. Not tuned.
_ALTERNATES, _DARK = 0.6, 0.35
_NETS = {1: "oblique", 3: "rectangular", 6: "square", 9: "hexagonal"}
_STATES = {State.SHOWN: "shows", State.BROKEN: "breaks", State.UNCLEAR: "leaves open"}


def explained(zones: Sequence[Seen | None], found: Reasoning, wavelength_A: float) -> list[str]:
    """Sentences on each zone, and on the point groups that agree with all of them.

    Args:
        zones: what was seen of each pattern.
        found: what follows from it.
        wavelength_A: of the electrons, for the repeat along the beam.
    """
    lines = []
    for i, (one, reasons) in enumerate(zip(zones, found.zones, strict=True)):
        if one is None or reasons is None:
            lines.append(f"zone {i + 1}: no net of discs is found")
        else:
            lines.append(f"zone {i + 1}: {'; '.join(_of_zone(one, reasons, wavelength_A))}")
    if any(one is not None for one in found.zones):
        lines.append(f"so point group {_listed(found.point_groups, 'or')}")
    return lines


def _of_zone(one: Seen, reasons: ZoneReasoning, wavelength_A: float) -> list[str]:
    net = one.discs.net
    short, long = net.lengths_inv_A
    kind = _NETS.get(len(one.operations), "pseudo-symmetric")
    if kind == "rectangular" and abs(net.angle_deg - 90) > 1:
        kind = "centred rectangular"
    parts = [f"{kind} net of {short:.3f} x {long:.3f} 1/A, {net.angle_deg:.1f} degrees"]
    parts += _shown("whole pattern", reasons.operations, reasons.whole)
    parts += _shown("bright field", reasons.operations, reasons.bright)
    if all(state is State.HIDDEN for state in reasons.bright):
        overlaps = one.overlap > 1
        parts.append(f"bright field: {'discs overlap' if overlaps else 'too few electrons'}")
    parts += _rows(one)
    if one.upper.rise > _LEAST_RISE:
        repeat = one.upper.repeat_A(wavelength_A)
        parts.append(
            f"ring of an upper Laue zone at {one.upper.ring_inv_A:.2f} 1/A, which a repeat of "
            f"{repeat:.1f} A along the beam makes"
        )
    parts.append(f"diffraction group {_listed(reasons.diffraction_groups, 'or')}")
    return parts


#: Rings that rise by less of the direct beam (compressed) may be discs of the net. Not tuned.
_LEAST_RISE = 0.03


def _shown(where: str, operations: Sequence[Operation], states: Sequence[State]) -> list[str]:
    """What the whole pattern or the bright field shows, breaks and leaves open."""
    parts = []
    for state, verb in _STATES.items():
        names = [_name(op) for op, found in zip(operations, states, strict=True) if found is state]
        if names:
            parts.append(f"{where} {verb} {', '.join(names)}")
    return parts


def _name(operation: Operation) -> str:
    if operation.order:
        return str(operation.order)
    return f"m ({round(np.degrees(operation.angle_rad)) % 180} deg)"


def _rows(one: Seen) -> list[str]:
    """Dark lines, which a screw axis or a glide plane makes."""
    if one.overlap > 1:
        return []
    dark = [row for row in one.rows if row.odd < _ALTERNATES and row.line < _DARK]
    if not dark:
        return []
    spacings = " and ".join(f"{row.spacing_inv_A:.3f}" for row in dark)
    return [
        f"every second disc of the row of {spacings} 1/A is weak, with a dark line: a screw axis "
        "along it, or a glide plane"
    ]


def _listed(names: Sequence[str], word: str) -> str:
    """Some names with a word before the last, and how many more there are."""
    if len(names) > _MOST_NAMED:
        rest = len(names) - _MOST_NAMED
        return f"{', '.join(names[:_MOST_NAMED])} {word} {rest} less likely ones"
    return f" {word} ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
