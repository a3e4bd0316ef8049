"""The page on the classifiers of symmetry, from small made tables."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from helpers.scripts_in_process import run
from mlindex.base.schema import write_table
from mlindex.classification.paired import mcnemar
from mlindex.classification.settings import Classifiers, ClassifierStudies, Level
from mlindex.classification.tables import (
    CLASSIFIER_IMPORTANCE,
    CLASSIFIER_OCCLUSION,
    CLASSIFIER_SCORES,
    CLASSIFIER_SEARCH,
    CLASSIFIER_STUDIES,
    CLASSIFIER_TESTS,
    SYMMETRY_EXAMPLES,
)
from mlindex.crystal.symmetry_classes import LEVELS, classes_of
from mlindex.learning.learners.registry import KINDS
from mlindex.learning.scores import score
from mlindex.reports.classification.inputs import (
    EXAMPLE_COLUMNS,
    ClassifierData,
    LevelTables,
    learner_title,
)
from mlindex.reports.classification.page import build_page

#: Space groups of the examples, the crystals of each, and what they are taken for.
CRYSTALS = {221: (110, 225), 225: (90, 139), 139: (15, 225)}
KINDS_OF_TABLES = {
    "search": CLASSIFIER_SEARCH,
    "scores": CLASSIFIER_SCORES,
    "tests": CLASSIFIER_TESTS,
    "importance": CLASSIFIER_IMPORTANCE,
    "occlusion": CLASSIFIER_OCCLUSION,
}
SPLITS = {"structure_type": 0.0, "composition_family": 0.02, "entry_id": 0.05}


def examples() -> pd.DataFrame:
    rows = []
    for number, (count, _) in CRYSTALS.items():
        for i in range(count):
            q2 = np.array([1, 2, 4, 5, 9]) / (4 + 0.01 * i)
            rows += [(f"e{number}_{i:03d}", number, m, q2, np.ones(5), 3.0) for m in (0, 1)]
    frame = pd.DataFrame(rows, columns=EXAMPLE_COLUMNS)
    return frame


def level_tables(level: str, frame: pd.DataFrame) -> LevelTables:
    """Two learners on half the crystals: one always the largest class, one mostly right."""
    classes = classes_of(level)
    names = np.array(classes.names)
    test = frame[frame["entry_id"].str[-1].isin(list("01234"))].reset_index(drop=True)
    true = classes.of(test["spacegroup_number"].to_numpy())
    mistaken = classes.of(np.array([CRYSTALS[n][1] for n in test["spacegroup_number"]]))
    wrong = test["entry_id"].str.endswith("3") | (
        (test["measurement"] == 1) & test["entry_id"].str.endswith("1")
    )
    largest = classes.of(np.array([221]))[0]
    guesses = {
        "majority": (np.full(len(test), largest), 1.0),
        "extra_trees": (np.where(wrong, mistaken, true), 0.8),
    }
    tests, scores = [], []
    for learner, (guess, sure) in guesses.items():
        probability = np.full((len(test), len(classes)), (1 - sure) / (len(classes) - 1))
        probability[np.arange(len(test)), guess] = sure
        of_true = probability[np.arange(len(test)), true]
        keys = (test["entry_id"], test["measurement"])
        tests.append(
            pd.DataFrame(
                dict(
                    zip(
                        CLASSIFIER_TESTS.names,
                        (*keys, learner, names[true], names[guess], sure, of_true),
                        strict=True,
                    )
                )
            )
        )
        for split, more in SPLITS.items() if learner == "extra_trees" else [("structure_type", 0)]:
            for kind, which in (("calculated", keys[1] == 0), ("measured", keys[1] == 1)):
                s = score(probability[which], true[which])
                shares = (s.accuracy + more, s.low, s.high, s.top[3], s.top[5], s.macro_f1)
                rest = (s.weighted_f1, s.log_loss, s.calibration_error)
                chosen = learner == "extra_trees"
                scores.append((level, learner, split, kind, chosen, s.count, *shares, *rest))
    search = [
        (level, "extra_trees", '{"trees": 50}', 100, 5, 0.7, 0.9, True),
        (level, "extra_trees", '{"trees": 5}', 100, 5, 0.6, 1.2, False),
        (level, "extra_trees", '{"trees": 50}', 300, 5, 0.8, 0.7, True),
    ]
    return LevelTables(
        level,
        pd.DataFrame(search, columns=CLASSIFIER_SEARCH.names),
        pd.DataFrame(scores, columns=CLASSIFIER_SCORES.names),
        pd.concat(tests, ignore_index=True)[CLASSIFIER_TESTS.names],
        importance_table(level),
        occlusion_table(level),
    )


def importance_table(level: str) -> pd.DataFrame:
    """Of two groups of features one matters."""
    rows = [
        (level, kind, group, 50, 5, 0.8, *(lost, lost - 0.05, lost + 0.05), 0.9, 0.3, 0.2, 0.4)
        for kind in ("calculated", "measured")
        for group, lost in (("ratios of q²", 0.41), ("intensities", 0.02))
    ]
    return pd.DataFrame(rows, columns=CLASSIFIER_IMPORTANCE.names)


def occlusion_table(level: str) -> pd.DataFrame:
    rows = [
        (level, kind, line, 40, 0.7, lost, lost - 0.1, lost + 0.1, lost, 0.8, 0.8 - lost)
        for kind in ("calculated", "measured")
        for line, lost in ((1, 0.35), (2, 0.15))
    ]
    return pd.DataFrame(rows, columns=CLASSIFIER_OCCLUSION.names)


@pytest.fixture(scope="module")
def data() -> ClassifierData:
    frame = examples()
    levels = ("bravais", "extinction_symbol")
    return ClassifierData(frame, {x: level_tables(x, frame) for x in levels}, Classifiers())


@pytest.fixture(scope="module")
def page(data: ClassifierData) -> str:
    return build_page(data)


def body(page: str) -> str:
    return page[page.index("<main>") : page.index("</main>")]


def text(page: str) -> str:
    """What is read, without figures' data and tags."""
    plain = re.sub(r"<script.*?</script>", "", body(page), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", plain).split())


def section(page: str, heading: str) -> str:
    return text(f"<main>{re.split('<h2>', page.split(f'<h2>{heading}</h2>')[1])[0]}</main>")


def test_the_page_loads_nothing_and_is_small(data: ClassifierData, page: str) -> None:
    assert not re.search(r"<(link|img|iframe|script)[^>]*(src|href)=", body(page))
    assert "https://" not in body(page)
    assert "@import" not in page
    assert len(page.encode()) < 1_500_000
    assert build_page(data) == page


def test_sections_answer_in_order(page: str) -> None:
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "In short",
        "Data",
        "How right",
        "What a random split flatters",
        "Search of parameters",
        "What it goes by",
        "Without one line",
        "Confusions",
        "Calibration and abstention",
        "Wrong and sure",
        "Against a search for the cell",
        "Left out",
    ]
    # Of the measured lists 60 % are right, and always answering cP would be for 51 %.
    assert text(page).count("It does something useful.") == 2
    assert text(page).count("It is not shown to be better than no look at the pattern.") == 2


def test_data_are_counted(page: str) -> None:
    found = section(page, "Data")
    assert "215 crystals gave 215 lists of lines as calculated and 215 as a measurement" in found
    assert "Bravais lattice 3 of 14 classes occur. The largest, cP, has 51.2 % of the" in found
    for part in ("head 1 110 220", "middle 1 90 180", "tail 1 15 30"):
        assert part in found


def test_shares_and_pairs_are_those_of_the_answers(data: ClassifierData, page: str) -> None:
    tests = data.levels["bravais"].tests
    calculated = tests[tests["measurement"] == 0]
    right = calculated.assign(right=calculated["true_class"] == calculated["predicted_class"])
    wide = right.pivot(index="entry_id", columns="learner", values="right")
    own = int((wide["extra_trees"] & ~wide["majority"]).sum())
    other = int((wide["majority"] & ~wide["extra_trees"]).sum())
    assert own > 0 < other
    share = 100 * wide["extra_trees"].mean()
    found = section(page, "How right")
    assert f"ExtraTrees (chosen) {share:.1f} (" in found
    assert mcnemar(own, other) < 0.001
    assert f" {own} {other} below 0.001 ExtraTrees" in found
    assert f"ExtraTrees is right for {share:.1f} % (" in section(page, "In short")
    assert "random split changes the share by +5.0 points" in section(
        page, "What a random split flatters"
    )


def test_search_says_what_was_chosen(page: str) -> None:
    found = section(page, "Search of parameters")
    assert "Chosen: ExtraTrees." in found
    assert 'ExtraTrees {"trees": 50} 300 5 0.8 0.7 yes'.replace('"', "&quot;") in found


def test_what_it_goes_by_is_said(page: str) -> None:
    found = section(page, "What it goes by")
    assert "calculated lists: ratios of q² (41.0 points of 80.0)" in found
    assert "No loss is shown of: intensities." in found
    assert "measured ratios of q² 50 5 80.0 41.0 (36.0 to 46.0) 0.900 0.300 (0.200 to 0.4" in found
    found = section(page, "Without one line")
    assert "the first costs 0.350 (0.250 to 0.450) of 0.700 and changes 35 % of the" in found
    assert "measured 2 40 0.700 0.150 (0.050 to 0.250) 15.0 80.0 65.0" in found


def test_confusions_are_counted_and_related(data: ClassifierData, page: str) -> None:
    own = data.levels["bravais"].own
    both = own[own["true_class"] != own["predicted_class"]].groupby(
        ["true_class", "predicted_class"]
    )
    pairs = both.size()
    found = section(page, "Confusions")
    for (true, given), count in pairs.items():
        of_true = 100 * count / (own["true_class"] == true).sum()
        assert f"{true} {given} {count} {of_true:.1f}" in found
    assert f"subgroup: symmetry was missed {pairs['cF', 'tI']} " in found
    assert f"supergroup: symmetry was added {pairs['tI', 'cF']} " in found
    assert f"same lattice system, other centring {pairs['cP', 'cF']} " in found
    right = int(((own["true_class"] == "tI") & (own["predicted_class"] == "tI")).sum())
    assert re.search(rf"<td style=\"background[^>]*>{right}<small>", page)


def test_calibration_and_abstention(data: ClassifierData, page: str) -> None:
    scores = data.levels["bravais"].scores
    own = scores[scores["chosen"] & (scores["split"] == "structure_type")]
    error = dict(zip(own["lists"], own["calibration_error"], strict=True))
    stated = f"{error['calculated']:.3f} (calculated), {error['measured']:.3f} (measured)"
    assert f"calibration error: {stated}." in section(page, "Calibration and abstention")


def test_mistakes_are_drawn(page: str) -> None:
    found = section(page, "Wrong and sure")
    assert found.index("e139_001 measurement 1 tI cF 0.800") < found.index("e139_003 as calculated")
    picture = re.search(r'<svg class="lines".*?</svg>', page).group()
    assert picture.count("V") == 5
    # The last of the five lines of the first crystal, q² = 9 / 4.01, in 260 points to q² = 3.
    assert f"M{260 * np.sqrt(9 / 4.01 / 3):.1f} 44V0.0" in picture


def evidence(tests: pd.DataFrame) -> pd.DataFrame:
    """A search that is right for all crystals but the fourth of ten, and finds nothing of e221_000.

    Convincing are the cells of lists as calculated.
    """
    names = classes_of("bravais").names
    lists = tests.drop_duplicates(["entry_id", "measurement"])
    rows = []
    for entry, measurement, true in lists[LIST].itertuples(index=False):
        given = "mP" if entry.endswith("4") else true
        share = np.zeros(len(names))
        share[names.index(given)] = 0.0 if entry == "e221_000" else 0.9
        rows.append((entry, measurement, share, given if measurement == 0 else None))
    return pd.DataFrame(rows, columns=["entry_id", "measurement", "probability", "convincing"])


LIST = ["entry_id", "measurement", "true_class"]


def test_who_is_right_where_the_other_is_wrong_is_counted_and_drawn(
    data: ClassifierData, page: str
) -> None:
    assert "Nothing was searched." in section(page, "Against a search for the cell")
    own = data.levels["bravais"].own
    found = build_page(replace(data, evidence=evidence(own)))
    calculated = own[own["measurement"] == 0]
    right = (calculated["true_class"] == calculated["predicted_class"]).to_numpy()
    entries = calculated["entry_id"]
    lost = (entries.str.endswith("4") | (entries == "e221_000")).to_numpy()
    alone = int((right & lost).sum()), int((~right & ~lost).sum())
    assert min(alone) > 0
    said = section(found, "Against a search for the cell")
    assert re.search(
        rf"calculated {len(right)} \S+ % \(.*?\) \S+ % \(.*?\) {alone[0]} {alone[1]} 0", said
    )
    assert "e221_000 as calculated cP cP 0.800 none found yes" in said
    assert "measurement 1 tI cF 0.800 tI" in said
    assert found.count('<svg class="lines"') == page.count('<svg class="lines"') + 12


def test_left_out_is_said(page: str) -> None:
    found = section(page, "Left out")
    assert "Crystal system: no classifier is shown: it follows from" in found
    assert "Space group: no classifier is shown" in found
    assert "convolutional network" in found


def test_nothing_at_all_still_makes_a_page(data: ClassifierData) -> None:
    few = data.examples.head(40)
    empty = [table.empty() for table in KINDS_OF_TABLES.values()]
    for frame in (few, SYMMETRY_EXAMPLES.empty()):
        found = build_page(
            ClassifierData(frame, {"bravais": LevelTables("bravais", *empty)}, data.settings)
        )
        assert "No classifier was trained" in section(found, "How right")
        why = f"{len(frame)} lists of {min(len(frame), 1)} classes; 200 of 2 are needed"
        assert f"Bravais lattice: nothing was trained: {why}." in section(found, "Left out")
    assert "There are no examples." in section(found, "Data")


def test_a_level_without_measured_lists_or_search(data: ClassifierData) -> None:
    whole = data.levels["bravais"]
    part = LevelTables(
        "bravais",
        CLASSIFIER_SEARCH.empty(),
        whole.scores[whole.scores["lists"] == "calculated"],
        whole.tests[whole.tests["measurement"] == 0],
        CLASSIFIER_IMPORTANCE.empty(),
        CLASSIFIER_OCCLUSION.empty(),
    )
    found = build_page(replace(data, levels={"bravais": part}))
    assert "No measured list is in the test part." in section(found, "How right")
    assert "No parameters were searched." in section(found, "Search of parameters")
    assert "No features were permuted." in section(found, "What it goes by")
    assert "No line was left out." in section(found, "Without one line")


def test_what_is_no_better_than_nothing_is_said(data: ClassifierData) -> None:
    whole = data.levels["bravais"]
    blind = whole.tests.copy()
    of_trees = blind["learner"] == "extra_trees"
    blind.loc[of_trees, "predicted_class"] = "cP"
    found = build_page(replace(data, levels={"bravais": replace(whole, tests=blind)}))
    assert "It does something useful." not in found
    assert "not shown to be better than no look at the pattern" in section(found, "In short")


def test_the_script_reads_the_tables_of_the_levels(data: ClassifierData, tmp_path) -> None:
    kept = ("bravais_lattice", "structure_type", "composition_family")
    whole = data.examples.assign(**dict.fromkeys(kept, ""), wavelength_A=1.54)
    whole["features"] = [np.zeros(1, dtype=np.float32)] * len(whole)
    write_table(tmp_path / "examples.parquet", SYMMETRY_EXAMPLES, whole[SYMMETRY_EXAMPLES.names])
    inputs: dict[str, list[str]] = {"examples": ["examples.parquet"]}
    inputs |= {name: [] for name in ("studies", "evidence", "learning", "worth")}
    for kind, table in KINDS_OF_TABLES.items():
        inputs[kind] = [f"{kind}_{level}.parquet" for level in data.levels]
        for name, tables in zip(inputs[kind], data.levels.values(), strict=True):
            write_table(tmp_path / name, table, getattr(tables, kind))
    names = ClassifierStudies().studies
    inputs["studies"] = [f"study_{name}.parquet" for name in names]
    for name in inputs["studies"]:
        write_table(tmp_path / name, CLASSIFIER_STUDIES, CLASSIFIER_STUDIES.empty())
    sections = ["classifiers", "classifier_studies", "active_learning"]
    run("classification_report", tmp_path, inputs, {"page": "page.html"}, {}, sections)
    empty = dict.fromkeys(names, CLASSIFIER_STUDIES.empty())
    expected = build_page(replace(data, studies=empty))
    assert (tmp_path / "page.html").read_text("utf-8") == expected
    assert "too few lists for this study" in section(expected, "Imbalance")


def test_levels_and_learners_have_names() -> None:
    assert get_args(Level) == LEVELS
    assert all(learner_title(name) != name for name in KINDS)
    with pytest.raises(ValueError, match="bravais"):
        Classifiers(levels=("lattice",))
