"""The search for lattices in a list of lines; it begins in :mod:`.plan`."""
