"""Names of the two sides of a data set, as the column ``side`` has them.

Apart from :mod:`.split`, so that what only reads the column does not depend on how it was made.
"""

from __future__ import annotations

TRAIN, VALIDATION = "train", "validation"
