"""abTEM's side of cbed.py, which runs it with the Python of an environment that has abTEM.

    PYTHON benchmarks/cbed_abtem.py ASKED.json ANSWERS.json

abTEM (GPL) is a referee: nothing of it is in the package, and nothing of the package is here. Form
factors come with the question, so that both programs scatter from the same atoms.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import abtem
import ase
import numpy as np
from abtem.antialias import AntialiasAperture
from abtem.bloch import BlochWaves, StructureFactor
from abtem.multislice import FresnelPropagator, conventional_multislice_step
from abtem.parametrizations import PengParametrization


def main() -> None:
    """Answer each question of the file."""
    warnings.simplefilter("ignore")
    abtem.config.set({"diagnostics.progress_bar": False, "dask.lazy": False})
    asked, answers = map(Path, sys.argv[1:])
    found = []
    for question in json.loads(asked.read_text(encoding="utf-8")):
        start = time.process_time()
        answer = METHODS[question["method"]](question)
        answer["seconds"] = time.process_time() - start
        answer["memory_MiB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        found.append(answer)
    answers.write_text(json.dumps(found), encoding="utf-8")


def _atoms(question: dict[str, Any]) -> ase.Atoms:
    return ase.Atoms(
        question["elements"],
        scaled_positions=np.array(question["xyz"]),
        cell=np.array(question["basis_A"]),
        pbc=True,
    )


def _structure_factor(question: dict[str, Any]) -> StructureFactor:
    table = {name: np.array(rows) for name, rows in question["form_factors"].items()}
    return StructureFactor(
        _atoms(question),
        g_max=question["potential_inv_A"],
        parametrization=PengParametrization(table),
        thermal_sigma=np.sqrt(question["u_iso_A2"]),
        cutoff="hard",
        centering="P",
    )


def _multislice(question: dict[str, Any]) -> dict[str, Any]:
    """Plane waves through a rectangular cell, repeated along the beam: beams (h, k).

    The mean over crystals that begin at several heights in the cell and end at several: what a
    flat surface does to the wave depends on where it cuts the cell. The propagator is that of
    second order, for that of first order moves the lines of upper Laue zones.
    """
    basis = np.array(question["basis_A"])
    potential = (
        _structure_factor(question)
        .build(lazy=False)
        .get_projected_potential(
            slice_thickness=question["slice_A"], sampling=question["sampling_A"]
        )
    )
    aperture = AntialiasAperture()
    once = potential.transmission_function(1e3 * question["energy_keV"])
    once = aperture.bandlimit(once, in_place=False)
    slices = [once.get_chunk(i, i + 1) for i in range(len(once.array))]
    n, heights = len(slices), question["heights"]
    exits = [
        [round((cells - 0.5) * n) + round(j * n / heights) for j in range(heights)]
        for cells in question["cells"]
    ]
    propagators = {one.slice_thickness[0]: FresnelPropagator() for one in slices}
    total: Any = 0.0
    for start in (round(j * n / heights) for j in range(heights)):
        wave = abtem.PlaneWave(
            energy=1e3 * question["energy_keV"],
            tilt=np.array(question["directions_mrad"]),
        )
        wave.grid.match(potential)
        wave, done, seen = wave.build(lazy=False), 0, []
        for stop in (stop for several in exits for stop in several):
            for i in range(done, stop):
                one = slices[(start + i) % n]
                propagator = propagators[one.slice_thickness[0]]
                wave = conventional_multislice_step(wave, one, propagator, aperture, order=2)
            done = stop
            amplitude = np.fft.fft2(np.asarray(wave.array), norm="forward")
            seen.append((np.abs(amplitude) ** 2).mean(axis=0))
        total = total + np.array(seen).reshape(len(exits), heights, *amplitude.shape[1:]).mean(1)
    reach = [int(question["g_max_inv_A"] * basis[i, i]) for i in range(2)]
    h, k = (np.arange(-most, most + 1) for most in reach)
    chosen = (total / heights)[:, h[:, None], k[None, :]].reshape(len(exits), -1)
    hk = np.stack(np.meshgrid(h, k, indexing="ij"), axis=-1).reshape(-1, 2)
    return {
        "hk": hk.tolist(),
        "intensity": chosen.tolist(),
        "beams": len(hk),
        "exits_A": (np.array(exits) / n * basis[2, 2]).tolist(),
    }


def _bloch(question: dict[str, Any]) -> dict[str, Any]:
    """Bloch waves, the crystal turned so that the beam is along z: beams (h, k, l)."""
    factor = _structure_factor(question).build(lazy=False)
    found: dict[tuple[int, ...], np.ndarray] = {}
    beams = 0
    for kx, ky in question["directions_mrad"]:
        waves = BlochWaves(
            factor,
            energy=1e3 * question["energy_keV"],
            sg_max=question["sg_max_inv_A"],
            g_max=question["g_max_inv_A"],
            orientation_matrix=_turn(1e-3 * kx, 1e-3 * ky),
            centering=question["centering"],
        )
        beams = max(beams, len(waves))
        patterns = waves.calculate_diffraction_patterns(question["thickness_A"], lazy=False)
        for hkl, one in zip(
            patterns.miller_indices.tolist(), np.asarray(patterns.array).T, strict=True
        ):
            found[tuple(hkl)] = found.get(tuple(hkl), 0) + one
    mean = np.array(list(found.values())).T / len(question["directions_mrad"])
    return {
        "hkl": list(found),
        "intensity": mean.tolist(),
        "beams": beams,
        "exits_A": [[thickness] for thickness in question["thickness_A"]],
    }


def _turn(x: float, y: float) -> np.ndarray:
    """The rotation that takes the direction with components sin x and sin y to z."""
    beam = np.array([np.sin(x), np.sin(y), 0])
    beam[2] = np.sqrt(1 - beam @ beam)
    cosine, axis = beam[2], np.cross(beam, [0, 0, 1])
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + cross + cross @ cross / (1 + cosine)


def _pattern(question: dict[str, Any]) -> dict[str, Any]:
    """One pattern as the challenge's: a probe, 512 x 512 pixels, a box of some 100 A."""
    atoms = _atoms(question)
    repeats = np.maximum(np.rint(100 / np.diag(question["basis_A"])), 1).astype(int)
    potential = abtem.Potential(
        atoms.repeat(repeats),
        gpts=512,
        slice_thickness=question["slice_A"],
        parametrization="kirkland",
    )
    probe = abtem.Probe(
        energy=1e3 * question["energy_keV"],
        semiangle_cutoff=question["semi_angle_mrad"],
    )
    probe.grid.match(potential)
    wave = probe.multislice(potential)
    pattern = wave.diffraction_patterns(max_angle=None)
    return {"shape": list(np.asarray(pattern.array).shape)}


METHODS = {"multislice": _multislice, "bloch": _bloch, "pattern": _pattern}

if __name__ == "__main__":
    main()
