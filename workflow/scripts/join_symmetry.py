"""The model that joins the classifier of symmetry with a search for the cell, and its figures."""

from mlindex.base.stage import Stage
from mlindex.classification.classifier import SymmetryClassifier
from mlindex.classification.joined_card import write_joined
from mlindex.classification.joining import join
from mlindex.classification.settings import Joining
from mlindex.classification.tables import JOINED_SCORES, SYMMETRY_EVIDENCE, SYMMETRY_EXAMPLES

_COLUMNS = ("entry_id", "measurement", "q2_inv_A2", "intensity", "features")

with Stage(snakemake) as stage:
    rows = stage.read("evidence", SYMMETRY_EVIDENCE)
    examples = stage.read_only("examples", SYMMETRY_EXAMPLES, rows["entry_id"], _COLUMNS)
    classifier = SymmetryClassifier.load(stage.input.classifier)
    done = join(rows, examples, classifier, stage.settings(Joining).folds)
    write_joined(stage.output.model, done, stage.provenance())
    stage.write("scores", JOINED_SCORES, done.scores)
