"""Files that would fill the memory or never end, and pipes: what is read, what is said."""

from __future__ import annotations

import os
import socket
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import mlindex
from helpers import reader_files as files
from mlindex import files as readers
from mlindex.base.errors import MlindexError
from mlindex.base.names import shown
from mlindex.files import numbers, source

LIST = b"d\n4\n3\n2.5\n"


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".rasx", files.zipped({"Data0/Profile0.txt": b"1 2 1\n" * 9000})),
        (".csv", b"2theta,I\n" + b"1," * 20_000),
        (".csv", b";" * 30_000 + b"1"),
        (".txt", b"1 " * 30_000),
        (".cif", b"data_x\nloop_\n_a\n" + b"1\n" * 30_000),
    ],
)
def test_texts_of_too_many_words_are_refused_before_they_are_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, content: bytes
) -> None:
    monkeypatch.setattr(source, "MAX_WORDS", 20_000)
    with pytest.raises(MlindexError, match=r"more than 0\.02 million numbers or words"):
        readers.read(written(tmp_path / f"file{suffix}", content))


def test_words_are_counted_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_WORDS", 10)
    source.Source("x", "", b"          1     2          3    ").check_words()
    with pytest.raises(MlindexError, match="numbers or words"):
        source.Source("x", "", b"1 " * 12).check_words()


def test_a_scan_of_too_many_points_takes_little_memory() -> None:
    text = "12345 " * 2_000_000
    tracemalloc.start()
    with pytest.raises(MlindexError, match="more than 500000 points in a scan"):
        numbers.numbers_in("x", text)
    assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    tracemalloc.stop()


def test_numbers_are_the_same_whatever_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).integers(0, 10**6, 500).astype(float)
    text = "\n ".join(f"{value:g}" for value in values)
    for piece in (1, 7, 100, 10_000):
        monkeypatch.setattr(numbers, "_PIECE", piece)
        assert numbers.numbers_in("x", text).tolist() == [float(f"{v:g}") for v in values]
    assert numbers.numbers_in("x", "  ").tolist() == []
    with pytest.raises(MlindexError, match="a list of numbers is damaged"):
        numbers.numbers_in("x", "1 2 three")


def test_a_thousand_scans_are_read_one_by_one(tmp_path: Path) -> None:
    text = files.xrdml().decode()
    start, end = text.index("<scan"), text.index("</xrdMeasurement>")
    many = text[:start] + 50 * text[start:end] + text[end:]
    found = readers.read(written(tmp_path / "many.xrdml", many.encode()))
    assert found.notes == ("the file holds 50 measurements; the first was read",)
    np.testing.assert_array_equal(found.intensity, files.Y)


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(LIST,))
    writer.start()
    assert len(readers.read(pipe)) == 3
    writer.join()
    ours, theirs = os.pipe()
    os.write(theirs, LIST)
    os.close(theirs)
    assert len(readers.read(f"/dev/fd/{ours}")) == 3
    os.close(ours)


def test_a_pipe_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(MlindexError, match=r"gave 0 bytes and did not end within 0\.1 s"):
        readers.read(pipe, time_limit_s=0.1)
    handle = os.open(pipe, os.O_RDWR)
    os.write(handle, LIST)
    with pytest.raises(MlindexError, match=f"gave {len(LIST)} bytes and did not end"):
        readers.read(pipe, time_limit_s=0.1)
    os.close(handle)


def test_devices_and_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MlindexError, match="/dev/null: the file is empty"):
        readers.read("/dev/null")
    monkeypatch.setattr(source, "MAX_BYTES", 1_000_000)
    with pytest.raises(MlindexError, match="/dev/zero: is larger than 1 MB"):
        readers.read("/dev/zero")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("one.txt")
        with pytest.raises(MlindexError, match=r"one\.txt: is a socket, not a file"):
            readers.read("one.txt")


def test_names_that_are_not_utf_8_are_shown_as_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\n.txt"))
    found = readers.read(written(path, LIST))
    assert found.name == f"{tmp_path}/caf\\xe9\\n.txt" == shown(path)
    found.name.encode()
    path.write_bytes(b"")
    with pytest.raises(MlindexError, match=r"caf\\xe9\\n\.txt: the file is empty"):
        readers.read(path)
    assert shown("Prüfung 1.txt") == "Prüfung 1.txt"


def test_the_package_offers_reading(tmp_path: Path) -> None:
    path = written(tmp_path / "list.txt", b"2theta\n20\n30\n40\n")
    for given in (path, str(path)):
        assert len(mlindex.read(given, wavelength=1.5406)) == 3
    with pytest.raises(MlindexError, match="2theta needs the wavelength"):
        mlindex.read(path)
