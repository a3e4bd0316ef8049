"""The model that joins classifier and search, as it comes with the package.

Apart from :mod:`.joined`, so that fitting one does not depend on the one that is shipped. It was
fitted with the classifier of :mod:`.shipped`, and suits no other.
"""

from __future__ import annotations

from functools import cache

from mlindex.base.packaged import packaged
from mlindex.classification.joined import Joined

ARRAYS = packaged(__file__, "pretrained/joined.npz")


@cache
def shipped_joined() -> Joined:
    """The shipped model.

    Raises:
        MlindexError: none comes with this version, or its file was damaged.
    """
    return Joined.load(ARRAYS)
