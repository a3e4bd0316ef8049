"""The page on the classifiers of symmetry."""
