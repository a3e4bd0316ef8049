"""Scores that are made from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlindex.base.errors import MlindexError
from mlindex.campaigns import Campaign
from mlindex.campaigns.scoring import Scored, scored_files

SPACE = {
    "quantities": {"x": {"kind": "discrete", "values": list(range(20))}},
    "objectives": {"drop": {"score": "mlindex"}},
    "batch": 2,
    "method": "random",
}


def letters(seen: list[str]):
    """A scorer that counts letters, and keeps the names of what it has read."""

    def read(path: Path, given: object) -> Scored:
        seen.append(path.name)
        text = path.read_text()
        if "?" in text:
            raise MlindexError(f"{path.name}: can't be read")
        return Scored(len(text), f"{len(text)} letters")

    return {"mlindex": read}


def table(folder: Path, *lines: str) -> Path:
    path = folder / "results.csv"
    path.write_text("\n".join(["x,drop,note", *lines]) + "\n")
    return path


def test_a_file_is_scored_once_and_the_reason_is_kept(tmp_path: Path) -> None:
    seen: list[str] = []
    (tmp_path / "a.xy").write_text("abc")
    (tmp_path / "b.xy").write_text("a")
    c = Campaign(SPACE)
    told = c.tell(table(tmp_path, "1,a.xy,mine", "2,b.xy,", "3,0.5,"), scorers=letters(seen))
    assert told.count == 3
    assert [one.scores["drop"] for one in c.experiments] == [3, 1, 0.5]
    assert c.experiments[0].note.startswith("mine; 3 letters [drop of a.xy ")
    assert c.experiments[2].note is None
    # Told again with one more, what is known is not read again.
    (tmp_path / "c.xy").write_text("abcd")
    again = c.tell(table(tmp_path, "1,a.xy,", "2,b.xy,", "4,c.xy,"), scorers=letters(seen))
    assert (again.count, again.skipped) == (1, 2)
    assert seen == ["a.xy", "b.xy", "c.xy"]


def test_files_that_a_table_names_are_known_before_it_is_told(tmp_path: Path) -> None:
    for name in ("a.xy", "b.xy"):
        (tmp_path / name).write_text("abc")
    results = table(tmp_path, "1,a.xy,b.xy", "2,a.xy,", "3,0.5,", "4,none.xy,", "5,b.xy,")
    objectives = Campaign(SPACE).space.document.objectives
    assert scored_files(results, objectives) == [tmp_path / "a.xy", tmp_path / "b.xy"]
    plain = {"drop": objectives["drop"].model_copy(update={"score": None})}
    assert scored_files(results, plain) == scored_files(tmp_path / "none.csv", objectives) == []


def test_nothing_is_better_than_a_cell_that_explains_all() -> None:
    c = Campaign({**SPACE, "method": "portfolio"})
    for best, known in ((2.5, True), (3.0, False)):
        c.tell([{"x": n, "drop": n / 10} for n in range(4)] + [{"x": 4 + best, "drop": best}])
        assert (c.plan().better is not None) == known


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2,none.xy,", "line 3: drop: no file 'none.xy' beside the table"),
        ("2,bad.xy,", "line 3: bad.xy: can't be read"),
        ("2,nan,", "line 3: drop: expected a finite number"),
    ],
)
def test_nothing_counts_where_one_file_cannot_be_read(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "a.xy").write_text("abc")
    (tmp_path / "bad.xy").write_text("?")
    c = Campaign(SPACE)
    with pytest.raises(MlindexError, match=said):
        c.tell(table(tmp_path, "1,a.xy,", line), scorers=letters([]))
    assert not c.experiments


def test_what_does_not_go_with_files_is_refused() -> None:
    with pytest.raises(MlindexError, match="files are scored by 'mlindex campaign tell'"):
        Campaign(SPACE).tell([{"x": 1, "drop": "a.xy"}])
    for wrong, said in (
        ({"score": "mlindex", "levels": ["a", "b"]}, "levels doesn't go with score"),
        ({"score": "mlindex", "direction": "minimize"}, "minimize doesn't go with score"),
        ({"known_phases": ["cF 5.64"]}, "known_phases is for score: mlindex alone"),
        ({"wavelength_A": 1.54}, "wavelength_A is for score: mlindex alone"),
    ):
        with pytest.raises(MlindexError, match=said):
            Campaign({**SPACE, "objectives": {"drop": wrong}})
