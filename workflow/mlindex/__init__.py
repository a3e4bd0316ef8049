"""mlindex: the unit cell of a crystal from the peak positions of its powder pattern."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

__version__ = "0.2.0"
__all__ = [
    "MlindexError",
    "__version__",
    "index",
    "next_regions",
    "peaks_from_columns",
    "read",
    "read_phase",
    "symmetry",
]

#: What can be imported from the package itself, and the module that it lies in.
_OFFERED = {
    "MlindexError": "mlindex.base.errors",
    "index": "mlindex.wholepattern.indexer",
    "next_regions": "mlindex.indexing.next.asking",
    "peaks_from_columns": "mlindex.files.peak_lists",
    "read": "mlindex.files",
    "read_phase": "mlindex.files.phase",
    "symmetry": "mlindex.classification.asking",
}
#: How results show themselves in a notebook; it says so to mlindex.indexing.result when loaded.
_NOTEBOOK = "mlindex.reports.result.notebook"

# Here and below modules are imported by their names only, or else they would count among the code
# of every job, and a change of the search would rerun it.
import_module("mlindex.base.stale").forget_stale(Path(__file__).parent)


def __getattr__(name: str) -> object:
    # Importing the package must stay cheap, for every job of the workflow does it.
    if name in _OFFERED:
        import_module(_NOTEBOOK)
        return getattr(import_module(_OFFERED[name]), name)
    raise AttributeError(f"module 'mlindex' has no attribute {name!r}")
