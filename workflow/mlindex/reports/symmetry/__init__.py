"""The symmetry of a pattern, as its classifier sees it: on the terminal and as data."""
