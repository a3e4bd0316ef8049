"""Peak lists: what is read, what is put right, and what is refused with which words."""

import re
from pathlib import Path

import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import two_theta_from_q2
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import quadratic_terms
from mlindex.crystal.lines import nearest_index, reflections
from mlindex.files.peak_checks import to_q2
from mlindex.files.peak_lists import parse_peak_list, peaks_from_columns, read_peak_list
from mlindex.files.rounding import decimals, rounding_error
from mlindex.indexing.search.observed import observe
from mlindex.patterns.peaklist import PeakList

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"
#: Known cells of the shipped samples (conventional cell, reflection condition, largest error in d).
KNOWN = {
    "quartz": ([4.9133, 4.9133, 5.4053, 90, 90, 120], "P", 1e-3),
    "corundum": ([4.758, 4.758, 12.991, 90, 90, 120], "R", 1e-3),
    "silicon": ([5.43088] * 3 + [90.0] * 3, "F", 2e-4),
    "rutile": ([4.5933, 4.5933, 2.9592, 90, 90, 90], "P", 1e-3),
    "tenorite": ([4.684, 3.425, 5.129, 90, 99.47, 90], "C", 2e-3),
}


@pytest.mark.parametrize("name", KNOWN)
def test_shipped_samples_fit_their_known_cells(name: str) -> None:
    cell, centring, tolerance = KNOWN[name]
    d = 1 / np.sqrt(read_peak_list(SAMPLES / f"{name}.txt").q2_inv_A2)
    hkl = reflections(np.array(cell), "P" if centring == "R" else centring, 1.02 / d[-1] ** 2)
    if centring == "R":
        hkl = hkl[(-hkl[:, 0] + hkl[:, 1] + hkl[:, 2]) % 3 == 0]
    calculated = 1 / np.sqrt(quadratic_terms(hkl) @ reciprocal_from_cell(np.array(cell)))[::-1]
    nearest = calculated[nearest_index(d, calculated)]
    assert np.abs(d / nearest - 1).max() < tolerance


def test_no_sample_is_left_unchecked() -> None:
    assert {p.stem for p in SAMPLES.glob("*.txt")} == set(KNOWN)


def test_all_four_quantities_agree() -> None:
    d = np.array([4.0, 3.0, 2.0])
    two_theta = np.degrees(2 * np.arcsin(1.5406 / 2 / d))
    texts = {
        "d_A": d,
        "2theta": two_theta,
        "q": 1 / d,
        "q2": 1 / d**2,
    }
    for header, values in texts.items():
        text = "\n".join([header, *(f"{v:.10f}" for v in values)])
        found = parse_peak_list(text, "x", 1.5406 if header == "2theta" else None)
        np.testing.assert_allclose(found.q2_inv_A2, 1 / d**2, rtol=1e-8)


@pytest.mark.parametrize("separator", [",", ";", "\t", "  ", " , "])
def test_separators_comments_and_intensity(separator: str) -> None:
    lines = [
        "# a comment",
        "d_A" + separator + "I",
        "4.0" + separator + "10",
        "",
        "3.0" + separator + "5",
    ]
    found = parse_peak_list("\n".join(lines), "x", None)
    np.testing.assert_allclose(found.q2_inv_A2, [1 / 16, 1 / 9])
    np.testing.assert_array_equal(found.intensity, [10, 5])


@pytest.mark.parametrize(
    ("header", "factor"),
    [
        ("Q", 2 * np.pi),
        ("q_2pi", 2 * np.pi),
        ("Q (nm^-1)", 20 * np.pi),
        ("q_A^-1", 2 * np.pi),
        ("q", 1),
        ("1/d", 1),
    ],
)
def test_q_with_and_without_two_pi(header: str, factor: float) -> None:
    d = np.array([4.0, 3.0, 2.0])
    text = "\n".join([header, *(f"{v:.10f}" for v in factor / d)])
    found = parse_peak_list(text, "x", None)
    np.testing.assert_allclose(found.q2_inv_A2, 1 / d**2, rtol=1e-8)
    assert ("2 pi/d; name" in found.notes[0]) == (factor != 1)


@pytest.mark.parametrize(
    ("text", "wavelength", "d"),
    [
        ("# d I\n4 1\n3 2\n", 1.5406, [4, 3]),
        ("# h k l d\n1 1 1 4\n2 0 0 3\n", 1.5406, [4, 3]),
        (
            "No.;Pos. [°2Th.];d-spacing [Å];Rel. Int. [%]\n1;1,0;4,5;10,5\n2;2,0;3,0;7\n",
            None,
            [4.5, 3],
        ),
        ("d-spacing [nm]\tIntensity\n0.4\t1\n0.3\t2\n", None, [4, 3]),
        ('"d","I"\r\n"4","1"\r\n"3","2"\r\n', None, [4, 3]),
        ("4,5 100\n3,0 50\n", None, [4.5, 3]),
        ("d,name,I\n4,a b,1\n3,,2\n", None, [4, 3]),
        (",d,I\n0,4,1\n1,3,2\n", None, [4, 3]),
        ("d (pm)\n400\n300\n", None, [4, 3]),
        ("Winkel 2Theta\tIntensität\n60,00(2)\t7\n80,00(12)\t9\n", 2.0, [2, 1.5557238]),
        ("theta I\n30 7\n40 9\n", 2.0, [2, 1.5557238]),
        ("theta 2theta\n5 60\n5 80\n", 2.0, [2, 1.5557238]),
        ("2theta (rad)\n1.0471976\n1.3962634\n", 2.0, [2, 1.5557238]),
        ("2Theta (Grad)\n60\n80\n", 2.0, [2, 1.5557238]),
        ("60,0\n80,0\n90,0\n", 2.0, [2, 1.5557238, 1.4142136]),
        ("2theta\n60,0\n80,0\n90,0\n", 2.0, [2, 1.5557238, 1.4142136]),
        ("60,0, 7\n80,0, 9\n", 2.0, [2, 1.5557238]),
        ('"2Theta","I"\n"60,0","7"\n"80,0","9"\n', 2.0, [2, 1.5557238]),
        ("No.\tphase\td\tI\n1\t\t4\t30\n2\tx\t3\t70\n", None, [4, 3]),
        ("Int. [%]  d-spacing [Å]  FWHM Left [°2Th.]\n7 4 0.1\n9 3 0.1\n", None, [4, 3]),
        ("d\t\tI\n4\t7\n3\t9\n", None, [4, 3]),
        ("d I\t\n4 7\t\n3 9\t\n", None, [4, 3]),
        ("d\tI\tfwhm\n4\t\t1\n3\t9\t2\n", None, [4, 3]),
    ],
)
def test_headers_and_decimal_commas(text: str, wavelength: float | None, d: list[float]) -> None:
    found = parse_peak_list(text, "x", wavelength)
    np.testing.assert_allclose(1 / np.sqrt(found.q2_inv_A2), d, rtol=1e-6)


def test_two_theta_before_d_where_the_wavelength_is_known() -> None:
    text = "d 2theta I\n4.44 20 1\n2.98 30 2\n"
    np.testing.assert_allclose(
        1 / np.sqrt(parse_peak_list(text, "x", None).q2_inv_A2), [4.44, 2.98]
    )
    found = parse_peak_list(text, "x", 1.5406)
    np.testing.assert_allclose(two_theta_from_q2(found.q2_inv_A2, 1.5406), [20, 30])


def test_widths_and_errors_stay_with_their_lines() -> None:
    text = "I fwhm 2theta 2theta_error\n1 0.3 30 0.03\n2 0.2 20 0.02\n3 0.4 40 0.04\n"
    found = parse_peak_list(text, "x", 1.5406)
    np.testing.assert_array_equal(found.intensity, [2, 1, 3])
    np.testing.assert_array_equal(found.fwhm_deg, [0.2, 0.3, 0.4])
    np.testing.assert_array_equal(found.two_theta_error_deg, [0.02, 0.03, 0.04])
    assert "sorted" in found.notes[0]


def test_five_hundred_lines() -> None:
    d = np.geomspace(20, 1, 500)
    assert len(parse_peak_list("\n".join(f"{v:.6f} 1" for v in d), "x", None)) == 500


def test_wavelength_from_the_file_and_from_the_caller(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("# wavelength: 1.0\n2theta\n20\n30\n")
    stated = read_peak_list(file)
    assert stated.wavelength_A == 1.0
    given = read_peak_list(file, 2.0)
    np.testing.assert_allclose(given.q2_inv_A2 * 4, stated.q2_inv_A2)


def test_sorted_and_single_with_a_note() -> None:
    found = parse_peak_list("d\n3\n4\n4\n2", "x", None)
    np.testing.assert_allclose(1 / np.sqrt(found.q2_inv_A2), [4, 3, 2])
    assert len(found.notes) == 2


@pytest.mark.parametrize(
    ("text", "wavelength", "words"),
    [
        ("", None, "no line with numbers"),
        ("# only a comment", None, "no line with numbers"),
        ("d\n", None, "no line below"),
        ("d\n4.0\nabc\n", None, "line 3: expected a number in column 1, got 'abc'"),
        ("d\n4.0\n-3.0\n", None, "line 3: d must be positive, got -3"),
        ("d\n4.0\nnan\n", None, "positive"),
        ("d\n4.0\n0\n", None, "positive"),
        ("2theta\n20\n185\n", 1.5, "between 0 and 180"),
        ("2theta\n20\n30\n", None, "needs the wavelength"),
        ("10.5\n20.1\n35.2\n", None, "looks like 2theta"),
        ("4.1\n3.2\n2.5\n", 1.5406, "looks like d"),
        ("d\n4\n3\n", -1.0, "wavelength"),
        ("hello world\n4\n3\n", None, "neither numbers nor names"),
        ("d I\n4 10\n3 strong\n", None, "got 'strong'"),
        ("d I\n4 10\n3 nan\n", None, "intensity must be a finite number"),
        ("d\n4\ninf\n", None, "positive"),
        ("d\n4\n1_0\n", None, "got '1_0'"),
        ("d\n4\n4\n4\n", None, "all 3 lines are at d = 4"),
        ("d\n1e-200\n4\n", None, "out of range"),
        ("q2\n1e300\n4\n", None, "out of range"),
        ("26.6\n20.8\n50.1\n", None, "looks like 2theta"),
        ("d\n4\n0.6\n", 1.5406, "can't be reached with 1.5406 A"),
        (";\n;\n", None, "no line with numbers"),
        ("No d\n1\n2 4.1\n", None, "line 2: expected a number in column 2, got 'nothing'; correct"),
        ("4.1 3.2 2.5 2.2\n", None, "line 1: all 4 numbers stand in one row"),
        ("1 20.1 9\n2 30.2 8\n3 35.5 7\n", 1.5, "first column (1, 2, 3, ...) does not look"),
        ("1 1 0 4.1\n2 0 0 3.2\n2 1 1 2.5\n", None, "first column (1, 2, 2, ...) does not look"),
        ("d I\n1 4.1 9\n2 3.2 8\n3 2.5 7\n", None, "line 2: the first column (1, 2, 3, ...)"),
        ("2theta,I\n28,443,9\n47,304,8\n56,123,7\n", 1.5, "with decimal commas, put ; between"),
        ("FWHM Left d\n0.1 4\n0.1 3\n", None, "3 names of columns, 'FWHM Left d', stand above 2"),
        ("sample d\na 4\na 3\nb 4\n", None, "table of 2 samples; index them with 'mlindex batch'"),
    ],
)
def test_bad_lists(text: str, wavelength: float | None, words: str) -> None:
    with pytest.raises(MlindexError, match=re.escape(words)):
        parse_peak_list(text, "list.txt", wavelength)


@pytest.mark.parametrize(
    ("text", "wavelength", "notes"),
    [
        ("d\n3.135(2)\n1.920(3)\n", None, ["uncertainties in brackets were not used"]),
        ("theta\n30\n40\n", 2.0, ["theta was read and doubled"]),
        ("60,0\n80,0\n90,0\n", 2.0, ["read as one column of numbers with decimal commas"]),
        (
            "d\n0.4\n0.3\n",
            None,
            [
                "read as d, the largest spacing is only 0.4 A: "
                "check the column, its unit and the wavelength, in A"
            ],
        ),
        (
            "2theta\n1\n2\n",
            1.0,
            [
                "read as 2theta, even the smallest spacing is 28.6 A: "
                "check the column, its unit and the wavelength, in A"
            ],
        ),
        ("d\n4\n0.6\n", None, []),
        ("d\n90\n19\n", None, []),
    ],
)
def test_what_was_put_right_or_is_odd_is_said(
    text: str, wavelength: float | None, notes: list[str]
) -> None:
    assert list(parse_peak_list(text, "x", wavelength).notes) == notes


def test_whole_numbers_are_positions_where_nothing_speaks_against_it() -> None:
    np.testing.assert_allclose(
        parse_peak_list("4\n3\n2\n", "x", None).q2_inv_A2, [1 / 16, 1 / 9, 1 / 4]
    )
    assert len(parse_peak_list("2theta,I\n10,100\n20,50\n30,20\n", "x", 1.0)) == 3


def test_missing_file_and_odd_encoding(tmp_path: Path) -> None:
    with pytest.raises(MlindexError, match="there is no such file"):
        read_peak_list(tmp_path / "none.txt")
    odd = tmp_path / "odd.txt"
    odd.write_bytes("# Å ngström\nd\n4\n3\n".encode("latin-1"))
    assert len(read_peak_list(odd)) == 2


def test_error_is_the_derivative() -> None:
    text = "2theta\n" + "\n".join(str(v) for v in (10, 30, 50, 70))
    low = parse_peak_list(text, "x", 1.5406)
    shifted = "2theta\n" + "\n".join(str(v + 1e-4) for v in (10, 30, 50, 70))
    high = parse_peak_list(shifted, "x", 1.5406)
    np.testing.assert_allclose(low.q2_error_inv_A2(1e-4), high.q2_inv_A2 - low.q2_inv_A2, rtol=1e-4)


def test_numbers_without_a_name_are_taken_for_spacings_and_it_is_said(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("10.1\n12.3\n15.2\n17.7\n")
    (note,) = read_peak_list(path).notes
    assert "read as d in A, rising to 17.7" in note
    path.write_text("17.7 100\n15.2 20\n")
    (note,) = read_peak_list(path).notes
    assert "the column has no name and was read as d in A: if these are 2theta" in note
    path.write_text("d\n17.7\n15.2\n12.3\n10.1\n")
    assert read_peak_list(path).notes == ()


def test_rounding_is_known_from_the_decimals() -> None:
    rng = np.random.default_rng(4)
    d = rng.uniform(1, 9, 12)
    assert decimals(d) is None
    for places in range(5):
        assert decimals(np.round(d, places)) == places
    assert decimals(np.round(d[:3], 2)) is None


@pytest.mark.parametrize(("quantity", "wavelength"), [("d", None), ("2theta", 1.5406), ("Q", None)])
def test_rounding_error_is_what_rounding_does(quantity: str, wavelength: float | None) -> None:
    rng = np.random.default_rng(5)
    values = rng.uniform(1.5, 9.5, 4000) * (12 if quantity == "2theta" else 1)
    rounded = np.round(values, 2)

    def q2(v: np.ndarray) -> np.ndarray:
        return to_q2(quantity, v, wavelength, "x")

    error = rounding_error(rounded, q2)
    assert error is not None
    z = (q2(rounded) - q2(values)) / error
    assert np.std(z) == pytest.approx(1.0, abs=0.05)
    assert np.abs(z).max() < 1.75


def test_rounded_spacings_widen_the_errors_unless_one_is_given() -> None:
    d = [5.43, 4.71, 3.33, 2.84, 2.72, 2.35, 2.11, 1.92]
    sharp = observe(peaks_from_columns("x", "d", np.array(d) + 1e-6, None), 20, None)
    rounded = peaks_from_columns("x", "d", np.array(d), None)
    wide = observe(rounded, 20, None)
    assert np.all(wide.sigma > sharp.sigma)
    assert wide.sigma[-1] > 3 * sharp.sigma[-1]
    np.testing.assert_allclose(observe(rounded, 20, 0.02).sigma, sharp.sigma, rtol=1e-4)
    assert peaks_from_columns("x", "q2", np.arange(1, 9) / 25, None).rounding_inv_A2 is None


def test_usual_error_shrinks_with_short_wavelengths_only() -> None:
    q2 = np.linspace(0.02, 0.3, 12) + 1e-7

    def sigma(wavelength: float | None) -> np.ndarray:
        return observe(PeakList("x", q2, None, wavelength), 20, None).sigma

    # At low angles it is one error of q², whatever the wavelength.
    np.testing.assert_allclose(sigma(0.4)[:3], sigma(0.8)[:3], rtol=0.02)
    np.testing.assert_allclose(sigma(0.4)[0], sigma(None)[0], rtol=0.02)
    slope = PeakList("x", q2, None, 2.4).q2_error_inv_A2(1.0)
    np.testing.assert_allclose(sigma(2.4), 0.02 * slope)


@pytest.mark.parametrize(
    ("q2", "words"),
    [
        ([0.1, float("nan")], "q² of line 2, nan, is not a finite number"),
        ([-0.1, 0.1], "q² of line 1, -0.1, is not positive"),
        ([0.2, 0.1], "q² of line 2, 0.1, is smaller than the one before; sort the list"),
        (["x"], "q2_inv_A2 holds something that is no number"),
        ([[0.1]], "q2_inv_A2 is 1 x 1: give one number for each line"),
    ],
)
def test_a_list_is_checked_however_it_is_made(q2: list, words: str) -> None:
    with pytest.raises(MlindexError, match=re.escape(words)):
        PeakList("x", q2, None, None)


def test_a_list_takes_what_is_like_an_array() -> None:
    peaks = PeakList("x", [0.1, 0.2], (5, 1), 1.5406)
    assert peaks.q2_inv_A2.dtype == peaks.intensity.dtype == float
    with pytest.raises(MlindexError, match="fwhm_deg is 1: give one number for each line"):
        PeakList("x", [0.1, 0.2], None, None, fwhm_deg=[0.1])
    with pytest.raises(MlindexError, match="wavelength can't be nan A"):
        PeakList("x", [0.1, 0.2], None, float("nan"))
