"""What quality control rejected, in one sentence."""

from __future__ import annotations

import pandas as pd

#: Columns of REJECTS that :func:`rejected` needs.
COLUMNS = ("path", "rule_name", "reason")


def rejected(rejects: pd.DataFrame) -> str:
    """A sentence: how many entries of how many files were rejected, and the commonest reason.

    Args:
        rejects: REJECTS of quality control, at least :data:`COLUMNS`.
    """
    if rejects.empty:
        return "Quality control rejected no file."
    entries, files = len(rejects), rejects["path"].nunique()
    reasons = rejects.groupby(["rule_name", "reason"], sort=True).size()
    rule, reason = reasons.idxmax()
    often = f" ({reasons.max()} of them)" if len(reasons) > 1 else ""
    return (
        f"Quality control rejected {_counted(entries, 'entry', 'entries')} of "
        f"{_counted(files, 'file', 'files')}; the commonest reason{often}: {rule}: {reason}."
    )


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
