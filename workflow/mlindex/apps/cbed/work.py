"""What the commands below ``mlindex cbed`` do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from mlindex.apps.codes import FOUND, NONE_FOUND
from mlindex.base.atomic import atomic_path
from mlindex.base.errors import MlindexError
from mlindex.base.names import printable
from mlindex.base.section import Section
from mlindex.base.wrong import shortened, wrong
from mlindex.cbed.atoms import Atoms
from mlindex.cbed.orientation import checked_zone, shortest_in_zone
from mlindex.cbed.picture import picture
from mlindex.cbed.settings import BeamChoice, Detector, Specimen
from mlindex.cbed.stack import Asked, Simulated, Stack, simulated_stacks
from mlindex.cbed.store import Refused, read_stacks, write_stacks
from mlindex.cbed.structure import atoms_from_cif
from mlindex.cbed.zones import ZoneChoice, semi_angle_mrad, strongest_zones

_MOST_STACKS = 10_000
_SUFFIXES = (".h5", ".hdf5")
#: Options that set what is checked as config elsewhere.
_FLAGS = {
    "dose_electrons": "--dose",
    "blur_pixels": "--blur",
    "tilt_mrad": "--tilt",
    "absorption": "--absorption",
}
_WORD = re.compile(r"[+-]?\d+")


def detector(dose: float, blur: float, tilt: float) -> Detector:
    """The detector with the values of the flags.

    Raises:
        MlindexError: a value is out of its range.
    """
    return _section(Detector, dose_electrons=dose, blur_pixels=blur, tilt_mrad=tilt)


def simulate(
    crystal: Path,
    out: Path,
    zones: tuple[str, ...],
    energies_keV: tuple[float, ...],
    thicknesses_A: tuple[float, ...],
    semi_angle: float | None,
    absorption: float,
    seen_by: Detector,
    seed: int,
    compressed: bool,
) -> int:
    """Simulate, write the file and its picture, and say what was used; the code to end with.

    Raises:
        MlindexError: wrong input, or the file can't be written.
    """
    _check_out(out, crystal)
    if len(energies_keV) * len(thicknesses_A) > _MOST_STACKS:
        raise MlindexError(f"more than {_MOST_STACKS} stacks; give fewer energies or thicknesses")
    specimen = _section(Specimen, absorption=absorption)
    atoms = atoms_from_cif(crystal, specimen.u_iso_A2)
    asked = Asked(_zones(atoms, zones, semi_angle), energies_keV, thicknesses_A)
    made = simulated_stacks(
        atoms,
        asked,
        crystal.stem[:200],
        specimen,
        BeamChoice(),
        seen_by,
        np.random.default_rng(seed),
    )
    first: list[Stack] = []

    def named():
        for i, one in enumerate(made):
            first[:] = first or [one.stack]
            print(_said(one))
            yield f"sample_0_{i}", one.stack

    count = write_stacks(out, named(), compressed)
    shown = out.with_suffix(".png")
    with atomic_path(shown) as path:
        path.write_bytes(picture(first[0].patterns))
    print(f"written: {out} ({count} {'stack' if count == 1 else 'stacks'}), {shown}")
    return FOUND


def _check_out(out: Path, crystal: Path) -> None:
    """Raise MlindexError where the stacks can't be written, before anything is calculated."""
    if out.suffix.lower() not in _SUFFIXES:
        raise MlindexError(
            f"{out}: give a name that ends with {' or '.join(_SUFFIXES)}; the picture comes beside"
        )
    if out.is_dir() or not out.parent.is_dir():
        what = "is a folder" if out.is_dir() else f"there is no folder {out.parent}"
        raise MlindexError(f"{out}: {what}; give the name of a file to write")
    if out.exists() and crystal.exists() and out.samefile(crystal):
        raise MlindexError(f"{out}: is the crystal; give another name for the stacks")
    shown = out.with_suffix(".png")
    if (shown.exists() or shown.is_symlink()) and not out.exists():
        raise MlindexError(
            f"{shown}: is there, without stacks in {out}; it would be replaced by their picture; "
            "move it away, or give another name for the stacks"
        )


def _section(kind: type[Section], **values: Any) -> Any:
    try:
        return kind(**values)
    except ValidationError as error:
        problem = error.errors()[0]
        flag = _FLAGS[str(problem["loc"][0])]
        raise MlindexError(
            f"{flag}: {wrong(problem)} (got {shortened(problem['input'])})"
        ) from None


def _zones(
    atoms: Atoms, texts: tuple[str, ...], semi_angle: float | None
) -> tuple[ZoneChoice, ...]:
    """The zones that are named, or those of the strongest lines."""
    if not texts:
        chosen = strongest_zones(atoms)
        if semi_angle is None:
            return chosen
        return tuple(ZoneChoice(one.zone, one.d_A, semi_angle) for one in chosen)
    reciprocal = np.linalg.inv(atoms.basis_A).T
    named = []
    for zone in (_zone(text) for text in texts):
        d_A = float(1 / np.linalg.norm(shortest_in_zone(zone, reciprocal) @ reciprocal))
        angle = semi_angle_mrad(d_A) if semi_angle is None else semi_angle
        named.append(ZoneChoice(zone, d_A, angle))
    return tuple(named)


def _zone(text: str) -> tuple[int, int, int]:
    words = text.replace(",", " ").strip("[] ").split()
    if len(words) == 1:
        words = re.findall(r"[+-]?\d", words[0]) if _WORD.match(words[0]) else words
    if len(words) != 3 or not all(_WORD.fullmatch(word) for word in words):
        raise MlindexError(f"zone axis {text!r}: give three whole numbers such as '1 -1 0'")
    return checked_zone(tuple(int(word) for word in words))


def _said(one: Simulated) -> str:
    stack = one.stack
    lines = [f"{stack.energy_keV:g} keV, {stack.thickness_A:g} A"]
    for zone, angle, used in zip(stack.zones, stack.semi_angle_rad, one.used, strict=True):
        lines.append(
            f"  [{' '.join(str(i) for i in zone)}] {angle * 1e3:.3g} mrad: {used.n_beams} beams, "
            f"{used.n_strong} of them interacting, {used.n_perturbing} perturbing (weights from "
            f"{used.weights.strong:.2g} and {used.weights.perturbing:.2g}), up to "
            f"{used.q_max_inv_A:.3g} 1/A; {used.n_directions} directions every "
            f"{used.pitch_inv_A:.3g} 1/A, {used.matrix_products} matrix products"
        )
    return "\n".join(lines)


def read(file: Path, as_json: bool) -> int:
    """Say what is in a file; the code to end with.

    Raises:
        MlindexError: it is no file of stacks.
    """
    usable = 0
    for name, found in read_stacks(file):
        usable += isinstance(found, Stack)
        data = _data(found)
        if as_json:
            print(json.dumps({"sample": name, **data}, allow_nan=False))
        elif isinstance(found, Refused):
            print(printable(f"{name}: refused: {found.reason} (seen: {found.seen})"))
        else:
            print(printable(f"{name}: {_line(found)}"))
    return FOUND if usable else NONE_FOUND


def _data(found: Stack | Refused) -> dict[str, Any]:
    if isinstance(found, Refused):
        return {"refused": found.reason, "seen": found.seen}
    return {
        "material": found.material,
        "formula": found.formula,
        "space_group": found.space_group,
        "energy_keV": found.energy_keV,
        "thickness_A": found.thickness_A,
        "zones": found.zones.tolist(),
        "y_uvw": found.y_uvw.tolist(),
        "semi_angle_mrad": (found.semi_angle_rad * 1e3).tolist(),
        "d_A": found.d_A.tolist(),
        "cell": found.cell.tolist(),
        "shape": list(found.patterns.shape),
    }


def _line(stack: Stack) -> str:
    zones = ", ".join("[" + " ".join(str(i) for i in zone) + "]" for zone in stack.zones)
    group = "space group not stated" if stack.space_group is None else f"no. {stack.space_group}"
    size = " x ".join(str(n) for n in stack.patterns.shape)
    return f"{stack.formula} ({stack.material}), {group}, {stack.energy_keV:g} keV, {zones}, {size}"
