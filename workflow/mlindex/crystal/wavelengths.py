"""Wavelengths as people give them: in A, or as the name of an X-ray tube.

The table of tubes is the only place of their K-alpha lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from numbers import Real

from mlindex.base.errors import MlindexError

#: A wavelength as it is given: in A, or a name such as Cu or CuKa1; None if none is.
Given = float | str | None
#: K-alpha1 and K-alpha2 in A, as measured: Deslattes et al., Rev. Mod. Phys. 75 (2003) 35 (NIST
#: SRD 128), the source of International Tables for Crystallography C, table 4.2.2.4. Cr to Cu are
#: those of Hoelzer et al., Phys. Rev. A 56 (1997) 4554, the scale of NIST's powder standards.
TUBES = {
    "Cr": (2.2897260, 2.2936510),
    "Fe": (1.9360410, 1.9399730),
    "Co": (1.7889960, 1.7928350),
    "Cu": (1.5405929, 1.5444274),
    "Mo": (0.70931715, 0.713607),
    "Ag": (0.55942178, 0.5638131),
}
#: Other lines that tubes send, their names and wavelengths in A. K-beta1: International Tables for
#: Crystallography C, table 4.2.2.4; tungsten comes from the filament; the satellites of Cu
#: (K-alpha3,4): Berger, X-Ray Spectrom. 15 (1986).
OTHER_LINES = {
    "Cr": (("K-beta", 2.08487),),
    "Fe": (("K-beta", 1.75661),),
    "Co": (("K-beta", 1.62082),),
    "Cu": (("K-beta", 1.392234), ("W L-alpha", 1.476390), ("K-alpha satellites", 1.534753)),
    "Mo": (("K-beta", 0.632303),),
    "Ag": (("K-beta", 0.497082),),
}
#: A wavelength so near to K-alpha1, or to the mean of the doublet, is of that tube.
_SAME_LINE_REL = 3e-4
#: Intensity of K-alpha2 over that of K-alpha1.
DOUBLET_RATIO = 0.5
#: Planck constant times speed of light.
_KEV_A = 12.398420
#: Units of length in A.
UNITS_A = {"nm": 10.0, "m": 1e10, "pm": 0.01}
_NUMBER = r"([-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?)"
_OTHER_UNITS = re.compile(_NUMBER + r"\s*(keV|nm|pm|m|A|\u00c5|\u212b)")
_LONGEST = 40
_ELEMENTS = "|".join(TUBES)
_NAME = re.compile(
    rf"({_ELEMENTS})(?:[\s_-]*K[\s_-]*(?:alpha|a|α)[\s_-]*(1)?(?:\s?[,+/]?\s?(2))?)?", re.IGNORECASE
)


@dataclass(frozen=True)
class Tube:
    """The K-alpha lines of a tube that a name asks for: K-alpha1 alone if ``single``."""

    element: str
    single: bool

    @property
    def lines_A(self) -> tuple[float, float]:
        """K-alpha1 and K-alpha2 in A."""
        return TUBES[self.element]

    @property
    def name(self) -> str:
        """The name in one spelling: CuKa for both lines, CuKa1 for the first."""
        return f"{self.element}Ka{'1' if self.single else ''}"

    @property
    def meaning(self) -> str:
        """What the name was taken to mean, for the notes of a result."""
        first, second = self.lines_A
        if self.single:
            return f"{self.name} was given: {first} A, without K-alpha2"
        return (
            f"{self.name} was given: K-alpha1, {first} A, which positions are of, and K-alpha2, "
            f"{second} A, with half its intensity"
        )


def tube_of(wavelength_A: float) -> str | None:
    """The element of the tube whose K-alpha1, or mean of K-alpha1 and 2, a wavelength is."""
    for element, (first, second) in TUBES.items():
        for usual in (first, (2 * first + second) / 3):
            if abs(wavelength_A / usual - 1) < _SAME_LINE_REL:
                return element
    return None


def tube_named(name: str) -> Tube | None:
    """The tube of a name such as Cu, CuKa, Cu K-alpha1 or CuKa1,2; None if it is none.

    K-alpha2 alone is none: nobody measures with it.
    """
    match = _NAME.fullmatch(name.strip()[:_LONGEST])
    if match is None or (match[3] and not match[2]):
        return None
    return Tube(match[1].capitalize(), bool(match[2]) and not match[3])


def given_as(wavelength: Given) -> Given:
    """A wavelength as it was given: a number in A, or the name of a tube in one spelling.

    Raises:
        MlindexError: it is neither; where it is a wavelength in other units, its value in A.
    """
    if wavelength is None:
        return None
    if not isinstance(wavelength, str):
        if not isinstance(wavelength, Real) or isinstance(wavelength, bool):
            raise MlindexError(f"wavelength {wavelength!r}: give a number in A, such as 1.5406")
        return wavelength
    tube = tube_named(wavelength)
    if tube is not None:
        return tube.name
    try:
        return float(wavelength.replace(",", "."))
    except ValueError:
        known = in_A(wavelength)
        hint = f"{wavelength[:_LONGEST]!r} is not a number; give the wavelength in A"
        also = f", such as 1.5406, or a tube such as {', '.join(TUBES)} or CuKa1"
        raise MlindexError(f"{hint}: {known}" if known else hint + also) from None


def in_A(text: str) -> str | None:
    """What a wavelength in another unit or keV is in A; None if that is not known."""
    match = _OTHER_UNITS.fullmatch(text.strip()[:_LONGEST])
    if match is None:
        return None
    value = float(match[1].replace(",", "."))
    if match[2] == "keV":
        return f"that is {_KEV_A / value:.5g}" if value > 0 else None
    return f"that is {value * UNITS_A.get(match[2], 1.0):.6g}"
