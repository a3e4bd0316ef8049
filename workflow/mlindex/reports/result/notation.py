"""Numbers, cells and Miller indices as crystallographers write them."""

from __future__ import annotations

import math

import numpy as np

from mlindex.crystal.axes import CellOnAxes
from mlindex.crystal.lattice import ANGLES, AXES, BRAVAIS
from mlindex.indexing.profile import CandidateProfile, PhasesProfile
from mlindex.indexing.result import Candidate, Partner
from mlindex.indexing.shift import LineShift

#: Uncertainties are given to two digits below this one and to one digit above (IUCr's rule of 19).
_TWO_DIGITS_BELOW = 1.95
_MOST_DECIMALS = 6
_DECIMALS = (4, 4, 4, 3, 3, 3)
PARAMETERS = (*AXES, *ANGLES)
SYMBOLS = (*AXES, "α", "β", "γ")
UNITS = (" Å",) * 3 + ("°",) * 3


def with_uncertainty(value: float, uncertainty: float, decimals: int) -> str:
    """A number as ``4.6837(3)``: the uncertainty stands for the last digits.

    Args:
        value: the number.
        uncertainty: its standard uncertainty; where it is 0, not finite or too small to matter
            the number stands alone.
        decimals: digits behind the point of a number that stands alone.
    """
    if not math.isfinite(uncertainty) or uncertainty < 0.5 * 10.0**-_MOST_DECIMALS:
        return f"{value:.{decimals}f}"
    power = math.floor(math.log10(uncertainty))
    if uncertainty / 10.0**power >= 9.5:
        power += 1
    two = uncertainty / 10.0**power < _TWO_DIGITS_BELOW
    places = min((1 if two else 0) - power, _MOST_DECIMALS)
    rounded = round(uncertainty * 10.0**places)
    if places > 0:
        return f"{value:.{places}f}({rounded})"
    unit = 10**-places
    return f"{round(value / unit) * unit}({rounded * unit})"


def cell_numbers(way: CellOnAxes) -> list[str]:
    """The six cell parameters with uncertainties; angles that symmetry fixes as plain numbers."""
    template = way.axes.system.template
    rows = zip(template, way.cell, way.cell_error, _DECIMALS, strict=True)
    return [
        with_uncertainty(float(value), float(error), decimals)
        if isinstance(name, str)
        else f"{value:g}"
        for name, value, error, decimals in rows
    ]


def free_cell(way: CellOnAxes) -> str:
    """The free parameters with uncertainties, e.g. ``a = 4.5937(1) Å, c = 2.9587(1) Å``.

    The axes are named where they are not those of the lattice's own system: ``(hexagonal axes)``.
    """
    numbers = cell_numbers(way)
    parameters = [f"{SYMBOLS[i]} = {numbers[i]}{UNITS[i]}" for i in way.axes.system.free_positions]
    remark = "" if way.axes.system is way.axes.of else f" ({way.axes.name})"
    return ", ".join(parameters) + remark


def other_cells(candidate: Candidate) -> list[tuple[str, str]]:
    """The cell on the other axes that its lattice is often given on: their name, the parameters."""
    return [(way.axes.name, free_cell(way)) for way in candidate.settings[1:]]


def plain_cell(cell: np.ndarray) -> str:
    """Six cell parameters without uncertainties, e.g. ``4.594 4.594 2.959 Å, 90 90 90°``."""
    lengths = " ".join(f"{value:.4f}" for value in cell[:3])
    angles = " ".join(f"{value:.3f}".rstrip("0").rstrip(".") for value in cell[3:])
    return f"{lengths} Å, {angles}°"


def lattice_symbol(found: Candidate | Partner) -> str:
    """Symbol of the lattice with the centring letter that the cell shown has, e.g. ``mI``."""
    return f"{found.bravais[0]}{found.settings[0].centring}"


def lattice_name(found: Candidate | Partner) -> str:
    """The lattice in words, with the centring of the cell shown, e.g. ``monoclinic I (mI)``."""
    system = BRAVAIS[found.bravais].system.name
    return f"{system} {found.settings[0].centring} ({lattice_symbol(found)})"


def miller(hkl: tuple[int, ...] | np.ndarray) -> str:
    """Miller indices with blanks between them, e.g. ``1 0 -2``."""
    return " ".join(str(int(index)) for index in hkl)


def figure_of_merit(value: float | None) -> str:
    """A figure of merit: one decimal below 100, none above; nothing where there is none."""
    if value is None or math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞"
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def volume(value_A3: float) -> str:
    """A volume with as many decimals as are of use."""
    return f"{value_A3:.2f}" if value_A3 < 1000 else f"{value_A3:.1f}"


def percent(share: float) -> str:
    """A share of 1 in percent; near 0 and near 1 it is not rounded to them."""
    if 0 < share < 0.005:
        return "< 1 %"
    if 0.995 < share < 1:
        return "> 99 %"
    return f"{100 * share:.0f} %"


def percentage(share: float) -> str:
    """A share in percent without the sign: two decimals below 1, one above, none from 100 on."""
    value = 100 * share
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if value < 0.995 else f"{value:.1f}"


def intensity_share(share: float) -> str:
    """A share of the intensity in percent; near 1 it is not rounded to it."""
    return "> 99.9 %" if 0.9995 < share < 1 else f"{100 * share:.1f} %"


def phases_fit(fit: PhasesProfile) -> str:
    """A fit of several phases to the whole profile in words."""
    text = (
        f"R_wp {percentage(fit.r_wp)} %, goodness of fit {fit.goodness:.2f}; their lines explain "
        f"{intensity_share(fit.explained)} of the intensity"
    )
    noun = "other peak" if fit.n_other_peaks == 1 else "other peaks"
    return f"{text}, {fit.n_other_peaks} {noun} the rest" if fit.n_other_peaks else text


def profile_fit(profile: CandidateProfile) -> str:
    """A fit to the whole profile in words."""
    others = profile.n_other_peaks
    text = (
        f"R_wp {percentage(profile.r_wp)} %, goodness of fit {profile.goodness:.2f}; "
        f"{profile.n_lines} lines explain {intensity_share(profile.explained)} of the intensity"
    )
    noun = "other peak" if others == 1 else "other peaks"
    return f"{text}, {others} {noun} the rest" if others else text


def related(partner: Partner) -> str:
    """How a partner is related to its candidate, and its own probability where it has one."""
    if partner.probability is None:
        return partner.relation
    return f"{partner.relation}, probability {percent(partner.probability)}"


def shift_text(shift: LineShift) -> str:
    """Zero shift and displacement with errors, e.g. ``zero shift +0.071(3)°``."""
    parts = []
    if shift.zero_deg or not shift.displacement_deg:
        parts.append(f"zero shift {_signed_error(shift.zero_deg, shift.zero_error_deg)}°")
    if shift.displacement_deg:
        value = _signed_error(shift.displacement_deg, shift.displacement_error_deg)
        parts.append(f"sample displacement {value}° × cos θ")
    if shift.undecided:
        other = "sample displacement" if shift.zero_deg else "zero shift"
        parts.append(f"or a {other}: the errors of the cell contain both")
    return ", ".join(parts)


def _signed_error(value: float, error: float) -> str:
    text = with_uncertainty(value, error, 4)
    return text.replace("-", "−") if value <= 0 else f"+{text}"


def signed(value: float, decimals: int) -> str:
    """A number with its sign; zero without one."""
    text = f"{value:+.{decimals}f}"
    return f"{0:.{decimals}f}" if float(text) == 0 else text.replace("-", "−")
