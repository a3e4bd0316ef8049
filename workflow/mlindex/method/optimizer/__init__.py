"""Candidate cells optimized until they explain the lines (Moreau 2.4)."""
