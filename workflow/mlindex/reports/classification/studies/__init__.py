"""The sections on studies: what helps classifiers, and what does not."""
