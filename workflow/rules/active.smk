"""Which crystals to simulate and learn from next."""


rule active_learning:
    input:
        examples=expand(SYMMETRY_EXAMPLES.place(), system=CONFIG.lattice_systems),
        cells=all_cells,
    output:
        curves=ACTIVE_LEARNING.place(),
        worth=ACTIVE_WORTH.place(),
    log:
        "results/logs/active_learning/{level}.log",
    benchmark:
        "results/benchmarks/active_learning/{level}.tsv"
    wildcard_constraints:
        level="|".join(LEVELS),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 20),
        runtime=minutes(60, 1),
    params:
        code=code("active_learning.py"),
        learner=lambda wildcards: code_digest(
            fitting_file(CONFIG.active_learning.learner)
        ),
        seed=seed("active_learning"),
        settings={**settings("active_learning"), **split_settings()},
    message:
        "Which crystals to learn {wildcards.level} from next"
    script:
        "../scripts/active_learning.py"
