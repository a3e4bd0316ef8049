"""The ranking that comes with the package.

Apart from :mod:`.network`, so that training a ranking does not depend on the one that is shipped.
"""

from __future__ import annotations

import json
from functools import cache

from mlindex.base.errors import MlindexError
from mlindex.base.packaged import packaged
from mlindex.base.provenance import file_digest
from mlindex.indexing.ranking.network import RankingModel

ARRAYS = packaged(__file__, "pretrained/ranking.npz")
CARD = packaged(__file__, "pretrained/ranking.json")


@cache
def shipped_ranking() -> RankingModel:
    """The shipped model, checked against the digest on its card.

    Raises:
        MlindexError: the files were changed.
    """
    card = json.loads(CARD.read_text(encoding="utf-8"))
    if file_digest(ARRAYS) != card["sha256"]:
        raise MlindexError(f"{ARRAYS} was changed; install mlindex again")
    return RankingModel.load(ARRAYS)
