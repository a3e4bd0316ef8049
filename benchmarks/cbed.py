"""Disc intensities and time of convergent-beam patterns against abTEM, for published crystals.

    python benchmarks/cbed.py [--out docs/how_well/cbed_stacks.json]
    python benchmarks/cbed.py --abtem PYTHON [--out docs/how_well/cbed_simulator.json]

Without abTEM only time and size of our stacks are measured.

PYTHON is that of an environment with abTEM 1.0.11 (``pip install abtem``; GPL, never a dependency).
No versions conflict; it is in no extra because it brings some 35
packages that nothing else needs (dask, distributed, ipython, zarr ...).

Both programs get the same form factors, displacements and directions (two in each disc).
Rectangular cells go through abTEM's multislice, with slices of its own structure factors and its
propagator of second order, others through its Bloch waves; silicon goes through both. Multislice
cuts the crystal at a height of the cell, which changes discs by some percent, and beam space cuts
it at none: the mean over five heights of either surface is compared. R is the sum of |I - I'| over
the sum of I' of all discs within 3 1/A; beams that lie on one another along a rectangular axis are
added. Times are CPU seconds of one core: of a stack of three patterns of 512 x 512 pixels as
``mlindex cbed simulate`` makes them, the median of three after one, and of one pattern of abTEM's
(a probe on a box of some 100 A, one position; the challenge averaged 64).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import record
from cbed_crystals import CRYSTALS, Published

from mlindex.cbed.atoms import Atoms
from mlindex.cbed.beams import chosen_beams
from mlindex.cbed.detector import measured
from mlindex.cbed.orientation import Orientation, orientation_of
from mlindex.cbed.potential import (
    form_factor_coefficients,
    potential_of,
    relativistic_factor,
    wavelength_A,
)
from mlindex.cbed.rocking import Exposure, diffracted
from mlindex.cbed.settings import BeamChoice, Detector, Specimen
from mlindex.cbed.stack import Asked, Stack, simulated_stacks
from mlindex.cbed.store import write_stacks
from mlindex.cbed.zones import strongest_zones

ENERGY_KEV, SEMI_ANGLE_MRAD = 100.0, 2.8
THICKNESS_A = (100.0, 500.0)
#: Beams within this distance of the axis are compared.
COMPARED_INV_A = 3.0
_STACKS = "Stacks of three patterns at 100 keV and 100 A of {} published crystals."
#: Sizes of a stack in a file, by electrons that fall on the specimen; 0 for no counting noise.
_SIZES = {"MB": 0.0, "MB with counts": 1e6}
#: abTEM's multislice: reach of the potential, pixels, slices, beams that are kept.
#: Halved steps change zircon by 0.1 % at 100 A, by 0.4 % at 500 A.
MULTISLICE = {
    "potential_inv_A": 8.0,
    "sampling_A": 0.055,
    "slice_A": 0.3,
    "g_max_inv_A": 3.0,
    "heights": 5,
}
#: abTEM's Bloch waves. Its default, beams within 0.2 1/A of the Ewald sphere, is far from
#: converged where an upper Laue zone lies near by: one of the two sides is taken, the other not.
#: Iron tetranitride differs by 56 % at 500 A with 0.4, by 7 % with 0.25, by 2 % with 0.7 1/A.
BLOCH = {"potential_inv_A": 8.0}
PATTERN = {"slice_A": 2.0}


def main() -> None:
    """Run the comparison, print it, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--abtem", help="Python that has abTEM")
    parser.add_argument("--crystals", nargs="*", default=list(CRYSTALS), choices=list(CRYSTALS))
    record.add_out(parser)
    options = parser.parse_args()
    if not options.abtem:
        rows = list(timed(options.crystals))
        record.write(
            options.out,
            _STACKS.format(len(rows)),
            {"stacks": rows, "all": [summed(rows)]},
        )
        return
    cases = [case for name in options.crystals for case in cases_of(name)]
    drawn = [
        {"method": "pattern", **_question(one, _rectangular(one)), **PATTERN}
        for one in (CRYSTALS[name] for name in options.crystals)
        if one.zone is None
    ]
    answers = abtem_answers(options.abtem, [case["question"] for case in cases] + drawn)
    rows = [
        row for case, answer in zip(cases, answers, strict=False) for row in compared(case, answer)
    ]
    times = list(timed(options.crystals))
    peers = [answer["seconds"] for answer in answers[len(cases) :]]
    record.write(
        options.out,
        f"Intensities of discs along one zone of {len(options.crystals)} published crystals at "
        f"{ENERGY_KEV:g} keV, mean of {len(directions_mrad())} directions within "
        f"{SEMI_ANGLE_MRAD:g} mrad, without absorption; stacks of three patterns at 100 A.",
        {
            "R": rows,
            "stacks": times,
            "time": [
                {
                    "our stack, median s": round(statistics.median(t["seconds"] for t in times), 3),
                    "our stack, worst s": round(max(t["seconds"] for t in times), 3),
                    "abTEM pattern, median s": round(statistics.median(peers), 2)
                    if peers
                    else None,
                    "abTEM memory, MiB": max(answer["memory_MiB"] for answer in answers),
                }
            ],
        },
    )


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Time and size of the stacks of all crystals, printed."""
    values = {name: [row[name] for row in rows] for name in ("seconds", *_SIZES)}
    row = {
        "median s": round(statistics.median(values["seconds"]), 3),
        "mean s": round(statistics.mean(values["seconds"]), 3),
        "worst s": max(values["seconds"]),
        **{f"mean {name}": round(statistics.mean(values[name]), 3) for name in _SIZES},
    }
    print(*row.values())
    return row


def directions_mrad() -> np.ndarray:
    """Directions (m, 2) in a disc: its middle, and one on no symmetry element."""
    return SEMI_ANGLE_MRAD * np.array([[0, 0], [0.5, 0.2]])


def cases_of(name: str) -> Iterator[dict[str, Any]]:
    """Each comparison of a crystal: what abTEM is asked, and the crystal."""
    crystal = CRYSTALS[name]
    methods = ("bloch",) if crystal.zone else ("multislice",)
    for method in ("multislice", "bloch") if name == "silicon" else methods:
        axes = _axes(crystal, method)
        question = {"method": method, **_question(crystal, axes)}
        question |= MULTISLICE if method == "multislice" else BLOCH | crystal.bloch
        if method == "multislice":
            repeat = np.array(question["basis_A"])[2, 2]
            question["cells"] = [max(round(t / repeat), 1) for t in THICKNESS_A]
            question["thickness_A"] = [n * repeat for n in question["cells"]]
        yield {"name": name, "method": method, "axes": axes, "question": question}


def _axes(crystal: Published, method: str) -> np.ndarray:
    return _rectangular(crystal) if method == "multislice" else np.eye(3, dtype=int)


def _rectangular(crystal: Published) -> np.ndarray:
    return np.array(crystal.rectangular)


def _oriented(crystal: Published, atoms: Atoms) -> Orientation:
    return orientation_of(atoms, crystal.zone or (0, 0, 1))


def _turn(crystal: Published) -> np.ndarray:
    """Turns rows of components in our axes to abTEM's: a rectangular cell has its first along x."""
    if crystal.zone:
        return np.eye(2)
    first = np.linalg.inv(_oriented(crystal, crystal.atoms()).reciprocal_inv_A)[:, 0]
    cosine, sine = first[:2] / np.linalg.norm(first[:2])
    return np.array([[cosine, -sine], [sine, cosine]])


def _question(crystal: Published, axes: np.ndarray) -> dict[str, Any]:
    """The crystal in a cell with other axes (rows, in those of its own), as abTEM gets it."""
    atoms = crystal.atoms()
    basis = axes @ np.linalg.inv(_oriented(crystal, atoms).reciprocal_inv_A).T
    basis[:, :2] = basis[:, :2] @ _turn(crystal)
    if crystal.zone is None:
        basis = np.diag(np.diag(basis))
    shifts = np.array(np.meshgrid(*[np.arange(-2, 3)] * 3)).reshape(3, -1).T
    places = (atoms.xyz[:, None] + shifts) @ np.linalg.inv(axes)
    rows, images = np.nonzero(np.all((places > -1e-6) & (places < 1 - 1e-6), axis=2))
    return {
        "elements": [atoms.elements[row] for row in rows],
        "xyz": places[rows, images].tolist(),
        "u_iso_A2": atoms.u_iso_A2[rows].tolist(),
        "basis_A": basis.tolist(),
        "form_factors": {e: form_factor_coefficients(e).tolist() for e in set(atoms.elements)},
        "energy_keV": ENERGY_KEV,
        "semi_angle_mrad": SEMI_ANGLE_MRAD,
        "thickness_A": list(THICKNESS_A),
        "directions_mrad": directions_mrad().tolist(),
        "centering": crystal.group[0] if crystal.group[0] in "FICP" else "P",
    }


def abtem_answers(python: str, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What abTEM says, from the Python that has it."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answers = Path(folder, "asked.json"), Path(folder, "answers.json")
        asked.write_text(json.dumps(questions), encoding="utf-8")
        script = Path(__file__).with_name("cbed_abtem.py")
        subprocess.run([python, str(script), str(asked), str(answers)], check=True)
        return json.loads(answers.read_text(encoding="utf-8"))


def compared(case: dict[str, Any], answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """R of each thickness, printed."""
    crystal = CRYSTALS[case["name"]]
    name = "hk" if case["method"] == "multislice" else "hkl"
    inverse = np.linalg.inv(np.array(case["question"]["basis_A"])).T
    q = np.array(answer[name]) @ inverse[: len(name)]
    compared = np.linalg.norm(q[:, :2], axis=1) <= COMPARED_INV_A
    for i, thickness in enumerate(case["question"]["thickness_A"]):
        ours, n_strong = our_discs(crystal, answer["exits_A"][i], case["axes"][: len(name)])
        theirs = np.array(answer["intensity"][i])[compared]
        change = [
            abs(one - ours.get(tuple(h), 0.0))
            for h, one in zip(np.array(answer[name])[compared].tolist(), theirs, strict=True)
        ]
        bright = theirs > 0.01
        row = {
            "crystal": case["name"],
            "system": crystal.system,
            "zone": "".join(map(str, crystal.zone or (0, 0, 1))),
            "method": case["method"],
            "thickness_A": round(thickness, 1),
            "R": round(sum(change) / theirs.sum(), 4),
            "worst disc above 1 %": round(
                float(np.max(np.array(change)[bright] / theirs[bright])), 4
            ),
            "interacting beams": n_strong,
            "abTEM beams": answer["beams"],
            "abTEM s": round(answer["seconds"], 1),
        }
        print(*row.values(), flush=True)
        yield row


def our_discs(
    crystal: Published, exits_A: list[float], axes: np.ndarray
) -> tuple[dict[tuple[int, ...], float], int]:
    """Mean intensity of each disc by its indices along ``axes`` (rows), and the strong beams.

    The mean is over directions and rising thicknesses. Discs of equal indices along the axes are
    added.
    """
    atoms, choice, thickness_A = (
        crystal.atoms(),
        BeamChoice(),
        exits_A[len(exits_A) // 2],
    )
    potential = potential_of(atoms, 2 * choice.q_max_inv_A)
    exposure = Exposure(ENERGY_KEV, SEMI_ANGLE_MRAD, (thickness_A,))
    vacuum = 1 / wavelength_A(ENERGY_KEV)
    beams = chosen_beams(
        potential,
        _oriented(crystal, atoms),
        vacuum,
        relativistic_factor(ENERGY_KEV),
        exposure.radius_inv_A,
        thickness_A,
        choice,
    )
    directions = np.sin(1e-3 * directions_mrad()) * vacuum @ _turn(crystal).T
    found, _ = diffracted(beams, directions, np.array(exits_A), absorption=0.0)
    discs: dict[tuple[int, ...], float] = {}
    means = found.mean(axis=(0, 2))
    for hkl, mean in zip((beams.hkl @ axes.T).tolist(), means, strict=True):
        discs[tuple(hkl)] = discs.get(tuple(hkl), 0.0) + float(mean)
    return discs, beams.n_strong


def timed(names: list[str]) -> Iterator[dict[str, Any]]:
    """CPU seconds of a stack of each crystal, printed."""
    for name in names:
        atoms = CRYSTALS[name].atoms()
        asked = Asked(strongest_zones(atoms), (ENERGY_KEV,), (100.0,))
        seconds: list[float] = []
        for _ in range(4):
            start = time.process_time()
            made = simulated_stacks(
                atoms,
                asked,
                name,
                Specimen(),
                BeamChoice(),
                Detector(),
                np.random.default_rng(0),
            )
            one = next(made)
            seconds.append(time.process_time() - start)
        used = one.used
        row = {
            "crystal": name,
            "volume_A3": round(atoms.volume_A3, 1),
            "seconds": round(statistics.median(seconds[1:]), 3),
            "interacting beams": [one.n_strong for one in used],
            "beams": [one.n_beams for one in used],
            "directions": [one.n_directions for one in used],
            **{name: _size_MB(one.stack, dose) for name, dose in _SIZES.items()},
        }
        print(*row.values(), flush=True)
        yield row


def _size_MB(stack: Stack, dose: float) -> float:
    """Size of a stack in compressed chunks, counted with so many electrons or not at all."""
    rng, detector = np.random.default_rng(0), Detector(dose_electrons=dose)
    seen = np.stack([measured(pattern, detector, rng) for pattern in stack.patterns])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "stack.h5")
        write_stacks(path, [("stack", replace(stack, patterns=seen))], compressed=True)
        return round(path.stat().st_size / 1e6, 3)


if __name__ == "__main__":
    main()
