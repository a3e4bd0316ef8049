"""Patterns and peak lists of structures."""


rule simulate:
    input:
        entries="results/entries/{source}/{shard}.parquet",
    output:
        reflections="results/reflections/{source}/{shard}.parquet",
        patterns="results/patterns/{source}/{shard}.parquet",
        rejects="results/rejects/simulation/{source}/{shard}.parquet",
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
        cells="results/cells/{source}/{shard}.parquet",
        reflections="results/reflections/{source}/{shard}.parquet",
        patterns="results/patterns/{source}/{shard}.parquet",
    output:
        peaks="results/peaks/{source}/{shard}.parquet",
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
