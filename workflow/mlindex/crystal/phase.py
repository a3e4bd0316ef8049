"""A crystalline phase by its cell: what people write of one, and where its lines are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import gemmi
import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.cell import cell_volume, reciprocal_from_cell
from mlindex.crystal.lattice import SYSTEMS, LatticeSystem, quadratic_terms
from mlindex.crystal.lines import distinct, reflections
from mlindex.crystal.reindexed import cell_to_standard, free_positions, reindexed_from_free
from mlindex.crystal.space_groups import cell_system, symmetry_of, unique_axis

#: Lattice system and centrings of each family of Bravais lattices, on the usual axes: hexagonal
#: ones for hR. Other letters than the table of lattices has are those of other usual settings.
_FAMILIES = {
    "a": ("triclinic", "P"),
    "m": ("monoclinic", "PACI"),
    "o": ("orthorhombic", "PABCIF"),
    "t": ("tetragonal", "PI"),
    "h": ("hexagonal", "PR"),
    "c": ("cubic", "PIF"),
}
_RHOMBOHEDRAL = SYSTEMS["rhombohedral"]
#: How well six numbers must obey their lattice system: relative, and in degrees.
_FIT_REL, _FIT_DEG = 1e-3, 0.05
_PARAMETERS = ("a", "b", "c", "alpha", "beta", "gamma")
#: Lengths of cells in A.
_SHORTEST_A, _LONGEST_A = 1.0, 200.0
_UNCERTAINTY = re.compile(r"\(\d*\)$")
#: How a phase is written.
WRITTEN = (
    "the Bravais lattice or space group and the cell in A and degrees, such as 'cF 5.4312', "
    "'hR 4.7587 12.9929' (a and c) or 'mP 4.684 3.423 5.129 99.54'"
)
_LONGEST_TEXT = 60


@dataclass(frozen=True, eq=False)
class Phase:
    """A phase: its name, cell and space group, and the strengths of its lines where known.

    Attributes:
        name: what it is called in results.
        symbol: Bravais lattice or space group, as it was given.
        cell: a, b, c (A), alpha, beta, gamma (degrees).
        centring: centring letter of that cell, R for hR on hexagonal axes.
        hall: Hall symbol of the space group; empty if only the lattice is known.
        strength_q2_inv_A2, strength: q² rising (m,) of lines and multiplicity times |F|² of each,
            in any unit, where the structure is known; empty otherwise. Both end somewhere.
    """

    name: str
    symbol: str
    cell: np.ndarray
    centring: str
    hall: str = ""
    strength_q2_inv_A2: np.ndarray = field(default_factory=lambda: np.empty(0))
    strength: np.ndarray = field(default_factory=lambda: np.empty(0))

    def __repr__(self) -> str:
        return f"Phase({self.name!r}, {str(self)!r})"

    def __str__(self) -> str:
        """Lattice or space group and cell, as :func:`phase_of` reads them."""
        return f"{self.symbol} {' '.join(f'{value:.6g}' for value in self.cell)}"

    def lines(self, q2_max_inv_A2: float) -> np.ndarray:
        """Different q² (m,), rising, of the reflections that are not absent.

        Raises:
            MlindexError: there are too many to be of use.
        """
        try:
            hkl = reflections(self.cell, self.centring, q2_max_inv_A2)
        except ValueError as error:
            raise MlindexError(f"known phase {self.name}: {error}") from None
        if self.hall and len(hkl):
            hkl = hkl[~symmetry_of(self.hall).absent(hkl)]
        q2 = quadratic_terms(hkl) @ reciprocal_from_cell(self.cell)
        return q2[distinct(q2)]


def phase_of(text: str) -> Phase:
    """The phase that a text names: Bravais lattice or space group, and its cell.

    The cell is given by its free parameters in the order a, b, c, alpha, beta, gamma (A, degrees),
    or by all six; hR is on hexagonal axes, monoclinic lattices have the unique axis b.

    Raises:
        MlindexError: it can't be read so.
    """
    if not isinstance(text, str):
        raise wrong(text, "is no text")
    words = text.replace(",", " ").split()
    # A symbol may hold numbers: the most that can be the cell are taken first.
    for n in range(min(6, len(words) - 1), 0, -1):
        numbers = _numbers(words[-n:])
        found = None if numbers is None else _with_symbol(" ".join(words[:-n]), numbers)
        if found is not None:
            return found
    raise wrong(text, _problem(words))


def of_space_group(name: str, group: gemmi.SpaceGroup, cell: np.ndarray) -> Phase:
    """A phase of a space group in a setting of gemmi's table, with its six cell parameters."""
    letter = group.centring_type()
    return Phase(name, group.xhm(), np.asarray(cell, dtype=float), letter, group.hall)


def wrong(given: object, why: str) -> MlindexError:
    """What to raise for a phase that can't be read."""
    return MlindexError(
        f"known phase {str(given)[:_LONGEST_TEXT]!r}: {why}; give a CIF file, or {WRITTEN}"
    )


def _numbers(words: list[str]) -> np.ndarray | None:
    try:
        return np.array([float(_UNCERTAINTY.sub("", word)) for word in words])
    except ValueError:
        return None


def _with_symbol(symbol: str, numbers: np.ndarray) -> Phase | None:
    """The phase of a symbol if there is one, and the numbers fit it."""
    known = _of_lattice(symbol, numbers) or _of_group(symbol, numbers)
    if known is None or not _is_cell(known.cell):
        return None
    return known


def _of_lattice(symbol: str, numbers: np.ndarray) -> Phase | None:
    system, centrings = _FAMILIES.get(symbol[:1], ("", ""))
    if len(symbol) != 2 or symbol[1] not in centrings:
        return None
    letter = symbol[1]
    cell = _cell(numbers, SYSTEMS[system], "b")
    if cell is None and letter == "R":
        # Six numbers may be of rhombohedral axes, on which the lattice is primitive.
        cell, letter = _cell(numbers if len(numbers) == 6 else numbers[:0], _RHOMBOHEDRAL, ""), "P"
    return None if cell is None else _named(Phase("", symbol, cell, letter))


def _of_group(symbol: str, numbers: np.ndarray) -> Phase | None:
    angles = (numbers[3], numbers[5]) if len(numbers) == 6 else (0.0, 0.0)
    # gemmi reads no further than it must: numbers of a cell would pass.
    group = None if "." in symbol else gemmi.find_spacegroup_by_name(symbol, *angles)
    if group is None:
        return None
    cell = _cell(numbers, cell_system(group), unique_axis(group))
    return None if cell is None else _named(of_space_group("", group, cell))


def _named(phase: Phase) -> Phase:
    """The same, called by its symbol and the free parameters of its cell."""
    distinct_values = [f"{v:g}" for v in dict.fromkeys(phase.cell[:3].tolist())]
    angles = [f"{v:g}" for v in phase.cell[3:] if v not in (90.0, 120.0)]
    name = " ".join([phase.symbol, *distinct_values, *dict.fromkeys(angles)])
    return Phase(name, phase.symbol, phase.cell, phase.centring, phase.hall)


def _cell(numbers: np.ndarray, system: LatticeSystem, axis: str) -> np.ndarray | None:
    """Six cell parameters from the free ones or from all; None where they do not fit."""
    if len(numbers) == system.n_free:
        return reindexed_from_free(numbers, system, axis)
    if len(numbers) != 6:
        return None
    standard = cell_to_standard(numbers, system, axis)
    return numbers if system.fits(standard, _FIT_REL, _FIT_DEG) else None


def _is_cell(cell: np.ndarray) -> bool:
    lengths, angles = cell[:3], cell[3:]
    sound = np.all((lengths >= _SHORTEST_A) & (lengths <= _LONGEST_A))
    sound = bool(sound and np.all((angles > 0) & (angles < 180)))
    with np.errstate(invalid="ignore"):
        return sound and bool(cell_volume(cell) > 0)


def _problem(words: list[str]) -> str:
    """What is wrong with the words of a phase that can't be read."""
    n, system, axis = _symbol(words)
    if system is None:
        return "its lattice is not known"
    symbol, values = " ".join(words[:n]), words[n:]
    numbers = _numbers(values)
    if numbers is None:
        return "its cell holds something that is no number"
    free = [_PARAMETERS[place] for place in free_positions(system, axis)]
    if len(numbers) not in (len(free), 6):
        return f"{symbol} needs {', '.join(free)}, or all six parameters of such a cell"
    names = free if len(numbers) == len(free) else _PARAMETERS
    for name, value in zip(names, numbers, strict=True):
        if len(name) > 1 and not 0 < value < 180:
            return f"{name} = {value:g} is impossible: angles lie between 0 and 180 degrees"
        if len(name) == 1 and not _SHORTEST_A <= value <= _LONGEST_A:
            range_A = f"{_SHORTEST_A:g} to {_LONGEST_A:g} A"
            return f"{name} = {value:g} is impossible: lengths are {range_A}"
    if not system.fits(cell_to_standard(numbers, system, axis), _FIT_REL, _FIT_DEG):
        an = "an" if system.name[0] in "aeiou" else "a"
        return f"{an} {system.name} cell has {_conditions(system, axis)}"
    return "no cell has such angles"


def _symbol(words: list[str]) -> tuple[int, LatticeSystem | None, str]:
    """How many words are a lattice or space group, its system and unique axis; None without."""
    family, centrings = _FAMILIES.get(words[0][:1], ("", "")) if words else ("", "")
    if family and len(words[0]) == 2 and words[0][1] in centrings:
        return 1, SYSTEMS[family], "b"
    for n in range(len(words), 0, -1):
        text = " ".join(words[:n])
        group = None if "." in text else gemmi.find_spacegroup_by_name(text)
        if group is not None:
            return n, cell_system(group), unique_axis(group)
    return 0, None, ""


def _conditions(system: LatticeSystem, axis: str) -> str:
    """What a system asks of the six parameters of a cell, such as ``a = b, gamma = 120``."""
    places = cell_to_standard(np.arange(6), system, axis).astype(int)
    asked: dict[object, list[str]] = {}
    for place, entry in zip(places, system.template, strict=True):
        asked.setdefault(entry, []).append(_PARAMETERS[place])
    return ", ".join(
        " = ".join([*names, *([] if isinstance(entry, str) else [f"{entry:g}"])])
        for entry, names in asked.items()
        if len(names) > 1 or not isinstance(entry, str)
    )
