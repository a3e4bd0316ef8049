"""The classifier that comes with the package.

Apart from :mod:`.classifier`, so that training a classifier does not depend on the one that is
shipped.
"""

from __future__ import annotations

from functools import cache

from mlindex.base.errors import MlindexError
from mlindex.base.packaged import packaged
from mlindex.classification.classifier import SymmetryClassifier

ARRAYS = packaged(__file__, "pretrained/symmetry.npz")


@cache
def shipped() -> SymmetryClassifier:
    """The shipped classifier.

    Raises:
        MlindexError: none comes with this version, or its file was damaged.
    """
    if not ARRAYS.exists():
        raise MlindexError(
            "no classifier comes with this version; make one with 'snakemake --cores 2 "
            "results/classifiers/bravais' and give it with --model results/classifiers/bravais (in "
            "Python model='results/classifiers/bravais')"
        )
    return SymmetryClassifier.load(ARRAYS)
