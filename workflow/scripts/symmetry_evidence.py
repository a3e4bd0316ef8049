"""Searches for the cells of lists of a lattice system that no classifier was fitted to."""

from mlindex.base.schema import read_table
from mlindex.base.stage import Stage
from mlindex.classification.joining import choose_lists, evidence_rows
from mlindex.classification.settings import Joining
from mlindex.classification.tables import (
    CLASSIFIER_TESTS,
    SYMMETRY_EVIDENCE,
    SYMMETRY_EXAMPLES,
)
from mlindex.indexing.lattices import searched_lists
from mlindex.patterns.peaklist import PeakList

_PEAKS = ("entry_id", "q2_inv_A2", "intensity", "wavelength_A")

with Stage(snakemake) as stage:
    settings = stage.settings(Joining)
    tests = [read_table(path, CLASSIFIER_TESTS, ("entry_id",)) for path in stage.input.tests]
    examples = stage.read("examples", SYMMETRY_EXAMPLES, SYMMETRY_EXAMPLES.names[:-1])
    lists = choose_lists(examples, tests, settings.crystals, stage.seed)
    peaks = [PeakList(*values) for values in zip(*(lists[name] for name in _PEAKS), strict=True)]
    found = searched_lists(peaks, settings.time_limit_s, stage.threads, stage.progress)
    stage.write("evidence", SYMMETRY_EVIDENCE, evidence_rows(lists, found))
