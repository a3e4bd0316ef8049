"""What can be wrong with the positions of a peak list, and how it is said."""

from __future__ import annotations

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import q2_from_two_theta
from mlindex.crystal.tolerances import LISTED_LINE_REL

_LARGEST_D_A = 1000.0
_SMALLEST_D_A = 0.02
#: Spacings above this are rare, angles are not.
_LIKELY_ANGLE = 30.0
#: A line may lie beyond back reflection by this much of q for rounding.
_REACH_REL = 1e-4
#: A list has a larger spacing than the first, and a smaller one than the second.
_USUAL_A = (1.0, 20.0)
_TO_Q2 = {
    "d": lambda values: values**-2.0,
    "q": lambda values: values**2.0,
    "Q": lambda values: (values / (2 * np.pi)) ** 2,
    "q2": lambda values: values,
}


def positions(quantity: str, values: np.ndarray, lines: list[int], name: str) -> None:
    """Raise MlindexError unless positions (n,) are finite, in range, and not all the same."""
    bad = ~(np.isfinite(values) & (values > 0))
    if quantity == "2theta":
        bad |= values >= 180
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        allowed = "between 0 and 180 degrees" if quantity == "2theta" else "positive"
        raise MlindexError(
            f"{name}, line {lines[first]}: {quantity} must be {allowed}, got {values[first]:g}"
        )
    if len(values) > 1 and values.max() - values.min() <= LISTED_LINE_REL * values.max():
        raise MlindexError(
            f"{name}: all {len(values)} lines are at {quantity} = {values[0]:g}; is the first "
            "column the position?"
        )


def confusion(quantity: str, values: np.ndarray, named: bool, name: str) -> None:
    """Raise MlindexError if positions (n,) read as d look like 2theta, or the reverse.

    Lists that name their column are trusted further: angles may fall, spacings be in any order.
    """
    if len(values) < 3:
        return
    rises, falls = bool(np.all(np.diff(values) > 0)), bool(np.all(np.diff(values) < 0))
    high = values.max() > _LIKELY_ANGLE
    if quantity == "d" and high and (rises or not (named or falls)):
        verb = "rise" if rises else "go up"
        raise MlindexError(
            f"{name}: read as d in A, but the values {verb} to {values.max():g}: this looks like "
            "2theta; give the wavelength, or name the column 2theta"
        )
    if quantity == "2theta" and falls and not (named and high):
        raise MlindexError(
            f"{name}: read as 2theta in degrees, but the values fall from {values[0]:g} to "
            f"{values[-1]:g}: this looks like d; name the column d, or sort the list"
        )


def to_q2(quantity: str, values: np.ndarray, wavelength_A: float | None, name: str) -> np.ndarray:
    """q² (n,) in 1/A² from d (A), 2theta (degrees), q = 1/d, Q = 2 pi/d (1/A) or q2 = 1/d².

    Raises:
        MlindexError: if 2theta is given without a wavelength.
    """
    if quantity == "2theta":
        if wavelength_A is None:
            raise MlindexError(
                f"{name}: 2theta needs the wavelength, and the file states none: give it in A, "
                "with --wavelength (in Python wavelength=, in the config wavelength_A:), or as "
                "'# wavelength: 1.5406' in the file"
            )
        return q2_from_two_theta(values, wavelength_A)
    with np.errstate(over="ignore"):
        return _TO_Q2[quantity](values)


def reach(
    quantity: str,
    values: np.ndarray,
    q2: np.ndarray,
    wavelength_A: float | None,
    lines: list[int],
    name: str,
) -> None:
    """Raise MlindexError if a spacing is absurd, or smaller than half the wavelength."""
    out = (q2 < _LARGEST_D_A**-2) | (q2 > _SMALLEST_D_A**-2)
    if out.any():
        first = int(np.flatnonzero(out)[0])
        raise MlindexError(
            f"{name}, line {lines[first]}: {quantity} = {values[first]:g} is a spacing of "
            f"{q2[first] ** -0.5 if q2[first] > 0 else np.inf:g} A, which is out of range"
        )
    if wavelength_A is None or quantity == "2theta":
        return
    beyond = np.sqrt(q2) * wavelength_A / 2 > 1 + _REACH_REL
    if beyond.any():
        first = int(np.flatnonzero(beyond)[0])
        raise MlindexError(
            f"{name}, line {lines[first]}: {quantity} = {values[first]:g} can't be reached with "
            f"{wavelength_A:g} A, which ends at d = {wavelength_A / 2:g} A ({int(beyond.sum())} "
            "lines in all): correct the wavelength, or name the column after what it holds"
        )


def unusual(quantity: str, q2: np.ndarray) -> str | None:
    """A note on spacings (from q², (n,) in 1/A²) that very few crystals have; None otherwise."""
    largest, smallest = q2.min() ** -0.5, q2.max() ** -0.5
    if largest < _USUAL_A[0]:
        seen = f"the largest spacing is only {largest:.3g} A"
    elif smallest > _USUAL_A[1]:
        seen = f"even the smallest spacing is {smallest:.3g} A"
    else:
        return None
    return f"read as {quantity}, {seen}: check the column, its unit and the wavelength, in A"


def extra(role: str, column: np.ndarray | None, lines: list[int], name: str) -> None:
    """Raise MlindexError if another column (n,) holds what it can't: NaN, or widths of 0."""
    if column is None:
        return
    bad = ~np.isfinite(column)
    if role != "intensity":
        bad |= column <= 0
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        wanted = "a finite number" if role == "intensity" else "positive"
        raise MlindexError(
            f"{name}, line {lines[first]}: {role} must be {wanted}, got {column[first]:g}"
        )
