"""The page on space groups from stacks of convergent-beam patterns."""
