"""What jobs ask of a cluster, as functions of their input's size and of the attempt.

The figures of the rules are two or more times what was measured at 10,000 to a million entries
(docs/how_to/scaling.md): memory is taken at once, and nodes may be slower.
"""

import os
from math import ceil
from pathlib import Path

GB = 1000


def input_mb(input):
    """Size of a job's input; Snakemake's own takes a directory for 4 kB, whatever it holds."""
    return sum(bytes_below(str(path)) for path in input) / 1e6


def bytes_below(path):
    """Bytes of a file, or of all files below a directory; a missing path raises."""
    size = os.stat(path).st_size
    if os.path.isdir(path):
        size = sum(p.stat().st_size for p in Path(path).rglob("*") if p.is_file())
    return size


def memory_mb(base, per_mb=0.0):
    """Memory of a job: a base and so much for each MB of its input, doubled each attempt."""
    return lambda wildcards, input, attempt: doubled(
        base + per_mb * input_mb(input), attempt
    )


def minutes(base, per_mb=0.0):
    """Run time of a job in minutes: as for memory."""
    return lambda wildcards, input, attempt: doubled(
        base + per_mb * input_mb(input), attempt
    )


def doubled(first, attempt):
    """What an attempt asks for, as a whole number: a job that was killed gets twice as much."""
    return ceil(first) * 2 ** (attempt - 1)


def workers(mb_each, most=8):
    """Threads of a job: one for so many MB of its input, within limits."""

    def threads(wildcards, input):
        # Snakemake allows no unknown number of threads: until the input is there, say the most.
        try:
            return max(1, min(most, ceil(input_mb(input) / mb_each)))
        except FileNotFoundError:
            return most

    return threads
