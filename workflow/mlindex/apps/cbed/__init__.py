"""The command ``mlindex cbed``."""
