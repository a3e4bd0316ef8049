"""Results as they are shown: terminal, JSON, Parquet, CIF and page."""

import base64
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import gemmi
import jsonschema
import numpy as np
import pytest
from rich.console import Console

import mlindex
from helpers import indexing_results as made
from mlindex.base.errors import MlindexError
from mlindex.base.schema import read_provenance, read_table
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.indexing import tables as declared
from mlindex.indexing.shift import LineShift
from mlindex.patterns.measured import MeasuredPattern
from mlindex.reports.result import data, notation, view
from mlindex.reports.result.cif import best_cell_cif
from mlindex.reports.result.page import page
from mlindex.reports.result.terminal import show

RESULTS = (made.monoclinic, made.one_ambiguous, made.rhombohedral, made.empty)
HOSTILE = "a</script><script>window.hacked=1</script>\x1b[31m\n;_x.txt"


def printed(result, **options):
    out = io.StringIO()
    show(result, console=Console(file=out, width=80, highlight=False), **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (4.68371, 0.0003, "4.6837(3)"),
        (4.68371, 0.00012, "4.68371(12)"),
        (4.68371, 0.0019, "4.6837(19)"),
        (4.68371, 0.00196, "4.684(2)"),
        (97.6701, 0.0996, "97.67(10)"),
        (97.6701, 1.2, "97.7(12)"),
        (97.6701, 4.4, "98(4)"),
        (1234.0, 23.0, "1230(20)"),
        (4.68371, 0.0, "4.6837"),
        (4.68371, np.nan, "4.6837"),
        (4.68371, 1e-12, "4.6837"),
        (-0.5, 0.02, "-0.50(2)"),
    ],
)
def test_uncertainties_stand_for_the_last_digits(value, uncertainty, text):
    assert notation.with_uncertainty(value, uncertainty, 4) == text


def test_printed_uncertainties_read_back():
    for value, uncertainty in np.random.default_rng(2).uniform([1, 1e-5], [200, 0.5], (200, 2)):
        number, digits = notation.with_uncertainty(value, uncertainty, 4).rstrip(")").split("(")
        unit = 10.0 ** -len(number.partition(".")[2])
        assert abs(float(number) - value) <= 0.5001 * unit
        # Two digits up to 19, one above: at worst 2 for 2.5.
        assert int(digits) * unit == pytest.approx(uncertainty, rel=0.26)
        assert 2 <= int(digits) <= 19


def test_angles_that_symmetry_fixes_stand_alone():
    best = made.monoclinic().candidates[0]
    assert notation.cell_numbers(best.settings[0]) == [
        *("7.0940(8)", "9.2320(11)", "11.6570(14)"),
        *("90", "97.670(12)", "90"),
    ]
    assert notation.free_cell(made.one_ambiguous().candidates[0].settings[0]) == "a = 3.1648 Å"


def test_predicted_lines_agree_with_gemmi():
    result = made.monoclinic()
    best = result.candidates[0]
    lines = view.predicted(best, 0.12)
    cell = gemmi.UnitCell(*best.cell)
    assert lines.q2_inv_A2 == pytest.approx([cell.calculate_1_d2(h) for h in lines.hkl.tolist()])
    assert np.all(np.diff(lines.q2_inv_A2) > 0)
    assert sorted(lines.line[lines.line >= 0]) == list(np.flatnonzero(best.indexed))
    cubic = made.one_ambiguous().candidates[0]
    cubic = view.predicted(replace(cubic, indexed=np.zeros(10, dtype=bool)), 1.0)
    assert cubic.hkl.tolist()[:4] == [[1, 1, 0], [2, 0, 0], [2, 1, 1], [2, 2, 0]]


def test_a_cell_too_large_to_list_shows_its_explained_lines():
    best = made.monoclinic().candidates[0]
    lines = view.predicted(best, 1e4)
    assert sorted(lines.line) == list(np.flatnonzero(best.indexed))


@pytest.mark.parametrize("make", RESULTS)
def test_terminal_fits_80_columns(make):
    result = make()
    text = printed(result, lines=True)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    assert "…" not in text
    assert "nan" not in text
    assert "".join(result.reason.split()) in "".join(text.split())


def test_terminal_says_everything_of_the_best_cell():
    words = " ".join(printed(made.monoclinic()).split())
    for piece in (
        "7.0940(8) Å",
        "97.670(12)°",
        "V = 756.61 Å³",
        "Niggli cell 7.0940 9.2320 11.6570 Å",
        "P 1 21/n 1 (91 %)",
        "not indexed, 2θ 13.411, 21.087",
        "(0 0 1) 7.677",
        "supercell of index 2, probability 2 %; differs at 2θ 6.312",
        "Partly searched aP",
        "Not searched oF",
        "A convincing cell: monoclinic P (mP)",
    ):
        assert piece in words, piece


def test_a_displaced_sample_is_told_everywhere():
    result = made.monoclinic()
    shift = LineShift(0.0, 0.1504, 0.0421, 0.0023)
    result = replace(result, candidates=(replace(result.candidates[0], shift=shift),))
    said = "sample displacement +0.150(2)° × cos θ"
    assert said in " ".join(printed(result).split())
    assert said in page(result)
    block = gemmi.cif.read_string(best_cell_cif(result)).sole_block()
    told = gemmi.cif.as_string(block.find_value("_pd_proc_info_data_reduction"))
    assert "sample displacement +0.150(2) degrees * cos theta" in told
    assert "or a zero shift: the errors of the cell contain both" in told
    first = data.as_data(result)["candidates"][0]
    names = ("zero_shift", "displacement")
    assert [first[f"{n}_deg"] for n in names] == [0.0, 0.1504]
    assert [first[f"{n}_error_deg"] for n in names] == [0.0421, 0.0023]


def test_terminal_rows_and_the_rest():
    result = made.monoclinic()
    many = replace(result, candidates=result.candidates * 3)
    text = printed(many, rows=12)
    assert "\n12 mP" in text
    assert "\n13 mC" not in text
    assert "3 more candidates are not shown" in text
    assert "…" not in text


def test_terminal_lets_no_control_character_through():
    result = replace(made.empty(), notes=(f"[bold]x[/bold] {HOSTILE}",))
    text = printed(result)
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text


@pytest.mark.parametrize("make", RESULTS)
def test_json_obeys_its_schema(make):
    document = data.as_data(make())
    jsonschema.Draft202012Validator.check_schema(data.SCHEMA)
    jsonschema.validate(document, data.SCHEMA)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["schema"] == 2


def test_schema_refuses_what_is_not_a_result():
    document = data.as_data(made.monoclinic())
    for spoil in (
        {"schema": 1},
        {"convincing": None},
        {"more": 1},
        {"searched": [{**document["searched"][0], "status": "done"}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**document, **spoil}, data.SCHEMA)


def test_json_says_what_the_result_says():
    result = made.monoclinic()
    document = data.as_data(result)
    best, shown = result.candidates[0], document["candidates"][0]
    assert list(shown["cell"].values()) == best.cell.tolist()
    assert shown["n_indexed"] == sum(line["indexed"] for line in shown["lines"]) == 18
    lost = [line for line in shown["lines"] if not line["indexed"]]
    assert [document["observed_lines"][line["line"] - 1]["two_theta_deg"] for line in lost] == (
        pytest.approx(made.IMPURITIES)
    )
    assert all(line["hkl"] is None and line["q2_calculated_inv_A2"] is None for line in lost)
    cell = gemmi.UnitCell(*best.cell)
    for line in (line for line in shown["lines"] if line["indexed"]):
        assert line["d_calculated_A"] == pytest.approx(cell.calculate_d(line["hkl"]))
        seen = document["observed_lines"][line["line"] - 1]["two_theta_deg"]
        true = line["two_theta_calculated_deg"] + line["two_theta_difference_deg"]
        assert seen - true == pytest.approx(made.ZERO_SHIFT, abs=1e-9)


def test_what_is_infinite_is_null():
    candidate = data.as_data(made.one_ambiguous())["candidates"][0]
    assert candidate["m20"] is None
    assert candidate["f_n"] is None
    odd = replace(made.empty(), options={"time_limit_s": np.inf, "n": np.int64(3)})
    assert data.as_data(odd)["options"] == {"time_limit_s": None, "n": 3}


@pytest.mark.parametrize("make", RESULTS)
def test_tables_are_written_as_declared(make, tmp_path):
    result = make()
    written = data.write_tables(result, tmp_path / "sample")
    frames = data.tables(result)
    assert [p.stem for p in written] == list(frames)
    tables = {t.name: t for t in vars(declared).values() if isinstance(t, declared.Table)}
    assert set(frames) == set(tables)
    for path in written:
        read = read_table(path, tables[path.stem])
        assert len(read) == len(frames[path.stem])
        assert list(read["sample"].unique()) in ([result.peaks.name], [])
    assert len(frames["candidate_cells"]) == len(result.candidates)
    assert len(frames["candidate_lines"]) == sum(c.n_used for c in result.candidates)
    assert len(frames["absent_lines"]) == sum(len(c.absent) for c in result.candidates)
    assert read_provenance(written[0]) == {"mlindex_version": mlindex.__version__}


def test_unindexed_lines_have_no_indices_in_the_table():
    lines = data.tables(made.monoclinic())["candidate_lines"]
    assert (lines["h"].isna() == ~lines["indexed"]).all()
    assert (lines["q2_calculated_inv_A2"].isna() == ~lines["indexed"]).all()


def test_cif_reads_back():
    result = made.monoclinic()
    best = result.candidates[0]
    block = gemmi.cif.read_string(best_cell_cif(result)).sole_block()
    assert block.name == "paracetamol"
    assert block.find_value("_cell_length_a") == "7.0940(8)"
    assert block.find_value("_cell_angle_gamma") == "90"
    structure = gemmi.make_small_structure_from_block(block)
    assert structure.cell.parameters == pytest.approx(best.cell)
    assert structure.spacegroup.xhm() == "P 1 21/n 1"
    assert structure.wavelength == made.CU
    peaks = block.find("_pd_peak_", ["id", "2theta_centroid", "d_spacing", "intensity"])
    indices = block.find(["_refln_index_h", "_refln_index_k", "_refln_index_l", "_refln_d_spacing"])
    assert (len(peaks), len(indices)) == (20, 18)
    for row in peaks:
        d = made.CU / 2 / np.sin(np.radians(float(row[1]) / 2))
        assert float(row[2]) == pytest.approx(d, rel=1e-4)
    for row in indices:
        d = structure.cell.calculate_d([int(i) for i in list(row)[:3]])
        assert float(row[3]) == pytest.approx(d, abs=1e-5)
    details = gemmi.cif.as_string(block.find_value("_cell_special_details"))
    assert "A convincing cell" in details


def test_cif_without_space_group_or_wavelength():
    text = best_cell_cif(made.one_ambiguous())
    block = gemmi.cif.read_string(text).sole_block()
    assert block.find_value("_space_group_Bravais_type") == "cI"
    assert block.find_value("_space_group_name_H-M_alt") is None
    assert block.find_value("_diffrn_radiation_wavelength") is None
    assert "No convincing cell" in text


def test_cif_of_nothing_is_refused():
    with pytest.raises(MlindexError, match=r"junk\.txt: there is no cell"):
        best_cell_cif(made.empty())


def test_cif_survives_any_name_and_reason():
    result = replace(made.monoclinic(HOSTILE), reason="\n;\ndata_evil\n_cell_length_a 1 'é")
    text = best_cell_cif(result)
    assert text.isascii()
    block = gemmi.cif.read_string(text).sole_block()
    assert block.find_value("_cell_length_a") == "7.0940(8)"


class Tags(HTMLParser):
    """Scripts that would run, and addresses that would be loaded."""

    def __init__(self, text):
        super().__init__()
        self.running, self.loaded, self.classes, self.data = 0, [], [], ""
        self._data = self._script = False
        self.shown = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self._script = tag in ("script", "style")
        self._data = attrs.get("type") == "application/json"
        self.running += tag == "script" and not self._data
        self.loaded += [v for k, v in attrs.items() if k in ("src", "href") and v[:1] != "#"]
        self.classes += (attrs.get("class") or "").split()

    def handle_endtag(self, tag):
        self._script = self._data = False

    def handle_data(self, text):
        if self._data:
            self.data = self.data or text
        elif not self._script:
            self.shown += text + " "


def traces(tags):
    return json.loads(tags.data)["data"]


def numbers(values):
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"]))
    return np.array(values, dtype=float)


@pytest.mark.parametrize("make", RESULTS)
def test_page_is_one_offline_file(make):
    result = make()
    text = page(result)
    tags = Tags(text)
    assert tags.loaded == []
    assert tags.running == 2
    assert len(text.encode()) < 800_000
    assert result.reason in tags.shown
    assert "nan" not in tags.shown.lower()
    assert ("good" if result.convincing else "unsure") in tags.classes
    assert text == page(result)


def test_page_shows_pattern_fit_and_ticks():
    result = made.monoclinic()
    pattern, background, fitted = made.pattern_of(result.peaks)
    fit = SimpleNamespace(background=background, fitted=fitted)
    drawn = traces(Tags(page(result, pattern, fit)))
    named = {t.get("name"): t for t in drawn}
    assert {"measured", "fitted", "background", "lines used", "lines not used"} <= set(named)
    assert numbers(named["measured"]["y"]) == pytest.approx(pattern.intensity)
    ticks = [t for t in drawn if t.get("meta") and not t["meta"]["selected"]]
    assert [t["meta"]["candidate"] for t in ticks] == [0, 1, 2, 3, 4]
    best = result.candidates[0]
    explained = [i for i, text in enumerate(ticks[0]["text"]) if "obs − calc" in text]
    calculated = two_theta_from_q2(best.q2_calculated_inv_A2[best.indexed], made.CU)
    assert numbers(ticks[0]["x"])[explained] == pytest.approx(calculated + made.ZERO_SHIFT)
    assert sum("predicted, not observed" in text for text in ticks[0]["text"]) == len(best.absent)
    selected = [t for t in drawn if t.get("meta") and t["meta"]["selected"]]
    assert all(t["visible"] == (t["meta"]["candidate"] == 0) for t in selected)


def test_page_of_a_long_pattern_is_small_and_shows_its_peaks():
    result = made.monoclinic()
    x = np.linspace(5, 90, 100_000)
    intensity = np.full(len(x), 10.0)
    intensity[77_777] = 500.0
    pattern = MeasuredPattern("long", x, intensity, None, made.CU)
    fit = SimpleNamespace(background=intensity, fitted=intensity)
    text = page(result, pattern, fit)
    assert len(text.encode()) < 1_500_000
    measured = next(t for t in traces(Tags(text)) if t.get("name") == "measured")
    assert numbers(measured["y"]).max() == 500
    assert numbers(measured["x"])[np.argmax(numbers(measured["y"]))] == pytest.approx(x[77_777])


def test_page_without_wavelength_is_over_1_over_d():
    result = made.one_ambiguous()
    tags = Tags(page(result))
    marks = next(t for t in traces(tags) if t.get("name") == "lines used")
    assert numbers(marks["x"]) == pytest.approx(np.sqrt(result.peaks.q2_inv_A2))
    assert "no line distinguishes the two" in tags.shown
    assert "2θ" not in tags.shown


def test_page_shows_a_pattern_over_d_on_the_axis_of_its_lines():
    measured_at = made.monoclinic()
    known, background, fitted = made.pattern_of(measured_at.peaks)
    result = replace(measured_at, peaks=replace(measured_at.peaks, wavelength_A=None))
    pattern = replace(known, wavelength_A=None, nominal_wavelength_A=made.CU)
    drawn = traces(
        Tags(page(result, pattern, SimpleNamespace(background=background, fitted=fitted)))
    )
    measured = next(t for t in drawn if t.get("name") == "measured")
    x = np.sqrt(q2_from_two_theta(known.two_theta_deg, made.CU))
    assert numbers(measured["x"]) == pytest.approx(x)
    lines = next(t for t in drawn if t.get("name") == "lines used")
    heights = np.interp(numbers(lines["x"]), x, pattern.intensity)
    assert numbers(lines["y"]) == pytest.approx(heights, rel=1e-4)


def test_page_runs_nothing_that_a_file_says():
    result = replace(
        made.monoclinic(HOSTILE),
        reason=HOSTILE,
        notes=(HOSTILE,),
        options={HOSTILE: HOSTILE},
    )
    text = page(result, made.pattern_of(result.peaks, HOSTILE)[0])
    tags = Tags(text)
    assert tags.running == 2
    assert "<script>window.hacked" not in text
    assert re.search("window.hacked=1</script>", tags.shown)


def test_page_with_one_line_only():
    result = made.empty()
    one = replace(result.peaks, q2_inv_A2=result.peaks.q2_inv_A2[:1])
    assert "1 lines" in page(replace(result, peaks=one))


def test_showing_loads_no_plotting():
    code = (
        "import sys, mlindex.reports.result.terminal, mlindex.reports.result.page; "
        "import mlindex.reports.result.data; "
        "print([m for m in ('plotly', 'matplotlib', 'tensorflow', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("probability", "said"), [(None, True), (0.021, True), (0.0004, False)])
def test_the_verdict_names_partners_unless_they_are_improbable(probability, said):
    result = made.monoclinic()
    best = result.candidates[0]
    partner = replace(best.partners[0], probability=probability)
    first = replace(best, partners=(partner,))
    text = page(replace(result, candidates=(first, *result.candidates[1:])))
    assert ("Another lattice has the same lines" in text) == said
    assert "Other lattices with the same lines: 1" in text


def test_the_headline_says_where_partners_are_needed_to_convince():
    result = made.monoclinic()
    best = result.candidates[0]
    assert view.headline(result).startswith("A convincing cell: monoclinic P")
    unsure = replace(best, probability=0.41)
    headline = view.headline(replace(result, candidates=(unsure, *result.candidates[1:])))
    assert headline.startswith(
        "Convincing, but not distinguished from lattices with the same lines."
    )
    assert "Most probable: monoclinic P" in headline
    assert "probability 41 %" in headline
