"""Stacks of convergent-beam patterns, and the classifier of space groups from them."""

from mlindex.campaigns.tables import ACTIVE_LEARNING, ACTIVE_WORTH
from mlindex.cbed.tables import (
    CBED_EXAMPLES,
    CBED_FEATURES,
    CBED_PARTS,
    CBED_REJECTS,
    CBED_SCORES,
    CBED_TESTS,
)
from mlindex.classification.tables import CLASSIFIER_STUDIES


rule cbed_stacks:
    input:
        resources=cbed_resources(),
        entries=cbed_entries,
        stacks=cbed_stack_file,
    output:
        features=CBED_FEATURES.place(),
        rejects=CBED_REJECTS.place(),
        examples=CBED_EXAMPLES.place(),
        stacks=cbed_kept(),
    log:
        "results/logs/cbed_stacks/{crystals}.log",
    benchmark:
        "results/benchmarks/cbed_stacks/{crystals}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 1),
        runtime=minutes(120, 0.5),
    params:
        code=code("cbed_stacks.py"),
        # Of the whole source, not of the job: a crystal is the same in whatever job.
        seed=derive_seed(CONFIG.seed, "cbed_stacks"),
        settings=cbed_settings("crystals", "crystals_per_shard", *CBED_LEARNT),
        numbers=cbed_numbers,
    message:
        "Convergent-beam patterns of {wildcards.crystals}"
    script:
        "../scripts/cbed_stacks.py"


rule train_cbed:
    input:
        features=of_cbed(CBED_FEATURES),
    output:
        model=directory("results/cbed/model"),
        parts=CBED_PARTS.place(),
        scores=CBED_SCORES.place(),
        tests=CBED_TESTS.place(),
    log:
        "results/logs/train_cbed.log",
    benchmark:
        "results/benchmarks/train_cbed.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 30),
        runtime=minutes(60, 1),
    params:
        code=code("train_cbed.py"),
        learners=[code_digest(fitting_file(name)) for name in CONFIG.cbed.learners],
        seed=seed("train_cbed"),
        settings=cbed_settings(*CBED_STACKS_ONLY, *CBED_SHOWN),
    message:
        "Train the model of space groups from stacks"
    script:
        "../scripts/train_cbed.py"


rule study_cbed:
    input:
        features=of_cbed(CBED_FEATURES),
    output:
        study=CLASSIFIER_STUDIES.place("cbed"),
    log:
        "results/logs/study_cbed/{study}.log",
    benchmark:
        "results/benchmarks/study_cbed/{study}.tsv"
    wildcard_constraints:
        study="imbalance|multitask",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 30),
        runtime=minutes(60, 2),
    params:
        code=code("study_cbed.py"),
        learner=code_digest(fitting_file(CONFIG.classifier_studies.imbalance_learner)),
        seed=seed("train_cbed_study"),
        settings={**cbed_settings(*CBED_STACKS_ONLY), **settings("classifier_studies")},
    message:
        "What helps the model of space groups from stacks: {wildcards.study}"
    script:
        "../scripts/study_cbed.py"


rule cbed_learning:
    input:
        features=of_cbed(CBED_FEATURES),
    output:
        curves=ACTIVE_LEARNING.place("cbed"),
        worth=ACTIVE_WORTH.place("cbed"),
    log:
        "results/logs/cbed_learning.log",
    benchmark:
        "results/benchmarks/cbed_learning.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 30),
        runtime=minutes(120, 2),
    params:
        code=code("cbed_learning.py"),
        learner=code_digest(fitting_file(CONFIG.active_learning.learner)),
        seed=seed("cbed_learning"),
        settings={**cbed_settings(*CBED_STACKS_ONLY), **settings("active_learning")},
    message:
        "Which crystals to simulate stacks of next"
    script:
        "../scripts/cbed_learning.py"


rule cbed_space_group:
    input:
        features=of_cbed(CBED_FEATURES),
        rejects=of_cbed(CBED_REJECTS),
        examples=of_cbed(CBED_EXAMPLES),
        model=rules.train_cbed.output.model,
        parts=rules.train_cbed.output.parts,
        scores=rules.train_cbed.output.scores,
        tests=rules.train_cbed.output.tests,
        studies=expand(CLASSIFIER_STUDIES.place("cbed"), study=CONFIG.cbed.studies),
        curves=[ACTIVE_LEARNING.place("cbed")] * CONFIG.cbed.learning,
        worth=[ACTIVE_WORTH.place("cbed")] * CONFIG.cbed.learning,
    output:
        folder=directory("results/cbed/space_group"),
    log:
        "results/logs/cbed_space_group.log",
    benchmark:
        "results/benchmarks/cbed_space_group.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 20),
        runtime=minutes(15, 0.2),
    params:
        code=code("cbed_space_group.py"),
        settings=cbed_settings(),
    message:
        "Model and page on space groups from stacks"
    script:
        "../scripts/cbed_space_group.py"
