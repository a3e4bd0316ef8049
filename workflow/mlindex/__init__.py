"""mlindex: the unit cell of a crystal from the peak positions of its powder pattern."""

__version__ = "0.1.0"
