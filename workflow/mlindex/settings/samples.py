"""Config of the measured peak lists to index."""

from __future__ import annotations

from pydantic import Field

from mlindex.settings.base import Section, setting


class Sample(Section):
    """A measured peak list."""

    path: str = Field(description="The peak list.")
    wavelength_A: float | None = setting(
        None, "Wavelength; needed where the list gives 2theta and does not state it.", "A"
    )
    lattice_systems: tuple[str, ...] = setting((), "Lattice systems to try; empty: all seven.")
