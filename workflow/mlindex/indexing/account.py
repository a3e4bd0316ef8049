"""What a cell makes of the intensities of a list: how much it explains, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.indexing.result import Candidate


@dataclass(frozen=True)
class Account:
    """What a cell leaves unindexed: so many lines, their share of the whole intensity of the lines
    used, and the strongest of them over the strongest of all."""

    lines: int
    share: float
    strongest: float


def account(candidate: Candidate, intensity: np.ndarray | None) -> Account | None:
    """What a candidate leaves of the lines used, (n,) or more; None where intensities are not
    known.

    Of its share and that of the fit to the whole profile the larger one counts: peaks that hide
    under others are in no list.
    """
    if intensity is None:
        return None
    used = np.clip(np.nan_to_num(intensity[: candidate.n_used]), 0.0, None)
    total = float(used.sum())
    if not total > 0:
        return None
    left = used[~candidate.indexed]
    strongest = float(left.max(initial=0.0)) / float(used.max())
    share = float(left.sum()) / total
    if candidate.profile is not None:
        share = max(share, 1 - candidate.profile.explained)
    return Account(len(left), share, strongest)
