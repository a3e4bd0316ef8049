"""Known phases that were given as files, read."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from mlindex.crystal.phase import Phase
from mlindex.files.phase import read_phase
from mlindex.indexing.options import Options, names_file


def phases_read(options: Options) -> Options:
    """The same options with each phase in place of the name of its file.

    Raises:
        MlindexError: a file can't be read, or holds no phase.
    """
    read = tuple(_read(one) if names_file(one) else one for one in options.known_phases)
    return replace(options, known_phases=read)


@cache
def _read(path: str) -> Phase:
    # A batch asks for the same file with each sample.
    return read_phase(path)
