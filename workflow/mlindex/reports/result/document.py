"""The JSON document of a result, declared once; its JSON Schema follows from it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from mlindex.crystal.lattice import BRAVAIS, SYSTEMS

#: Raised when a field changes its meaning or goes; new fields do not raise it.
VERSION = 2

BravaisSymbol = Annotated[
    str, Field(description="Bravais lattice", json_schema_extra={"enum": list(BRAVAIS)})
]
SystemName = Annotated[
    str, Field(description="Lattice system", json_schema_extra={"enum": list(SYSTEMS)})
]
Share = Annotated[float, Field(ge=0, le=1)]
Hkl = tuple[int, int, int]
Row = tuple[float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Cell(_Part):
    """Cell parameters: lengths in A, angles in degrees."""

    a_A: float
    b_A: float
    c_A: float
    alpha_deg: float
    beta_deg: float
    gamma_deg: float


class ObservedLine(_Part):
    """A line of the peak list, as measured."""

    line: int = Field(ge=1, description="Number of the line, from 1")
    q2_inv_A2: float = Field(description="1/d² in 1/A²")
    d_A: float = Field(description="Spacing in A")
    two_theta_deg: float | None = Field(description="2theta; null without a wavelength")
    two_theta_error_deg: float | None = Field(
        description="Its uncertainty, where known; at 1.5406 A without a wavelength"
    )
    fwhm_deg: float | None = Field(description="Width, where known; at 1.5406 A likewise")
    intensity: float | None = Field(description="Intensity, where known")
    phase: str | None = Field(
        description="Phases that it belongs to, by name, joined by ' + '; null where that is open, "
        "or where there is one phase alone"
    )


class CandidateLine(_Part):
    """An observed line as a candidate indexes it; null where it does not."""

    line: int = Field(ge=1, description="Number of the observed line")
    indexed: bool
    hkl: Hkl | None
    q2_corrected_inv_A2: float = Field(description="Observed 1/d², corrected for the shift")
    q2_calculated_inv_A2: float | None
    d_calculated_A: float | None
    two_theta_calculated_deg: float | None = Field(
        description="Without the shift; null without a wavelength too"
    )
    q2_difference_inv_A2: float | None = Field(description="Corrected minus calculated 1/d²")
    two_theta_difference_deg: float | None = Field(
        description="Corrected minus calculated 2theta; null without a wavelength too"
    )


class Absent(_Part):
    """A line that a candidate predicts inside the measured range and that was not observed."""

    hkl: Hkl
    q2_inv_A2: float
    d_A: float
    two_theta_deg: float | None = Field(description="Calculated; null without a wavelength")


class ExtinctionSymbol(_Part):
    """An extinction symbol, with the space groups that have it."""

    symbol: str
    space_groups: list[str]
    probability: Share = Field(description="Probability among all symbols of the Bravais lattice")
    contradicted: int = Field(
        ge=0, description="Observed lines that only reflections forbidden by it explain"
    )


class OtherSetting(_Part):
    """The same lattice on other axes that it is often given on."""

    setting: str = Field(description="These axes, e.g. rhombohedral axes or C-centred cell")
    centring: str = Field(description="Centring letter on these axes")
    cell: Cell
    cell_uncertainty: Cell | None = Field(
        description="Standard uncertainties; 0 where fixed; null for partners"
    )
    volume_A3: float
    axes: tuple[Row, Row, Row] = Field(
        description="Rows: these axes in terms of those of the cell beside which they are given; "
        "Miller indices change alike"
    )


class PartnerLattice(_Part):
    """Another lattice with the same line positions, and the lines that only one of the two has."""

    bravais_lattice: BravaisSymbol
    centring: str = Field(description="Centring letter of the cell given")
    setting: str = Field(description="Axes of the cell given")
    cell: Cell
    other_settings: list[OtherSetting]
    relation: str
    distinguishing_q2_inv_A2: list[float]
    distinguishing_two_theta_deg: list[float | None] | None = Field(
        description="The same lines, without the shift; null where out of reach or unknown"
    )
    probability: Share | None = Field(
        description="Its probability as a candidate; null where it is not among them"
    )


class ProfileFitted(_Part):
    """The fit of a candidate to the whole profile of its pattern (Pawley)."""

    r_wp: float = Field(description="Weighted profile R factor, background included")
    goodness: float = Field(description="R_wp over what counting allows for")
    explained: Share = Field(
        description="Share of the intensity over the background that lines of the cell explain"
    )
    n_lines: int = Field(description="Lines of the cell that the fit can tell apart")
    n_other_peaks: int = Field(description="Peaks fitted beside them, which are none of its lines")
    zero_shift_deg: float = Field(description="Observed minus true 2theta; 0 where not needed")
    displacement_deg: float = Field(
        description="Sample displacement: this times cos(theta) is observed minus true 2theta; 0 "
        "where not needed"
    )
    log_evidence: float = Field(
        description="Natural logarithm of the evidence of the profile; differences between "
        "candidates of one pattern count"
    )
    probability_before: Share = Field(
        description="Probability of the candidate by its lines alone, without the profile"
    )
    two_theta_max_deg: float = Field(description="Where the fit ends")


class CandidateCell(_Part):
    """A candidate: its cell on the usual axes, figures of merit, lines and partners.

    ``cell``, its uncertainties and volume, ``centring`` and all Miller indices are those of
    ``setting``: hexagonal axes, obverse, for hR. ``other_settings`` has the cell on other axes.
    """

    rank: int = Field(ge=1)
    bravais_lattice: BravaisSymbol
    lattice_system: SystemName
    centring: str = Field(description="Centring letter of the cell: R for hR; A, C or I for mC")
    setting: str = Field(description="Its axes, e.g. hexagonal axes or I-centred cell")
    cell: Cell
    cell_uncertainty: Cell = Field(description="Standard uncertainties; 0 where fixed")
    other_settings: list[OtherSetting]
    niggli_cell: Cell
    volume_A3: float
    formula_units: float | None = Field(
        description="Formula units that the cell has room for; null without a formula"
    )
    m20: float | None = Field(description="de Wolff's M; null where the fit is exact")
    f_n: float | None = Field(
        description="Smith and Snyder's F; null without a wavelength or where the fit is exact"
    )
    m20_reversed: float | None = Field(
        description="Oishi-Tomiyasu's reversed M: lines predicted but not observed lower it"
    )
    m20_symmetric: float | None = Field(
        description="Symmetric M: the product of reversed M and of M over the same lines"
    )
    n_figure: int = Field(description="Lines that M and F are calculated from: 20, or all if fewer")
    log_evidence: float | None
    probability: Share = Field(
        description="Probability that this is the lattice, by the ranking of all candidates"
    )
    probability_with_partners: Share = Field(
        description="Probability of it and of its partners among the candidates together"
    )
    zero_shift_deg: float = Field(
        description="Observed 2theta is true 2theta + zero_shift_deg + displacement_deg cos(theta)"
    )
    zero_shift_error_deg: float = Field(
        description="Standard uncertainty; if the zero shift is 0, of what the lines leave open"
    )
    displacement_deg: float = Field(
        description="Shift by a sample that lies too high or too low; the height itself is not "
        "known without the radius of the goniometer"
    )
    displacement_error_deg: float = Field(
        description="Standard uncertainty; if the displacement is 0, of what the lines leave open"
    )
    n_indexed: int
    n_used: int
    n_calculated: int = Field(description="Different lines allowed up to the last line used")
    profile: ProfileFitted | None = Field(
        description="Its fit to the whole profile; null for lists, and where it can't be fitted"
    )
    lines: list[CandidateLine]
    absent: list[Absent]
    extinctions: list[ExtinctionSymbol]
    partners: list[PartnerLattice]


class PhaseFitted(_Part):
    """A phase in the fit of all phases together."""

    intensity_share: Share = Field(
        description="Its part of the intensity over the background, overlaps shared out by the fit"
    )
    intensity_share_error: float | None = Field(description="Standard uncertainty")
    cell: Cell = Field(description="As refined in that fit")
    cell_uncertainty: Cell
    log_evidence: float | None = Field(
        description="By how much the natural logarithm of the evidence falls without it"
    )


class PhasesFitted(_Part):
    """The fit of all phases together to the whole profile (Pawley): each has its cell, its lines
    have intensities of their own, and all share background, shifts and widths."""

    r_wp: float = Field(description="Weighted profile R factor, background included")
    goodness: float = Field(description="R_wp over what counting allows for")
    explained: Share = Field(description="Share of the intensity that the lines of all explain")
    n_other_peaks: int = Field(description="Peaks fitted beside them, which are none of theirs")
    zero_shift_deg: float
    displacement_deg: float
    two_theta_max_deg: float = Field(description="Where the fit ends")


class PhaseOfSample(_Part):
    """A phase of the sample, and the lines of the list that are its own."""

    name: str
    kind: Literal["known", "standard", "recognized", "found"] = Field(
        description="Whether it was given, is a standard, a common substance, or was found"
    )
    centring: str = Field(description="Centring letter of the cell; R for hR on hexagonal axes")
    cell: Cell
    lines: list[int] = Field(description="Numbers of its lines")
    shared_lines: list[int] = Field(description="Those that are partly another phase's")
    expected: int = Field(description="Lines that it has in the range of the list")
    intensity_share: Share | None = Field(
        description="Its part of the intensity of all lines, shared ones halved; null without them"
    )
    candidate: CandidateCell | None = Field(
        description="Of a further phase that was found, everything about its cell; else null"
    )
    reason: str = Field(description="Why that cell is convincing")
    profile: PhaseFitted | None = Field(
        description="Its part in the fit of all phases; null without such a fit"
    )


class CalibrationByStandard(_Part):
    """Zero shift and displacement of the sample from the lines of a standard in it, in degrees:
    observed 2theta = true 2theta + zero_shift_deg + displacement_deg cos(theta)."""

    standard: str
    zero_shift_deg: float
    zero_shift_error_deg: float
    displacement_deg: float | None = Field(description="Null where the lines do not tell it")
    displacement_error_deg: float | None
    lines: list[int] = Field(description="Numbers of the lines that it rests on")


class SearchedLattice(_Part):
    """How far a Bravais lattice was searched."""

    bravais_lattice: BravaisSymbol
    status: Literal["complete", "cut off", "not reached"]
    trials: int = Field(ge=0)
    seconds: float | None = Field(ge=0, description="Null where times are left out, as below")


class SymmetryClass(_Part):
    """A class of symmetry."""

    name: str
    probability: Share


class Symmetry(_Part):
    """The most probable classes of each level, best first."""

    bravais: list[SymmetryClass]
    extinction_symbol: list[SymmetryClass]
    space_group: list[SymmetryClass]


class Document(_Part):
    """The result for one sample; candidates best first."""

    model_config = ConfigDict(
        title="Result of mlindex index", json_schema_extra={"$id": f"mlindex-result-{VERSION}"}
    )

    schema_version: Literal[2] = Field(alias="schema")
    mlindex_version: str
    sample: str = Field(description="Where the lines came from")
    wavelength_A: float | None
    convincing: bool = Field(description="The verdict on the first candidate")
    reason: str
    seconds: float | None = Field(
        description="Time taken; null where the same input is to give the same bytes"
    )
    notes: list[str]
    options: dict[str, float | int | str | bool | None] = Field(description="Options of the search")
    phases: list[PhaseOfSample] = Field(
        description="Where some were given, or there is more than one; else empty"
    )
    together: PhasesFitted | None = Field(
        description="The fit of all phases to the whole profile; null for lists, and of one phase"
    )
    calibration: CalibrationByStandard | None = Field(
        description="Null without a standard; positions of candidates are calibrated by it"
    )
    symmetry: Symmetry | None = Field(
        description="By the cells found and by the lines alone, joined; null with a convincing "
        "cell, of a search that was cut off or of some lattices, and of several phases"
    )
    observed_lines: list[ObservedLine]
    candidates: list[CandidateCell]
    searched: list[SearchedLattice]
