"""What to measure next, in words, as data and as tables."""
