"""The one table of lattice systems and Bravais lattices: their geometry.

What else differs between lattices is declared where it is used, keyed by their names: lines of a
model in :mod:`mlindex.learning.lattices`, defaults of the method in :mod:`mlindex.method.lattices`,
searches in :mod:`mlindex.indexing.search.walked`, published rates beside the tables that show them.
The idea it rests on: 1/d² is linear in the reciprocal parameters,

    q² = H · x,    H = (h², k², l², kl, hl, hk) · basisᵀ,

where ``x`` are the free reciprocal parameters of the lattice system (1 for cubic up to 6 for
triclinic) and ``basis`` maps them to the six of the general form (Moreau, ML-Index Methods,
eqs. 9 to 17; International Tables for Crystallography A, 1.3.2).
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

#: Order of the six reciprocal parameters x and of the quadratic terms of hkl everywhere.
QUADRATIC_TERMS = ("hh", "kk", "ll", "kl", "hl", "hk")
AXES = ("a", "b", "c")
ANGLES = ("alpha", "beta", "gamma")


#: Free parameters with no simple ratios among them (A, degrees).
_GENERIC = {"a": 7.31, "b": 9.17, "c": 12.83, "alpha": 77.3, "beta": 98.7, "gamma": 82.9}


@dataclass(frozen=True)
class LatticeSystem:
    """One of the seven lattice systems.

    ``template`` gives the six conventional cell parameters as names of free direct parameters
    or as fixed degrees. ``basis`` has one row for each free reciprocal parameter.
    """

    name: str
    template: tuple[str | float, ...]
    basis: tuple[tuple[int, ...], ...]
    #: First six-vector component in which each free reciprocal parameter appears.
    pick: tuple[int, ...]
    #: Reindexing may permute the axes so that a < b < c.
    sorts_axes: bool = False
    #: Position of the unique axis in the standard setting, None where there is none.
    unique_axis: int | None = None

    @cached_property
    def free_parameters(self) -> tuple[str, ...]:
        """Names of the free direct parameters, in the order a, b, c, alpha, beta, gamma."""
        return tuple(dict.fromkeys(p for p in self.template if isinstance(p, str)))

    @cached_property
    def free_positions(self) -> tuple[int, ...]:
        """Position in the six cell parameters at which each free one is first found."""
        return tuple(self.template.index(name) for name in self.free_parameters)

    @property
    def n_free(self) -> int:
        """Number of free parameters, direct or reciprocal."""
        return len(self.basis)

    @cached_property
    def basis_matrix(self) -> np.ndarray:
        """``basis`` as an array of shape (n_free, 6)."""
        return np.array(self.basis, dtype=float)

    def cell_from_free(self, free: np.ndarray) -> np.ndarray:
        """Six cell parameters (A, degrees), shape (..., 6), from the free ones (..., n_free)."""
        free = np.asarray(free, dtype=float)
        cell = np.empty((*free.shape[:-1], 6))
        for position, entry in enumerate(self.template):
            column = self.free_parameters.index(entry) if isinstance(entry, str) else None
            cell[..., position] = entry if column is None else free[..., column]
        return cell

    def generic_cell(self) -> np.ndarray:
        """Six cell parameters (A, degrees) of a cell without chance symmetry."""
        return self.cell_from_free(np.array([_GENERIC[name] for name in self.free_parameters]))

    def free_from_cell(self, cell: np.ndarray) -> np.ndarray:
        """Free direct parameters, shape (..., n_free), picked from six cell parameters."""
        return np.asarray(cell, dtype=float)[..., list(self.free_positions)]

    def fits(self, cell: np.ndarray, length_rel: float = 2e-3, angle_deg: float = 0.2) -> bool:
        """Whether six cell parameters obey this system's constraints within tolerances."""
        cell = np.asarray(cell, dtype=float)
        ideal = self.cell_from_free(self.free_from_cell(cell))
        return bool(
            np.all(np.abs(cell[:3] - ideal[:3]) <= length_rel * ideal[:3])
            and np.all(np.abs(cell[3:] - ideal[3:]) <= angle_deg)
        )

    def design_matrix(self, hkl: np.ndarray) -> np.ndarray:
        """H of q² = H · x: shape (..., n_free) from Miller indices of shape (..., 3)."""
        return quadratic_terms(hkl) @ self.basis_matrix.T


@dataclass(frozen=True)
class OtherSetting:
    """Another usual description of a lattice; rows of ``basis`` are its axes in ours."""

    name: str
    basis: tuple[tuple[int, int, int], ...]


#: Obverse setting (International Tables A, table 1.5.1.1): three times the volume.
_HEXAGONAL_AXES = OtherSetting("hexagonal axes", ((1, -1, 0), (0, 1, -1), (1, 1, 1)))


@dataclass(frozen=True)
class BravaisLattice:
    """One of the 14 Bravais lattices."""

    symbol: str
    system: LatticeSystem
    centring: str
    #: Lattice points in the conventional cell of this table (1 for hR on rhombohedral axes).
    n_points: int
    #: Letters that the centring can take in the standard setting, where sorting moves axes.
    centrings: tuple[str, ...]
    #: How else the cell of this lattice is often given.
    other_setting: OtherSetting | None = None


SYSTEMS: dict[str, LatticeSystem] = {
    system.name: system
    for system in (
        LatticeSystem(
            "cubic",
            ("a", "a", "a", 90.0, 90.0, 90.0),
            ((1, 1, 1, 0, 0, 0),),
            (0,),
        ),
        LatticeSystem(
            "tetragonal",
            ("a", "a", "c", 90.0, 90.0, 90.0),
            ((1, 1, 0, 0, 0, 0), (0, 0, 1, 0, 0, 0)),
            (0, 2),
        ),
        LatticeSystem(
            "hexagonal",
            ("a", "a", "c", 90.0, 90.0, 120.0),
            ((1, 1, 0, 0, 0, 1), (0, 0, 1, 0, 0, 0)),
            (0, 2),
        ),
        LatticeSystem(
            "rhombohedral",
            ("a", "a", "a", "alpha", "alpha", "alpha"),
            ((1, 1, 1, 0, 0, 0), (0, 0, 0, 1, 1, 1)),
            (0, 3),
        ),
        LatticeSystem(
            "orthorhombic",
            ("a", "b", "c", 90.0, 90.0, 90.0),
            ((1, 0, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0), (0, 0, 1, 0, 0, 0)),
            (0, 1, 2),
            sorts_axes=True,
        ),
        LatticeSystem(
            "monoclinic",
            ("a", "b", "c", 90.0, "beta", 90.0),
            ((1, 0, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0), (0, 0, 1, 0, 0, 0), (0, 0, 0, 0, 1, 0)),
            (0, 1, 2, 4),
            sorts_axes=True,
            unique_axis=1,
        ),
        LatticeSystem(
            "triclinic",
            ("a", "b", "c", "alpha", "beta", "gamma"),
            tuple(tuple(int(i == j) for j in range(6)) for i in range(6)),
            (0, 1, 2, 3, 4, 5),
            sorts_axes=True,
        ),
    )
}

BRAVAIS: dict[str, BravaisLattice] = {
    symbol: BravaisLattice(symbol, SYSTEMS[system], centring, n_points, tuple(letters), *other)
    for symbol, system, centring, n_points, letters, *other in (
        ("cP", "cubic", "P", 1, "P"),
        ("cI", "cubic", "I", 2, "I"),
        ("cF", "cubic", "F", 4, "F"),
        ("tP", "tetragonal", "P", 1, "P"),
        ("tI", "tetragonal", "I", 2, "I"),
        ("hP", "hexagonal", "P", 1, "P"),
        ("hR", "rhombohedral", "P", 1, "P", _HEXAGONAL_AXES),
        ("oP", "orthorhombic", "P", 1, "P"),
        ("oC", "orthorhombic", "C", 2, "ABC"),
        ("oI", "orthorhombic", "I", 2, "I"),
        ("oF", "orthorhombic", "F", 4, "F"),
        ("mP", "monoclinic", "P", 1, "P"),
        ("mC", "monoclinic", "C", 2, "ACI"),
        ("aP", "triclinic", "P", 1, "P"),
    )
}

#: First letter of the Bravais symbol, by crystal system as gemmi names them.
FAMILY_OF_CRYSTAL_SYSTEM = {
    "triclinic": "a",
    "monoclinic": "m",
    "orthorhombic": "o",
    "tetragonal": "t",
    "trigonal": "h",
    "hexagonal": "h",
    "cubic": "c",
}

#: Centring translations in halves of the cell axes, by centring letter.
CENTRING_TRANSLATIONS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "P": (),
    "A": ((0, 1, 1),),
    "B": ((1, 0, 1),),
    "C": ((1, 1, 0),),
    "I": ((1, 1, 1),),
    "F": ((0, 1, 1), (1, 0, 1), (1, 1, 0)),
}

#: Codes of the centring letters for compiled code.
CENTRING_CODES = {letter: code for code, letter in enumerate("PABCIFR")}

#: Vectors of a primitive basis in halves of the cell axes, by centring letter.
PRIMITIVE_HALVES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "P": ((2, 0, 0), (0, 2, 0), (0, 0, 2)),
    "A": ((2, 0, 0), (0, 1, 1), (0, -1, 1)),
    "B": ((1, 0, 1), (0, 2, 0), (-1, 0, 1)),
    "C": ((1, 1, 0), (-1, 1, 0), (0, 0, 2)),
    "I": ((-1, 1, 1), (1, -1, 1), (1, 1, -1)),
    "F": ((0, 1, 1), (1, 0, 1), (1, 1, 0)),
}

#: Centring translation of hR on hexagonal axes, obverse setting, in thirds of the cell axes.
_OBVERSE = (2, 1, 1)


def centring_rules() -> np.ndarray:
    """What each centring leaves of hkl, for compiled code: (7, 4) in the order of the codes.

    Present are hkl with h + k a multiple of the first number, and with l a multiple of the second
    when the third times h and the fourth times k are taken off it.
    """
    rows = []
    for letter in CENTRING_CODES:
        n, vectors = (3, (_OBVERSE,)) if letter == "R" else (2, CENTRING_TRANSLATIONS[letter])
        upward = [(n, -h % n, -k % n) for h, k, l in vectors if l == 1]
        rows.append((2 if (1, 1, 0) in vectors else 1, *(upward or [(1, 0, 0)])[0]))
    return np.array(rows)


def centrings_renamed(axes: tuple[int, int, int]) -> np.ndarray:
    """The codes of all centrings when the axes are put in another order: (7,).

    R is that of hexagonal axes, which have one order only, and stays.
    """
    letters = {frozenset(vectors): letter for letter, vectors in CENTRING_TRANSLATIONS.items()}
    moved = {
        letter: letters[frozenset(tuple(v[axis] for axis in axes) for v in vectors)]
        for letter, vectors in CENTRING_TRANSLATIONS.items()
    }
    return np.array([CENTRING_CODES[moved.get(letter, letter)] for letter in CENTRING_CODES])


def allowed_by_centring(hkl: np.ndarray, centring: str) -> np.ndarray:
    """Whether reflections (..., 3) are present in a lattice of that centring letter: bool (...)."""
    hkl = np.asarray(hkl)
    present = np.ones(hkl.shape[:-1], dtype=bool)
    for translation in CENTRING_TRANSLATIONS[centring]:
        present &= (hkl @ np.array(translation)) % 2 == 0
    return present


def system_of(name: str) -> LatticeSystem:
    """The lattice system of that name, or of the Bravais lattice of that symbol.

    Raises:
        ValueError: if there is none; the message lists what there is.
    """
    if name in SYSTEMS:
        return SYSTEMS[name]
    if name in BRAVAIS:
        return BRAVAIS[name].system
    known = {known.lower(): known for known in (*BRAVAIS, *SYSTEMS)}
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f" (did you mean {known[near[0]]!r}?)" if near else ""
    raise ValueError(
        f"unknown lattice {name!r}{hint}: expected one of {', '.join(SYSTEMS)} or "
        f"{', '.join(BRAVAIS)}"
    )


def bravais_of(system_name: str) -> tuple[BravaisLattice, ...]:
    """The Bravais lattices of a lattice system, in the order of the table."""
    return tuple(b for b in BRAVAIS.values() if b.system.name == system_name)


def quadratic_terms(hkl: np.ndarray) -> np.ndarray:
    """(h², k², l², kl, hl, hk), shape (..., 6), from Miller indices of shape (..., 3)."""
    hkl = np.asarray(hkl, dtype=float)
    h, k, l = hkl[..., 0], hkl[..., 1], hkl[..., 2]
    terms = np.empty((*hkl.shape[:-1], 6))
    np.square(hkl, out=terms[..., :3])
    np.multiply(k, l, out=terms[..., 3])
    np.multiply(h, l, out=terms[..., 4])
    np.multiply(h, k, out=terms[..., 5])
    return terms
