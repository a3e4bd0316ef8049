"""How often space groups are met: counts in large cells, symmetry in small ones."""

import gemmi
import numpy as np
import pytest

from mlindex.crystal.extinction_classes import SPACE_GROUP_COUNTS
from mlindex.crystal.group_shares import FLATTER, SMALL_A3, SYMMETRY, log_weights


def weight(symbol: str, volume_A3: float) -> float:
    return float(log_weights(volume_A3)[gemmi.SpaceGroup(symbol).number - 1])


def test_large_cells_have_the_counts():
    expected = np.log(np.array(SPACE_GROUP_COUNTS) + 1.0)
    assert np.allclose(log_weights(1e6), expected, atol=1e-2)


def test_half_way_both_count():
    group = gemmi.SpaceGroup("P 4/n m m")
    count = np.log(SPACE_GROUP_COUNTS[group.number - 1] + 1)
    expected = (1 - FLATTER / 2) * count + SYMMETRY / 2 * np.log(16)
    assert weight("P 4/n m m", SMALL_A3) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("mineral", "other", "volume_A3"),
    [
        # Groups of simple salts, oxides and metals, before those of molecules.
        ("P 4/n m m", "P 4/n", 122.0),
        ("P -3 m 1", "P -3", 41.0),
        ("R -3 m", "R -3", 120.0),
        ("P n -3 m", "P n -3", 78.0),
        ("I m -3 m", "I -4 3 m", 16.0),
    ],
)
def test_small_cells_are_symmetric(mineral: str, other: str, volume_A3: float):
    assert weight(mineral, volume_A3) > weight(other, volume_A3)
    assert weight(mineral, 3000.0) < weight(other, 3000.0)


def test_weights_change_smoothly():
    volumes = np.geomspace(5, 5000, 60)
    table = np.array([log_weights(v) for v in volumes])
    assert np.isfinite(table).all()
    assert np.abs(np.diff(table, axis=0)).max() < 1.0
