"""From entries of all shards to the training examples of a lattice system."""


rule deduplicate:
    input:
        entries=shard_files("entries"),
    output:
        duplicates="results/duplicates/{system}.parquet",
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


rule compare_splits:
    input:
        dataset="results/dataset/{system}.parquet",
    output:
        splits="results/splits/{system}.parquet",
    log:
        "results/logs/compare_splits/{system}.log",
    benchmark:
        "results/benchmarks/compare_splits/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 2),
        runtime=minutes(15, 0.5),
    params:
        code=code("compare_splits.py"),
        seed=seed("compare_splits"),
        settings=settings("forest"),
    message:
        "Splits by structure type and by composition family of {wildcards.system} compared"
    script:
        "../scripts/compare_splits.py"


rule scaling:
    input:
        dataset="results/dataset/{system}.parquet",
    output:
        scaling="results/scaling/{system}.parquet",
    log:
        "results/logs/scaling/{system}.log",
    benchmark:
        "results/benchmarks/scaling/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 0.2),
        runtime=minutes(5, 0.1),
    params:
        code=code("scaling.py"),
    message:
        "Scaling of {wildcards.system}"
    script:
        "../scripts/scaling.py"


rule reference:
    input:
        dataset="results/dataset/{system}.parquet",
    output:
        reference="results/reference/{system}.parquet",
    log:
        "results/logs/reference/{system}.log",
    benchmark:
        "results/benchmarks/reference/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 0.5),
        runtime=minutes(5, 0.1),
    params:
        code=code("reference.py"),
    message:
        "Reference Miller indices of {wildcards.system}"
    script:
        "../scripts/reference.py"


rule augment:
    input:
        dataset="results/dataset/{system}.parquet",
        scaling="results/scaling/{system}.parquet",
        reference="results/reference/{system}.parquet",
    output:
        examples="results/examples/{system}.parquet",
        first_peak="results/augmentation/{system}/first_peak.parquet",
        acceptance="results/augmentation/{system}/acceptance.parquet",
        histograms="results/augmentation/{system}/histograms.parquet",
    log:
        "results/logs/augment/{system}.log",
    benchmark:
        "results/benchmarks/augment/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 2),
        runtime=minutes(15, 0.5),
    params:
        code=code("augment.py"),
        seed=seed("augment"),
        settings=settings("augmentation", "peaks", "simulation"),
    message:
        "Augmentation of {wildcards.system}"
    script:
        "../scripts/augment.py"
