"""Features of candidates and what they mean."""

from __future__ import annotations

#: Units of two features: log-evidence, and what absences add to it.
EVIDENCE_UNIT, GAIN_UNIT = 20.0, 3.0

#: Features and what they mean: see :func:`.features.features`. The Bravais lattice is not one of
#: them: lists to learn from are drawn evenly from all, and real ones are not.
MEANINGS = {
    "evidence": "Log-evidence / 20",
    "ahead": "Log-evidence ahead of the best other candidate's / 10",
    "absences": "ln of the mean likelihood over extinction classes, against no conditions / 3",
    "pseudo_centring": "What pseudo-centring adds to it / 3",
    "ahead_with_absences": "Log-evidence and absences ahead of the best other's / 10",
    "best_class": "ln of the best extinction class's likelihood, against no conditions / 5",
    "best_class_share": "ln of the weight of this class / 5",
    "allowed_share": "Share of the lattice's lines that the best extinction class allows",
    "unseen": "Share of this class's lines in the first half of the list that are not seen",
    "reflections_per_line": "ln of the reflections up to the last line for each line",
    "unexplained": "Lines that are not explained / 3",
    "unexplained_share": "Share of them, times 5",
    "explained_ahead": "Lines explained, ahead of the best other / 3, at most 3 either way",
    "rms_errors": "ln of the root mean square of discrepancies in errors",
    "rms_behind": "ln of it over the least of others that explain as much / 3, 0 if none is less",
    "free_parameters": "Free parameters / 6",
    "shift": "Size of the zero shift, in 0.05 degrees",
    "lines": "Lines used / 20",
    "volume": "ln of the primitive volume in 500 A3 / 2",
    "axial_ratio": "ln of the longest of the reduced axes over the shortest",
    "before_first_line": "ln of 1 and the reflections expected before the first line",
    "first_gap": "q of the first line over that of the last, to the power 1.5",
    "sublattice_ahead": "How far the best sublattice is ahead, -1 for far behind or none",
    "superlattice_ahead": "How far the best superlattice is ahead, -1 for far behind or none",
    "equal_ahead": "How far the best lattice of equal volume is ahead, -1 for far behind or none",
    "figure_of_merit": "ln of a figure of merit as de Wolff's / 3",
}

FEATURES = tuple(MEANINGS)
