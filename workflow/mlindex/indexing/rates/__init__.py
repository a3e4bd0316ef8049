"""How often, and how fast, cells are found with nothing told."""
