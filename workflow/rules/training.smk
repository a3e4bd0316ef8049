"""The models of a lattice system."""


rule train_regression:
    input:
        examples="results/examples/{system}.parquet",
        scaling="results/scaling/{system}.parquet",
    output:
        networks=directory("results/regression/{system}/batch_{batch}"),
        training="results/regression/{system}/training_{batch}.parquet",
        metrics="results/regression/{system}/metrics_{batch}.parquet",
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
        examples="results/examples/{system}.parquet",
        scaling="results/scaling/{system}.parquet",
    output:
        forests=directory("results/forest/{system}/forests"),
        metrics="results/forest/{system}/metrics.parquet",
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
        examples="results/examples/{system}.parquet",
        scaling="results/scaling/{system}.parquet",
        networks=regression_batches("batch_{batch}"),
        forests="results/forest/{system}/forests",
    output:
        metrics="results/overlap/{system}.parquet",
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
        examples="results/examples/{system}.parquet",
        scaling="results/scaling/{system}.parquet",
        reference="results/reference/{system}.parquet",
    output:
        network=directory("results/assignment/{system}/level_{level}"),
        training="results/assignment/{system}/training_{level}.parquet",
        metrics="results/assignment/{system}/metrics_{level}.parquet",
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
        examples="results/examples/{system}.parquet",
        reference="results/reference/{system}.parquet",
    output:
        templates="results/templates/{system}.parquet",
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
        templates="results/templates/{system}.parquet",
        scaling="results/scaling/{system}.parquet",
        reference="results/reference/{system}.parquet",
        groups="results/groups/{system}.parquet",
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
