"""Peak search on measured patterns."""

from mlindex.peaksearch.found import FoundPeaks, PeakSearch
from mlindex.peaksearch.peakfile import write_peak_file
from mlindex.peaksearch.search import find_peaks

__all__ = ["FoundPeaks", "PeakSearch", "find_peaks", "write_peak_file"]
