"""The report."""


rule report:
    input:
        unpack(report_inputs),
        resources=project_file("resources/cell_statistics.json"),
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
