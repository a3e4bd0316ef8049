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
        "outstanding scores do not distort, the worse half of many taken for equally bad; or the "
        "scores (raw).",
    )
    best_share: float = setting(
        0.05, "Share of the candidates that is looked for as the best.", gt=0, lt=1
    )
    model: Literal["portfolio", "gaussian", "forest", "deep"] = setting(
        "portfolio",
        "What predicts: a Gaussian process, a forest, or both, weighed by how well each predicts "
        "the rows that it was not shown (portfolio). For rows with a spectrum or an image, many "
        "columns of one group, a Gaussian process of what a small network makes of it (deep; needs "
        "the extra workflow). Past campaigns enter as far as they agree with the rows.",
    )
    measure: Literal["none", "each_round"] = setting(
        "none",
        "Of local_maxima: whether the maxima of a round take the value that is predicted for them "
        "(none) or are measured before the next round (each_round).",
    )
    learner: Literal["svr", "gaussian"] = setting(
        "svr",
        "Of local_maxima: what learns h, a support vector regression as written, or a Gaussian "
        "process.",
    )
    starts: int = setting(1500, "Of local_maxima: points that are climbed from.", gt=0, le=100_000)


DEFAULTS = Options()
