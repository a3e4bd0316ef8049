"""Bad files: what is said, and that nothing but results and MlindexError ever comes out."""

import contextlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import mlindex
from helpers import reader_files as files
from mlindex import files as readers
from mlindex.base.errors import MlindexError
from mlindex.files import archive, source
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList

WRITERS: dict[str, tuple[str, Callable[[], bytes]]] = {
    **{name: (suffix, writer) for name, (suffix, writer, _) in files.PATTERNS.items()},
    **files.PEAK_LISTS,
    "gsas alt": (".gsas", files.gsas_alt),
    "chi q": (".chi", files.chi_q),
}
#: Of formats with a count or an end mark, half a file must not pass.
COUNTED = ("gsas std", "gsas esd", "gsas fxye", "gsas counters", "psi", "ill two axes", "ill d1a",
           "ill old d1a", "ill d1b", "xrdml", "raw 1", "raw 2", "raw 3", "raw 4", "brml", "rasx",
           "parquet", "parquet peaks")  # fmt: skip

MUTATIONS = 200
WORDS = (b"nan", b"-1e999", b"1e308", b"\0", b"\xff\xff\xff\xff", b"[", b"]", b"'", b"0")


def read(tmp_path: Path, suffix: str, content: bytes, wavelength: float | None = None) -> object:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    return readers.read(path, wavelength)


@pytest.mark.parametrize("name", WRITERS)
def test_empty_files(tmp_path: Path, name: str) -> None:
    for content in (b"", b"\n \n"):
        with pytest.raises(MlindexError, match="empty"):
            read(tmp_path, WRITERS[name][0], content)


@pytest.mark.parametrize("name", COUNTED)
def test_half_a_file_is_truncated(tmp_path: Path, name: str) -> None:
    suffix, writer = WRITERS[name]
    content = writer()
    with pytest.raises(MlindexError, match=r"truncated|damaged|ends"):
        read(tmp_path, suffix, content[: len(content) // 2])


def test_unknown_formats_list_what_is_supported(tmp_path: Path) -> None:
    rubbish = np.random.default_rng(0).bytes(5000)
    for suffix in (".doc", ".raw", ".xy", ".brml", ".parquet", ""):
        with pytest.raises(
            MlindexError, match=r"in no format that is known.*'mlindex formats' lists"
        ) as caught:
            read(tmp_path, suffix, rubbish)
        assert ("whatever its suffix" in str(caught.value)) == (suffix not in (".doc", ""))
    with pytest.raises(MlindexError, match=r"is a ZIP archive.*unpack it.*mlindex formats"):
        read(tmp_path, ".zip", files.zipped({"a.txt": "1 2\n"}))


@pytest.mark.parametrize(
    ("suffix", "content", "words"),
    [
        (".txt", b"just a letter\nto nobody\n", "neither numbers nor names"),
        (".cif", b"data_x\n_cell_length_a 5.4\n", "without a measured powder pattern"),
        (".cif", b"data_x\nloop_\n_a\n_b\n1 2 3\n", "damaged"),
        (".cif", b"data_t\nloop_\n_pd_meas_time_of_flight\n_pd_meas_counts_total\n1 2\n3 4\n",
         "time of flight is not read yet"),
        (".gsas", b"t\nBANK 1 50 5 SLOG 1000 5000 0.001 0 FXYE\n1 2 3\n",
         "time of flight is not read yet"),
        (".gsas", b"t\nBANK 1 5000 500 CONST 5000 10 0 0\n   1   2\n",
         "time of flight is not read yet"),
        (".gsas", b"t\nBANK 1 50 5 CONST\n   1   2\n", "lacks start and step"),
        (".gsas", b"t\nBANK 1 99999999 5 CONST 1 1 0 0\n   1   2\n", "can't be right"),
        (".raw", b"RAW_1.06" + bytes(900), "STOE"),
        (".xrdml", b"<xrdMeasurements></xrdMeasurements>", "no scan"),
        (".ras", b"*RAS_DATA_START\n*RAS_INT_START\n10 a\n*RAS_INT_END\n", "expected position"),
        (".jcpds", b"VERSION: 4\nDIHKL: x 1 0 0 1\n", "line 2: expected d, I, h, k and l, got 'x"),
        (".jcpds", b"VERSION: 4\nK0: 1\n", "a card without lines"),
        (".xye", b"# Time-of-flight Y E\n" + b"".join(b"%d 5 1\n" % x for x in range(30)),
         "lines above the columns name it: time of flight is not read yet"),
        (".dat", b"XYDATA\n" + b"".join(b"%d 5 1\n" % (9000 + 20 * x) for x in range(30)),
         "run from 9000 to 9580, not 2theta: time of flight is not read yet"),
        (".pkslst", b"[12.0, True, 'x', True]\n", "expected a GSAS-II peak"),
    ],
)  # fmt: skip
def test_messages(tmp_path: Path, suffix: str, content: bytes, words: str) -> None:
    with pytest.raises(MlindexError, match=words):
        read(tmp_path, suffix, content)


def _columns(x: np.ndarray, y: np.ndarray) -> bytes:
    return "".join(f"{a:.5f} {b:.3f}\n" for a, b in zip(x, y, strict=True)).encode()


def test_patterns_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(MlindexError, match="all 300 intensities are 0"):
        read(tmp_path, ".xy", _columns(files.X, 0 * files.Y))
    with pytest.raises(MlindexError, match="no intensity is above 0, they run from -"):
        read(tmp_path, ".xy", _columns(files.X, -files.Y))
    with pytest.raises(MlindexError, match=r"1000 to 4000.*not 2theta.*time of flight is not"):
        read(tmp_path, ".xye", _columns(np.linspace(1000, 4000, 300), files.Y))
    with pytest.raises(MlindexError, match="usable points"):
        read(tmp_path, ".xy", _columns(files.X, np.where(files.X < 10.1, files.Y, np.nan)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b\x08\0\0", "is compressed with gzip; unpack it first"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is an image"),
        (b"%PDF-1.4\n1 0 obj\n", "is a PDF; copy the numbers"),
        (b"{\\rtf1\\ansi 3.13 100}", "is an RTF document; save it as plain text"),
        (b"\n <!DOCTYPE html><html></html>", "is a web page"),
        (b'{"x": [1, 2], "y": [3, 4]}', "is JSON; save the positions as columns of text"),
        (
            b'{"schema": 2, "mlindex_version": "0.2.0", "sample": "a"}',
            "is a result of mlindex, not a peak list; json.load reads it, and its lines are in "
            "observed_lines.parquet",
        ),
        ("d\n4\n3\n".encode("utf-16-le"), "UTF-16 without its mark; save it as UTF-8"),
    ],
)
def test_other_kinds_of_files_are_named(tmp_path: Path, content: bytes, words: str) -> None:
    for suffix in (".txt", ".gz", ""):
        with pytest.raises(MlindexError, match=words):
            read(tmp_path, suffix, content)


def test_files_of_few_bytes_are_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(MlindexError, match="line 1: 'x' is neither numbers nor names"):
        read(tmp_path, ".txt", b"x")
    with pytest.raises(MlindexError, match="is binary, and in no format"):
        read(tmp_path, ".txt", bytes(100))


def test_a_calculated_pattern_is_not_taken_for_uncertainties(tmp_path: Path) -> None:
    def three(third: np.ndarray) -> MeasuredPattern:
        rows = zip(files.X, files.Y, third, strict=True)
        text = "".join(f"{a:.4f} {b:.1f} {c:.3f}\n" for a, b, c in rows)
        return read(tmp_path, ".xy", text.encode())

    calculated = three(files.Y + 1)
    assert calculated.error is None
    said = "column 3 is too large for uncertainties of the counts; left out"
    assert calculated.notes == (said,)
    np.testing.assert_allclose(three(files.ESD).error, files.ESD)


def test_patterns_that_can_be_put_right(tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(30)
    shuffled = np.concatenate([files.X[:270], files.X[270:][order]])
    values = np.concatenate([files.Y[:270], files.Y[270:][order]])
    found = read(tmp_path, ".cif", _cif(shuffled, values))
    np.testing.assert_allclose(found.intensity, files.Y)
    assert "sorted" in found.notes[0]
    values = files.Y.copy()
    values[5:8] = np.nan, np.inf, -np.inf
    found = read(tmp_path, ".xy", _columns(files.X, values))
    assert len(found) == 297
    assert "3 points without" in found.notes[0]
    found = read(tmp_path, ".xye", files.xye().rstrip()[:-5])
    assert len(found) == 299
    assert "1 rows below" in found.notes[0]
    # Stitched ranges repeat positions.
    found = read(tmp_path, ".cif", _cif(np.repeat(files.X, 2), np.repeat(files.Y, 2)))
    assert len(found) == 300
    assert "given twice" in found.notes[0]


def _cif(x: np.ndarray, y: np.ndarray) -> bytes:
    head = "data_a\nloop_\n_pd_meas_2theta_scan\n_pd_meas_counts_total\n"
    return (head + "".join(f"{a:.4f} {b:.0f}\n" for a, b in zip(x, y, strict=True))).encode()


def test_interrupted_columns_are_not_half_read(tmp_path: Path) -> None:
    lines = files.xy().splitlines()
    lines[150] = b"10.0 broken"
    with pytest.raises(MlindexError, match="interrupted"):
        read(tmp_path, ".xy", b"\n".join(lines))


def test_peak_lists(tmp_path: Path) -> None:
    falling = "".join(f"{d:.4f}\n" for d in files.D).encode()
    rising = "".join(f"{a:.4f}\n" for a in files.PEAKS[:, 0]).encode()
    with pytest.raises(MlindexError, match="looks like d"):
        read(tmp_path, ".txt", falling, 1.5406)
    with pytest.raises(MlindexError, match="looks like 2theta"):
        read(tmp_path, ".txt", rising)
    with pytest.raises(MlindexError, match="looks like 2theta"):
        read(tmp_path, ".txt", b"d\n" + rising)
    with pytest.raises(MlindexError, match=r"can't be reached with 1\.5406 A"):
        read(tmp_path, ".txt", b"d\n4\n3\n0.7\n", 1.5406)
    with pytest.raises(MlindexError, match="all 3 lines are at d = 4"):
        read(tmp_path, ".txt", b"d\n4\n4\n4\n")
    with pytest.raises(MlindexError, match="fwhm_deg must be positive"):
        read(tmp_path, ".txt", b"2theta fwhm\n20 0.1\n30 -1\n", 1.5406)
    with pytest.raises(MlindexError, match="wavelength of nan"):
        read(tmp_path, ".txt", rising, float("nan"))
    assert len(read(tmp_path, ".txt", b"2theta\n60\n50\n40\n", 1.5406)) == 3


def test_missing_files_and_directories(tmp_path: Path) -> None:
    with pytest.raises(MlindexError, match="there is no such file; check its name"):
        readers.read(tmp_path / "none.xye")
    with pytest.raises(MlindexError, match="directory"):
        readers.read(tmp_path)
    with pytest.raises(MlindexError, match="can't be read"):
        readers.read("a\0b")


def test_sizes_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 1000)
    with pytest.raises(MlindexError, match="larger than"):
        read(tmp_path, ".xy", files.xy())


def test_zip_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 1_000_000)
    for name in ("Experiment0/RawData0.xml", "Data0/Profile0.txt"):
        with pytest.raises(MlindexError, match="unpacks to more"):
            read(tmp_path, ".brml", files.zipped({name: bytes(2_000_000)}))
    # One that lies about its size: the directory says 10 bytes.
    bomb = files.zipped({"Experiment0/RawData0.xml": bytes(2_000_000)})
    lie = bomb.replace(struct.pack("<I", 2_000_000), struct.pack("<I", 10))
    assert lie != bomb
    with pytest.raises(MlindexError):
        read(tmp_path, ".brml", lie)


@pytest.mark.parametrize(
    "content",
    [
        b"a" + b" " * 2_000_000 + b"b\n1 2\n",
        b"(" * 2_000_000 + b"\n1 2\n",
        b"# " + b"wavelength " * 100_000 + b"\n1 2\n",
        (b"# wavelength" + b" " * 250 + b"\n") * 5_000 + b"d\n3\n",
        b"t\n" + b"1" * 2_000_000 + b" x\n3 4\n5 6\n",
        b"\n" * 400_000 + b"data\n",
        b"*RAS_DATA_START\n*A" + b" " * 2_000_000 + b'" "\n',
        b"data_x\n_pd_meas_2theta_range_min 1\n_pd_meas_2theta_range_max 2\nloop_\n"
        b"_pd_meas_counts_total\n" + b"1" * 1_000_000 + b"\n2\n",
        b"\n" * 600_000 + b"1",
        b"<xrdMeasurements>" + b"<a/>" * 1_100_000 + b"</xrdMeasurements>",
    ],
    ids=range(10),
)
def test_texts_made_to_take_long(tmp_path: Path, content: bytes) -> None:
    with contextlib.suppress(MlindexError):
        _check(read(tmp_path, ".txt", content))


@pytest.mark.parametrize("name", ["xrdml", "brml"])
def test_xml_bombs(tmp_path: Path, name: str) -> None:
    entities = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {new} "{f"&{old};" * 10}">'
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    document = f"{entities}]><xrdMeasurements>&i;</xrdMeasurements>".encode()
    external = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>'
    external += b"<xrdMeasurements>&f;</xrdMeasurements>"
    for text in (document, external):
        content = text if name == "xrdml" else files.zipped({"Experiment0/RawData0.xml": text})
        with pytest.raises(MlindexError, match="document type or entities"):
            read(tmp_path, f".{name}", content)


def test_nothing_in_a_file_is_run_or_opened(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    code = f"[__import__('pathlib').Path({str(marker)!r}).touch(), True, 1.0, True]\n"
    with pytest.raises(MlindexError):
        read(tmp_path, ".pkslst", b"[12.0, True, 5.0, True]\n" + code.encode())
    with pytest.raises(MlindexError):
        read(tmp_path, ".brml", files.zipped({"../../RawData0.xml": "<x/>"}))
    assert not marker.exists()


def _mutated(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(0, max(len(data), 1)))
        length = int(rng.integers(1, 60))
        kind = rng.integers(0, 8)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            data[at : at + length] = rng.bytes(length)
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = data[at : at + length] * int(rng.integers(1, 20))
        elif kind == 4:
            words = (
                b"nan",
                b"-1e999",
                b"1e308",
                b"\0",
                b"\xff\xff\xff\xff",
                b"[",
                b"]",
                b"'",
                b"0",
            )
            data[at:at] = words[rng.integers(len(words))]
        elif kind == 5 and data:
            data[at % len(data)] ^= 1 << int(rng.integers(8))
        elif kind == 6:
            data[at : at + 4] = rng.choice(np.array([0, 1, 2**31 - 1, 2**32 - 1], "<u4")).tobytes()
        else:
            other = int(rng.integers(0, max(len(data), 1)))
            data[at : at + length] = data[other : other + length]
    return bytes(data)


def _rezipped(content: bytes, rng: np.random.Generator) -> bytes:
    """The members mutated, not only the archive, the sums of which would tell."""
    path = io.BytesIO(content)
    with zipfile.ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    return files.zipped({name: _mutated(text, rng) for name, text in members.items()})


def _check(found: object) -> None:
    assert isinstance(found, PeakList | MeasuredPattern)
    if isinstance(found, PeakList):
        assert np.all(np.isfinite(found.q2_inv_A2) & (found.q2_inv_A2 > 0))
        assert np.all(np.diff(found.q2_inv_A2) > 0)
        return
    assert np.all(np.diff(found.two_theta_deg) > 0)
    assert np.all((found.two_theta_deg > 0) & (found.two_theta_deg < 180))
    assert np.all(np.isfinite(found.intensity))
    assert found.error is None or np.all(np.isfinite(found.error) & (found.error > 0))
    assert found.wavelength_A is None or 0.01 < found.wavelength_A < 100


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", WRITERS)
def test_mutations_give_results_or_errors(tmp_path: Path, name: str) -> None:
    suffix, writer = WRITERS[name]
    content = writer()
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    path = tmp_path / f"file{suffix}"
    refused = []
    for index in range(MUTATIONS):
        again = content.startswith(b"PK") and index % 2
        path.write_bytes(_rezipped(content, rng) if again else _mutated(content, rng))
        try:
            _check(readers.read(path, 1.5406 if index % 3 else None))
        except MlindexError as error:
            refused.append(str(error))
    assert refused
    assert all(str(path) in message and len(message) < 2500 for message in refused)


@pytest.mark.parametrize("path", ["", " ", None, 5, b"scan.xye"])
def test_what_is_no_name_of_a_file_is_refused(path):
    with pytest.raises(MlindexError, match="is no name of a file"):
        mlindex.read(path)


@pytest.mark.parametrize("wavelength", [True, [1.5406], object()])
def test_what_is_no_wavelength_is_refused(wavelength, tmp_path):
    with pytest.raises(MlindexError, match=r"give a number in A, such as 1\.5406"):
        mlindex.read(tmp_path / "scan.xye", wavelength)
