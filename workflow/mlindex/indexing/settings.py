"""Config of the measured samples to index."""

from __future__ import annotations

from pydantic import AliasChoices, Field, field_validator

from mlindex.base.errors import MlindexError
from mlindex.base.section import Section, setting
from mlindex.crystal.formula import formula_of
from mlindex.indexing.options import Options, check_lattices


class Sample(Section):
    """A measured peak list or a whole pattern, in any format of `mlindex formats`."""

    path: str = Field(description="The file.")
    wavelength_A: float | None = setting(
        None, "Wavelength; needed for 2theta where the file does not state it.", "A", gt=0
    )
    lattices: tuple[str, ...] = setting(
        (),
        "Lattice systems or Bravais lattices to try; empty: all 14. Formerly `lattice_systems`.",
        validation_alias=AliasChoices("lattices", "lattice_systems"),
    )
    two_theta_error_deg: float | None = setting(
        None,
        "Standard error of 2theta; none: that of the file, or 0.02 (less below 1.54 A).",
        "degree",
        gt=0,
    )
    lines: int | None = setting(
        None,
        "Lines to use, from the first; none: 20 to search with, up to 40 to weigh what was found.",
        ge=4,
        le=60,
    )
    formula: str | None = setting(
        None,
        "What the crystal is made of, such as C8H9NO2: cells that hold no whole number of such "
        "units become less probable.",
    )
    time_limit_s: float = setting(
        300.0,
        "The search ends then; only a search that ends by itself is the same again.",
        "s",
        gt=0,
    )

    @field_validator("lattices")
    @classmethod
    def _lattices_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            check_lattices(value)
        except MlindexError as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("formula")
    @classmethod
    def _formula_is_one(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                formula_of(value)
            except MlindexError as error:
                raise ValueError(str(error)) from None
        return value

    def options(self) -> Options:
        """The same as options of indexing."""
        return Options(
            wavelength_A=self.wavelength_A,
            lattices=self.lattices,
            two_theta_error_deg=self.two_theta_error_deg,
            n_lines=self.lines,
            time_limit_s=self.time_limit_s,
            formula=self.formula,
        )
