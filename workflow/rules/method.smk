"""The models of ML-Index, from scaling to validation."""

from mlindex.learning.tables import DATASET, GROUPS, METRICS, TRAINING
from mlindex.method.tables import (
    ACCEPTANCE,
    EXAMPLES,
    FIRST_PEAK,
    HISTOGRAMS,
    RATES,
    REFERENCE,
    SCALING,
    SPLITS,
    TEMPLATES,
    VALIDATION,
)
from mlindex.structures.tables import REJECTS


rule compare_splits:
    input:
        dataset=DATASET.place(),
    output:
        splits=SPLITS.place(),
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
        dataset=DATASET.place(),
    output:
        scaling=SCALING.place(),
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
        dataset=DATASET.place(),
    output:
        reference=REFERENCE.place(),
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
        dataset=DATASET.place(),
        scaling=SCALING.place(),
        reference=REFERENCE.place(),
    output:
        examples=EXAMPLES.place(),
        first_peak=FIRST_PEAK.place(),
        acceptance=ACCEPTANCE.place(),
        histograms=HISTOGRAMS.place(),
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


rule train_regression:
    input:
        examples=EXAMPLES.place(),
        scaling=SCALING.place(),
    output:
        networks=directory("results/regression/{system}/batch_{batch}"),
        training=TRAINING.place("regression"),
        metrics=METRICS.place("regression"),
    log:
        "results/logs/train_regression/{system}/{batch}.log",
    benchmark:
        "results/benchmarks/train_regression/{system}/{batch}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 15),
        runtime=minutes(30, 1),
    params:
        code=code("train_regression.py"),
        seed=seed("train_regression"),
        settings=settings("regression"),
    message:
        "Train variance networks of {wildcards.system}, batch {wildcards.batch}"
    script:
        "../scripts/train_regression.py"


rule train_forests:
    input:
        examples=EXAMPLES.place(),
        scaling=SCALING.place(),
    output:
        forests=directory("results/forest/{system}/forests"),
        metrics=METRICS.place("forest"),
    log:
        "results/logs/train_forests/{system}.log",
    benchmark:
        "results/benchmarks/train_forests/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 10),
        runtime=minutes(15, 1),
    params:
        code=code("train_forests.py"),
        seed=seed("train_forests"),
        settings=settings("forest"),
    message:
        "Train forests of {wildcards.system}"
    script:
        "../scripts/train_forests.py"


rule compare_estimators:
    input:
        examples=EXAMPLES.place(),
        scaling=SCALING.place(),
        networks=regression_batches("batch_{batch}"),
        forests="results/forest/{system}/forests",
    output:
        metrics=METRICS.place("overlap"),
    log:
        "results/logs/compare_estimators/{system}.log",
    benchmark:
        "results/benchmarks/compare_estimators/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 8),
        runtime=minutes(5, 0.1),
    params:
        code=code("compare_estimators.py"),
    message:
        "Forests and networks of {wildcards.system} compared"
    script:
        "../scripts/compare_estimators.py"


rule train_assignment:
    input:
        examples=EXAMPLES.place(),
        scaling=SCALING.place(),
        reference=REFERENCE.place(),
    output:
        network=directory("results/assignment/{system}/level_{level}"),
        training=TRAINING.place("assignment"),
        metrics=METRICS.place("assignment"),
    log:
        "results/logs/train_assignment/{system}/{level}.log",
    benchmark:
        "results/benchmarks/train_assignment/{system}/{level}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(3 * GB, 30),
        runtime=minutes(60, 2),
    params:
        code=code("train_assignment.py"),
        seed=seed("train_assignment"),
        settings=settings("assignment"),
    message:
        "Train the assignment network of {wildcards.system}, noise level {wildcards.level}"
    script:
        "../scripts/train_assignment.py"


rule templates:
    input:
        examples=EXAMPLES.place(),
        reference=REFERENCE.place(),
    output:
        templates=TEMPLATES.place(),
    log:
        "results/logs/templates/{system}.log",
    benchmark:
        "results/benchmarks/templates/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 2),
        runtime=minutes(10, 0.5),
    params:
        code=code("templates.py"),
        settings={
            "optimization": {"template_rows": CONFIG.optimization.template_rows},
        },
    message:
        "Frequent sets of Miller indices of {wildcards.system}"
    script:
        "../scripts/templates.py"


rule bundle:
    input:
        templates=TEMPLATES.place(),
        scaling=SCALING.place(),
        reference=REFERENCE.place(),
        groups=GROUPS.place(),
        networks=regression_batches("batch_{batch}"),
        forests="results/forest/{system}/forests",
        assignment=assignment_levels("level_{level}"),
    output:
        models=directory("results/trained/{system}"),
    log:
        "results/logs/bundle/{system}.log",
    benchmark:
        "results/benchmarks/bundle/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 2),
        runtime=minutes(5, 0.1),
    params:
        code=code("bundle.py"),
        settings=settings("assignment"),
    message:
        "Put the models of {wildcards.system} together"
    script:
        "../scripts/bundle.py"


rule validate:
    input:
        dataset=DATASET.place(),
        models="results/trained/{system}",
    output:
        validation=VALIDATION.place(),
        rates=RATES.place(),
        seconds=REPORTED_FILES["seconds"].path,
    log:
        "results/logs/validate/{system}.log",
    benchmark:
        "results/benchmarks/validate/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: workers(4)
    resources:
        mem_mb=memory_mb(4 * GB, 1),
        runtime=minutes(60, 2),
    params:
        code=code("validate.py"),
        seed=seed("validate"),
        settings=settings("optimization", "validation"),
    message:
        "Validation indexing of {wildcards.system} entries"
    script:
        "../scripts/validate.py"


rule models:
    input:
        models="results/trained/{system}",
        rates=RATES.place(),
        groups=GROUPS.place(),
        metrics=metric_tables,
        rejects=shard_files(REJECTS.place("rejects/quality")),
    output:
        models=directory("results/models/{system}"),
    log:
        "results/logs/models/{system}.log",
    benchmark:
        "results/benchmarks/models/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 2),
        runtime=minutes(5, 0.1),
    params:
        code=code("models.py"),
    message:
        "Models of {wildcards.system} with their validation figures"
    script:
        "../scripts/models.py"
