"""From CIF files to peak lists, shard by shard."""


rule quality:
    input:
        files="results/sources/{source}/{shard}.files.parquet",
        cif=generated_cif,
    output:
        entries="results/entries/{source}/{shard}.parquet",
        rejects="results/rejects/quality/{source}/{shard}.parquet",
    log:
        "results/logs/quality/{source}/{shard}.log",
    benchmark:
        "results/benchmarks/quality/{source}/{shard}.tsv"
    group:
        "shard"
    conda:
        "../../environment.yml"
    threads: 1
    # The later jobs of the group have no input yet when it is submitted, and Snakemake leaves out
    # what it does not know: what is asked for here must be enough for all four.
    resources:
        mem_mb=memory_mb(1 * GB + CONFIG.quality.max_entry_memory_MB, 50),
        runtime=minutes(60, 60),
    params:
        code=code("quality.py"),
        settings=source_settings,
    message:
        "Quality control of {wildcards.source}, shard {wildcards.shard}"
    script:
        "../scripts/quality.py"


rule reduce:
    input:
        entries="results/entries/{source}/{shard}.parquet",
    output:
        cells="results/cells/{source}/{shard}.parquet",
        rejects="results/rejects/reduction/{source}/{shard}.parquet",
    log:
        "results/logs/reduce/{source}/{shard}.log",
    benchmark:
        "results/benchmarks/reduce/{source}/{shard}.tsv"
    group:
        "shard"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 20),
        runtime=minutes(15, 1),
    params:
        code=code("reduce.py"),
        settings=settings("reduction"),
    message:
        "Reduction and reindexing of {wildcards.source}, shard {wildcards.shard}"
    script:
        "../scripts/reduce.py"


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
