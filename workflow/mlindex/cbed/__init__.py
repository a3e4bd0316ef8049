"""Convergent-beam electron diffraction: stacks simulated, stored, and what their symmetry says."""
