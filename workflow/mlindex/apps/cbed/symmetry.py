"""What ``mlindex cbed symmetry`` does: read stacks, ask the model, say why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from mlindex.apps.codes import FOUND, NONE_FOUND
from mlindex.apps.printing import on_stdout
from mlindex.base.errors import MlindexError
from mlindex.base.names import printable
from mlindex.cbed.answer import Answer, answer_of, require_known_features
from mlindex.cbed.diffraction_groups import GROUPS, point_groups
from mlindex.cbed.model import CbedModel
from mlindex.cbed.reasoning import State
from mlindex.cbed.shipped import shipped
from mlindex.cbed.stack import Stack
from mlindex.cbed.store import Refused, read_stacks
from mlindex.crystal.symmetry_classes import N_GROUPS

#: The file of a model in the folder that training writes.
MODEL_FILE = "model.npz"
_BY_REASONING = (
    "by reasoning alone: how well each group agrees with the patterns, and how often it is met "
    "among known structures"
)


def symmetry(
    file: Path,
    model: Path | None,
    sample: str | None,
    rows: int,
    as_json: bool,
    by_reasoning: bool = False,
) -> int:
    """Say the symmetry of each stack of a file; the code to end with.

    Args:
        file: stacks, of the challenge or ours.
        model: folder or file of a trained model; that of the package if None.
        sample: the only one to look at, by its name.
        rows: groups to show at most.
        as_json: print JSON, a sample a line.
        by_reasoning: use no model.

    Raises:
        MlindexError: the file or the model can't be read, or there is no such sample.
    """
    if by_reasoning and model is not None:
        raise MlindexError("--model and --reasoning exclude each other; give one of them")
    trained = None if by_reasoning else shipped() if model is None else _model(model)
    covered = () if trained is None else tuple((np.flatnonzero(trained.covered) + 1).tolist())
    answered = met = 0
    for name, found in read_stacks(file):
        if sample is not None and name != sample:
            continue
        met += 1
        answer = found if isinstance(found, Refused) else _answer(found, trained)
        answered += isinstance(answer, Answer) and answer.seen
        stated = found.space_group if isinstance(found, Stack) else None
        text = (
            json.dumps({"sample": name, **_data(answer, rows, stated, covered)}, allow_nan=False)
            if as_json
            else printable(_said(name, answer, rows, stated, covered), keep="\n")
        )
        on_stdout(lambda text=text: print(text))
    if not met:
        raise MlindexError(f"{file}: no sample {sample!r}; 'mlindex cbed read' lists them")
    return FOUND if answered else NONE_FOUND


def _model(path: Path) -> CbedModel:
    inside = path / MODEL_FILE if path.is_dir() else path
    if not inside.is_file():
        raise MlindexError(
            f"{path}: holds no {MODEL_FILE}; give the folder of a trained model, such as that "
            "which 'snakemake --cores 2 results/cbed/space_group' makes"
        )
    model = CbedModel.load(inside)
    require_known_features(model)
    return model


def _answer(stack: Stack, model: CbedModel | None) -> Answer | Refused:
    try:
        return answer_of(stack, model)
    except (MlindexError, ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        return Refused("", f"{type(error).__name__}: {error}"[:200], "its patterns can't be read")


def _named(number: int) -> str:
    return gemmi.find_spacegroup_by_number(number).hm


def _first(values: np.ndarray, rows: int) -> list[tuple[int, float]]:
    order = np.argsort(-values, kind="stable")[:rows]
    return [(int(i) + 1, float(values[i])) for i in order]


def _by(covered: tuple[int, ...]) -> str:
    """What the probabilities are made by, in words."""
    if not covered:
        return _BY_REASONING
    listed = "all" if len(covered) == N_GROUPS else ", ".join(str(number) for number in covered)
    return f"the model has learnt {len(covered)} of {N_GROUPS} groups, and names no other: {listed}"


def _point_groups(answer: Answer, rows: int) -> list[tuple[str, float]]:
    found = answer.point_group_probability
    return sorted(found.items(), key=lambda item: -item[1])[:rows]


def _data(
    answer: Answer | Refused, rows: int, stated: int | None, covered: tuple[int, ...]
) -> dict[str, Any]:
    if isinstance(answer, Refused):
        return {"refused": answer.reason, "seen": answer.seen}
    likelihood = answer.reasons.log_likelihood
    return {
        "by": "model" if answer.learnt else "reasoning",
        "space_groups": [
            {"number": number, "symbol": _named(number), "probability": share}
            for number, share in _first(answer.probability, rows)
        ],
        "groups_covered": list(covered) or None,
        "agreement": [
            {"number": number, "symbol": _named(number), "log_likelihood": round(value, 3)}
            for number, value in _first(answer.evidence, rows if answer.evidence.any() else 0)
        ],
        "point_groups": [
            {"symbol": symbol, "probability": share}
            for symbol, share in _point_groups(answer, rows)
        ],
        "stated_space_group": stated,
        "zones": [None if one is None else _zone(one) for one in answer.reasons.zones],
        "point_group_log_likelihood": dict(
            zip(point_groups(), np.round(likelihood, 3).tolist(), strict=True)
        ),
        "why": list(answer.why),
    }


def _zone(one: Any) -> dict[str, Any]:
    """What one pattern shows, as data."""
    return {
        "operations": [
            {
                "operation": str(operation.order) if operation.order else "m",
                "angle_deg": round(float(np.degrees(operation.angle_rad)), 2),
                "whole_pattern": State(whole).name.lower(),
                "bright_field": State(bright).name.lower(),
            }
            for operation, whole, bright in zip(one.operations, one.whole, one.bright, strict=True)
        ],
        "diffraction_groups": list(one.diffraction_groups),
        "log_likelihood": dict(zip(GROUPS, np.round(one.log_likelihood, 3).tolist(), strict=True)),
    }


def _said(
    name: str, answer: Answer | Refused, rows: int, stated: int | None, covered: tuple[int, ...]
) -> str:
    if isinstance(answer, Refused):
        return f"{name}: refused: {answer.reason} (seen: {answer.seen})"
    lines = [name if stated is None else f"{name} (the file states no. {stated})"]
    groups = [f"{_named(n)} (no. {n}) {share:.1%}" for n, share in _first(answer.probability, rows)]
    lines.append(f"  space groups: {', '.join(groups)}")
    groups = [f"{symbol} {share:.1%}" for symbol, share in _point_groups(answer, rows)]
    lines.append(f"  point groups: {', '.join(groups)}")
    lines.append(f"  {_by(covered)}")
    if answer.evidence.any():
        groups = [f"{_named(n)} (no. {n})" for n, _ in _first(answer.evidence, rows)]
        lines.append(f"  of all {N_GROUPS} groups these agree best: {', '.join(groups)}")
    return "\n".join([*lines, "  why:", *(f"    {sentence}" for sentence in answer.why)])
