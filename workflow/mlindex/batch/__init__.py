"""Many samples in one go: a pool of processes, results in order, memory that does not grow."""

from mlindex.batch.run import Summary, run_batch, samples_path

__all__ = ["Summary", "run_batch", "samples_path"]
