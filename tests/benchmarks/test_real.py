"""The benchmark on measured patterns: its index, and what it says of a first cell."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.benchmark_modules import benchmark
from mlindex.indexing.rates.judge import Truth

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def real():
    with benchmark("real") as module:
        yield module


def write(folder, *rows, columns="file,wavelength_A,a,b,c,alpha,beta,gamma,space_group"):
    index = folder / "index.csv"
    index.write_text("\n".join([columns, *rows]) + "\n")
    return index


def test_rows_of_an_index(real, tmp_path):
    index = write(
        tmp_path,
        "one.xye,1.5405/1.5443,4,4,5,90,90,90,P 4/m m m",
        "two.xye,not read,4,4,11,90,90,120,R -3 c:H",
        "three.xye,,5,5,5,55,55,55,R -3 c:R",
        "four.xye,1.5,,,,,,,",
    )
    one, two, three = real.known_cells(index, tmp_path)
    assert one.file == tmp_path / "one.xye"
    assert [k.wavelength_A for k in (one, two, three)] == [1.5405, None, None]
    assert [k.truth.centring for k in (one, two, three)] == ["P", "R", "P"]


def test_a_centring_will_do_for_a_space_group(real, tmp_path):
    columns = "centring,file,a,b,c,alpha,beta,gamma,wavelength_A"
    (one,) = real.known_cells(write(tmp_path, "i,x.xy,4,5,6,90,90,90,1", columns=columns), tmp_path)
    assert one.truth.centring == "I"


@pytest.mark.parametrize(
    ("columns", "row"),
    [("file,a,b,c", "x.xy,4,5,6"), (None, "x.xy,1,4,5,six,90,90,90,P 1")],
)
def test_a_wrong_index_is_no_traceback(real, tmp_path, columns, row):
    index = write(tmp_path, row, **({"columns": columns} if columns else {}))
    with pytest.raises(SystemExit, match=r"index\.csv"):
        real.known_cells(index, tmp_path)


class _First:
    def __init__(self, cell, centring):
        self.cell, self.centring = np.array(cell, dtype=float), centring


@pytest.mark.parametrize(
    ("first", "centring", "relation"),
    [
        ([4, 5, 6.01, 90, 90, 90], "P", "the same"),
        ([4, 5, 12, 90, 90, 90], "P", "supercell of index 2"),
        ([4, 5, 6, 90, 90, 90], "C", "subcell of index 2"),
        ([4, 5, 2, 90, 90, 90], "P", "subcell of index 3"),
        ([4, 5.4, 12, 90, 90, 90], "P", "other"),
    ],
)
def test_what_the_first_cell_is_to_the_known_one(real, first, centring, relation):
    known = Truth(np.array([4.0, 5, 6, 90, 90, 90]), "P")
    assert real._relation(_First(first, centring), known) == relation


def test_a_folder_is_indexed_and_counted(real, tmp_path, monkeypatch, capsys):
    list_of_lines = (PROJECT / "resources/samples/tenorite.txt").read_text()
    (tmp_path / "tenorite.txt").write_text(list_of_lines)
    (tmp_path / "short.txt").write_text("d\n2.0\n1.5\n")
    write(
        tmp_path,
        "tenorite.txt,,4.6837,3.4226,5.1288,90,99.54,90,C 1 2/c 1",
        "short.txt,,4,4,4,90,90,90,P m -3 m",
    )
    out = tmp_path / "real.json"
    arguments = ["real.py", str(tmp_path), "--workers", "1", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", arguments)
    real.main()
    printed = capsys.readouterr().out
    assert "| tenorite.txt | C 4.684 3.423 5.129 99.54 | 1 | convincing |" in printed
    assert "refused: " in printed
    totals = dict(line.split(": ") for line in printed.split("\n\n")[1].splitlines())
    assert totals["patterns"] == "2"
    assert totals["refused"] == totals["first"] == "1"
    assert totals["convincing but wrong"] == "0"
    written = json.loads(out.read_text())["tables"]
    assert written["patterns"][0]["rank"] == "1"
    assert written["totals"][0]["patterns"] == 2
