"""Whether results are whole: schemas, counts, digests, models, the two sides, leftovers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from mlindex.apps.verify.classified import check_classifiers
from mlindex.apps.verify.digests import check_digests, check_sources
from mlindex.apps.verify.files import check_files
from mlindex.apps.verify.findings import Finding, Report
from mlindex.apps.verify.indexed import check_indexed
from mlindex.apps.verify.shards import check_shards
from mlindex.apps.verify.systems import check_systems
from mlindex.apps.verify.trained import check_models
from mlindex.apps.verify.tree import Tree

__all__ = ["Finding", "Report", "verify_results"]


def verify_results(
    root: str | Path,
    progress: Callable[[Iterable], Iterable] = iter,
    sources: bool = True,
) -> Report:
    """Check a folder of results and list what is wrong; nothing is written.

    What is checked: each table against its declaration; the counts (what went into a stage = kept +
    rejected + duplicates, by shard and by lattice system); each digest of an input that a
    table's provenance records; each model directory against its own digests; that scaling,
    reference list, examples and figures keep training and validation apart; that the tables of a
    classifier of symmetry agree; that the files of an indexed sample agree; and that nothing else
    is there. Temporary files of jobs that were
    stopped or are running are noted, not reported as findings. A file that is missing or broken
    is reported once, and checks that need it are skipped. One shard, lattice system or block of
    rows is in memory at a time, and the identifiers of all entries.

    Args:
        root: the folder, ``results`` of a project.
        progress: wraps the loops over files, shards and lattice systems.
        sources: read the CIF files of the sources, too, and compare their digests.

    Raises:
        MlindexError: there is no such folder.
    """
    tree = Tree(Path(root))
    check_files(tree, progress)
    check_digests(tree, progress)
    if sources:
        check_sources(tree, progress)
    entries = check_shards(tree, progress)
    check_systems(tree, entries, progress)
    check_models(tree, progress)
    check_classifiers(tree, progress)
    check_indexed(tree, progress)
    findings = tuple(sorted(tree.findings))
    return Report(tree.root, findings, dict(tree.checked), tuple(tree.notes))
