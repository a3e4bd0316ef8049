"""Indexing with nothing known of the lattice: ranking, rates, samples."""

from mlindex.indexing.ranking.tables import RANKING_EXAMPLES, RANKING_FIGURES
from mlindex.indexing.rates.tables import INDEXING_RATES
from mlindex.learning.tables import DATASET


rule ranking_examples:
    input:
        dataset=DATASET.place(),
    output:
        examples=RANKING_EXAMPLES.place(),
    log:
        "results/logs/ranking_examples/{system}.log",
    benchmark:
        "results/benchmarks/ranking_examples/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: workers(1)
    resources:
        mem_mb=memory_mb(6 * GB, 5),
        runtime=minutes(120, 2),
    params:
        code=code("ranking_examples.py"),
        seed=seed("ranking_examples"),
        settings=settings("ranking_examples"),
    message:
        "Lists of {wildcards.system} crystals for the ranking to learn from"
    script:
        "../scripts/ranking_examples.py"


rule train_ranking:
    input:
        examples=expand(RANKING_EXAMPLES.place(), system=CONFIG.lattice_systems),
    output:
        model=directory("results/pretrained"),
        figures=RANKING_FIGURES.place(),
    log:
        "results/logs/train_ranking.log",
    benchmark:
        "results/benchmarks/train_ranking.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(3 * GB, 20),
        runtime=minutes(30, 1),
    params:
        code=code("train_ranking.py"),
        seed=seed("train_ranking"),
        settings=settings("ranking"),
    message:
        "Train the ranking"
    script:
        "../scripts/train_ranking.py"


rule indexing_rates:
    input:
        dataset=DATASET.place(),
    output:
        rates=INDEXING_RATES.place(),
        seconds=REPORTED_FILES["indexing_seconds"].path,
    log:
        "results/logs/indexing_rates/{system}.log",
    benchmark:
        "results/benchmarks/indexing_rates/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: workers(1)
    resources:
        mem_mb=memory_mb(6 * GB, 5),
        runtime=minutes(60, 2),
    params:
        code=code("indexing_rates.py"),
        seed=seed("indexing_rates"),
        settings=settings("indexing"),
    message:
        "Index {wildcards.system} entries ab initio"
    script:
        "../scripts/indexing_rates.py"


rule index_sample:
    input:
        sample=sample_file,
        phases=sample_phases,
    output:
        result=directory("results/indexed/{sample}"),
    log:
        "results/logs/index_sample/{sample}.log",
    benchmark:
        "results/benchmarks/index_sample/{sample}.tsv"
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        mem_mb=memory_mb(2 * GB, 5),
        runtime=minutes(15, 0.1),
    params:
        code=code("index_sample.py"),
        settings=sample_settings,
    message:
        "Index {wildcards.sample}"
    script:
        "../scripts/index_sample.py"
