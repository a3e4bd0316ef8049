"""Peak search on made patterns with known peaks, and on a measured certified standard."""

from pathlib import Path

import gemmi
import numpy as np
import pytest

from helpers.made_patterns import CU_1, CU_2, counts, many, pseudo_voigt, second_line
from mlindex.base.errors import MlindexError
from mlindex.files import read
from mlindex.files.peak_lists import read_peak_list
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaksearch import PeakSearch, find_peaks, write_peak_file
from mlindex.patterns.peaksearch.background import whittaker
from mlindex.patterns.peaksearch.fine import averaged
from mlindex.patterns.peaksearch.noise import are_of_counts

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "experimental"
REPORTS = SHARED.parent / "reports"
SYNCHROTRON = 0.7


def test_all_peaks_and_no_others_are_found():
    x = np.arange(5, 80, 0.02)
    positions, heights = many()
    y = counts(x, positions, heights, fwhm=lambda p: 0.08 + 0.001 * p)
    found = find_peaks(MeasuredPattern("made", x, y, wavelength_A=SYNCHROTRON))
    assert len(found) == len(positions)
    difference = found.two_theta_deg - positions
    assert np.abs(difference).max() < 0.02
    pull = difference / found.error_deg
    assert np.sqrt(np.mean(pull**2)) < 1.5
    np.testing.assert_allclose(found.height, heights, rtol=0.25)
    np.testing.assert_allclose(found.fwhm_deg, 0.08 + 0.001 * positions, rtol=0.3)
    assert found.background.shape == found.fitted.shape == x.shape
    assert np.array_equal(found.peaks.intensity, found.area)
    expected = (2 * np.sin(np.radians(found.two_theta_deg / 2)) / SYNCHROTRON) ** 2
    np.testing.assert_allclose(found.peaks.q2_inv_A2, expected)


def test_very_fine_steps_are_averaged_for_the_search():
    x = np.linspace(10, 30, 100_000)
    positions, heights = [12.0, 15.5, 16.0, 21.0, 27.0], [3000, 4000, 900, 2000, 1500]
    pattern = MeasuredPattern("made", x, counts(x, positions, heights), None, SYNCHROTRON)
    found = find_peaks(pattern)
    np.testing.assert_allclose(found.two_theta_deg, positions, atol=0.005)
    np.testing.assert_allclose(found.height, heights, rtol=0.05)
    assert found.background.shape == found.fitted.shape == x.shape
    coarse = averaged(x, pattern.intensity, np.sqrt(pattern.intensity))
    assert [len(values) for values in coarse] == [20_000] * 3
    # The scatter of five points is less by the root of five.
    fine = averaged(x[:20_000], pattern.intensity[:20_000], None)
    assert np.median(fine[2][:1000]) / np.median(coarse[2][:200]) == pytest.approx(5**0.5, rel=0.1)


def test_intensities_that_no_counter_gives_are_told():
    x = np.arange(10, 30, 0.02)
    y = counts(x, [15.0, 21.0], [4000, 2000]) - 500
    y[::100] = np.nan
    found = find_peaks(MeasuredPattern("made", x, y, None, SYNCHROTRON))
    np.testing.assert_allclose(found.two_theta_deg, [15.0, 21.0], atol=0.01)
    assert found.notes == (
        "10 of 1000 points have no intensity that is a number: they were left out",
        f"{int((y < 0).sum())} of 1000 points have negative intensities, as if a background was "
        "subtracted: they were used as they are",
    )


def test_a_search_that_is_stopped_gives_what_it_has():
    x = np.arange(5, 80, 0.02)
    pattern = MeasuredPattern("made", x, counts(x, *many()), None, SYNCHROTRON)
    asked = []

    def over():
        asked.append(len(asked))
        return len(asked) > 4

    found = find_peaks(pattern, over=over)
    assert len(found) == 4
    assert "cut short" in found.notes[-1]


def test_area_is_that_of_the_profile():
    x = np.arange(10, 40, 0.01)
    y = counts(x, [25.0], [20_000], base=100.0)
    found = find_peaks(MeasuredPattern("made", x, y, wavelength_A=SYNCHROTRON))
    true = 20_000 * np.trapezoid(pseudo_voigt(x, 25.0, 0.1), x)
    assert len(found) == 1
    assert found.area[0] == pytest.approx(true, rel=0.05)


@pytest.mark.parametrize("wavelength", [CU_1, 1.5406, 1.5418])
def test_an_unstated_doublet_is_recognized(wavelength):
    x = np.arange(10, 90, 0.02)
    positions = np.array([20.0, 28.5, 35.2, 47.1, 56.3, 63.8, 71.0, 78.4, 85.5])
    y = counts(x, positions, np.full(9, 4000.0), doublet=True)
    found = find_peaks(MeasuredPattern("made", x, y, wavelength_A=wavelength))
    np.testing.assert_allclose(found.two_theta_deg, positions, atol=0.01)
    assert found.peaks.wavelength_A == pytest.approx(CU_1, abs=1e-4)
    assert any("K-alpha doublets" in note for note in found.notes)


def test_the_mean_wavelength_of_a_doublet_says_that_there_is_one():
    # Too broad and too weak to show it; 1.5418 A means nothing for K-alpha1 alone.
    x = np.arange(15, 90, 0.02)
    positions = np.array([20.0, 28.5, 35.2, 47.1, 56.3, 63.8, 71.0, 78.4, 85.5])
    y = counts(x, positions, np.full(9, 130.0), fwhm=0.3, doublet=True, base=60.0)
    found = find_peaks(MeasuredPattern("made", x, y, wavelength_A=1.5418))
    assert found.peaks.wavelength_A == pytest.approx(CU_1, abs=1e-4)
    assert len(found) == 9
    pull = (found.two_theta_deg - positions) / found.error_deg
    assert np.abs(pull).max() < 3


def same_scan(kind, x, y):
    """A scan as files of several formats give it."""
    rate = y / 76.8
    return {
        "counts": MeasuredPattern("a", x, y, None, 1.5406),
        "their roots": MeasuredPattern("a", x, y, np.sqrt(np.maximum(y, 1)), 1.5406),
        "roots with few digits": MeasuredPattern("a", x, y, np.round(np.sqrt(y), 1), 1.5406),
        "rates": MeasuredPattern("a", x, np.round(rate, 3), None, 1.5406),
        "rates and errors": MeasuredPattern("a", x, rate, np.sqrt(rate / 76.8), 1.5406),
        "doublet stated": MeasuredPattern("a", x, y, None, 1.5406, 1.54439, 0.5, "X-ray"),
        "few digits": MeasuredPattern("a", np.round(x, 4), y, None, 1.5406),
    }[kind]


KINDS = ("their roots", "roots with few digits", "rates", "rates and errors", "doublet stated",
         "few digits")  # fmt: skip


@pytest.mark.parametrize("fwhm", [0.1, 0.35])
def test_a_scan_has_the_same_peaks_in_every_format(fwhm):
    # Widths that show the doublet, and that leave it open.
    x = np.arange(10, 70, 0.0201613)
    positions = np.arange(14, 68, 3.7)
    heights = 10 ** np.random.default_rng(8).uniform(2.0, 3.6, len(positions))
    y = counts(x, positions, heights, fwhm=fwhm, doublet=True, base=5.0)
    expected = find_peaks(same_scan("counts", x, y))
    assert len(expected) >= len(positions) - 2
    for kind in KINDS:
        found = find_peaks(same_scan(kind, x, y))
        assert len(found) == len(expected), kind
        off = np.abs(found.two_theta_deg - expected.two_theta_deg)
        assert (off / expected.error_deg).max() < 0.02, kind
        np.testing.assert_allclose(found.error_deg, expected.error_deg, rtol=0.02)
        scale = found.area.max() / expected.area.max()
        np.testing.assert_allclose(found.area, scale * expected.area, rtol=0.02)


@pytest.mark.parametrize(
    ("folder", "files"),
    [
        ("gsas2_kaolinite_KGa1_RAW", ("KGA1-CONT.RAW", "converted.xy")),
        ("xrdconv_SbI3_lab", ("SbI3.brml", "SbI3.raw", "SbI3.xy")),
        ("xrdconv_BaZrS3_RAW4", ("BaZrS3.raw", "converted.xy")),
    ],
)
def test_a_measured_scan_has_the_same_peaks_in_every_format(folder, files):
    if not REPORTS.is_dir():
        pytest.skip("no public reports here")
    expected, *others = (find_peaks(read(REPORTS / folder / name, 1.5406)) for name in files)
    for found in others:
        assert len(found) == len(expected)
        np.testing.assert_allclose(found.two_theta_deg, expected.two_theta_deg, atol=1e-4)
        np.testing.assert_allclose(found.error_deg, expected.error_deg, rtol=0.01)


def test_errors_that_tell_more_than_the_counts_are_kept():
    y = np.random.default_rng(2).poisson(np.linspace(3, 900, 2000)).astype(float)
    assert are_of_counts(y, np.sqrt(np.maximum(y, 1)))
    assert are_of_counts(y / 7, np.sqrt(y) / 7)
    detectors = 1 + np.arange(2000) // 500
    assert not are_of_counts(y, np.sqrt(np.maximum(y, 1) / detectors))
    assert not are_of_counts(y, np.full(2000, 12.0))
    assert not are_of_counts(0 * y, np.full(2000, 12.0))


def test_a_doublet_left_open_is_one_unless_it_is_said_to_be_none():
    x = np.arange(15, 90, 0.02)
    positions = np.array([20.0, 28.5, 35.2, 47.1, 56.3, 63.8, 71.0, 78.4, 85.5])
    y = counts(x, positions, np.full(9, 130.0), fwhm=0.3, doublet=True, base=60.0)
    found = find_peaks(MeasuredPattern("made", x, y, None, 1.5406))
    assert np.abs((found.two_theta_deg - positions) / found.error_deg).max() < 3
    assert "if K-alpha1 was alone, give CuKa1" in found.notes[0]
    alone = find_peaks(MeasuredPattern("made", x, y, None, 1.5406, second_ratio=0.0))
    # Unresolved, they lie at the mean.
    assert (alone.two_theta_deg - found.two_theta_deg).min() > 0.005
    # Near K-alpha1, but not as anyone writes it: of neutrons.
    other = find_peaks(MeasuredPattern("made", x, y, None, 1.5403))
    np.testing.assert_allclose(other.two_theta_deg, alone.two_theta_deg, atol=1e-9)


def test_coarse_steps_hide_no_peak():
    # Five points are more than the filter's window holds where peaks are as narrow as that.
    x = np.arange(20, 80, 0.12)
    positions = np.array([24.3, 29.46, 34.2, 49.2, 58.5, 72.2])
    y = counts(x, positions, np.full(6, 900.0), fwhm=0.155, doublet=True, base=10.0)
    found = find_peaks(MeasuredPattern("made", x, y, None, CU_1, CU_2))
    np.testing.assert_allclose(found.two_theta_deg, positions, atol=0.03)


def test_a_pattern_over_q_gives_a_list_without_a_wavelength(tmp_path):
    x = np.arange(5, 80, 0.02)
    y = counts(x, *many())
    known = find_peaks(MeasuredPattern("made", x, y, wavelength_A=SYNCHROTRON))
    found = find_peaks(MeasuredPattern("CuKa1.xy", x, y, nominal_wavelength_A=SYNCHROTRON))
    assert found.peaks.wavelength_A is None
    np.testing.assert_array_equal(found.two_theta_deg, known.two_theta_deg)
    np.testing.assert_array_equal(found.peaks.q2_inv_A2, known.peaks.q2_inv_A2)
    # At another wavelength the same error of q² is another one of 2theta.
    for one, other in (("two_theta_error_deg", found.error_deg), ("fwhm_deg", found.fwhm_deg)):
        np.testing.assert_allclose(
            found.peaks.q2_error_inv_A2(1.0) * getattr(found.peaks, one),
            known.peaks.q2_error_inv_A2(1.0) * other,
        )
    write_peak_file(found, tmp_path / "peaks.txt")
    back = read_peak_list(tmp_path / "peaks.txt")
    assert back.wavelength_A is None
    np.testing.assert_allclose(back.q2_inv_A2, found.peaks.q2_inv_A2, rtol=1e-6)
    np.testing.assert_allclose(back.two_theta_error_deg, found.peaks.two_theta_error_deg, atol=1e-5)
    # The wavelength of Cu, by chance, is no reason to look for its doublet.
    free = find_peaks(MeasuredPattern("made", x, y, nominal_wavelength_A=1.5406))
    assert free.notes == ()


def test_a_stated_doublet_needs_no_note_and_a_single_line_is_left_single():
    x = np.arange(10, 90, 0.02)
    positions = np.array([20.0, 28.5, 35.2, 47.1, 56.3, 63.8, 71.0, 78.4, 85.5])
    heights = np.full(9, 4000.0)
    stated = MeasuredPattern(
        "made", x, counts(x, positions, heights, doublet=True), None, CU_1, CU_2
    )
    found = find_peaks(stated)
    np.testing.assert_allclose(found.two_theta_deg, positions, atol=0.01)
    assert found.notes == ()
    single = counts(x, positions, heights)
    for second in (None, CU_2):
        found = find_peaks(MeasuredPattern("made", x, single, None, CU_1, second))
        np.testing.assert_allclose(found.two_theta_deg, positions, atol=0.01)
        assert any("single" in note for note in found.notes) == (second is not None)


def test_neutrons_have_no_doublet():
    x = np.arange(10, 90, 0.02)
    y = counts(x, [30.0, 30.0768, 60.0, 60.165], [4000, 2000, 4000, 2000], fwhm=0.04)
    found = find_peaks(MeasuredPattern("made", x, y, None, 1.5406, radiation="neutron"))
    assert len(found) == 4


@pytest.mark.parametrize("apart", [0.9, 1.2, 2.0])
def test_overlapping_peaks_are_resolved(apart):
    x = np.arange(10, 60, 0.02)
    lonely = [15.0, 22.0, 45.0, 52.0, 56.0]
    pair = [30.0, 30.0 + apart * 0.12]
    y = counts(x, lonely + pair, [5000] * 5 + [5000, 3000], fwhm=0.12)
    found = find_peaks(MeasuredPattern("made", x, y, wavelength_A=SYNCHROTRON))
    near = found.two_theta_deg[(found.two_theta_deg > 29) & (found.two_theta_deg < 31)]
    np.testing.assert_allclose(near, pair, atol=0.02)
    assert len(found) == 7


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("smoothing", [1, 3, 5])
def test_noise_on_a_hump_holds_no_peak(seed, smoothing):
    x = np.arange(5, 85, 0.02)
    y = counts(x, [], [], base=50.0, seed=seed)
    y = np.convolve(y, np.full(smoothing, 1 / smoothing), "same")[3:-3]
    found = find_peaks(MeasuredPattern("glass", x[3:-3], y, wavelength_A=CU_1))
    assert len(found) == len(found.peaks) == 0
    assert any("no peak" in note for note in found.notes)
    assert np.all(np.isfinite(found.background))


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_a_constant_pattern_is_no_error(level):
    x = np.arange(5, 85, 0.05)
    found = find_peaks(MeasuredPattern("flat", x, np.full(len(x), level), wavelength_A=CU_1))
    assert len(found) == 0
    assert found.notes


def test_k_beta_is_left_out_and_named():
    x = np.arange(10, 80, 0.02)
    positions = np.array([30.0, 44.0, 53.0, 62.0, 70.0])
    ghost = 2 * np.degrees(np.arcsin(np.sin(np.radians(15.0)) * 1.392234 / CU_1))
    y = counts(x, positions, [50_000, 5000, 5000, 5000, 5000], doublet=True)
    y = y + np.round(700 * pseudo_voigt(x, ghost, 0.1))
    found = find_peaks(MeasuredPattern("made", x, y, None, CU_1, CU_2))
    np.testing.assert_allclose(found.two_theta_deg, positions, atol=0.02)
    assert any("K-beta" in note and f"{ghost:.0f}." in note for note in found.notes)


def test_noise_that_goes_together_is_counted_once():
    # Detectors merged onto one grid: neighbours share counts, and errors are stated too small.
    x = np.arange(10, 110, 0.05)
    positions = np.arange(13.0, 108.0, 5.0)
    heights = np.where(np.arange(len(positions)) % 2, 220.0, 3000.0)
    smooth = 150 + sum(
        h * pseudo_voigt(x, p, 0.3, 0.1) for p, h in zip(positions, heights, strict=True)
    )
    white = np.random.default_rng(5).normal(size=len(x) + 1)
    noise = 1.5 * np.sqrt(smooth) * (white[1:] + white[:-1]) / np.sqrt(2)
    pattern = MeasuredPattern(
        "merged", x, smooth + noise, np.sqrt(smooth), 1.54, None, 0.5, "neutron"
    )
    found = find_peaks(pattern)
    assert len(found) == len(positions)
    pull = (found.two_theta_deg - positions) / found.error_deg
    assert 0.4 < np.sqrt(np.mean(pull**2)) < 1.5


@pytest.mark.parametrize("seed", range(4))
def test_k_beta_measured_too_high_is_left_out(seed):
    x = np.arange(20, 60, 0.02)
    beta = 2 * np.degrees(np.arcsin(np.sin(np.radians(45.0) / 2) * 1.392234 / CU_1))
    # The largest share that is taken for K-beta: noise lifts it above in every other pattern.
    y = counts(x, [28.0, 45.0, 52.0, beta], [2000, 2500, 2000, 62], base=60.0, seed=seed)
    found = find_peaks(MeasuredPattern("made", x, y, wavelength_A=CU_1))
    np.testing.assert_allclose(found.two_theta_deg, [28.0, 45.0, 52.0], atol=0.02)


def test_the_foot_behind_a_second_line_is_no_peak():
    x = np.arange(25, 60, 0.008)
    positions = np.array([30.0, 37.5, 43.5, 49.0, 54.0])
    behind = second_line(positions) + 0.16
    sticks = [(positions, 20_000), (second_line(positions), 10_000), (behind, 160)]
    y = 60 + sum(h * pseudo_voigt(x, p, 0.07, 0.1) for where, h in sticks for p in where)
    y = np.random.default_rng(2).poisson(y).astype(float)
    found = find_peaks(MeasuredPattern("made", x, y, None, CU_1, CU_2))
    np.testing.assert_allclose(found.two_theta_deg, positions, atol=0.01)


def mean_of_5(y):
    return np.convolve(np.pad(y, 2, mode="edge"), np.full(5, 0.2), "valid")


def savitzky_golay_of_5(y):
    kernel = np.array([-3, 12, 17, 12, -3]) / 35
    return np.convolve(np.pad(y, 2, mode="edge"), kernel, "valid")


def mean_of_5_twice(y):
    return mean_of_5(mean_of_5(y))


@pytest.mark.parametrize("smooth", [mean_of_5, savitzky_golay_of_5, mean_of_5_twice])
def test_smoothed_noise_holds_no_peaks(smooth):
    # Of all patterns together, one line at the limit may be lost and one may be false.
    x = np.arange(5, 80, 0.02)
    lines = false = 0
    for seed in range(8):
        rng = np.random.default_rng(100 + seed)
        positions = np.cumsum(rng.uniform(0.8, 4.2, 24)) + 7
        y = smooth(counts(x, positions, 10 ** rng.uniform(2.1, 4, 24), seed=seed))
        found = find_peaks(MeasuredPattern("smoothed", x, y, wavelength_A=SYNCHROTRON))
        away = np.abs(found.two_theta_deg[:, None] - positions)
        lines += np.sum(away.min(axis=0) < 0.05)
        false += np.sum(away.min(axis=1) > 0.05)
    assert lines >= 8 * 24 - 1
    assert false <= 1


def test_gaps_uneven_steps_and_scaled_errors():
    rng = np.random.default_rng(5)
    x = np.cumsum(rng.uniform(0.01, 0.03, 4000)) + 5
    x = x[(x < 35) | (x > 45)]
    positions = np.array([12.0, 20.0, 28.0, 33.0, 50.0, 61.0, 70.0])
    y = counts(x, positions, np.full(7, 2000.0))
    pattern = MeasuredPattern("made", x, y / 50, np.sqrt(y) / 50, SYNCHROTRON)
    found = find_peaks(pattern)
    np.testing.assert_allclose(found.two_theta_deg, positions, atol=0.01)


def test_range_and_number_are_kept_to():
    x = np.arange(5, 80, 0.02)
    positions, heights = many()
    pattern = MeasuredPattern("made", x, counts(x, positions, heights), None, SYNCHROTRON)
    first = find_peaks(pattern, PeakSearch(max_peaks=7))
    np.testing.assert_allclose(first.two_theta_deg, positions[:7], atol=0.02)
    assert any("first 7 of 30" in note for note in first.notes)
    part = find_peaks(pattern, PeakSearch(two_theta_min_deg=20, two_theta_max_deg=40))
    inside = positions[(positions > 20.1) & (positions < 39.9)]
    np.testing.assert_allclose(part.two_theta_deg, inside, atol=0.02)
    assert part.background.shape == x.shape


def test_the_same_pattern_gives_the_same_bytes():
    x = np.arange(5, 80, 0.02)
    pattern = MeasuredPattern("made", x, counts(x, *many()), None, SYNCHROTRON)
    one, two = find_peaks(pattern), find_peaks(pattern)
    assert one.two_theta_deg.tobytes() == two.two_theta_deg.tobytes()
    assert one.fitted.tobytes() == two.fitted.tobytes()


def test_peak_files_can_be_read_back(tmp_path):
    x = np.arange(5, 80, 0.02)
    # No name, whatever it holds, is taken for the wavelength.
    name = "lambda=0.5.xy\nwavelength: 2"
    pattern = MeasuredPattern(name, x, counts(x, *many()), None, SYNCHROTRON)
    found = find_peaks(pattern, PeakSearch(max_peaks=20))
    write_peak_file(found, tmp_path / "peaks.txt")
    back = read_peak_list(tmp_path / "peaks.txt")
    assert back.wavelength_A == SYNCHROTRON
    np.testing.assert_allclose(back.q2_inv_A2, found.peaks.q2_inv_A2, rtol=1e-5)
    np.testing.assert_allclose(back.intensity, found.area, rtol=1e-4)
    np.testing.assert_allclose(back.fwhm_deg, found.fwhm_deg, atol=1e-5)
    np.testing.assert_allclose(back.two_theta_error_deg, found.error_deg, atol=1e-5)


def test_an_edited_peak_file_is_kept(tmp_path):
    x = np.arange(5, 80, 0.02)
    pattern = MeasuredPattern("made", x, counts(x, *many()), None, SYNCHROTRON)
    found, path = find_peaks(pattern), tmp_path / "peaks.txt"
    write_peak_file(found, path)
    as_found = path.read_text()
    write_peak_file(found, path)
    assert list(tmp_path.iterdir()) == [path]
    edited = as_found.replace("\n ", "\n# ", 1)
    path.write_text(edited)
    for _ in range(2):
        write_peak_file(found, path)
        assert path.read_text() == as_found
        assert (tmp_path / "peaks.before.txt").read_text() == edited


def test_what_is_missing_is_said():
    x = np.arange(5, 80, 0.02)
    with pytest.raises(MlindexError, match="--wavelength"):
        find_peaks(MeasuredPattern("made", x, counts(x, [], [])))
    pattern = MeasuredPattern("made", x, counts(x, [], []), wavelength_A=CU_1)
    with pytest.raises(MlindexError, match="0 points"):
        find_peaks(pattern, PeakSearch(two_theta_min_deg=90))
    for wrong in (
        {"minimum_significance": 0},
        {"max_peaks": 0},
        {"two_theta_min_deg": 30, "two_theta_max_deg": 20},
    ):
        with pytest.raises(MlindexError):
            PeakSearch(**wrong)


def test_the_first_of_all_peaks_are_those_of_a_search_for_fewer():
    x = np.arange(5, 40, 0.02)
    pattern = MeasuredPattern("made", x, counts(x, *many(n=12)), wavelength_A=SYNCHROTRON)
    every, few = find_peaks(pattern), find_peaks(pattern, PeakSearch(max_peaks=5))
    first = every.first(5)
    assert first.notes == few.notes
    assert every.first(len(every)) is every
    np.testing.assert_array_equal(first.two_theta_deg, few.two_theta_deg)
    np.testing.assert_array_equal(first.significance, few.significance)
    for column in ("q2_inv_A2", "intensity", "two_theta_error_deg", "fwhm_deg"):
        np.testing.assert_array_equal(getattr(first.peaks, column), getattr(few.peaks, column))


def test_a_certified_standard():
    """NIST SRM 660c, a = 4.156780 A (22.5 degrees C), its lines within 0.02 degrees."""
    path = SHARED / "nist_srm660c_LaB6.cif"
    if not path.exists():
        pytest.skip("no shared measured patterns")
    block = next(b for b in gemmi.cif.read(str(path)) if b.find_values("_pd_proc_ls_weight"))
    x, y, weight = (
        np.array([gemmi.cif.as_number(v) for v in block.find_values(tag)])
        for tag in (
            "_pd_proc_2theta_corrected",
            "_pd_proc_intensity_total",
            "_pd_proc_ls_weight",
        )
    )
    order = np.argsort(x)
    keep = order[np.diff(x[order], prepend=-1) > 0]
    found = find_peaks(MeasuredPattern("LaB6", x[keep], y[keep], weight[keep] ** -0.5, CU_1))
    n = np.array([1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18])
    expected = 2 * np.degrees(np.arcsin(CU_1 * np.sqrt(n) / (2 * 4.15678)))
    nearest = [np.argmin(np.abs(found.two_theta_deg - e)) for e in expected]
    difference = found.two_theta_deg[nearest] - expected
    assert np.abs(difference - np.median(difference)).max() < 0.02


def test_backgrounds_of_long_periods_stay_straight() -> None:
    x = 20 + np.arange(5000) * 0.008
    y = 3 + 0.1 * x
    weight = np.where(np.arange(5000) % 150 < 50, 1.0, 0.0)
    weight[7] = 1e6
    for period in (30.0, 300.0):
        np.testing.assert_allclose(whittaker(x, y, weight, period), y, atol=0.3)
