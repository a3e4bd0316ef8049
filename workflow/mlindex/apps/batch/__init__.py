"""Many samples in one go: a pool of processes, results in order, memory that does not grow."""
