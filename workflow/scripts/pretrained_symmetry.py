"""The classifier of symmetry that comes with the package: all levels in one file."""

from mlindex.base.atomic import atomic_directory
from mlindex.base.stage import Stage
from mlindex.classification.classifier import FILE, LEARNED, SymmetryClassifier

with Stage(snakemake) as stage:
    loaded = map(SymmetryClassifier.load, stage.input.classifiers)
    levels = {level: getattr(one, level) for level, one in zip(LEARNED, loaded, strict=True)}
    with atomic_directory(stage.output.model) as folder:
        SymmetryClassifier(**levels).save(folder / FILE)
