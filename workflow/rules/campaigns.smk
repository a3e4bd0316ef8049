"""Campaigns: what to measure next."""


rule plan_campaign:
    input:
        space=campaign_space,
        tables=campaign_tables,
        results=campaign_results,
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
        settings=campaign_settings,
    message:
        "What to measure next: {wildcards.campaign}"
    script:
        "../scripts/plan_campaign.py"
