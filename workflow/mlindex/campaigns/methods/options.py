"""Options of the methods."""

from __future__ import annotations

from typing import Literal

from mlindex.base.section import Section, setting


class Options(Section):
    """What a method may be told; each uses what concerns it."""

    exploration: float = setting(
        0.5, "Standard deviations of its prediction that an upper bound adds.", ge=0, le=100
    )
    scores: Literal["normal", "raw"] = setting(
        "normal",
        "What models learn: the normal quantiles of the ranks of the scores (normal), which few "
        "outstanding scores do not distort, or the scores (raw).",
    )
    best_share: float = setting(
        0.05, "Share of the candidates that is looked for as the best.", gt=0, lt=1
    )


DEFAULTS = Options()
