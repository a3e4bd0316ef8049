"""Finding lattices in lists of lines, with nothing told: see :mod:`mlindex.indexing.search.plan`."""
