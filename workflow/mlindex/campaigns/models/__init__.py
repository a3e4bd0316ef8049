"""Models of the scores of experiments."""
