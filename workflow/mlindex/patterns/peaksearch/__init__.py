"""Peak search on measured patterns."""

from mlindex.patterns.peaksearch.found import FoundPeaks, PeakSearch, nothing_found
from mlindex.patterns.peaksearch.peakfile import set_aside, write_peak_file
from mlindex.patterns.peaksearch.search import find_peaks

__all__ = [
    "FoundPeaks",
    "PeakSearch",
    "find_peaks",
    "nothing_found",
    "set_aside",
    "write_peak_file",
]
