"""Classification of symmetry joined with a search for the cell."""

from mlindex.classification.classifier import LEARNED
from mlindex.classification.tables import (
    CLASSIFIER_TESTS,
    JOINED_SCORES,
    SYMMETRY_EVIDENCE,
    SYMMETRY_EXAMPLES,
)


rule symmetry_evidence:
    input:
        examples=SYMMETRY_EXAMPLES.place(),
        tests=expand(CLASSIFIER_TESTS.place(), level=LEARNED),
    output:
        evidence=SYMMETRY_EVIDENCE.place(),
    log:
        "results/logs/symmetry_evidence/{system}.log",
    benchmark:
        "results/benchmarks/symmetry_evidence/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: workers(1)
    resources:
        mem_mb=memory_mb(2 * GB, 5),
        runtime=minutes(60, 0.1),
    params:
        code=code("symmetry_evidence.py"),
        seed=seed("symmetry_evidence"),
        settings=settings("joining"),
    message:
        "Search for the cells of {wildcards.system} crystals that no classifier was fitted to"
    script:
        "../scripts/symmetry_evidence.py"


rule join_symmetry:
    input:
        evidence=expand(SYMMETRY_EVIDENCE.place(), system=CONFIG.lattice_systems),
        examples=expand(SYMMETRY_EXAMPLES.place(), system=CONFIG.lattice_systems),
        classifier="results/pretrained_symmetry",
    output:
        model=directory("results/joined_symmetry"),
        scores=JOINED_SCORES.place(),
    log:
        "results/logs/join_symmetry.log",
    benchmark:
        "results/benchmarks/join_symmetry.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 5),
        runtime=minutes(15, 0.1),
    params:
        code=code("join_symmetry.py"),
        settings=settings("joining"),
    message:
        "Join the classifier of symmetry with the search for the cell"
    script:
        "../scripts/join_symmetry.py"
