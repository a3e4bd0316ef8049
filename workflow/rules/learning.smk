"""The data set of a lattice system: groups of symbols and the split."""

from mlindex.learning.tables import DATASET, GROUPS
from mlindex.patterns.tables import PEAKS
from mlindex.structures.tables import CELLS, DUPLICATES, ENTRIES, REJECTS


rule dataset:
    input:
        duplicates=DUPLICATES.place(),
        entries=shard_files(ENTRIES.place()),
        cells=shard_files(CELLS.place()),
        peaks=shard_files(PEAKS.place()),
    output:
        dataset=DATASET.place(),
        groups=GROUPS.place(),
        rejects=REJECTS.place("rejects/dataset"),
    log:
        "results/logs/dataset/{system}.log",
    benchmark:
        "results/benchmarks/dataset/{system}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory_mb(1 * GB, 1),
        runtime=minutes(15, 0.1),
    params:
        code=code("dataset.py"),
        seed=seed("dataset"),
        settings=settings("grouping", "split"),
    message:
        "Grouping and split of {wildcards.system} entries"
    script:
        "../scripts/dataset.py"
