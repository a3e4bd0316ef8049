"""Classification of symmetry: lists of lines, classifiers."""

from mlindex.classification.tables import SYMMETRY_EXAMPLES
from mlindex.learning.tables import DATASET
from mlindex.patterns.tables import REFLECTIONS
from mlindex.structures.tables import CELLS


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
