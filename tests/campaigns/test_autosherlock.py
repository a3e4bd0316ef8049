"""AutoSherlock screens: what cocktails hold, and what of it a model sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlindex.base.errors import MlindexError
from mlindex.campaigns.autosherlock import features, read_screen
from mlindex.campaigns.campaign import Campaign

_HEAD = "X1.rar\tmsoversion2\r\nWell position in plate\tCocktail #\tCommercial Code\t...\r\n"
_WELLS = (
    "1\tC1\t\tAmmonium bromide\tNH4Br\t3.56M\tTris\t0.1 M\t8\t\t\t\t\t10",
    "2\tC2\tHR 7\tSodium Chloride\t\t0 01 M\tHEPES - Na\t0.1M\t7.5\tPEG 4000\t24% (w/v)\t\t\t50-90",
    'well position in plate\tCocktail #\t""',
    '3\tC3\tHR 8\t"Tacsimate, pH 4.0"\t\t35% (v/v)\t\t\t\t\t\t\t\t',
    "4\tC4\t\tSodium/Potassium Phosphate\t\t1.4 M\t\t\t5.6\t\t\t\t\t25",
)


@pytest.fixture
def screen(tmp_path: Path) -> Path:
    path = tmp_path / "screen.mso"
    path.write_text(_HEAD + "\r\n".join(_WELLS) + "\r\n", "latin-1", newline="")
    return path


def test_cocktails_are_read(screen: Path) -> None:
    wells = read_screen(screen)
    assert [well.text for well in wells] == [
        "3.56 M ammonium bromide, 0.1 M tris, pH 8",
        "0.01 M sodium chloride, 0.1 M hepes, 24 % peg 4000, pH 7.5",
        "35 % tacsimate, pH 4",
        "1.4 M sodium/potassium phosphate, pH 5.6",
    ]
    assert [well.classes for well in wells] == [(10,), (50, 90), (), (25,)]
    assert [well.buffer for well in wells] == ["tris", "hepes", None, None]
    assert wells[0].additives[0].ions == ("ammonium", "bromide")
    assert wells[3].additives[0].ions == ("sodium", "potassium", "phosphate")
    assert wells[1].additives[2].molar_mass == 4000
    found = features(wells)
    assert found.values.shape == (4, len(found.columns))
    acidity = found.values[:, found.columns.index("pH pH")]
    assert acidity.tolist() == [8.0, 7.5, 4.0, 5.6]
    sodium = found.values[:, found.columns.index("ion sodium")]
    assert sodium == pytest.approx(np.sqrt([0, 0.01, 0, 1.4]))


def test_a_screen_is_a_quantity(screen: Path) -> None:
    given = {
        "quantities": {"cocktail": {"kind": "categorical", "descriptors": screen.name}},
        "objectives": {"drop": {"levels": [0, 5, 10, 25, 50, 60, 90]}},
        "batch": 3,
    }
    from mlindex.campaigns.space.space import Space

    campaign = Campaign(Space.from_dict(given, screen.parent))
    assert len({one.values["cocktail"] for one in campaign.ask()}) == 3
    assert "24 % peg 4000" in campaign.space.text({"cocktail": "C2"})
    campaign.tell([{"cocktail": "C2", "drop": "50-90"}, {"cocktail": "C1", "drop": 10}])
    assert campaign.best.scores == {"drop": 90.0}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no AutoSherlock screen"),
        (b"\x00\xff" * 50, "is no AutoSherlock screen"),
        (_HEAD.encode(), "holds no well"),
        ((_HEAD + _WELLS[0] + "\r\n" + _WELLS[0]).encode(), "C1 stands in two wells"),
        ((_HEAD + _WELLS[0].replace("\t8\t", "\thigh\t")).encode(), "line 3: expected a pH"),
        ((_HEAD + _WELLS[0].replace("3.56M", "much")).encode(), "expected a concentration"),
        ((_HEAD + _WELLS[0][:-2] + "crystals").encode(), "expected classes such as 10 or 50-90"),
        ((_HEAD + "1\tC1\t10").encode(), "expected a well, a cocktail"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "screen.mso"
    path.write_bytes(content)
    with pytest.raises(MlindexError) as problem:
        read_screen(path)
    assert said in str(problem.value)
