"""Parquet: positions of any type that can hold numbers, names for what holds none."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.reader_files import D
from mlindex.base.errors import MlindexError
from mlindex.base.schema import write_table
from mlindex.files import own, read
from mlindex.indexing.tables import ABSENT_LINES, OBSERVED_LINES, OF_A_SAMPLE

TEXTS = [f"{d:.5f}" for d in D]
NUMBERS = {
    "text": pa.array(TEXTS),
    "decimal commas": pa.array([text.replace(".", ",") for text in TEXTS]),
    "large text": pa.array(TEXTS, pa.large_string()),
    "repeated text": pa.array(TEXTS).dictionary_encode(),
    "decimals": pa.array([Decimal(text) for text in TEXTS]),
    "single precision": pa.array(D.astype("f4")),
    "repeated numbers": pa.array([float(text) for text in TEXTS]).dictionary_encode(),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.parquet"


def from_columns(path: Path, **columns: object) -> object:
    pq.write_table(pa.table(columns), path)
    return read(path)


@pytest.mark.parametrize("kind", NUMBERS)
def test_positions_are_numbers_whatever_their_type(path: Path, kind: str) -> None:
    found = from_columns(path, d_A=NUMBERS[kind])
    np.testing.assert_allclose(found.q2_inv_A2, np.sort(D**-2.0), rtol=1e-4)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([[d] for d in D]), r"column 'd_A' is of type list<.*; write it as double"),
        (pa.array([True] * len(D)), "column 'd_A' is of type bool"),
        (pa.array([0] * len(D), pa.date32()), r"column 'd_A' is of type date32"),
        (pa.array([*TEXTS[:-1], "x"]), "row 6: expected a number in column 'd_A', got 'x'"),
        (pa.array([*TEXTS[:-1], None]), "row 6: expected a number in column 'd_A', got 'nothing'"),
    ],
)
def test_other_types_are_named(path: Path, column: pa.Array, words: str) -> None:
    with pytest.raises(MlindexError, match=words):
        from_columns(path, d_A=column)


def test_numbers_are_taken_before_text(path: Path) -> None:
    found = from_columns(path, angle=["a"] * len(D), d_A=D, intensity=["vs"] * len(D))
    assert found.intensity is None
    found = from_columns(path, d_A=TEXTS, intensity=["vs"] * len(D))
    assert found.intensity is None
    found = from_columns(path, d_A=TEXTS, intensity=[str(n) for n in range(len(D))])
    assert found.intensity.tolist() == list(range(len(D)))


def test_messages_name_capital_q(path: Path) -> None:
    with pytest.raises(MlindexError, match=r"q_inv_A \(1/d\), Q \(2 pi/d\)"):
        from_columns(path, colour=D)
    small = from_columns(path, q=1 / D)
    assert "name the column Q if it is 2 pi/d" in small.notes[0]
    large = from_columns(path, Q=2 * np.pi / D)
    np.testing.assert_allclose(small.q2_inv_A2, large.q2_inv_A2)


def test_samples_are_named_by_text_or_numbers(path: Path) -> None:
    assert len(from_columns(path, sample=[1.5] * len(D), d_A=D)) == len(D)
    with pytest.raises(MlindexError, match="names of samples are text or numbers"):
        from_columns(path, sample=[[1]] * len(D), d_A=D)


def test_columns_that_unpack_to_too_much_are_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlindex.files.parquet.MAX_BYTES", 1_000_000)
    with pytest.raises(MlindexError, match="its columns unpack to 2 MB"):
        from_columns(path, d_A=[f"{d}{'0' * 400_000}" for d in D])


def test_tables_of_results_are_no_peak_lists(path: Path) -> None:
    row = {"sample": "x", "rank": 1, "h": 1, "k": 0, "l": 0, "two_theta_deg": None}
    lines = [row | {"q2_inv_A2": d**-2, "d_A": d} for d in D]
    write_table(path, ABSENT_LINES, [{n: line[n] for n in ABSENT_LINES.names} for line in lines])
    with pytest.raises(MlindexError, match="is the table 'absent_lines' that mlindex wrote"):
        read(path)
    assert own.table_in(path) == "absent_lines"


def test_observed_lines_can_be_indexed_again(path: Path) -> None:
    rows = [dict.fromkeys(OBSERVED_LINES.names) for _ in D]
    for number, (row, d) in enumerate(zip(rows, D, strict=True), 1):
        row |= {"sample": "x", "line": number, "q2_inv_A2": d**-2, "d_A": d}
    write_table(path, OBSERVED_LINES, rows)
    assert len(read(path)) == len(D)
    assert own.OBSERVED in {table.name for table in OF_A_SAMPLE}


def test_other_files_hold_no_table_of_results(path: Path) -> None:
    path.write_bytes(b"PAR1 and nothing")
    assert own.table_in(path) is None
    assert own.table_in(path.with_suffix(".txt")) is None


def test_a_damaged_footer_ends_no_process(path: Path) -> None:
    table = pa.table({"d_A": D, "sample": ["lab"] * len(D)})
    pq.write_table(table, path, store_schema=False, data_page_version="2.0")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from mlindex.base.errors import MlindexError\n"
        "from mlindex.files import parquet\n"
        "from mlindex.files.source import Source\n"
        "data, refused = Path(sys.argv[1]).read_bytes(), 0\n"
        "end = len(data) - 8\n"
        "for place in range(end - int.from_bytes(data[end:end + 4], 'little'), end):\n"
        "    for bit in (0, 1):\n"
        "        changed = bytearray(data)\n"
        "        changed[place] ^= 1 << bit\n"
        "        try:\n"
        "            parquet.read(Source('x', '.parquet', bytes(changed)), None)\n"
        "        except MlindexError:\n"
        "            refused += 1\n"
        "assert refused > 50, refused\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
