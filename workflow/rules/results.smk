"""What comes out: validation, model directories, indexed samples, the report."""


rule validate:
    input:
        dataset="results/dataset/{system}.parquet",
        models="results/trained/{system}",
    output:
        validation="results/validation/{system}.parquet",
        rates="results/rates/{system}.parquet",
        seconds="results/validation/{system}.seconds.csv",
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


rule indexing_rates:
    input:
        dataset="results/dataset/{system}.parquet",
    output:
        rates="results/indexing_rates/{system}.parquet",
        seconds="results/indexing_rates/{system}.seconds.csv",
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
        "Indexing of {wildcards.system} entries with nothing told"
    script:
        "../scripts/indexing_rates.py"


rule models:
    input:
        models="results/trained/{system}",
        rates="results/rates/{system}.parquet",
        groups="results/groups/{system}.parquet",
        metrics=metric_tables,
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


rule index_sample:
    input:
        sample=sample_file,
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


rule report:
    input:
        unpack(report_inputs),
        resources=PROJECT / "resources/cell_statistics.json",
    output:
        page="results/report.html",
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 2),
        runtime=minutes(15, 0.1),
    params:
        code=code("report.py"),
        settings={"config": CONFIG.model_dump(mode="json")},
        systems=list(CONFIG.lattice_systems),
    message:
        "Report"
    script:
        "../scripts/report.py"
