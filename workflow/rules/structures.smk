"""Crystal structures: from sources to reduced entries without duplicates."""

from mlindex.structures.tables import CELLS, DUPLICATES, ENTRIES, FILES, REJECTS


rule generate:
    input:
        frequencies=project_file("resources/spacegroup_frequencies.csv"),
        statistics=project_file("resources/cell_statistics.json"),
    output:
        cif="results/sources/{source}/{system}_{index}.cif.gz",
        files="results/sources/{source}/{system}_{index}.files.parquet",
    log:
        "results/logs/generate/{source}/{system}_{index}.log",
    benchmark:
        "results/benchmarks/generate/{source}/{system}_{index}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB),
        runtime=minutes_generating(10, 2),
    params:
        code=code("generate.py"),
        seed=seed("generate"),
        settings=lambda wildcards: {"generator_source": generator_settings(wildcards)},
        numbers=lambda wildcards: generated_range(wildcards),
    message:
        "Generate {wildcards.system} crystals {wildcards.index} of source {wildcards.source}"
    script:
        "../scripts/generate.py"


rule quality:
    input:
        files=FILES.place(),
        cif=generated_cif,
    output:
        entries=ENTRIES.place(),
        rejects=REJECTS.place("rejects/quality"),
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
        entries=ENTRIES.place(),
    output:
        cells=CELLS.place(),
        rejects=REJECTS.place("rejects/reduction"),
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


rule deduplicate:
    input:
        entries=shard_files(ENTRIES.place()),
    output:
        duplicates=DUPLICATES.place(),
    log:
        "results/logs/deduplicate/{system}.log",
    benchmark:
        "results/benchmarks/deduplicate/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 3),
        runtime=minutes(15, 0.1),
    params:
        code=code("deduplicate.py"),
        settings=settings("deduplication"),
        sources=list(SOURCES),
    message:
        "Deduplication of {wildcards.system} entries"
    script:
        "../scripts/deduplicate.py"
