"""From operations that patterns show or break to diffraction groups, and to point groups.

An operation that is broken isn't there. One that is shown may be there; or the pattern hides its
absence, since upper Laue zones are weak, or atoms nearly have it. How often each happens is counted
on simulated patterns, so that point groups are weighed and none is excluded by one bad pattern.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np

from mlindex.cbed.diffraction_groups import GROUPS, PlaneOperation, zones_of
from mlindex.cbed.diffraction_groups import point_groups as all_point_groups
from mlindex.cbed.likeness import Likeness, Operation
from mlindex.cbed.seen import Seen


class State(IntEnum):
    """What a pattern says of an operation."""

    SHOWN = 0
    UNCLEAR = 1
    BROKEN = 2
    HIDDEN = 3


#: An operation is shown if its differences are below a limit, and broken above so many times it:
#: limits of means and fine structure of the whole pattern and of the bright field, plus so many
#: times what noise adds. Counted as benchmarks/cbed_features.py counts, on 250 stacks of generated
#: crystals of all groups, 100 A thick, aligned. Of 641 operations that crystals had 99.8 % were
#: shown without noise, of 604 with 1e7 electrons all, of 389 with 1e6 99.7 %; none was broken. With
#: 3 or 5 times the noise shares change by less than 0.05.
_MEANS, _FINE, _BRIGHT, _PER_NOISE, _BROKEN_ABOVE = 2e-4, 2e-3, 5e-3, 4.0, 3.0
#: A limit above this tells nothing.
_BLIND = 0.3
#: How often (shown, unclear, broken) is met where an operation is in the diffraction group; only in
#: that of the projection, without upper Laue zones; in neither. From the same stacks; the first
#: row is wider than counted, as crystals are never quite aligned.
_WHOLE_PATTERN = ((0.97, 0.02, 0.01), (0.86, 0.04, 0.10), (0.32, 0.03, 0.65))
_BRIGHT_FIELD = ((0.97, 0.02, 0.01), (0.75, 0.06, 0.19), (0.64, 0.03, 0.33))
#: What a net lacks by more than the tolerance of :mod:`.likeness`, no crystal has.
_IMPOSSIBLE = -12.0
#: Diffraction groups agree with a pattern, and point groups with a stack, if less likely than the
#: best by at most these factors. Not tuned.
AGREE_WITHIN, STACK_AGREES_WITHIN = 20.0, 200.0
#: Discs that overlap more than this show no bright field of their own.
_MOST_OVERLAP = 1.0


@dataclass(frozen=True)
class ZoneReasoning:
    """What one pattern shows and means.

    ``whole`` and ``bright``: the state of each operation of ``operations``. ``log_likelihood``
    (31,): of each diffraction group of :data:`.diffraction_groups.GROUPS`, the best one 0.
    """

    operations: tuple[Operation, ...]
    whole: tuple[State, ...]
    bright: tuple[State, ...]
    log_likelihood: np.ndarray

    @property
    def diffraction_groups(self) -> tuple[str, ...]:
        """Those that agree with the pattern, the likeliest first."""
        return _agreeing(tuple(GROUPS), self.log_likelihood, AGREE_WITHIN)


@dataclass(frozen=True)
class Reasoning:
    """What a stack means: ``zones``, None where a pattern shows no net; and the point groups.

    ``log_likelihood`` (32,): of each point group of :func:`.diffraction_groups.point_groups`, the
    best one 0.
    """

    zones: tuple[ZoneReasoning | None, ...]
    log_likelihood: np.ndarray

    @property
    def point_groups(self) -> tuple[str, ...]:
        """Those that agree with all patterns, the likeliest first."""
        return _agreeing(tuple(all_point_groups()), self.log_likelihood, STACK_AGREES_WITHIN)


def reasoning(zones: list[Seen | None]) -> Reasoning:
    """What the patterns of a stack mean together."""
    of_zones = tuple(None if one is None else _of_zone(one) for one in zones)
    total = np.zeros(len(all_point_groups()))
    for one in of_zones:
        if one is not None:
            total += np.log(_shares() @ np.exp(one.log_likelihood) + 1e-300)
    return Reasoning(of_zones, total - total.max())


@cache
def _shares() -> np.ndarray:
    """Share (32, 31) of each diffraction group among the zone axes of each point group."""
    columns = {symbol: i for i, symbol in enumerate(GROUPS)}
    shares = np.zeros((len(all_point_groups()), len(GROUPS)))
    for row, name in enumerate(all_point_groups()):
        for symbol, share in zones_of(name).items():
            shares[row, columns[symbol]] = share
    return shares


def _agreeing(names: tuple[str, ...], log_likelihood: np.ndarray, within: float) -> tuple[str, ...]:
    order = np.argsort(-log_likelihood, kind="stable")
    return tuple(names[i] for i in order if log_likelihood[i] >= -np.log(within))


def _of_zone(one: Seen) -> ZoneReasoning:
    whole = tuple(_whole_state(alike) for alike in one.whole)
    bright = tuple(
        State.HIDDEN if one.overlap > _MOST_OVERLAP else _state(alike.fine, _BRIGHT, alike.noise)
        for alike in one.bright
    )
    classes = _classes(_steps(one.operations))
    # One column a state; where nothing is seen, nothing is weighed.
    tables = [
        np.log(np.pad(np.array(table), ((0, 0), (0, 1)), constant_values=1.0))
        for table in (_WHOLE_PATTERN, _BRIGHT_FIELD)
    ]
    total = classes.impossible * _IMPOSSIBLE
    for row, states in enumerate((whole, bright)):
        total = total + tables[row][classes.kind[row], list(states)].sum(axis=-1)
    # The pattern may lie on the net in several ways, all alike.
    best = total.max(axis=1, keepdims=True)
    found = best[:, 0] + np.log(np.exp(total - best).mean(axis=1))
    return ZoneReasoning(one.operations, whole, bright, found - found.max())


def _state(difference: float, limit: float, noise: float) -> State:
    limit += _PER_NOISE * noise
    if limit > _BLIND:
        return State.HIDDEN
    if difference < limit:
        return State.SHOWN
    return State.BROKEN if difference > _BROKEN_ABOVE * limit else State.UNCLEAR


def _whole_state(alike: Likeness) -> State:
    """The worse of what means and fine structure say; what one of them hides, the other tells."""
    both = (
        _state(alike.means, _MEANS, alike.noise_of_means),
        _state(alike.fine, _FINE, alike.noise),
    )
    told = [one for one in both if one is not State.HIDDEN]
    return max(told, default=State.HIDDEN)


def _steps(operations: tuple[Operation, ...]) -> tuple[tuple[bool, int], ...]:
    """Operations of a net as mirror or not, and steps of 30 or 15 degrees from its first mirror."""
    lines = [one.angle_rad for one in operations if one.order == 0]
    found = []
    for one in operations:
        if one.order:
            found.append((False, 12 // one.order))
        else:
            found.append((True, round(float(np.degrees(one.angle_rad - lines[0])) / 15) % 12))
    return tuple(found)


@dataclass(frozen=True)
class _Classes:
    """What operations are to each of the 31 groups in each of m ways on a net.

    ``kind`` (2, 31, m, n): row of the table of each operation, for the whole pattern and the bright
    field. ``impossible`` (31, m): whether the group has an operation that the net lacks.
    """

    kind: np.ndarray
    impossible: np.ndarray


@cache
def _classes(steps: tuple[tuple[bool, int], ...]) -> _Classes:
    lines = [step for mirror, step in steps if mirror] or [0]
    allowed = {(mirror, step) for mirror, step in steps} | {(False, 0)}
    allowed |= {(False, -step % 12) for mirror, step in steps if not mirror}
    shape = (len(GROUPS), len(lines))
    kind = np.zeros((2, *shape, len(steps)), int)
    impossible = np.zeros(shape)
    for i, group in enumerate(GROUPS.values()):
        in_projection = group.projection
        for j, line in enumerate(lines):

            def on_net(one: PlaneOperation, line: int = line) -> tuple[bool, int]:
                return one.mirror, (one.step + one.mirror * line) % 12

            impossible[i, j] = any(on_net(one) not in allowed for one in group.operations)
            shown = (
                (group.whole_pattern, in_projection.whole_pattern),
                (group.bright_field, in_projection.bright_field),
            )
            for row, (own, projected) in enumerate(shown):
                there = {on_net(one) for one in own}
                in_plane = {on_net(one) for one in projected}
                for k, step in enumerate(steps):
                    kind[row, i, j, k] = 0 if step in there else 1 if step in in_plane else 2
    return _Classes(kind, impossible)
