"""Campaigns: what to measure next, and replays of measured tables."""


rule plan_campaign:
    input:
        space=campaign_space,
        tables=campaign_tables,
        results=campaign_results,
        scored=campaign_files,
    output:
        campaign=directory("results/campaigns/{campaign}"),
    log:
        "results/logs/plan_campaign/{campaign}.log",
    benchmark:
        "results/benchmarks/plan_campaign/{campaign}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 5),
        runtime=minutes(15, 0.1),
    params:
        code=code("plan_campaign.py"),
        scores=campaign_scores,
        batch=lambda wildcards: planned_campaign(wildcards).batch,
    message:
        "What to measure next: {wildcards.campaign}"
    script:
        "../scripts/plan_campaign.py"


rule replay:
    input:
        space=project_file("resources/campaigns/{table}.yaml"),
        table=project_file("resources/campaigns/{table}.csv"),
    output:
        replay=directory("results/replay/{table}"),
    log:
        "results/logs/replay/{table}.log",
    benchmark:
        "results/benchmarks/replay/{table}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 5),
        runtime=minutes(240, 1),
    params:
        code=code("replay.py"),
        seed=seed("replay"),
        settings=settings("replay"),
    message:
        "How much faster than random: {wildcards.table}"
    script:
        "../scripts/replay.py"
