"""The report page, made from small fabricated results in the layout of the workflow."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mlindex.errors import MlindexError
from mlindex.report import figures, flow, model_figures, model_tables
from mlindex.report.html import table
from mlindex.report.inputs import KINDS, read_inputs
from mlindex.report.page import build_page
from mlindex.schema import write_table
from mlindex.settings.root import load_config
from mlindex.tables.entries import ENTRIES
from mlindex.tables.results import RATES
from mlindex.training_data import error_metrics, metric
from mlindex.validation import wilson_interval

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
SYSTEMS = ("cubic", "monoclinic")
GENERATED, FROM_FOLDER, REJECTED = 300, 60, 7
DUPLICATES, WITHOUT_CELL, TOO_FEW, TRAINING = 20, 2, 8, 264
KEPT = GENERATED + FROM_FOLDER - REJECTED
VALIDATION = KEPT - DUPLICATES - WITHOUT_CELL - TOO_FEW - TRAINING
GROUPS = [f"mP_b_{n:02d}" for n in range(6)] + [f"mC_c_{n:02d}" for n in range(5)]
CONFIG = {
    "seed": 5,
    "lattice_systems": list(SYSTEMS),
    "sources": [
        {"kind": "folder", "name": "lab", "path": "cifs"},
        {"kind": "generator", "name": "generated", "crystals": {"monoclinic": GENERATED}},
    ],
}
BY_SHARD = ("entries", "rejects_quality", "rejects_reduction", "rejects_simulation")


def rows(declared, count, **values):
    """``count`` rows of a table: the values given, and something of the right type elsewhere."""
    frame = {}
    for column in declared.columns:
        value = values.get(column.name, empty(column.dtype))
        many = isinstance(value, list | np.ndarray | pd.Series) and len(value) == count
        frame[column.name] = list(value) if many else [value] * count
    return pd.DataFrame(frame, columns=declared.names)


def empty(dtype):
    if pa.types.is_list(dtype):
        return []
    return "" if pa.types.is_string(dtype) else dtype.to_pandas_dtype()(0)


def reject(stage, ids, rule, name):
    declared = KINDS["rejects_quality"][0]
    source = [i.split(":")[0] for i in ids]
    return rows(
        declared,
        len(ids),
        entry_id=ids,
        source=source,
        path="x.cif",
        stage=stage,
        rule=rule,
        rule_name=name,
        reason=f"Wrong: {name} <b>.",
    )


def entries(source, count, rng):
    axes = {"mP": "P 1 21/c 1", "mC": "C 1 2/c 1"}
    bravais = np.array(["mP", "mC"])[rng.integers(2, size=count)]
    a, b, c = rng.uniform(4, 14, (3, count))
    return rows(
        ENTRIES,
        count,
        entry_id=[f"{source}:{n}:x" for n in range(count)],
        source=source,
        path=[f"{n}.cif" for n in range(count)],
        lattice_system="monoclinic",
        bravais_lattice=list(bravais),
        hm_symbol=[axes[b] for b in bravais],
        symmetry_source="given",
        a_A=a,
        b_A=b,
        c_A=c,
        alpha_deg=90.0,
        beta_deg=rng.uniform(90, 115, count),
        gamma_deg=90.0,
    )


def histogram(figure, panel, rng, edges):
    declared = KINDS["histograms"][0]
    parts = [
        rows(
            declared,
            len(edges) - 1,
            figure=figure,
            panel=panel,
            kind=kind,
            left=edges[:-1],
            right=edges[1:],
            count=np.histogram(rng.normal(edges.mean(), np.ptp(edges) / 8, size), edges)[0] * 1.0,
        )
        for kind, size in (("original", 290), ("augmented", 900))
    ]
    return pd.concat(parts)


def histograms(rng):
    bins = np.linspace(0, 1, 41)
    shapes = {
        "cell": {"a_A": 10, "b_A": 10, "c_A": 15, "beta_deg": 120},
        "cell_scaled": {"a": 4, "b": 4, "c": 4, "beta": 4},
        "peaks": {"all": 0.5, "peak 1": 0.05, "peak 10": 0.2, "peak 20": 0.5},
        "peaks_scaled": {"all": 4},
    }
    parts = [
        histogram(figure, panel, rng, top * (0.2 + bins))
        for figure, panels in shapes.items()
        for panel, top in panels.items()
    ]
    parts.append(histogram("separations", "model's peaks", rng, np.geomspace(1e-5, 1e-1, 41)))
    places = np.linspace(-0.5, 499.5, 51)
    parts += [
        histogram("labels", f"{bravais} peak {peak}", rng, places * peak / 20)
        for bravais in ("mC", "mP")
        for peak in range(1, 21)
    ]
    return pd.concat(parts)


def model_metrics(rng):
    names, units = ("a", "b", "c", "beta"), ("A", "A", "A", "degree")
    found = [metric("mP_b_99", "network", "not trained", 17, 0)]
    for group in GROUPS:
        for estimator in ("network", "forest"):
            errors = rng.normal(0, 0.3, (40, 4))
            found += error_metrics(group, estimator, errors, names, units)
        for sigmas, share in ((1, 0.68), (2, 0.95)):
            found += [
                metric(group, "network", f"inside {sigmas} sigma", min(1, s), 40, name)
                for s, name in zip(share + rng.normal(0, 0.05, 4), names, strict=True)
            ]
    for level, share in zip((0.1, 0.04, 0.01, 0.001), (0.31, 0.52, 0.77, 0.97), strict=True):
        found.append(metric(f"{level:g}", "assignment network", "accuracy", share, 50))
        found.append(metric(f"{level:g}", "nearest", "accuracy", share - 0.1234, 50))
    return pd.DataFrame(found)


def overlap():
    found = []
    for n, group in enumerate(GROUPS):
        shares = (0.5, 0.2, 0.1, 0.2)
        names = ("both", "only network", "only forest", "neither")
        found += [
            metric(group, "both", f"{name} within 5 %", share, 40)
            for name, share in zip(names, shares, strict=True)
        ]
        found.append(metric(group, "both", "network closer", 0.6 + n / 100, 40))
        found.append(metric(group, "both", "correlation of errors", 0.377, 40, "beta"))
    return pd.DataFrame(found)


def training(rng):
    parts = []
    epochs = np.arange(1, 41)
    models = [(g, n) for g in GROUPS for n in ("mean", "variance")]
    for model, network in models + [(m, "assignment") for m in ("0.1", "0.04", "0.01", "0.001")]:
        loss = rng.uniform(1, 2) * np.exp(-epochs / 12) + rng.normal(0, 0.02, 40)
        loss[0] = 50.0
        parts.append(
            rows(
                KINDS["training"][0],
                40,
                model=model,
                network=network,
                epoch=epochs,
                loss=loss,
                validation_loss=loss + 0.1,
            )
        )
    return pd.concat(parts)


def rates():
    found = []
    for bravais, published, successes in (("mP", "85", 36), ("mC", "81 to 92", 20)):
        for method, fewer in (("network", 0), ("nearest", 7)):
            for outcome, more in (("found", 0), ("found or explained", 3)):
                count = successes - fewer + more
                low, high = wilson_interval(count, 40)
                found.append(
                    {
                        "bravais_lattice": bravais,
                        "method": method,
                        "outcome": outcome,
                        "successes": count,
                        "entries": 40,
                        "rate": count / 40,
                        "low": low,
                        "high": high,
                        "published": published,
                    }
                )
    return pd.DataFrame(found)[RATES.names]


def split_errors():
    found = [
        {
            "split_unit": unit,
            "bravais_lattice": bravais,
            "parameter": parameter,
            "metric": name,
            "value": value * (1.0 if unit == "structure_type" else 1.5),
            "entries": 40,
        }
        for unit in ("structure_type", "composition_family")
        for bravais in ("mP", "mC")
        for parameter in ("a", "volume")
        for name, value in (("median", 0.0321), ("percentile_90", 0.0987))
    ]
    return pd.DataFrame(found)


def entry_frames(rng):
    """The frames of sources and of the monoclinic entries, whose counts add up."""
    made, lab = entries("generated", GENERATED, rng), entries("lab", FROM_FOLDER, rng)
    refused, lab = lab["entry_id"][:REJECTED], lab[REJECTED:]
    both = pd.concat([made, lab], ignore_index=True)
    ids = list(both["entry_id"])
    unique = ids[DUPLICATES:]
    duplicates = rows(KINDS["duplicates"][0], KEPT, entry_id=ids, kept=[i in unique for i in ids])
    lost, few = unique[:WITHOUT_CELL], unique[WITHOUT_CELL : WITHOUT_CELL + TOO_FEW]
    inside = unique[WITHOUT_CELL:]
    dataset = rows(
        KINDS["dataset"][0],
        len(inside),
        entry_id=inside,
        usable=[i not in few for i in inside],
        side=["train"] * (TOO_FEW + TRAINING) + ["validation"] * VALIDATION,
    )
    rejects = [reject("dataset", lost, 1, "no cell"), reject("dataset", few, 3, "too few peaks")]
    return {
        "entries": {"lab": lab, "generated": made},
        "rejects_quality": {"lab": reject("quality control", list(refused), 3, "impossible cell")},
        "rejects_reduction": {"generated": reject("reduction", lost, 2, "not reduced")},
        "rejects_simulation": {},
        "rejects_dataset": {"monoclinic": pd.concat(rejects)},
        "duplicates": {"monoclinic": duplicates},
        "dataset": {"monoclinic": dataset},
    }


def model_frames(rng):
    groups = rows(
        KINDS["groups"][0],
        len(GROUPS),
        group=GROUPS,
        bravais_lattice=[g[:2] for g in GROUPS],
        conditions="0k0: k = 2n",
        usable=list(range(10, 10 + len(GROUPS))),
    )
    edges = np.geomspace(1e-4, 1e-2, 20)
    fitted = 1 - np.exp(-edges / 2e-3)
    counted = {"separation_inv_A2": edges, "observed": fitted**1.1, "fitted": fitted}
    acceptance = rows(KINDS["acceptance"][0], 20, peaks=list(range(0, 2000, 100)), **counted)
    first = rows(KINDS["first_peak"][0], 2, position=[0, 1], probability=[0.8, 0.2])
    outcome = ["found"] * 56 + ["explained"] * 6 + ["missed"] * 18
    validation = rows(
        KINDS["validation"][0],
        80,
        entry_id=[str(n) for n in range(80)],
        bravais_lattice=["mP", "mC"] * 40,
        outcome=outcome,
        m20=30.0,
        true_m20=28.5,
    )
    frames = {
        "groups": groups,
        "splits": split_errors(),
        "first_peak": first,
        "acceptance": acceptance,
        "histograms": histograms(rng),
        "training": training(rng),
        "metrics": model_metrics(rng),
        "overlap": overlap(),
        "validation": validation,
        "rates": rates(),
    }
    return {kind: {"monoclinic": frame} for kind, frame in frames.items()}


def write_results(folder, frames):
    """Write all inputs as the workflow does: by shard or by lattice system."""
    paths = {}
    for kind, declared in {**{k: v[0] for k, v in KINDS.items()}, "entries": ENTRIES}.items():
        names = ("lab", "generated") if kind in BY_SHARD else SYSTEMS
        paths[kind] = []
        for name in names:
            path = folder / kind / (f"{name}/00.parquet" if kind in BY_SHARD else f"{name}.parquet")
            frame = frames.get(kind, {}).get(name, declared.empty())
            write_table(path, declared, frame, {"packages": {"gemmi": "0.7.77"}})
            paths[kind].append(str(path))
    paths["seconds"] = []
    for system, seconds in zip(SYSTEMS, ([], [1.5] * 79 + [4.5]), strict=True):
        path = folder / f"validation/{system}.seconds.csv"
        pd.DataFrame({"seconds": seconds}).to_csv(path, index=False)
        paths["seconds"].append(str(path))
    bench = folder / "benchmarks/quality/lab/00.tsv"
    bench.parent.mkdir(parents=True)
    bench.write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t321.0\n")
    return paths


def read(folder, frames):
    paths = write_results(folder, frames)
    config = load_config(CONFIG).model_dump(mode="json")
    return read_inputs(paths, SYSTEMS, config, folder / "benchmarks")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(1)
    return read(tmp_path_factory.mktemp("results"), entry_frames(rng) | model_frames(rng))


@pytest.fixture(scope="module")
def page(data):
    return build_page(data, RESOURCES)


def body(page):
    """The page's own text, without the plotting library."""
    return page[page.index("<main>") :]


def test_the_page_has_every_section_and_system(page):
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings[:5] == ["Data flow", "Rejects", "Distributions", "Groups", "Training"]
    assert headings[5:] == ["Splits", "Validation", "Run times", "Provenance"]
    for system in SYSTEMS:
        assert f"<summary>{system}</summary>" in page
    assert "No model of cubic was trained: too few entries." in page
    assert "No entry of cubic was indexed" in page


def test_the_page_loads_nothing(page):
    assert not re.search(r"<(link|img|iframe|script)[^>]*(src|href)=", body(page))
    assert "<script src" not in page and "@import" not in page
    assert "https://" not in re.sub(r"<pre>.*?</pre>", "", body(page), flags=re.S)
    assert page.count("</html>") == 1


def test_the_page_is_the_same_each_time(data, page):
    assert build_page(data, RESOURCES) == page


def test_numbers_are_on_the_page(page):
    for text in ("36", "90.0 (76.9 to 96.0)", "81 to 92", "12.5", "0.7.77", "0.377"):
        assert f">{text}<" in page
    assert "All counts add up" in page and "do not add up" not in page
    # Median relative error of the volume, 0.0321, under the split by structure type.
    assert ">3.21<" in page and ">4.81<" in page


def test_text_from_files_is_escaped(page):
    assert "Wrong: impossible cell &lt;b&gt;." in page
    assert "<b>" not in body(page)


def test_flow_adds_up(data):
    sources = flow.source_flow(data).set_index("source")
    assert list(sources.loc["lab", ["files", "in", "rejected", "kept"]]) == [
        FROM_FOLDER - REJECTED + 1,
        FROM_FOLDER,
        REJECTED,
        FROM_FOLDER - REJECTED,
    ]
    row = flow.system_flow(data).set_index("lattice system").loc["monoclinic"]
    assert list(row) == [
        KEPT,
        DUPLICATES,
        KEPT - DUPLICATES,
        WITHOUT_CELL,
        TOO_FEW,
        TRAINING,
        VALIDATION,
    ]
    models = flow.model_flow(data).set_index("lattice system")
    assert list(models.loc["monoclinic"]) == [290, 900, 11, 11, 11, 4, 80]
    assert not models.loc["cubic"].any()
    assert flow.discrepancies(data) == []


def test_rejects_are_counted_once(data):
    counts = flow.reject_counts(data)
    assert list(counts["stage"]) == ["quality control", "reduction", "dataset"]
    assert list(counts["entries"]) == [REJECTED, WITHOUT_CELL, TOO_FEW]


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("dataset", "monoclinic", "unique entries, but"),
        ("duplicates", "monoclinic", "passed quality control"),
        ("entries", "generated", "crystals made"),
        ("rejects_reduction", "generated", "lists no reason"),
    ],
)
def test_a_lost_entry_shows(tmp_path, kind, name, message):
    frames = entry_frames(np.random.default_rng(1))
    frames[kind][name] = frames[kind][name][:-1]
    lacking = read(tmp_path, frames)
    assert any(message in problem for problem in flow.discrepancies(lacking))
    assert '<p class="warning">The counts do not add up.' in build_page(lacking, RESOURCES)


def test_an_entry_counted_twice_shows(tmp_path):
    frames = entry_frames(np.random.default_rng(1))
    twice = frames["entries"]["lab"]["entry_id"].iloc[:1].tolist()
    frames["rejects_quality"]["generated"] = reject("quality control", twice, 1, "twice")
    assert any("counted twice" in problem for problem in flow.discrepancies(read(tmp_path, frames)))


def test_nothing_at_all_still_makes_a_page(tmp_path):
    page = build_page(read(tmp_path, {}), RESOURCES)
    assert "No entry was rejected." in page and "No entry was met." in page
    assert f"{GENERATED} crystals made, but 0 entries met" in page


def test_a_table_of_another_kind_is_refused(tmp_path):
    paths = write_results(tmp_path, {})
    paths["rates"] = paths["metrics"]
    with pytest.raises(MlindexError, match="not a table 'rates'"):
        read_inputs(paths, SYSTEMS, CONFIG, tmp_path)


def test_histograms_are_shares_with_units(data):
    frame = data.frame("histograms", "monoclinic")
    fig = figures.histograms(frame[frame["figure"] == "cell"], "cell")
    assert [axis.title.text for axis in fig.select_xaxes()][:4] == [
        "a (Å)",
        "b (Å)",
        "c (Å)",
        "beta (°)",
    ]
    for trace in fig.data:
        assert sum(trace.y[:-1]) == pytest.approx(1.0)
    assert [t.name for t in fig.data if t.showlegend] == ["original", "augmented"]


def test_labels_are_one_map_for_each_lattice_and_kind(data):
    frame = data.frame("histograms", "monoclinic")
    fig = figures.labels(frame[frame["figure"] == "labels"])
    assert len(fig.data) == 4
    for trace in fig.data:
        assert np.shape(trace.z)[0] == 20
        np.testing.assert_allclose(np.sum(trace.z, axis=1), 100.0)


def test_curves_of_many_groups_have_few_names(data):
    curves = data.frame("training", "monoclinic")
    fig = model_figures.training_curves(curves[curves["network"] != "assignment"], GROUPS)
    names = [t.name for t in fig.data if t.showlegend]
    assert len(names) == len(set(names)) == 9 and "other groups" in names
    assert fig.layout.yaxis.range[1] < 5, "the first epoch, at 50, must not flatten the others"


def test_published_rates_are_drawn(data):
    fig = model_figures.rates(data.frames["rates"])
    published = next(t for t in fig.data if t.name == "published")
    assert [x for x in published.x if x is not None] == [85.0, 81.0, 92.0]
    found = next(t for t in fig.data if t.name == "found (network)")
    assert list(found.x) == [90.0, 50.0]


def test_metric_tables_have_a_row_for_each_model(data):
    metrics = data.frame("metrics", "monoclinic")
    errors = model_tables.error_table(metrics)
    assert len(errors) == 4 * len(GROUPS)
    assert list(errors.columns)[-8:] == [
        f"{e} {p} %" for e in ("network", "forest") for p in (50, 68, 90, 95)
    ]
    coverage = model_tables.coverage_table(model_tables.coverage(metrics))
    assert len(coverage) == 4 * len(GROUPS)
    accuracy = model_tables.accuracy_table(model_tables.accuracies(metrics))
    assert list(accuracy["noise"]) == [0.001, 0.01, 0.04, 0.1]
    assert accuracy["nearest (%)"].iloc[0] == pytest.approx(84.66)
    shares = model_tables.overlap_shares(data.frame("overlap", "monoclinic"))
    np.testing.assert_allclose(shares.sum(axis=1), 100.0)


def test_numbers_are_short():
    frame = pd.DataFrame({"n": [1234567], "x": [0.0012345], "missing": [np.nan], "yes": [True]})
    html = table(frame)
    assert ">1,234,567<" in html and ">0.00123<" in html and "nan" not in html
    assert "<td>yes</td>" in html
