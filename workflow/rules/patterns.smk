"""Patterns and peak lists of structures."""

from mlindex.patterns.tables import PATTERNS, PEAKS, REFLECTIONS
from mlindex.structures.tables import CELLS, ENTRIES, REJECTS


rule simulate:
    input:
        entries=ENTRIES.place(),
    output:
        reflections=REFLECTIONS.place(),
        patterns=PATTERNS.place(),
        rejects=REJECTS.place("rejects/simulation"),
    log:
        "results/logs/simulate/{source}/{shard}.log",
    benchmark:
        "results/benchmarks/simulate/{source}/{shard}.tsv"
    group:
        "shard"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 20),
        runtime=minutes(30, 5),
    params:
        code=code("simulate.py"),
        settings=settings("simulation"),
    message:
        "Pattern simulation of {wildcards.source}, shard {wildcards.shard}"
    script:
        "../scripts/simulate.py"


rule peaks:
    input:
        cells=CELLS.place(),
        reflections=REFLECTIONS.place(),
        patterns=PATTERNS.place(),
    output:
        peaks=PEAKS.place(),
    log:
        "results/logs/peaks/{source}/{shard}.log",
    benchmark:
        "results/benchmarks/peaks/{source}/{shard}.tsv"
    group:
        "shard"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 20),
        runtime=minutes(15, 1),
    params:
        code=code("peaks.py"),
        settings=settings("peaks", "simulation"),
    message:
        "Peak lists of {wildcards.source}, shard {wildcards.shard}"
    script:
        "../scripts/peaks.py"
