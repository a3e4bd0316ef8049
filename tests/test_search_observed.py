"""What searches are told of the lines."""

from __future__ import annotations

import numpy as np
import pytest

from mlindex.merit import q2_from_two_theta
from mlindex.peaklist import peaks_from_columns
from mlindex.search.observed import observe
from mlindex.search.plan import STAGES

_TWO_THETA = np.degrees(np.arcsin(0.09 * np.sqrt(np.arange(1, 21)))) * 2


@pytest.mark.parametrize(("decimals", "sharpest"), [(2, 0.1), (3, 0.03), (6, 0.03)])
def test_windows_narrower_than_the_rounding_are_not_tried(decimals, sharpest):
    peaks = peaks_from_columns("rounded", "2theta", np.round(_TWO_THETA, decimals), 1.5406)
    observed = observe(peaks, 20, None)
    tried = [stage.sharpness for stage in STAGES if observed.resolves(stage.sharpness)]
    assert min(tried) == sharpest
    window = observed.lines(sharpest, 0.0).window
    off = np.abs(observed.q2 - q2_from_two_theta(_TWO_THETA, 1.5406))
    assert np.mean(off <= window) > 0.5
