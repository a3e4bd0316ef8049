"""Names of the numbers that say how well each space group agrees with a stack."""

from __future__ import annotations

from mlindex.crystal.symmetry_classes import N_GROUPS

#: In order of the groups' numbers: what :mod:`.group_evidence` gives, and models weigh.
EVIDENCE: tuple[str, ...] = tuple(f"space group: {number}" for number in range(1, N_GROUPS + 1))
