"""Every reader on a file written by the tests, and all of them on measured patterns."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pymatgen.analysis.diffraction.xrd import WAVELENGTHS

from helpers import reader_files as files
from mlindex import files as readers
from mlindex.base.errors import MlindexError
from mlindex.crystal.wavelengths import TUBES, given_as, in_A
from mlindex.files.columns import looks_like_pattern
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.radiation import from_header, from_tube

EXPERIMENTAL = Path(__file__).resolve().parents[2].parent / "shared" / "experimental"
REPORTS = EXPERIMENTAL.parent / "reports"
#: Time-of-flight data among the measured patterns.
TIME_OF_FLIGHT = ("pd_cod_2240655.cif", "pd_cod_2240656.cif", "pd_httk_sg98.cif")


def write(tmp_path: Path, suffix: str, content: bytes) -> Path:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", files.PATTERNS)
def test_patterns_come_back(tmp_path: Path, name: str) -> None:
    suffix, writer, stated = files.PATTERNS[name]
    found = readers.read(write(tmp_path, suffix, writer()))
    assert isinstance(found, MeasuredPattern)
    np.testing.assert_allclose(found.two_theta_deg, files.X, atol=2e-5)
    np.testing.assert_allclose(found.intensity, files.Y, rtol=1e-5, atol=1e-3)
    assert found.wavelength_A == (None if stated is None else pytest.approx(stated, rel=1e-6))
    if name in files.DOUBLETS:
        assert found.second_wavelength_A == pytest.approx(files.DOUBLET[1], rel=1e-6)
        assert found.second_ratio == pytest.approx(0.5)
        if name != "csv panalytical":
            assert found.radiation == "X-ray"
    else:
        assert found.second_wavelength_A is None


@pytest.mark.parametrize("name", files.PATTERNS)
def test_the_content_decides_not_the_suffix(tmp_path: Path, name: str) -> None:
    found = readers.read(write(tmp_path, ".unknown", files.PATTERNS[name][1]()))
    assert isinstance(found, MeasuredPattern)
    np.testing.assert_allclose(found.two_theta_deg, files.X, atol=2e-5)


@pytest.mark.parametrize("name", ["gsas esd", "gsas fxye", "xye"])
def test_uncertainties_as_written(tmp_path: Path, name: str) -> None:
    suffix, writer, _ = files.PATTERNS[name]
    np.testing.assert_allclose(
        readers.read(write(tmp_path, suffix, writer())).error, files.ESD, atol=0.01
    )


def test_more_counters_mean_smaller_uncertainties(tmp_path: Path) -> None:
    found = readers.read(write(tmp_path, ".raw", files.gsas_counters()))
    counters = 2 + np.arange(files.COUNT) // 100
    np.testing.assert_allclose(found.error, np.sqrt(files.Y / counters))


def test_gsas_alt(tmp_path: Path) -> None:
    found = readers.read(write(tmp_path, ".gsas", files.gsas_alt()))
    np.testing.assert_allclose(found.two_theta_deg, files.X, atol=1e-9)
    np.testing.assert_allclose(found.intensity, files.Y / 1000, atol=1e-4)
    np.testing.assert_allclose(found.error, files.ESD / 1000, atol=1e-4)


def test_attenuators_are_taken_out_with_their_uncertainty(tmp_path: Path) -> None:
    found = readers.read(write(tmp_path, ".ras", files.ras()))
    np.testing.assert_allclose(found.error[200:], 2 * np.sqrt(files.Y[200:] / 2), rtol=1e-3)


#: Patterns over Q, 1/d and d, at 1.2 A: what stands above the columns, and the positions.
INVERSE_D = 2 * np.sin(np.radians(files.X / 2)) / 1.2
OVER_D = {
    "Q in words": ("t\nQ (Inverse Angstrom)\nI\n  300\n", 2 * np.pi * INVERSE_D),
    "Q in nanometres": ("t\nQ (Inverse Nanometres)\nI\n  300\n", 20 * np.pi * INVERSE_D),
    "pyFAI": ("# q_nm^-1  I\n", 20 * np.pi * INVERSE_D),
    "SPEC": ("#S 1\n#L Q($A^{-1}$)  I\n", 2 * np.pi * INVERSE_D),
    "q": ("q,I\n", INVERSE_D),
    "Mantid": ("# d-Spacing  Y\n", 1 / INVERSE_D),
}


@pytest.mark.parametrize("kind", OVER_D)
def test_patterns_over_d_or_q_need_no_wavelength(tmp_path: Path, kind: str) -> None:
    head, x = OVER_D[kind]
    rows = "".join(f"{a:.9f} {b:.1f}\n" for a, b in zip(x, files.Y, strict=True))
    path = write(tmp_path, ".dat", (head + rows).encode())
    np.testing.assert_allclose(readers.read(path, 1.2).two_theta_deg, files.X, atol=1e-5)
    found = readers.read(path)
    assert found.wavelength_A is None
    nominal = found.nominal_wavelength_A
    assert nominal == found.scale_A == 1.5406
    np.testing.assert_allclose(
        2 * np.sin(np.radians(found.two_theta_deg / 2)) / nominal, INVERSE_D, rtol=1e-6
    )
    assert "calculated for 1.5406 A" in repr(found)


def test_a_pattern_over_q_ends_where_no_line_helps(tmp_path: Path) -> None:
    x = np.linspace(0.5, 25, 900)
    rows = "".join(f"{a:.6f} {b:.1f}\n" for a, b in zip(x, 100 + np.arange(900), strict=True))
    for name, note in (("Q", None), ("q", "q was read as 2 pi/d: as 1/d it would end at d = 0.04")):
        found = readers.read(write(tmp_path, ".csv", f"{name},I\n{rows}".encode()))
        d = found.scale_A / 2 / np.sin(np.radians(found.two_theta_deg / 2))
        assert d.min() > 0.75
        assert d.min() == pytest.approx(0.75, rel=0.01)
        assert found.two_theta_deg[-1] == pytest.approx(90, abs=0.2)
        assert "points without a d above 0.75 A or an intensity" in found.notes[-1]
        assert note is None or note in found.notes[0]


def test_a_wavelength_alone_on_the_first_line_is_said(tmp_path: Path) -> None:
    found = readers.read(write(tmp_path, ".xye", files.dash()))
    assert found.notes == ("1.2345, alone on the first line, is the wavelength in A, as in DASH",)
    np.testing.assert_allclose(found.error, files.ESD)
    rest = files.dash().partition(b"\n")[2]
    for first in (b"300", b"55.5", b"0.02", b"a title\n1.2345"):
        assert readers.read(write(tmp_path, ".xye", first + b"\n" + rest)).wavelength_A is None


def test_neutron_layouts(tmp_path: Path) -> None:
    for name in ("psi", "ill two axes", "ill d1a", "ill old d1a", "ill d1b"):
        assert (
            readers.read(write(tmp_path, ".dat", files.PATTERNS[name][1]())).radiation == "neutron"
        )
    for name in ("psi", "ill two axes"):
        found = readers.read(write(tmp_path, ".dat", files.PATTERNS[name][1]()))
        np.testing.assert_allclose(found.error, files.ESD, atol=0.06)
    # Four detectors saw each angle: their mean is twice as sure.
    found = readers.read(write(tmp_path, ".dat", files.ill_d1a()))
    np.testing.assert_allclose(found.error, np.sqrt(files.Y / 4))
    # Fields of eight that touch, and a file that ends after the counts.
    lines = files.psi().decode().splitlines()
    lines[3:33] = [
        "".join(f"{v:8.0f}" for v in 1e7 + files.Y[i : i + 10]) for i in range(0, 300, 10)
    ]
    found = readers.read(write(tmp_path, ".dat", "\n".join(lines[:33]).encode()))
    np.testing.assert_array_equal(found.intensity, 1e7 + files.Y)
    assert found.error is None


def test_dead_channels_are_left_out(tmp_path: Path) -> None:
    counts = files.Y + 4000
    counts[[40, 41, 200]] = 0
    text = "".join(f"{a:.4f} {b:.0f}\n" for a, b in zip(files.X, counts, strict=True))
    found = readers.read(write(tmp_path, ".xy", text.encode()))
    assert len(found) == files.COUNT - 3
    assert found.notes == ("3 points of 0 far below their neighbours (dead channels) left out",)
    # Where few are counted, 0 is a count.
    few = np.random.default_rng(3).poisson(4, files.COUNT)
    text = "".join(f"{a:.4f} {b}\n" for a, b in zip(files.X, few, strict=True))
    found = readers.read(write(tmp_path, ".xy", text.encode()))
    assert (len(found), found.notes) == (files.COUNT, ())


def test_cards_are_named_as_such(tmp_path: Path) -> None:
    for name in ("jcpds", "jcpds old"):
        found = readers.read(write(tmp_path, ".txt", files.PEAK_LISTS[name][1]()))
        assert found.notes == ("a card of a phase: its lines were read, not its cell",)
    # A list whose columns have the same names is a list.
    text = files.jcpds_old().partition(b"\n")[2].partition(b"\n")[2]
    assert readers.read(write(tmp_path, ".txt", text)).notes == ()


def test_ranges_that_follow_are_joined_and_repeated_ones_are_not(tmp_path: Path) -> None:
    joined = readers.read(write(tmp_path, ".raw", files.raw_3(ranges=2)))
    assert len(joined) == 2 * files.COUNT
    # The second was counted twice as long: its counts are halved, its relative error is smaller.
    np.testing.assert_allclose(joined.intensity[files.COUNT :], files.Y, rtol=1e-6)
    np.testing.assert_allclose(joined.error[files.COUNT :], np.sqrt(files.Y / 2), rtol=1e-6)
    twice = files.ras().replace(b"*RAS_DATA_END\r\n", b"") + files.ras()
    found = readers.read(write(tmp_path, ".ras", twice))
    assert len(found) == files.COUNT
    assert "2 measurements" in found.notes[0]


def test_the_line_that_a_rigaku_file_names(tmp_path: Path) -> None:
    single = readers.read(write(tmp_path, ".ras", files.ras(line="Ka1")))
    assert single.second_wavelength_A is None
    beta = readers.read(write(tmp_path, ".ras", files.ras(line="Kb")))
    assert beta.wavelength_A == pytest.approx(1.392246)
    with pytest.raises(MlindexError, match="only scans over Omega"):
        readers.read(write(tmp_path, ".ras", files.ras(axis="Omega")))


def test_kalpha1_optics_of_xrdml_leave_no_doublet(tmp_path: Path) -> None:
    text = files.xrdml().replace(b'"K-Alpha"', b'"K-Alpha 1"')
    assert readers.read(write(tmp_path, ".xrdml", text)).second_wavelength_A is not None
    text = text.replace(b"<usedWavelength", b"<monochromator/><usedWavelength")
    assert readers.read(write(tmp_path, ".xrdml", text)).second_wavelength_A is None


def test_wavelength_given_wins_with_a_note(tmp_path: Path) -> None:
    path = write(tmp_path, ".xrdml", files.xrdml())
    same = readers.read(path, 1.5406)
    assert (same.wavelength_A, same.notes) == (1.5406, ())
    assert same.second_wavelength_A == files.DOUBLET[1]
    other = readers.read(path, 0.7)
    assert (other.wavelength_A, other.second_wavelength_A) == (0.7, None)
    assert "states 1.5406 A; 0.7 A was given" in other.notes[-1]


@pytest.mark.parametrize("name", files.PEAK_LISTS)
def test_peak_lists_come_back(tmp_path: Path, name: str) -> None:
    suffix, writer = files.PEAK_LISTS[name]
    found = readers.read(write(tmp_path, suffix, writer()))
    assert isinstance(found, PeakList)
    np.testing.assert_allclose(1 / np.sqrt(found.q2_inv_A2), files.D, rtol=1e-5)
    np.testing.assert_allclose(found.intensity, files.PEAKS[:, 1])
    if name in ("csv", "pkslst", "mcmaille"):
        assert found.wavelength_A == 1.5406


def test_widths_and_errors_of_peak_lists(tmp_path: Path) -> None:
    found = readers.read(write(tmp_path, ".csv", files.peaks_csv()))
    np.testing.assert_array_equal(found.fwhm_deg, 0.11)
    np.testing.assert_array_equal(found.two_theta_error_deg, 0.012)
    # Gaussian variance 12.5, Lorentzian width 3 (hundredths of a degree): the fifth-power sum of
    # Thompson, Cox and Hastings, written out.
    g, z = 2.354820045 * 12.5**0.5 / 100, 0.03
    sums = g**5 + 2.69269 * g**4 * z + 2.42843 * g**3 * z**2 + 4.47163 * g**2 * z**3
    width = (sums + 0.07842 * g * z**4 + z**5) ** 0.2
    found = readers.read(write(tmp_path, ".pkslst", files.pkslst()))
    np.testing.assert_allclose(found.fwhm_deg, width)


def test_mcmaille_zero_point_and_spacings(tmp_path: Path) -> None:
    text = files.mcmaille().replace(b"1.5406 0.0 3", b"1.5406 0.05 3")
    found = readers.read(write(tmp_path, ".dat", text))
    shifted = 2 / 1.5406 * np.sin(np.radians((files.PEAKS[:, 0] + 0.05) / 2))
    np.testing.assert_allclose(np.sqrt(found.q2_inv_A2), shifted)
    assert "zero point of 0.05" in found.notes[0]
    rows = "".join(f"{d:.5f} {i:.0f}\n" for d, i in zip(files.D, files.PEAKS[:, 1], strict=True))
    found = readers.read(write(tmp_path, ".dat", f"t\n1.5406 0.0 3\n{rows}".encode()))
    np.testing.assert_allclose(1 / np.sqrt(found.q2_inv_A2), files.D, rtol=1e-5)
    with pytest.raises(MlindexError, match="black-box"):
        readers.read(write(tmp_path, ".dat", f"t\n1.5406 0.0 1\n{rows}".encode()))


@pytest.mark.parametrize("size", [3, 20, 99, 500])
def test_peak_lists_are_not_taken_for_patterns(tmp_path: Path, size: int) -> None:
    rng = np.random.default_rng(size)
    angles = np.sort(rng.uniform(5, 140, size))
    text = "".join(f"{a:.4f} {i:.0f}\n" for a, i in zip(angles, rng.integers(1, 99, size)))  # noqa: B905
    found = readers.read(write(tmp_path, ".xy", text.encode()), 1.5406)
    assert isinstance(found, PeakList)
    assert len(found) == len(np.unique(np.round(angles, 4)))


def test_lines_of_a_large_cubic_cell_are_no_pattern() -> None:
    squares = np.arange(15)
    numbers = np.unique(squares[:, None, None] ** 2 + squares[:, None] ** 2 + squares**2)[1:160]
    q2 = numbers / 30.0**2
    angles = np.degrees(2 * np.arcsin(1.5406 * np.sqrt(q2) / 2))
    assert not looks_like_pattern("2theta", angles, sure=True)
    assert not looks_like_pattern("q2", q2)
    assert not looks_like_pattern("d", 1 / np.sqrt(q2))


def test_tubes_agree_with_pymatgen() -> None:
    for element, lines in TUBES.items():
        for index, line in enumerate(lines, 1):
            assert line == pytest.approx(WAVELENGTHS[f"{element}Ka{index}"], rel=4e-5)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("# wavelength: 1.5406", 1.5406, None),
        ("# Wavelength (A) = 0.7093", 0.7093, None),
        ("lambda=1.909", 1.909, None),
        ("# Wavelength: 4.1e-11 m", 0.41, None),
        ('"wavelength": 4.1e-11,', 0.41, None),
        ("wavelength 0.15406 nm", 1.5406, None),
        ("K-Alpha1 wavelength,1.540598\nK-Alpha2 wavelength,1.544426", 1.540598, 1.544426),
        ("Ka1: 1.5406 Ka2: 1.5444", 1.5406, 1.5444),
        ("wavelength1 = 1.5406\nwavelength2 = 1.5444", 1.5406, 1.5444),
        ("sample Ka1 5 mg", None, None),
        ("wavelength: unknown", None, None),
        ("wavelength 0", None, None),
        ("the energy was 8048", None, None),
        ("# Wavelength = 1,5406", 1.5406, None),
        ("# wavelength: 1.5406A", 1.5406, None),
        ("# wavelength: 1.5406 Å", 1.5406, None),
        ("# wavelength: 1.5406x", None, None),
        ("# wavelength: 1.5406,1.5444", 1.5406, None),
        ("# Wavelength (nm): 0.15406", 1.5406, None),
        ("# wavelength_nm: 0.15406", 1.5406, None),
        ("# λ = 1,5406 Å", 1.5406, None),
        ("# Wellenlänge: 1.5406", 1.5406, None),
        ("# wavelength 1.5406", 1.5406, None),
        ("# wavelength 1,5406", 1.5406, None),
        ("# lambda 2.345 A", 2.345, None),
        ("# wavelength1 1.5406\n# wavelength2 1.5444", 1.5406, 1.5444),
        ("# Kα1: 1,5406", 1.5406, None),
        ("# Cu Ka", *TUBES["Cu"]),
        ("# CuKα1, 40 kV", TUBES["Cu"][0], None),
        ("# Co Kalpha1,2", *TUBES["Co"]),
        ("# Cu Ka\n# wavelength: 1.5405", 1.5405, None),
        ("# Cu Ka2", None, None),
    ],
)
def test_wavelengths_in_headers(text: str, first: float | None, second: float | None) -> None:
    found = from_header(text.split("\n"))
    assert found.wavelength_A == (None if first is None else pytest.approx(first))
    assert found.second_wavelength_A == second


def test_two_wavelengths_in_a_header_are_said() -> None:
    found = from_header(["wavelength: 1.5406", "wavelength: 1.54061", "wavelength: 0.7107"])
    assert found.wavelength_A == 1.5406
    assert found.notes == ("the file states 1.5406 and 0.7107 A; 1.5406 A is used",)
    assert from_header(["wavelength: 1.5406", "wavelength: 1.54061"]).notes == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("8.0478 keV", "that is 1.5406"),
        ("0.15406nm", "that is 1.5406"),
        ("1,5406 Å", "that is 1.5406"),
        ("0 keV", None),
        ("copper", None),
    ],
)
def test_other_ways_to_write_a_wavelength(text: str, said: str | None) -> None:
    assert in_A(text) == said


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Cu", "CuKa"),
        ("cu", "CuKa"),
        ("Cu Ka", "CuKa"),
        ("MoKα", "MoKa"),
        ("Co-Kalpha1,2", "CoKa"),
        ("CuKa1", "CuKa1"),
        ("fe k_alpha1", "FeKa1"),
        ("1,5406", 1.5406),
        (0.7, 0.7),
        (None, None),
    ],
)
def test_names_of_tubes(name: str | float | None, meant: str | float | None) -> None:
    assert given_as(name) == meant


@pytest.mark.parametrize("name", ["CuKa2", "CuKb", "Cu2", "W", "copper", "", "Cu" * 1000])
def test_what_names_no_tube(name: str) -> None:
    with pytest.raises(MlindexError, match=r"is not a number; .*a tube such as Cr, .*CuKa1"):
        given_as(name)


def test_a_tube_that_was_named(tmp_path: Path) -> None:
    path = write(tmp_path, ".xy", files.xy())
    both = readers.read(path, "Cu")
    assert (both.wavelength_A, both.second_wavelength_A, both.second_ratio) == (*TUBES["Cu"], 0.5)
    assert both.radiation == "X-ray"
    assert both.notes == (
        "CuKa was given: K-alpha1, 1.5405929 A, which positions are of, and K-alpha2, 1.5444274 A, "
        "with half its intensity",
    )
    first = readers.read(path, "CoKa1")
    assert (first.wavelength_A, first.second_wavelength_A) == (TUBES["Co"][0], None)
    assert first.second_ratio == 0
    assert first.notes == ("CoKa1 was given: 1.788996 A, without K-alpha2",)
    # What was named wins over what the file states.
    found = readers.read(write(tmp_path, ".xrdml", files.xrdml()), "Mo")
    assert found.wavelength_A == TUBES["Mo"][0]
    assert found.notes[0] == "the file states 1.5406 A; 0.709317 A was given and is used"
    peaks = readers.read(write(tmp_path, ".txt", b"2theta\n20\n30\n40\n"), "CuKa")
    assert peaks.wavelength_A == TUBES["Cu"][0]
    assert "which positions are of" in peaks.notes[0]
    with pytest.raises(MlindexError, match="'W' is not a number"):
        readers.read(path, "W")


def test_tubes_in_words() -> None:
    assert from_tube("Cu K\\a").second_wavelength_A == TUBES["Cu"][1]
    assert from_tube("Mo K\\a~1~").wavelength_A == TUBES["Mo"][0]
    assert from_tube("Mo K\\a~1~").second_wavelength_A is None
    assert from_tube("Mo K\\a~1~").second_ratio == 0
    assert from_tube("Cu").wavelength_A is None


def test_supported_names_every_suffix() -> None:
    known = {suffix for suffixes, _ in readers.supported() for suffix in suffixes}
    asked = ".xy .xye .csv .chi .dat .gsas .xrdml .raw .brml .ras .rasx .cif .pkslst .parquet"
    assert set(asked.split()) <= known


def test_reading_imports_nothing_slow() -> None:
    code = (
        "import sys; from mlindex.files import registry; "
        "print([m for m in ('pandas', 'pyarrow', 'tensorflow', 'sklearn', 'matplotlib') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_measured_patterns() -> None:
    if not EXPERIMENTAL.is_dir():
        pytest.skip("no measured patterns here")
    index = list(csv.DictReader((EXPERIMENTAL / "index.csv").read_text().splitlines()))
    assert len(index) > 40
    for row in index:
        path = EXPERIMENTAL / row["file"]
        if row["file"] in TIME_OF_FLIGHT:
            with pytest.raises(MlindexError, match="time of flight is not read yet"):
                readers.read(path)
            continue
        found = readers.read(path)
        assert isinstance(found, MeasuredPattern), row["file"]
        assert len(found) > 500
        assert np.all(np.diff(found.two_theta_deg) > 0)
        assert found.two_theta_deg[-1] - found.two_theta_deg[0] > 15
        if found.wavelength_A is not None and row["wavelength_A"] != "not read":
            assert found.wavelength_A == pytest.approx(float(row["wavelength_A"]), rel=1e-5)
        if "CIF" in row["format"]:
            assert found.wavelength_A is not None


def test_patterns_of_public_reports() -> None:
    if not REPORTS.is_dir():
        pytest.skip("no public reports here")
    for name, wavelength in (
        ("dash_t2_chlorpropamide/Tutorial_02.xye", 0.800077),
        ("dash_t4_DFQP_CoKa/Tutorial_04.xye", 1.78897),
        ("xylib_NdNi4MgD_HRPT/PSI_DMC.dat", 1.494),
        ("xylib_LaNi2Mn3Dx_D1A5/D1A5.dat", 1.9114),
        ("pdf_alphaZrP_Q_chi/aZrP.chi", None),
    ):
        found = readers.read(REPORTS / name)
        assert isinstance(found, MeasuredPattern), name
        assert found.wavelength_A == wavelength
        assert found.scale_A is not None
    neutrons = readers.read(REPORTS / "xylib_NdNi4MgD_HRPT" / "PSI_DMC.dat")
    same = readers.read(REPORTS / "xylib_NdNi4MgD_HRPT" / "converted.xy", 1.494)
    np.testing.assert_allclose(neutrons.two_theta_deg, same.two_theta_deg)
    np.testing.assert_array_equal(neutrons.intensity, same.intensity)
    card, listed = (
        readers.read(REPORTS / "dioptas_FeGeO3_jcpds" / name)
        for name in ("FeGeO3_cpx.jcpds", "peaks.csv")
    )
    np.testing.assert_array_equal(card.q2_inv_A2, listed.q2_inv_A2)
    for name in ("lk99_powgen_tof_Cu_impurity/PG3_56181-3.dat", "gsas2_SrTiO3_5K_tof/gem05984.gss"):
        with pytest.raises(MlindexError, match="time of flight is not read yet"):
            readers.read(REPORTS / name)
