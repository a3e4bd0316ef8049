"""The data set of a lattice system: groups of symbols and the split."""


rule dataset:
    input:
        duplicates="results/duplicates/{system}.parquet",
        entries=shard_files("entries"),
        cells=shard_files("cells"),
        peaks=shard_files("peaks"),
    output:
        dataset="results/dataset/{system}.parquet",
        groups="results/groups/{system}.parquet",
        rejects="results/rejects/dataset/{system}.parquet",
    log:
        "results/logs/dataset/{system}.log",
    benchmark:
        "results/benchmarks/dataset/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 1),
        runtime=minutes(15, 0.1),
    params:
        code=code("dataset.py"),
        seed=seed("dataset"),
        settings=settings("grouping", "split"),
    message:
        "Grouping and split of {wildcards.system} entries"
    script:
        "../scripts/dataset.py"
