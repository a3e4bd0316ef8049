"""What to measure next, to tell the candidate cells of a list apart."""
