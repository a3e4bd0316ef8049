"""Titles of the axes of all figures: a quantity and its unit, as crystallographers write them."""

from __future__ import annotations

TWO_THETA, INVERSE_D = "2θ", "1/d"
DEGREES, INVERSE_A, INVERSE_A2 = "°", "Å⁻¹", "Å⁻²"
#: Files seldom say whether their intensities are counts, or of what time.
ARBITRARY = "arb. units"
#: Units as the names of columns end in them, and Greek letters as they spell them.
_UNITS = {"A": "Å", "deg": DEGREES, "inv_A": INVERSE_A, "inv_A2": INVERSE_A2, "A3": "Å³"}
_GREEK = {"alpha": "α", "beta": "β", "gamma": "γ"}


def titled(quantity: str, unit: str) -> str:
    """Title of an axis: ``2θ (°)``."""
    return f"{quantity} ({unit})"


INTENSITY = titled("intensity", ARBITRARY)
DIFFERENCE = titled("difference", ARBITRARY)
Q2 = titled("q²", INVERSE_A2)
SEPARATION = titled("separation in q²", INVERSE_A2)
LOG_VOLUME = titled("log₁₀ of volume", "Å³")


def of_column(name: str) -> str | None:
    """Title for a quantity named as in the tables, such as ``beta_deg``; None without a unit."""
    for suffix in sorted(_UNITS, key=len, reverse=True):
        quantity = name.removesuffix(f"_{suffix}")
        if quantity not in (name, ""):
            return titled(_GREEK.get(quantity, quantity), _UNITS[suffix])
    return None
