"""Published structures that the simulation of convergent-beam patterns is measured on.

Mean square displacements are those of the sources where they state them, else near ones of their
element at room temperature: both programs get the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import gemmi
import numpy as np

from mlindex.cbed.atoms import Atoms, atoms_of

Site = tuple[str, tuple[float, float, float], float]


@dataclass(frozen=True)
class Published:
    """A structure: space group, cell in A and degrees, and sites (element, xyz, U in A²).

    ``zone`` is looked along. Where it is None the zone is [001] of the rectangular cell that
    ``rectangular`` (rows: its axes in those of the cell) makes of an orthogonal one. ``bloch``
    is the basis of abTEM's Bloch waves.
    """

    system: str
    group: str
    cell: tuple[float, float, float, float, float, float]
    sites: tuple[Site, ...]
    source: str
    zone: tuple[int, int, int] | None = None
    rectangular: tuple[tuple[int, int, int], ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    bloch: Mapping[str, float] = field(default_factory=dict)

    def atoms(self) -> Atoms:
        """All atoms of the cell."""
        group = gemmi.find_spacegroup_by_name(self.group)
        elements, xyz, u_iso = zip(*self.sites, strict=True)
        n = len(elements)
        return atoms_of(
            np.array(self.cell),
            group.hall,
            group.number,
            elements,
            np.array(xyz, dtype=float),
            np.ones(n),
            np.array(u_iso),
        )


def _cubic(a: float) -> tuple[float, float, float, float, float, float]:
    return (a, a, a, 90.0, 90.0, 90.0)


_HEXAGONAL = ((1, 0, 0), (1, 2, 0), (0, 0, 1))

CRYSTALS = {
    "silicon": Published(
        "cubic",
        "F d -3 m:2",
        _cubic(5.4310),
        (("Si", (0.125, 0.125, 0.125), 0.0059),),
        "Bond, Acta Cryst. 13 (1960) 814",
        bloch={"sg_max_inv_A": 0.5, "g_max_inv_A": 3.5},
    ),
    "gallium arsenide": Published(
        "cubic",
        "F -4 3 m",
        _cubic(5.6533),
        (("Ga", (0, 0, 0), 0.0084), ("As", (0.25, 0.25, 0.25), 0.0073)),
        "Wyckoff, Crystal Structures 1 (1963) 110",
    ),
    "halite": Published(
        "cubic",
        "F m -3 m",
        _cubic(5.6402),
        (("Na", (0, 0, 0), 0.0219), ("Cl", (0.5, 0.5, 0.5), 0.0174)),
        "Wyckoff, Crystal Structures 1 (1963) 86",
    ),
    "rutile": Published(
        "tetragonal",
        "P 42/m n m",
        (4.5937, 4.5937, 2.9587, 90.0, 90.0, 90.0),
        (("Ti", (0, 0, 0), 0.0054), ("O", (0.30479, 0.30479, 0), 0.0049)),
        "Abrahams & Bernstein, J. Chem. Phys. 55 (1971) 3206",
    ),
    "zircon": Published(
        "tetragonal",
        "I 41/a m d:2",
        (6.607, 6.607, 5.982, 90.0, 90.0, 90.0),
        (
            ("Zr", (0, 0.75, 0.125), 0.0036),
            ("Si", (0, 0.75, 0.625), 0.0042),
            ("O", (0, 0.0661, 0.1953), 0.0069),
        ),
        "Robinson, Gibbs & Ribbe, Am. Mineral. 56 (1971) 782",
    ),
    "forsterite": Published(
        "orthorhombic",
        "P b n m",
        (4.756, 10.207, 5.980, 90.0, 90.0, 90.0),
        (
            ("Mg", (0, 0, 0), 0.0055),
            ("Mg", (0.9915, 0.2774, 0.25), 0.0054),
            ("Si", (0.4262, 0.0940, 0.25), 0.0035),
            ("O", (0.7657, 0.0913, 0.25), 0.0055),
            ("O", (0.2215, 0.4474, 0.25), 0.0056),
            ("O", (0.2777, 0.1628, 0.0331), 0.0058),
        ),
        "Fujino, Sasaki, Takeuchi & Sadanaga, Acta Cryst. B37 (1981) 513",
    ),
    "calcite": Published(
        "trigonal",
        "R -3 c:H",
        (4.9896, 4.9896, 17.061, 90.0, 90.0, 120.0),
        (
            ("Ca", (0, 0, 0), 0.0091),
            ("C", (0, 0, 0.25), 0.0082),
            ("O", (0.2568, 0, 0.25), 0.0145),
        ),
        "Graf, Am. Mineral. 46 (1961) 1283",
        rectangular=_HEXAGONAL,
    ),
    "quartz": Published(
        "trigonal",
        "P 32 2 1",
        (4.916, 4.916, 5.4054, 90.0, 90.0, 120.0),
        (
            ("Si", (0.4697, 0, 2 / 3), 0.0062),
            ("O", (0.4135, 0.2669, 0.1191 + 2 / 3), 0.0121),
        ),
        "Levien, Prewitt & Weidner, Am. Mineral. 65 (1980) 920",
        rectangular=_HEXAGONAL,
    ),
    "magnesium": Published(
        "hexagonal",
        "P 63/m m c",
        (3.2094, 3.2094, 5.2108, 90.0, 90.0, 120.0),
        (("Mg", (1 / 3, 2 / 3, 0.25), 0.0190),),
        "Wyckoff, Crystal Structures 1 (1963) 11",
        rectangular=_HEXAGONAL,
    ),
    "tenorite": Published(
        "monoclinic",
        "C 1 2/c 1",
        (4.6837, 3.4226, 5.1288, 90.0, 99.54, 90.0),
        (("Cu", (0.25, 0.25, 0), 0.0058), ("O", (0, 0.4184, 0.25), 0.0070)),
        "Asbrink & Norrby, Acta Cryst. B26 (1970) 8",
        zone=(0, 0, 1),
        bloch={"sg_max_inv_A": 0.5, "g_max_inv_A": 3.5},
    ),
    "iron tetranitride": Published(
        "triclinic",
        "P -1",
        (2.4473, 3.4688, 3.5144, 105.22, 110.60, 91.39),
        (
            ("Fe", (0.5, 0, 0), 0.0072),
            ("N", (0.163, -0.346, -0.485), 0.0066),
            ("N", (0.065, -0.309, -0.861), 0.0068),
        ),
        "Bykov et al., Acta Cryst. E74 (2018) 1392",
        zone=(1, 0, 0),
        bloch={"sg_max_inv_A": 0.7, "g_max_inv_A": 4.0},
    ),
}
