"""Small fabricated results in the layout of the workflow, for the report."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from mlindex.apps.declared import declared
from mlindex.base.schema import write_table
from mlindex.base.statistics import wilson_interval
from mlindex.config import load_config
from mlindex.method.tables import RATES
from mlindex.method.training_data import error_metrics, metric
from mlindex.reports.workflow.inputs import read_inputs, reported_tables
from mlindex.structures.tables import ENTRIES

KINDS = reported_tables(declared())
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


def rows(declared, count, /, **values):
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
    table = KINDS["rejects_quality"]
    source = [i.split(":")[0] for i in ids]
    return rows(
        table,
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


def histogram(figure, panel, rng, edges, middle=0.5):
    table = KINDS["histograms"]
    parts = [
        rows(
            table,
            len(edges) - 1,
            figure=figure,
            panel=panel,
            kind=kind,
            left=edges[:-1],
            right=edges[1:],
            count=np.histogram(draw(rng, edges, middle, size), edges)[0] * 1.0,
        )
        for kind, size in (("original", 290), ("augmented", 900))
    ]
    return pd.concat(parts)


def draw(rng, edges, middle, size):
    values = edges[0] + np.ptp(edges) * (middle + rng.normal(0, 0.12, size))
    return np.clip(values, edges[0], edges[-1])


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
        histogram("labels", f"{bravais} peak {peak}", rng, places, peak / 40)
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
                KINDS["training"],
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


def indexing_rates():
    """10 monoclinic entries as calculated and spoiled: 8 first, 1 named; less as it gets worse."""
    parts = []
    for kind, amount, first in (
        ("exact", 0.0, 8),
        ("shift", 0.05, 8),
        ("noise", 0.02, 6),
        ("impurities", 3.0, 5),
        ("impurities", 9.0, 2),
        ("missing", 8.0, 7),
    ):
        ranks = [1] * first + [4] + [0] * (9 - first)
        parts.append(
            rows(
                KINDS["indexing_rates"],
                10,
                entry_id=[f"generated:{n}:x" for n in range(10)],
                bravais_lattice=["mP"] * 6 + ["mC"] * 4,
                degradation=kind,
                amount=amount,
                rank=ranks,
                first=[rank == 1 for rank in ranks],
                named=[rank == 4 for rank in ranks],
                listed=[rank > 0 for rank in ranks],
                wrong=[False] * 9 + [kind == "noise"],
            )
        )
    return pd.concat(parts)


def indexing_seconds(rates):
    keys = ["entry_id", "bravais_lattice", "degradation", "amount"]
    return rates[keys].assign(
        seconds=[2.25] * (len(rates) - 1) + [7.5] * (len(rates) > 0), cpu_seconds=2.0
    )


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
    duplicates = rows(KINDS["duplicates"], KEPT, entry_id=ids, kept=[i in unique for i in ids])
    lost, few = unique[:WITHOUT_CELL], unique[WITHOUT_CELL : WITHOUT_CELL + TOO_FEW]
    inside = unique[WITHOUT_CELL:]
    dataset = rows(
        KINDS["dataset"],
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
        KINDS["groups"],
        len(GROUPS),
        group=GROUPS,
        bravais_lattice=[g[:2] for g in GROUPS],
        conditions="0k0: k = 2n",
        usable=list(range(10, 10 + len(GROUPS))),
    )
    edges = np.geomspace(1e-4, 1e-2, 20)
    fitted = 1 - np.exp(-edges / 2e-3)
    counted = {"separation_inv_A2": edges, "observed": fitted**1.1, "fitted": fitted}
    acceptance = rows(KINDS["acceptance"], 20, peaks=list(range(0, 2000, 100)), **counted)
    first = rows(KINDS["first_peak"], 2, position=[0, 1], probability=[0.8, 0.2])
    outcome = ["found"] * 56 + ["explained"] * 6 + ["missed"] * 18
    validation = rows(
        KINDS["validation"],
        80,
        entry_id=[str(n) for n in range(80)],
        bravais_lattice=["mP", "mC"] * 40,
        method="network",
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
        "indexing_rates": indexing_rates(),
    }
    return {kind: {"monoclinic": frame} for kind, frame in frames.items()}


def write_results(folder, frames):
    """Write all inputs as the workflow does: by shard or by lattice system."""
    paths = {}
    for kind, table in {**KINDS, "entries": ENTRIES}.items():
        names = ("lab", "generated") if kind in BY_SHARD else SYSTEMS
        paths[kind] = []
        for name in names:
            path = folder / kind / (f"{name}/00.parquet" if kind in BY_SHARD else f"{name}.parquet")
            frame = frames.get(kind, {}).get(name, table.empty())
            write_table(path, table, frame, {"packages": {"gemmi": "0.7.77"}})
            paths[kind].append(str(path))
    paths["seconds"] = []
    for system, seconds in zip(SYSTEMS, ([], [1.5] * 79 + [4.5]), strict=True):
        path = folder / f"validation/{system}.seconds.csv"
        pd.DataFrame({"seconds": seconds}).to_csv(path, index=False)
        paths["seconds"].append(str(path))
    paths["indexing_seconds"] = []
    for system in SYSTEMS:
        path = folder / f"indexing_rates/{system}.seconds.csv"
        empty_table = KINDS["indexing_rates"].empty()
        indexed = frames.get("indexing_rates", {}).get(system, empty_table)
        indexing_seconds(indexed).to_csv(path, index=False)
        paths["indexing_seconds"].append(str(path))
    bench = folder / "benchmarks/quality/lab/00.tsv"
    bench.parent.mkdir(parents=True)
    bench.write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t321.0\n")
    return paths


def read(folder, frames):
    paths = write_results(folder, frames)
    config = load_config(CONFIG).model_dump(mode="json")
    return read_inputs(paths, SYSTEMS, config, folder / "benchmarks", declared())
