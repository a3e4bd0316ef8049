"""Whether results are whole."""


rule verify:
    log:
        "results/logs/verify.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(6 * GB),
        runtime=minutes(120),
    message:
        "Check of the results"
    script:
        "../scripts/verify.py"
