"""What a classifier sees of a stack: numbers that know the physics of its patterns.

They are made of what :mod:`.seen` measures, which is no more than a microscopist has: the
patterns, the energy, the semi-angles and the camera constant. They do not change when a pattern is
turned, mirrored or multiplied, nor with the order of the zones: these are sorted by the mesh of
their nets, the smallest first.
"""

from __future__ import annotations

import numpy as np

from mlindex.cbed.dark_lines import Row
from mlindex.cbed.diffraction_groups import point_groups
from mlindex.cbed.discs import FOURTH, SECOND, Discs
from mlindex.cbed.lattice_fits import KINDS, evidence
from mlindex.cbed.likeness import ABSENT, Likeness, operations_of
from mlindex.cbed.net import POWER
from mlindex.cbed.potential import wavelength_A
from mlindex.cbed.reasoning import reasoning
from mlindex.cbed.seen import Seen, seen_in
from mlindex.cbed.stack import Stack

#: Zones of a stack that are looked at; a stack of fewer has zones that were not seen.
N_ZONES = 3
ROTATIONS = (2, 3, 4, 6)
#: Relative differences below this are none.
_NOTHING = 1e-5
#: How much better than the tolerance a net has a higher symmetry: its misfit is kept to this.
_WIDEST_MISFIT = 0.3
#: Logarithms of likelihoods below this are this.
_LEAST_LIKELY = -30.0
_MIRRORS = ("best", "second", "third", "last")


def features(stack: Stack) -> np.ndarray:
    """The features of a stack, float32 (n,), in the order of ``FEATURE_NAMES``, all finite.

    Args:
        stack: square patterns of any size with the direct beam on pixel (n // 2, n // 2), as
            :mod:`.store` reads them.
    """
    return features_of_seen(seen_in(stack), stack.energy_keV)


def features_of_seen(zones: list[Seen | None], energy_keV: float) -> np.ndarray:
    """The features of what was seen of a stack, see :func:`features`."""
    found = sorted((one for one in zones if one), key=lambda one: one.discs.net.area_inv_A2)
    blank = {name: _UNSEEN.get(name.split(":")[0], 0.0) for name in _ZONE_NAMES}
    tables = [_of_zone(one, energy_keV) for one in found[:N_ZONES]]
    tables += [blank] * (N_ZONES - len(tables))
    values = [table[name] for table in tables for name in _ZONE_NAMES]
    for name in _SHARED_NAMES:
        column = [table[name] for table in tables]
        values += [min(column), max(column)]
    lengths = [table["net: shortest vector"] for table in tables]
    values += [lengths[1] - lengths[0], lengths[2] - lengths[0], lengths[2] - lengths[1]]
    values += [energy_keV, float(len(found))]
    values += list(evidence([one.discs.net for one in found]).values())
    values += np.maximum(reasoning(zones).log_likelihood, _LEAST_LIKELY).tolist()
    return np.nan_to_num(np.array(values, dtype=np.float32), nan=0.0, posinf=9.0, neginf=-9.0)


def _log(value: float) -> float:
    return float(np.log10(max(value, _NOTHING)))


def _of_zone(one: Seen, energy_keV: float) -> dict[str, float]:
    return {
        **_net(one),
        **_alike("whole pattern", one, one.whole, ("means", "fine", "both")),
        **_alike("bright field", one, one.bright, ("fine",)),
        **_alike("dark fields", one, one.dark, ("fine",)),
        "plus-minus: means": _log(one.opposite.means),
        "plus-minus: fine": _log(one.opposite.fine),
        "noise: share of fine structure": one.opposite.noise,
        **_radial(one.discs),
        **_rows(one.rows),
        **_parity(one.discs),
        **_upper(one, energy_keV),
    }


def _net(one: Seen) -> dict[str, float]:
    net = one.discs.net
    short, long = net.lengths_inv_A
    wide = operations_of(net, _WIDEST_MISFIT)

    def misfit(*orders: int, among: int = 1) -> float:
        fits = sorted(op.misfit for op in wide if op.order in orders)
        return _log(fits[among - 1]) if len(fits) >= among else _log(_WIDEST_MISFIT)

    return {
        "net: shortest vector": _log(short),
        "net: ratio": float(long / short),
        "net: angle": net.angle_deg,
        "net: mesh": _log(net.area_inv_A2),
        "net: overlap": one.overlap,
        "net: explained": net.explained,
        "net: misfit of mirrors": misfit(0),
        "net: misfit of 4": misfit(4),
        "net: misfit of 3": misfit(3),
    }


def _alike(
    what: str, one: Seen, found: tuple[Likeness, ...], kinds: tuple[str, ...]
) -> dict[str, float]:
    out = {}
    for order in ROTATIONS:
        of_order = [
            found[i] for i, operation in enumerate(one.operations) if operation.order == order
        ]
        best = min(of_order, key=lambda alike: alike.both, default=ABSENT)
        for kind in kinds:
            out[f"{what}: {order}, {kind}"] = _log(getattr(best, kind))
    mirrors = [found[i] for i, operation in enumerate(one.operations) if operation.order == 0]
    mirrors.sort(key=lambda alike: alike.both)
    named = [*mirrors[:3], *[ABSENT] * (3 - len(mirrors[:3])), mirrors[-1] if mirrors else ABSENT]
    for name, alike in zip(_MIRRORS, named, strict=True):
        for kind in kinds:
            out[f"{what}: m {name}, {kind}"] = _log(getattr(alike, kind))
    return out


def _radial(discs: Discs) -> dict[str, float]:
    """Radial moments, and how strong structure is within discs: the direct one and the others."""
    mean, moments = discs.mean, discs.moments
    fine = np.sum(np.abs(moments[:, 1:]) ** 2, axis=1) / mean**2
    weight = mean[1:] ** POWER
    out = {"radial: share of direct beam": float(mean[0] / mean.sum())}
    for name, column in (("second", SECOND), ("fourth", FOURTH)):
        radial = moments[:, column].real / mean
        out[f"radial: {name}, bright field"] = float(np.clip(radial[0], -3, 3))
        out[f"radial: {name}, dark fields"] = _weighted(np.clip(radial[1:], -3, 3), weight)
    out["radial: structure, bright field"] = _log(fine[0])
    out["radial: structure, dark fields"] = _log(_weighted(np.minimum(fine[1:], 10), weight))
    return out


def _weighted(values: np.ndarray, weight: np.ndarray) -> float:
    return float(values @ weight / weight.sum()) if len(values) else 0.0


def _rows(rows: tuple[Row, ...]) -> dict[str, float]:
    out = {}
    for i, name in enumerate(("first", "second")):
        row = rows[i] if i < len(rows) else Row(0.0, 1.5, 1.5)
        out[f"rows: {name}, odd"] = row.odd
        out[f"rows: {name}, line"] = row.line
    out["rows: least line"] = min((row.line for row in rows), default=1.5)
    out["rows: alternating"] = float(sum(row.odd < 0.5 for row in rows))
    return out


def _parity(discs: Discs) -> dict[str, float]:
    """Intensity of the discs by parity of their two indices, over the mean, the weakest first."""
    strength = discs.mean[1:] ** POWER
    parity = discs.at[1:] % 2 @ np.array([1, 2])
    means = [float(strength[parity == k].mean()) if (parity == k).any() else 0.0 for k in range(4)]
    mean = float(strength.mean()) if len(strength) else 1.0
    names = ("weakest", "middle", "strongest")
    return {
        **{
            f"parity: {name}": value / mean
            for name, value in zip(names, sorted(means[1:]), strict=True)
        },
        "parity: both even": means[0] / mean,
    }


def _upper(one: Seen, energy_keV: float) -> dict[str, float]:
    upper = one.upper
    return {
        "upper zones: off the net": _log(upper.off),
        "upper zones: from": upper.off_from_inv_A,
        "upper zones: ring": upper.ring_inv_A,
        "upper zones: rise": _log(upper.rise),
        "upper zones: repeat": min(upper.repeat_A(wavelength_A(energy_keV)), 100.0),
        **{
            f"upper zones: fold {name}": value
            for name, value in zip(("short", "long", "sum"), upper.fold, strict=True)
        },
    }


def _names_alike(what: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    operations = [*(str(order) for order in ROTATIONS), *(f"m {name}" for name in _MIRRORS)]
    return tuple(f"{what}: {operation}, {kind}" for operation in operations for kind in kinds)


_ALIKE_NAMES = (
    *_names_alike("whole pattern", ("means", "fine", "both")),
    *_names_alike("bright field", ("fine",)),
)
_NET_NAMES = tuple(
    f"net: {name}"
    for name in (
        *("shortest vector", "ratio", "angle", "mesh", "overlap", "explained"),
        *("misfit of mirrors", "misfit of 4", "misfit of 3"),
    )
)
_RADIAL_NAMES = tuple(
    f"radial: {name}"
    for name in (
        *("share of direct beam", "second, bright field", "second, dark fields"),
        *("fourth, bright field", "fourth, dark fields"),
        *("structure, bright field", "structure, dark fields"),
    )
)
_ROW_NAMES = tuple(
    f"rows: {name}"
    for name in (
        *("first, odd", "first, line", "second, odd", "second, line"),
        *("least line", "alternating"),
    )
)
_UPPER_NAMES = tuple(
    f"upper zones: {name}"
    for name in (
        *("off the net", "from", "ring", "rise", "repeat", "fold short", "fold long", "fold sum"),
    )
)
#: Features of each zone, by what comes before the colon in groups.
_ZONE_NAMES = (
    *_NET_NAMES,
    *_ALIKE_NAMES,
    *_names_alike("dark fields", ("fine",)),
    *("plus-minus: means", "plus-minus: fine", "noise: share of fine structure"),
    *_RADIAL_NAMES,
    *_ROW_NAMES,
    *(f"parity: {name}" for name in ("weakest", "middle", "strongest", "both even")),
    *_UPPER_NAMES,
)
#: Features of which the least and the greatest among the zones is told, too.
_SHARED_NAMES = (*_NET_NAMES, *_ALIKE_NAMES, *_ROW_NAMES)
#: What stands for a zone that shows no net, where that isn't 0: no operation is seen.
_UNSEEN = {"rows": 1.5}

FEATURE_NAMES: tuple[str, ...] = (
    *(f"zone {i + 1}, {name}" for i in range(N_ZONES) for name in _ZONE_NAMES),
    *(f"{which} of zones, {name}" for name in _SHARED_NAMES for which in ("least", "greatest")),
    *("shortest vectors: 2 over 1", "shortest vectors: 3 over 1", "shortest vectors: 3 over 2"),
    *("exposure: energy", "exposure: zones seen"),
    *(f"lattice: {kind}" for kind in KINDS),
    *(f"reasoning: {name}" for name in point_groups()),
)


def group_of(name: str) -> str:
    """The group of a feature of ``FEATURE_NAMES``, such as ``bright field``."""
    return name.split(":")[0].rpartition(", ")[2]


#: Groups of features by name, in order, each with the columns that belong to it.
GROUPS: dict[str, tuple[int, ...]] = {
    group: tuple(i for i, name in enumerate(FEATURE_NAMES) if group_of(name) == group)
    for group in dict.fromkeys(group_of(name) for name in FEATURE_NAMES)
}
