"""The whole workflow from scratch: the same bytes twice, samples alone."""

from __future__ import annotations

import shutil

import numpy as np

from helpers.indexing_results import monoclinic_peaks, pattern_of
from helpers.small_workflow import (
    DATA_FILE,
    TARGETS,
    make_project,
    one_byte_changed,
    planned,
    shared_run,
    snakemake,
    write_config,
)
from mlindex.apps.verify import verify_results


def test_two_runs_from_scratch_give_the_same_bytes(tmp_path, tmp_path_factory):
    project = shared_run(tmp_path_factory)
    again = make_project(tmp_path)
    snakemake(again, *TARGETS, "--cores", "1")
    compared = 0
    for path in sorted((project / "results").rglob("*")):
        if path.suffix in (".parquet", ".npz", ".json", ".gz") and ".state" not in path.name:
            other = again / path.relative_to(project)
            assert path.read_bytes() == other.read_bytes(), path.relative_to(project)
            compared += 1
    assert compared > 60


def test_samples_are_indexed_without_any_model_and_give_the_same_bytes_twice(tmp_path):
    project = make_project(tmp_path)
    pattern, _, _ = pattern_of(monoclinic_peaks())
    points = np.column_stack([pattern.two_theta_deg, pattern.intensity])
    np.savetxt(project / "scan.xy", points)
    scan = {"path": "scan.xy", "wavelength_A": 1.5406, "lattices": ["cubic"], "lines": 12}
    write_config(project, samples={"scan": scan})
    targets = ("results/indexed/silicon", "results/indexed/scan")
    assert planned(project, *targets) == {"index_sample": 2}
    snakemake(project, *targets)
    first = {p: p.read_bytes() for p in (project / "results/indexed").rglob("*") if p.is_file()}
    assert "A convincing cell" in (project / "results/indexed/silicon/result.txt").read_text()
    assert (project / "results/indexed/scan/peaks.txt").exists()
    report = verify_results(project / "results")
    assert report.findings == (), report.as_text()
    assert report.checked["indexed samples"] == 2
    with one_byte_changed(project / "workflow/mlindex" / DATA_FILE):
        assert planned(project, *targets) == {"index_sample": 2}
    assert planned(project, *targets) == {}
    shutil.rmtree(project / "results/indexed")
    snakemake(project, *targets, "--cores", "1")
    assert {p: p.read_bytes() for p in first if p.name[0] != "."} == {
        p: content for p, content in first.items() if p.name[0] != "."
    }
    write_config(project, samples={"scan": {**scan, "wavelength_A": None}})
    output = snakemake(project, "results/indexed/scan", check=False)
    assert "the file states no wavelength, and 2theta needs one" in output
    assert "Traceback" not in output
