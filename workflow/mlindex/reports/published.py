"""Rates of other programs, drawn beside ours."""

from __future__ import annotations

#: Percent of calculated patterns that SVD-Index solves with so many impurities among 20 lines
#: (Coelho 2003, J. Appl. Cryst. 36, 86-95), by lattice system.
SVD_INDEX_WITH_IMPURITIES: dict[str, tuple[tuple[int, float], ...]] = {
    "orthorhombic": ((3, 84), (6, 73), (9, 61)),
    "monoclinic": ((3, 91), (6, 72), (9, 56)),
    "triclinic": ((3, 67), (6, 26), (9, 6)),
}
