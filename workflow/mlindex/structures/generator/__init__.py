"""The built-in source: crystals generated from a seed and written as CIF files.

Only :func:`write_shard` and :func:`real_against_generated` are used by other modules; they are
in :mod:`.source` and :mod:`.compare`. The two are re-exported here.
"""

from mlindex.structures.generator.compare import real_against_generated
from mlindex.structures.generator.source import write_shard

__all__ = ["real_against_generated", "write_shard"]
