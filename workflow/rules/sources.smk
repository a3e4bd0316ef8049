"""Generated crystals. Folders need no rule: their shard lists are kept up to date on start."""


rule generate:
    input:
        frequencies=PROJECT / "resources/spacegroup_frequencies.csv",
        statistics=PROJECT / "resources/cell_statistics.json",
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
