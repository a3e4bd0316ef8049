"""The command ``mlindex campaign``."""
