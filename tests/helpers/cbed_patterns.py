"""Patterns of discs whose symmetry is known by construction, without any physics."""

from itertools import product

import numpy as np

from mlindex.cbed.net import Net
from mlindex.cbed.stack import Stack

#: Plane point groups as generators: rotations by degrees, mirror lines by their angle in degrees.
PLANE_GROUPS = {
    "1": ((), ()),
    "2": ((180,), ()),
    "m": ((), (0,)),
    "2mm": ((180,), (0,)),
    "3": ((120,), ()),
    "3m": ((120,), (0,)),
    "4": ((90,), ()),
    "4mm": ((90,), (0,)),
    "6": ((60,), ()),
    "6mm": ((60,), (0,)),
}
#: Nets by name: the two basis vectors in 1/A.
NETS = {
    "oblique": ((0.21, 0.0), (0.05, 0.26)),
    "rectangular": ((0.21, 0.0), (0.0, 0.27)),
    "square": ((0.22, 0.0), (0.0, 0.22)),
    "hexagonal": ((0.22, 0.0), (0.11, 0.11 * np.sqrt(3))),
}
ENERGY_KEV, WAVELENGTH_A = 100.0, 0.0370143


def group_matrices(name: str) -> np.ndarray:
    """All operations (n, 2, 2) of a plane point group."""
    turns, lines = PLANE_GROUPS[name]
    order = 360 // turns[0] if turns else 1
    found = [rotation(360 / order * i) for i in range(order)]
    for line in lines:
        found += [rotation(2 * line) @ np.diag([1.0, -1.0]) @ one for one in list(found)]
    return np.array(found)


def rotation(degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


def pattern(
    net: str,
    group: str,
    turned_deg: float = 0.0,
    radius_inv_A: float = 0.09,
    pixel_inv_A: float = 0.01,
    pixels: int = 181,
    seed: int = 0,
) -> np.ndarray:
    """A pattern (pixels, pixels) of discs that has just the operations of a plane point group.

    A function of the disc and the place in it, generic otherwise, averaged over the group.
    """
    rng = np.random.default_rng(seed)
    waves = rng.normal(size=(4, 4)) * [3.0, 3.0, 30.0, 30.0]
    phases = rng.uniform(0, 2 * np.pi, 4)
    operations = group_matrices(group)
    step = (np.arange(pixels) - pixels // 2) * pixel_inv_A
    x, y = np.meshgrid(step, step)
    back = rotation(-turned_deg)
    place = np.stack([x, y], axis=-1) @ back.T
    out = np.zeros((pixels, pixels))
    basis = np.array(NETS[net])
    reach = int(step[-1] / np.linalg.norm(basis, axis=1).min() * 1.6) + 1
    for at in product(range(-reach, reach + 1), repeat=2):
        centre = np.array(at) @ basis
        if np.linalg.norm(centre) > 0.75:
            continue
        inside = place - centre
        near = np.sum(inside**2, axis=-1) < (radius_inv_A + pixel_inv_A) ** 2
        inside = inside[near]
        value = np.zeros(len(inside))
        for one in operations:
            there = np.column_stack([np.tile(one @ centre, (len(inside), 1)), inside @ one.T])
            value += 1.2 + np.sin(there @ waves.T + phases).mean(axis=1)
        far = np.linalg.norm(inside, axis=-1)
        share = np.clip((radius_inv_A - far) / pixel_inv_A + 0.5, 0, 1)
        out[near] += share * value / len(operations) * np.exp(-4 * (centre @ centre))
    return out


def stack_of(patterns: list[np.ndarray], radius_inv_A: float = 0.09) -> Stack:
    """A stack of such patterns; what a file says of the crystal is made up."""
    n = len(patterns)
    return Stack(
        patterns=np.array(patterns, dtype=np.float32),
        zones=np.tile([0, 0, 1], (n, 1)),
        y_uvw=np.tile([0.0, 1.0, 0.0], (n, 1)),
        semi_angle_rad=np.full(n, np.arcsin(radius_inv_A * WAVELENGTH_A)),
        d_A=np.full(n, 2.0),
        cell=np.array([5.0, 5, 5, 90, 90, 90]),
        energy_keV=ENERGY_KEV,
        space_group=None,
        material="",
        formula="",
        pixel_inv_A=0.01,
    )


def nets_of(reciprocal, zones):
    """The nets of a reciprocal lattice (3, 3) perpendicular to zone axes, exactly."""
    found = []
    for zone in zones:
        hkl = np.array([h for h in np.ndindex(7, 7, 7) if any(h)]) - 3
        hkl = hkl[(hkl @ np.array(zone) == 0) & hkl.any(axis=1)]
        vectors = hkl @ reciprocal
        order = np.argsort(np.linalg.norm(vectors, axis=1), kind="stable")
        first = vectors[order[0]]
        apart = np.linalg.norm(np.cross(vectors[order], first), axis=1) > 1e-9
        second = vectors[order][apart][0]
        x = first / np.linalg.norm(first)
        across = second - (second @ x) * x
        rows = [[np.linalg.norm(first), 0], [second @ x, np.linalg.norm(across)]]
        found.append(Net(np.array(rows), 1.0))
    return found
