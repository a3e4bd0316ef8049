"""Peak lists as calculated, and spoiled as real ones are."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2

#: Wavelength at which 2theta is meant, Cu K-alpha1 in A.
WAVELENGTH_A = 1.5406
#: Impurities and missing lines are counted among so many lines.
OF_LINES = 20
#: Ways of spoiling a list, and the unit of their amount.
UNITS = {
    "shift": "degree",
    "noise": "degree",
    "impurities": "lines of 20",
    "missing": "lines of 20",
}
#: A list as calculated.
EXACT = "exact"


@dataclass(frozen=True)
class Spoil:
    """What is done to a list of lines.

    ``shift_deg`` is added to every 2theta, and normal noise with the standard deviation
    ``noise_deg``. ``impurities`` lines are replaced by ones at random between the first and the
    last; ``missing`` of the first lines are left out, further ones take their places. Both count
    among 20 lines: of lists that are shorter by the rules (10 lines, cubic) the same share is
    taken, rounded up.
    """

    shift_deg: float = 0.0
    noise_deg: float = 0.0
    impurities: int = 0
    missing: int = 0


def spoil_of(kind: str, amount: float) -> Spoil:
    """One way of spoiling, by its name in :data:`UNITS`, or nothing (:data:`EXACT`)."""
    return {
        EXACT: Spoil(),
        "shift": Spoil(shift_deg=amount),
        "noise": Spoil(noise_deg=amount),
        "impurities": Spoil(impurities=int(amount)),
        "missing": Spoil(missing=int(amount)),
    }[kind]


def spoiled(q2: np.ndarray, n_lines: int, how: Spoil, rng: np.random.Generator) -> np.ndarray:
    """q² of the list that is indexed, rising, from all lines of an entry.

    Args:
        q2: q² of all lines (m,), rising, in 1/A²; m at least ``n_lines``.
        n_lines: lines of the list; fewer come back where the entry has no more.
        how: what is done to them.
        rng: random generator.

    Returns:
        q² (n,), 1/A², n at most ``n_lines``.
    """
    missing = rng.choice(n_lines, _share(how.missing, n_lines), replace=False)
    kept = np.delete(q2, missing)[:n_lines]
    two_theta = two_theta_from_q2(kept, WAVELENGTH_A)
    impurities = min(_share(how.impurities, n_lines), len(kept))
    where = rng.choice(len(kept), impurities, replace=False)
    two_theta[where] = rng.uniform(two_theta[0], two_theta[-1], impurities)
    two_theta += rng.normal(0, 1, len(kept)) * how.noise_deg + how.shift_deg
    return np.sort(q2_from_two_theta(two_theta, WAVELENGTH_A))


def _share(count: int, n_lines: int) -> int:
    return ceil(count * n_lines / OF_LINES)
