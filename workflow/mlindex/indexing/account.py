"""What a cell makes of the intensities of a list: how much it explains, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlindex.indexing.result import Candidate

#: Lines are clear from this share of the strongest intensity on.
_CLEAR = 0.01
#: Another cell explains the rest that indexes this share of its intensity or more.
_MOST_OF_IT = 0.5


@dataclass(frozen=True)
class Account:
    """What a cell leaves unindexed: so many lines, and their share of the whole intensity of the
    lines used."""

    lines: int
    share: float


def account(candidate: Candidate, intensity: np.ndarray | None) -> Account | None:
    """What a candidate leaves of the lines used, (n,) or more; None where intensities are not
    known.

    Where the candidate was fitted to the whole profile, the share is that of the fit: it tells
    lines apart of which a list has one maximum, and sees peaks that hide under others.
    """
    used = _used(candidate, intensity)
    if not used.sum() > 0:
        return None
    left = used[~candidate.indexed]
    share = float(left.sum() / used.sum())
    if candidate.profile is not None:
        share = max(1 - candidate.profile.explained, 0.0)
    return Account(len(left), share)


def clear_lines_more(best: Candidate, other: Candidate, intensity: np.ndarray | None) -> int:
    """How many clear lines another candidate indexes of those that the best leaves.

    0 where intensities are not known, where these lines have little of the intensity left, or where
    the other leaves more than one clear line that the best indexes.
    """
    used = _used(best, intensity)
    clear = used >= _CLEAR * used.max()
    gained = other.indexed & ~best.indexed
    lost = best.indexed & ~other.indexed & clear
    most = used[gained].sum() >= _MOST_OF_IT * used[~best.indexed].sum()
    return int((gained & clear).sum()) if used.sum() > 0 and most and lost.sum() <= 1 else 0


def _used(candidate: Candidate, intensity: np.ndarray | None) -> np.ndarray:
    """Intensities of the lines used (n,), 0 where they are not known."""
    if intensity is None:
        return np.zeros(candidate.n_used)
    return np.clip(np.nan_to_num(intensity[: candidate.n_used]), 0.0, None)
