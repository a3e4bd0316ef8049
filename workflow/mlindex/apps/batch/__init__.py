"""Many samples in one go: a pool of processes, results in order, memory that does not grow."""

from mlindex.apps.batch.run import partners_path, run_batch, samples_path
from mlindex.apps.batch.summary import Summary

__all__ = ["Summary", "partners_path", "run_batch", "samples_path"]
