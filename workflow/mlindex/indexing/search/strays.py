"""How probable it is that a line belongs to something else, by its share of the intensity."""

from __future__ import annotations

import numpy as np

from mlindex.indexing.search.lines import STRAY
from mlindex.patterns.peaklist import PeakList

#: Intensities over that of the strongest line of a list, and how probable it is that such a line is
#: no reflection of the cell. Counted on 1,732 lines that the peak search found in 40 simulated
#: patterns of crystals (``benchmarks/mixed.py``), each with a second crystal of 0, 2, 5, 10 or
#: 20 % of the intensity, which are taken to be one half, 20, 15, 10 and 5 % of all patterns; made
#: smooth. Of 47 lines of 0.4 to 0.8 % half were strays, of 115 of more than 50 % one.
_INTENSITY = np.array([0.006, 0.012, 0.022, 0.045, 0.09, 0.18, 0.35, 0.75])
_STRAY = np.array([0.4, 0.2, 0.09, 0.05, 0.035, 0.02, 0.012, 0.004])


def stray_of(peaks: PeakList) -> np.ndarray:
    """How probable it is that each line (n,) is a stray; the same for all without intensities."""
    intensity = np.nan_to_num(np.zeros(0) if peaks.intensity is None else peaks.intensity)
    if not np.max(intensity, initial=0.0) > 0:
        return np.full(len(peaks), STRAY)
    share = np.maximum(intensity / intensity.max(), _INTENSITY[0])
    return np.exp(np.interp(np.log(share), np.log(_INTENSITY), np.log(_STRAY)))
