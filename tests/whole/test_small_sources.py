"""Sources too small to train anything: every stage ends well, and what is missing is said."""

from __future__ import annotations

import shutil

import pytest

from helpers.scripts_in_process import run
from helpers.small_workflow import make_project, snakemake, write_config
from mlindex.apps.outcome import last_lines
from mlindex.apps.verify import verify_results
from mlindex.base.schema import read_table, write_table
from mlindex.crystal.lattice import SYSTEMS
from mlindex.method.tables import TEMPLATES, VALIDATION
from mlindex.patterns.tables import PEAKS
from mlindex.structures.tables import CELLS, ENTRIES

ZINC_BLENDE = """data_zns
_chemical_formula_sum 'S Zn'
_cell_length_a 5.4093
_cell_length_b 5.4093
_cell_length_c 5.4093
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F -4 3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Zn1 Zn 0 0 0
S1 S 0.25 0.25 0.25
"""
SHARD = {"entries": ENTRIES, "cells": CELLS, "peaks": PEAKS}
#: Of rule: inputs, outputs, sections of the config; a name stands for a file of that name.
STAGES = {
    "deduplicate": (["entries"], ["duplicates"], ["deduplication"]),
    "dataset": (
        ["duplicates", *SHARD],
        ["dataset", "groups", "rejects"],
        ["grouping", "split"],
    ),
    "scaling": (["dataset"], ["scaling"], []),
    "reference": (["dataset"], ["reference"], []),
    "compare_splits": (["dataset"], ["splits"], ["forest"]),
    "augment": (
        ["dataset", "reference", "scaling"],
        ["examples", "first_peak", "acceptance", "histograms"],
        ["augmentation", "peaks", "simulation"],
    ),
    "train_regression": (
        ["examples", "scaling"],
        ["networks", "training", "metrics"],
        ["regression"],
    ),
    "train_forests": (["examples", "scaling"], ["forests", "metrics"], ["forest"]),
    "compare_estimators": (["examples", "scaling", "networks", "forests"], ["metrics"], []),
    "train_assignment": (
        ["examples", "scaling", "reference"],
        ["network", "training", "metrics"],
        ["assignment"],
    ),
    "templates": (["examples", "reference"], ["templates"], ["optimization"]),
    "bundle": (
        ["templates", "scaling", "reference", "groups", "networks", "forests", "assignment"],
        ["models"],
        ["assignment"],
    ),
    "validate": (
        ["dataset", "models"],
        ["validation", "rates", "seconds"],
        ["optimization", "validation"],
    ),
    "models": (["models", "rates", "groups", "metrics", "rejects"], ["models"], []),
    "indexing_rates": (["dataset"], ["rates", "seconds"], ["indexing"]),
}
#: Inputs that are lists of files.
SEVERAL = {*SHARD, "networks", "metrics", "assignment"}


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_stage_ends_well_without_any_entry(system, tmp_path):
    for name, table in SHARD.items():
        write_table(tmp_path / name, table, table.empty())
    for rule, (inputs, outputs, sections) in STAGES.items():
        given = {name: [name] if name in SEVERAL else name for name in inputs}
        made = {name: name for name in outputs}
        if rule == "bundle":
            given["assignment"] = ["network"] * 4
        if rule == "models":
            made["models"] = f"models/{system}"
            (tmp_path / "models").rename(tmp_path / "trained")
            given["models"] = "trained"
        wildcards = {"system": system, "batch": "0", "level": "0"}
        run(rule, tmp_path, given, made, wildcards, sections, sources=["lab"])
    assert len(read_table(tmp_path / "templates", TEMPLATES)) == 0
    assert len(read_table(tmp_path / "validation", VALIDATION)) == 0
    card = (tmp_path / f"models/{system}/README.md").read_text()
    assert f"nothing was trained for {system}" in card
    assert "Quality control rejected no file." in card
    assert last_lines(tmp_path, SYSTEMS, 0.0) == [
        f"Nothing was trained for {system}: too few entries.",
        "Quality control rejected no file.",
    ]
    assert last_lines(tmp_path, SYSTEMS, 1e12) == []


@pytest.mark.slow
def test_all_ends_well_with_a_file_that_is_kept_one_that_is_not_and_a_few_crystals(tmp_path):
    project = make_project(tmp_path)
    shutil.rmtree(project / "cifs")
    (project / "cifs").mkdir()
    (project / "cifs/zns.cif").write_text(ZINC_BLENDE)
    (project / "cifs/half.cif").write_text(ZINC_BLENDE.replace("_cell_length_c 5.4093\n", ""))
    systems = ["cubic", "rhombohedral"]
    write_config(
        project,
        sources=[
            {"kind": "folder", "name": "lab", "path": "cifs"},
            {"kind": "generator", "name": "generated", "crystals": {"rhombohedral": 12}},
        ],
        lattice_systems=systems,
    )
    output = snakemake(project)
    lost = (
        "Quality control rejected 1 entry of 1 file; the commonest reason: readable: the cell is "
        "not given in full."
    )
    untrained = f"Nothing was trained for {', '.join(systems)}: too few entries."
    last = [line for line in output.splitlines() if line.startswith("mlindex: ")]
    assert last == [f"mlindex: {untrained}", f"mlindex: {lost}"]
    assert f"{untrained} {lost}" in (project / "results/report.html").read_text()
    for system in systems:
        card = (project / f"results/models/{system}/README.md").read_text()
        assert f"nothing was trained for {system}" in card
        assert lost in card
    report = verify_results(project / "results")
    assert report.findings == (), report.as_text()
