"""Classification of symmetry: lists of lines, classifiers."""

from mlindex.campaigns.tables import ACTIVE_LEARNING, ACTIVE_WORTH
from mlindex.classification.classifier import LEARNED
from mlindex.classification.tables import (
    CLASSIFIER_IMPORTANCE,
    CLASSIFIER_OCCLUSION,
    CLASSIFIER_SCORES,
    CLASSIFIER_SEARCH,
    CLASSIFIER_STUDIES,
    CLASSIFIER_TESTS,
    SYMMETRY_EVIDENCE,
    SYMMETRY_EXAMPLES,
)
from mlindex.crystal.symmetry_classes import LEVELS
from mlindex.learning.tables import DATASET
from mlindex.patterns.tables import REFLECTIONS


rule symmetry_examples:
    input:
        dataset=DATASET.place(),
        cells=shard_files(CELLS.place()),
        reflections=shard_files(REFLECTIONS.place()),
    output:
        examples=SYMMETRY_EXAMPLES.place(),
    log:
        "results/logs/symmetry_examples/{system}.log",
    benchmark:
        "results/benchmarks/symmetry_examples/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 1),
        runtime=minutes(15, 0.1),
    params:
        code=code("symmetry_examples.py"),
        seed=seed("symmetry_examples"),
        settings=settings("symmetry_examples", "realism", "simulation"),
    message:
        "Lists of {wildcards.system} crystals for the classifiers of symmetry"
    script:
        "../scripts/symmetry_examples.py"


rule train_classifier:
    input:
        examples=expand(SYMMETRY_EXAMPLES.place(), system=CONFIG.lattice_systems),
    output:
        classifier=directory("results/classifiers/{level}"),
        search=CLASSIFIER_SEARCH.place(),
        scores=CLASSIFIER_SCORES.place(),
        tests=CLASSIFIER_TESTS.place(),
    log:
        "results/logs/train_classifier/{level}.log",
    benchmark:
        "results/benchmarks/train_classifier/{level}.tsv"
    wildcard_constraints:
        level="|".join(LEVELS),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(3 * GB, 20),
        runtime=minutes(120, 1),
    params:
        code=code("train_classifier.py"),
        learners=[
            code_digest(fitting_file(name)) for name in CONFIG.classifiers.learners
        ],
        seed=seed("train_classifier"),
        settings=classifier_settings(),
    message:
        "Train the classifier: {wildcards.level}"
    script:
        "../scripts/train_classifier.py"


rule explain_classifier:
    input:
        classifier=rules.train_classifier.output.classifier,
        tests=rules.train_classifier.output.tests,
        examples=expand(SYMMETRY_EXAMPLES.place(), system=CONFIG.lattice_systems),
    output:
        importance=CLASSIFIER_IMPORTANCE.place(),
        occlusion=CLASSIFIER_OCCLUSION.place(),
    log:
        "results/logs/explain_classifier/{level}.log",
    benchmark:
        "results/benchmarks/explain_classifier/{level}.tsv"
    wildcard_constraints:
        level="|".join(LEVELS),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 10),
        runtime=minutes(30, 0.1),
    params:
        code=code("explain_classifier.py"),
        seed=seed("explain_classifier"),
        settings=settings("explanation"),
    message:
        "What the classifier goes by: {wildcards.level}"
    script:
        "../scripts/explain_classifier.py"


rule pretrained_symmetry:
    input:
        classifiers=expand("results/classifiers/{level}", level=LEARNED),
    output:
        model=directory("results/pretrained_symmetry"),
    log:
        "results/logs/pretrained_symmetry.log",
    benchmark:
        "results/benchmarks/pretrained_symmetry.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 5),
        runtime=minutes(15, 0.1),
    params:
        code=code("pretrained_symmetry.py"),
    message:
        "The classifier of symmetry, all levels in one"
    script:
        "../scripts/pretrained_symmetry.py"


rule study_classifier:
    input:
        examples=expand(SYMMETRY_EXAMPLES.place(), system=CONFIG.lattice_systems),
        cells=study_cells,
    output:
        study=CLASSIFIER_STUDIES.place(),
    log:
        "results/logs/study_classifier/{study}.log",
    benchmark:
        "results/benchmarks/study_classifier/{study}.tsv"
    wildcard_constraints:
        study="|".join(STUDIES),
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(3 * GB, 20),
        runtime=minutes(60, 1),
    params:
        code=code("study_classifier.py"),
        parts=lambda wildcards: [
            code_digest(study_file(wildcards.study)),
            *(
                code_digest(fitting_file(name))
                for name in kinds_in(wildcards.study, CONFIG.classifier_studies)
            ),
        ],
        seed=seed("study_classifier"),
        settings=study_settings(),
    message:
        "What helps classifiers: {wildcards.study}"
    script:
        "../scripts/study_classifier.py"


rule classification_report:
    input:
        examples=expand(SYMMETRY_EXAMPLES.place(), system=CONFIG.lattice_systems),
        search=expand(CLASSIFIER_SEARCH.place(), level=CONFIG.classifiers.levels),
        scores=expand(CLASSIFIER_SCORES.place(), level=CONFIG.classifiers.levels),
        tests=expand(CLASSIFIER_TESTS.place(), level=CONFIG.classifiers.levels),
        studies=expand(
            CLASSIFIER_STUDIES.place(), study=CONFIG.classifier_studies.studies
        ),
        learning=expand(ACTIVE_LEARNING.place(), level=CONFIG.active_learning.levels),
        worth=expand(ACTIVE_WORTH.place(), level=CONFIG.active_learning.levels),
        importance=expand(
            CLASSIFIER_IMPORTANCE.place(), level=CONFIG.classifiers.levels
        ),
        occlusion=expand(CLASSIFIER_OCCLUSION.place(), level=CONFIG.classifiers.levels),
        evidence=expand(
            SYMMETRY_EVIDENCE.place(),
            system=CONFIG.lattice_systems * CONFIG.classifiers.compared_with_search,
        ),
    output:
        page="results/classification.html",
    log:
        "results/logs/classification_report.log",
    benchmark:
        "results/benchmarks/classification_report.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(2 * GB, 20),
        runtime=minutes(15, 0.1),
    params:
        code=code("classification_report.py"),
        settings=settings("classifiers", "classifier_studies", "active_learning"),
    message:
        "Page on the classifiers of symmetry"
    script:
        "../scripts/classification_report.py"
