"""What can be asked of indexing, wherever it is asked from: a command, the workflow, a batch."""

from __future__ import annotations

from dataclasses import dataclass

from mlindex.base.errors import MlindexError
from mlindex.crystal.lattice import system_of


@dataclass(frozen=True)
class Options:
    """Options of :func:`mlindex.index`, and the wavelength (A) for files that do not state it."""

    wavelength_A: float | None = None
    lattices: tuple[str, ...] = ()
    two_theta_error_deg: float | None = None
    n_lines: int | None = None
    time_limit_s: float = 60.0
    keep: int = 20
    formula: str | None = None


def check_lattices(lattices: tuple[str, ...]) -> None:
    """Raise MlindexError if one is neither a lattice system nor a Bravais lattice."""
    for name in lattices:
        try:
            system_of(name)
        except ValueError as error:
            raise MlindexError(str(error)) from None
