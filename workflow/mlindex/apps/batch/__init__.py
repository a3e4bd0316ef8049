"""Many samples in one go: a pool of processes, results in order, memory that does not grow."""

from mlindex.apps.batch.run import Summary, partners_path, run_batch, samples_path

__all__ = ["Summary", "partners_path", "run_batch", "samples_path"]
