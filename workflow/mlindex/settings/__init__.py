"""The config, declared once: one module for each section, the whole in :mod:`.root`."""
