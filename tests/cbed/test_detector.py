"""What lies between intensities and a measured pattern, and stacks as a whole."""

import numpy as np
import pytest

from helpers.cbed_crystals import silicon
from mlindex.base.errors import MlindexError
from mlindex.cbed.detector import measured
from mlindex.cbed.rocking import Exposure
from mlindex.cbed.settings import BeamChoice, Detector, Specimen
from mlindex.cbed.stack import Asked, simulated_stacks
from mlindex.cbed.zones import strongest_zones

QUICK = BeamChoice(q_max_inv_A=1.4, max_directions_across=7, max_strong=40, max_beams=60)
SMALL = {"pixels": 128, "pixel_inv_A": 0.02}


def stacks(detector, seed=1, absorption=0.0, **asked):
    atoms = silicon()
    values = {"energy_keV": (100.0,), "thickness_A": (100.0,), **asked}
    made = simulated_stacks(
        atoms,
        Asked(strongest_zones(atoms), **values),
        "silicon",
        Specimen(absorption=absorption),
        QUICK,
        detector,
        np.random.default_rng(seed),
    )
    return [one.stack for one in made]


def test_a_pattern_holds_every_electron_and_is_centred():
    (stack,) = stacks(Detector(**SMALL))
    np.testing.assert_allclose(stack.patterns.sum(axis=(1, 2)), 1, atol=0.05)
    # [1 1 1] and [1 1 0] of silicon, turned by half a turn about pixel (64, 64), are as before.
    pattern = stack.patterns[list(map(tuple, stack.zones.tolist())).index((1, 1, 0))][1:, 1:]
    np.testing.assert_allclose(pattern, pattern[::-1, ::-1], atol=0.01 * pattern.max())


def test_zones_are_those_of_the_strongest_powder_lines():
    # PDF 27-1402: 111 (100), 220 (55), 311 (30).
    assert [one.zone for one in strongest_zones(silicon())] == [(1, 1, 1), (1, 1, 0), (3, 1, 1)]


def test_thicknesses_keep_their_order_and_equal_those_made_alone():
    thin, thick = stacks(Detector(**SMALL), thickness_A=(250.0, 80.0))
    assert (thin.thickness_A, thick.thickness_A) == (250.0, 80.0)
    (alone,) = stacks(Detector(**SMALL), thickness_A=(80.0,))
    # Directions are as fine as the greatest thickness asks for.
    np.testing.assert_allclose(thick.patterns, alone.patterns, atol=0.02 * alone.patterns.max())


def test_the_same_seed_gives_the_same_bytes_and_noise_has_the_size_of_counts():
    noisy = Detector(**SMALL, dose_electrons=1e6, tilt_mrad=1.0)
    one, again, other = (stacks(noisy, seed)[0].patterns for seed in (1, 1, 2))
    assert one.tobytes() == again.tobytes()
    assert one.tobytes() != other.tobytes()
    flat = np.full((200, 200), 1e-4, np.float32)
    counts = measured(flat, Detector(dose_electrons=1e6), np.random.default_rng(3))
    assert counts.mean() == pytest.approx(100, abs=0.25)
    assert counts.var() == pytest.approx(100, rel=0.05)


def test_blur_spreads_a_pixel_as_a_gaussian():
    point = np.zeros((41, 41), np.float32)
    point[20, 20] = 1
    spread = measured(point, Detector(blur_pixels=1.7), np.random.default_rng(0))
    assert spread.sum() == pytest.approx(1, abs=1e-4)
    away = np.arange(41) - 20
    assert spread.sum(axis=0) @ away**2 == pytest.approx(1.7**2, rel=0.01)


@pytest.mark.parametrize(
    ("energy", "angle", "thickness"),
    [(5.0, 3.0, (100.0,)), (100.0, 0.0, (100.0,)), (100.0, 3.0, ()), (100.0, 3.0, (float("nan"),))],
)
def test_exposures_out_of_range_are_refused(energy, angle, thickness):
    with pytest.raises(MlindexError):
        Exposure(energy, angle, thickness)
