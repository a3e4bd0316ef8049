"""What features of convergent-beam patterns are worth, and what noise, tilt and thickness do.

    python benchmarks/cbed_features.py --crystals 60

Crystals are generated as for the model, with numbers that no training reaches; structure types may
be known to it, which the test part of a training leaves out. Each is simulated at
one energy along its three zones: aligned and 100 A thick; at other thicknesses; tilted by random
angles of a standard deviation about each of two axes; with counting noise. Measured are

- ``operations``: how often an operation that a net allows is shown, left open, broken or hidden,
  where the diffraction group of the crystal has it, only that of its projection has it, or neither.
  The limits and tables of ``mlindex.cbed.reasoning`` come from this;
- ``conditions``: share of nets that are those of the aligned pattern without noise; share of stacks
  whose point group is among those that agree, and how many agree; and of the model the
  share of right space groups, first and among five, point groups and crystal systems;
- ``groups``: what the model loses when a group of features is exchanged between stacks.

Intervals are Wilson's of 95 %. ``--out`` writes the figures as JSON.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import record

from mlindex.base.errors import MlindexError
from mlindex.base.provenance import derive_seed
from mlindex.base.statistics import wilson_interval
from mlindex.cbed.answer import probabilities, require_known_features
from mlindex.cbed.atoms import Atoms
from mlindex.cbed.crystals import Left, generated_crystals
from mlindex.cbed.detector import measured
from mlindex.cbed.diffraction_groups import plane_operations, point_group_of
from mlindex.cbed.features import GROUPS
from mlindex.cbed.looked import LOOKED_AT, numbers_of
from mlindex.cbed.model import CbedModel, answers, parted
from mlindex.cbed.orientation import orientation_of
from mlindex.cbed.reasoning import Reasoning, State, reasoning
from mlindex.cbed.seen import Seen, seen_in
from mlindex.cbed.settings import Cbed, Detector
from mlindex.cbed.shipped import shipped
from mlindex.cbed.stack import Asked, Stack, simulated_stacks
from mlindex.cbed.zones import strongest_zones
from mlindex.crystal.symmetry_classes import classes_of

#: Beyond the crystals of any training.
_FIRST = 10_000_000
_RESOURCES = Path(__file__).parents[1] / "resources"
_ALIGNED = "aligned, 100 A, no noise"
_THICKNESSES_A, _TILTS_MRAD, _DOSES = (50.0, 200.0, 400.0), (1.0, 2.5, 5.0), (1e7, 1e6, 1e5, 1e4)
_KINDS = ("in the diffraction group", "in the projection alone", "in neither")
#: Matrices of one operation, measured and known, differ by less: three degrees.
_SAME_OPERATION = 0.06
_SAME_MESH = 0.03
_EXCHANGES = 5


@dataclass(frozen=True)
class Met:
    """A stack under a condition: the true group, what was seen, and what follows."""

    condition: str
    group: int
    zones: list[Seen | None]
    reasons: Reasoning
    features: np.ndarray


def stacks_of(atoms: Atoms, settings: Cbed, seed: int) -> Iterator[tuple[str, Stack]]:
    """The stacks of a crystal under each condition, the aligned one first.

    Raises:
        MlindexError: it has too few zones.
    """
    rng = np.random.default_rng(seed)
    energy = float(rng.choice(settings.energies_keV))
    zones = strongest_zones(atoms)
    aligned = Asked(zones, (energy,), (100.0, *_THICKNESSES_A))

    def simulated(asked: Asked, detector: Detector) -> list[Stack]:
        made = simulated_stacks(atoms, asked, "", settings.specimen, settings.beams, detector, rng)
        return [one.stack for one in made]

    plain, *thick = simulated(aligned, Detector())
    yield _ALIGNED, plain
    for thickness, stack in zip(_THICKNESSES_A, thick, strict=True):
        yield f"thickness {thickness:g} A", stack
    for dose in _DOSES:
        seen_by = Detector(dose_electrons=dose)
        counts = np.stack([measured(pattern, seen_by, rng) for pattern in plain.patterns])
        yield f"dose {dose:.0e} electrons", replace(plain, patterns=counts)
    for tilt in _TILTS_MRAD:
        detector = Detector(tilt_mrad=tilt)
        yield f"tilt {tilt:g} mrad", simulated(Asked(zones, (energy,), (100.0,)), detector)[0]


def counted(atoms: Atoms, stack: Stack, one: Met) -> Iterator[tuple[str, str, str, int]]:
    """Condition, place, kind and state of each operation of a stack."""
    for zone, seen, reasons in zip(stack.zones, one.zones, one.reasons.zones, strict=True):
        if seen is None or reasons is None:
            continue
        orientation = orientation_of(atoms, tuple(int(i) for i in zone))
        basis = np.linalg.inv(orientation.reciprocal_inv_A).T
        known = plane_operations(atoms.hall_symbol, orientation.zone, basis, np.eye(3)[:2])
        plain = [plane for plane, turned in known if not turned]
        turned_round = [plane for plane, turned in known if turned]
        all_planes = plain + turned_round
        of_place = {
            "whole pattern": (plain, all_planes, reasons.whole),
            "bright field": (
                plain + [-plane for plane in turned_round],
                all_planes + [-plane for plane in all_planes],
                reasons.bright,
            ),
        }
        for place, (own, projected, states) in of_place.items():
            for operation, state in zip(reasons.operations, states, strict=True):
                plane = _plane(operation.order, operation.angle_rad)
                kind = 0 if _among(plane, own) else 1 if _among(plane, projected) else 2
                yield one.condition, place, _KINDS[kind], int(state)


def _plane(order: int, angle_rad: float) -> np.ndarray:
    angle = angle_rad if order else 2 * angle_rad
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]]) if order else np.array([[c, s], [s, -c]])


def _among(plane: np.ndarray, planes: list[np.ndarray]) -> bool:
    return any(np.abs(plane - other).max() < _SAME_OPERATION for other in planes)


def conditions(met: list[Met], model: CbedModel) -> list[dict[str, Any]]:
    """A row for each condition."""
    meshes = [_meshes(one) for one in met if one.condition == _ALIGNED]
    rows = []
    for condition in dict.fromkeys(one.condition for one in met):
        here = [one for one in met if one.condition == condition]
        right = [
            abs(a / b - 1) < _SAME_MESH if a and b else False
            for one, aligned in zip(here, meshes, strict=True)
            for a, b in zip(_meshes(one), aligned, strict=True)
        ]
        agrees = [point_group_of(one.group) in one.reasons.point_groups for one in here]
        row: dict[str, Any] = {"condition": condition, "stacks": len(here)}
        row |= _share("nets", right) | _share("point_group_agrees", agrees)
        row["point_groups_that_agree"] = float(
            np.mean([len(one.reasons.point_groups) for one in here])
        )
        rows.append(row | _scores(here, model))
    return rows


def _meshes(one: Met) -> list[float]:
    return [0.0 if zone is None else zone.discs.net.area_inv_A2 for zone in one.zones]


def _scores(here: list[Met], model: CbedModel) -> dict[str, Any]:
    found = probabilities(model, np.array([one.features for one in here]))
    true = np.array([one.group for one in here])
    rank = (found > found[np.arange(len(true)), true - 1][:, None]).sum(axis=1)
    row = _share("top_1", list(rank == 0)) | _share("top_5", list(rank < 5))
    # Of all groups, with nothing learnt: the share of which the true one is among the best five.
    evidence = parted(np.array([one.features for one in here]), LOOKED_AT)[1]
    better = (evidence > evidence[np.arange(len(true)), true - 1][:, None]).sum(axis=1)
    alike = (evidence == evidence[np.arange(len(true)), true - 1][:, None]).sum(axis=1)
    row["evidence_top_5"] = float(np.clip((5 - better) / alike, 0, 1).mean())
    for level, probability in answers(found).items():
        if level != "space_group":
            right = probability.argmax(axis=1) == classes_of(level).of(true)
            row |= _share(level, list(right))
    return row


def _share(name: str, right: list[bool]) -> dict[str, Any]:
    low, high = wilson_interval(int(sum(right)), len(right))
    return {name: float(np.mean(right)), f"{name}_low": low, f"{name}_high": high}


def exchanged(met: list[Met], model: CbedModel, seed: int) -> list[dict[str, Any]]:
    """What the model loses on aligned stacks with a group of features exchanged between them."""
    here = [one for one in met if one.condition == _ALIGNED]
    x, true = np.array([one.features for one in here]), np.array([one.group for one in here])
    rng = np.random.default_rng(seed)

    def judged(values: np.ndarray) -> tuple[float, float]:
        found = probabilities(model, values)
        own = np.maximum(found[np.arange(len(true)), true - 1], 1e-12)
        return float(np.mean(found.argmax(axis=1) + 1 == true)), float(np.mean(np.log(own)))

    accuracy, log_probability = judged(x)
    rows = []
    for group, columns in GROUPS.items():
        losses = []
        for _ in range(_EXCHANGES):
            other = x.copy()
            other[:, columns] = x[rng.permutation(len(x))][:, columns]
            losses.append(judged(other))
        mean = np.mean(losses, axis=0)
        rows.append(
            {
                "group": group,
                "features": len(columns),
                "accuracy_lost": accuracy - float(mean[0]),
                "log_probability_lost": log_probability - float(mean[1]),
            }
        )
    return sorted(rows, key=lambda row: -row["log_probability_lost"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crystals", type=int, default=60)
    parser.add_argument("--groups", type=int, default=20, help="the commonest space groups")
    parser.add_argument("--model", type=Path, help="folder of a trained model; that of the package")
    parser.add_argument("--seed", type=int, default=1)
    record.add_out(parser)
    asked = parser.parse_args()
    settings = Cbed(groups=asked.groups)
    model = shipped() if asked.model is None else CbedModel.load(asked.model / "model.npz")
    require_known_features(model)
    met: list[Met] = []
    states: Counter[tuple[str, str, str, int]] = Counter()
    made = generated_crystals(_FIRST, asked.crystals, settings, _RESOURCES, asked.seed)
    for crystal in made:
        if isinstance(crystal, Left):
            continue
        name, atoms = crystal
        try:
            for condition, stack in stacks_of(atoms, settings, derive_seed(asked.seed, name)):
                zones = seen_in(stack)
                reasons = reasoning(zones)
                values = numbers_of(zones, reasons, stack.energy_keV)
                met.append(Met(condition, atoms.space_group, zones, reasons, values))
                states.update(counted(atoms, stack, met[-1]))
        except MlindexError as error:
            print(f"{name}: {error}")
    operations = [
        {
            "condition": condition,
            "place": place,
            "operation": kind,
            "n": sum(states[condition, place, kind, state] for state in State),
            **{state.name.lower(): states[condition, place, kind, state] for state in State},
        }
        for condition, place, kind in dict.fromkeys(key[:3] for key in sorted(states))
    ]
    tables = {
        "conditions": conditions(met, model),
        "operations": operations,
        "groups": exchanged(met, model, asked.seed),
    }
    for name, rows in tables.items():
        print(name)
        for row in rows:
            print("  ", {k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()})
    crystals = sum(one.condition == _ALIGNED for one in met)
    said = (
        f"{crystals} generated crystals of the {asked.groups} commonest space groups, three zones "
        "each, our own simulation"
    )
    record.write(asked.out, said, tables)


if __name__ == "__main__":
    main()
