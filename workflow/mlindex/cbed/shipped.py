"""The model of space groups that comes with the package.

Apart from :mod:`.model`, so that training a model does not depend on the one that is shipped.
"""

from __future__ import annotations

from functools import cache

from mlindex.base.errors import MlindexError
from mlindex.base.packaged import packaged
from mlindex.cbed.model import CbedModel

ARRAYS = packaged(__file__, "pretrained/space_group.npz")


@cache
def shipped() -> CbedModel:
    """The shipped model.

    Raises:
        MlindexError: none comes with this version, or its file was damaged.
    """
    if not ARRAYS.exists():
        raise MlindexError(
            "no model of space groups from stacks comes with this version; make one with "
            "'snakemake --cores 2 results/cbed/space_group' and give it with --model "
            "results/cbed/space_group"
        )
    return CbedModel.load(ARRAYS)
