"""Targets on Snakemake's command line that nothing makes: what was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from mlindex.crystal.lattice import BRAVAIS, SYSTEMS

_SYSTEM = "{system}"
#: A wildcard with its constraint, as Snakemake keeps it.
_CONSTRAINED = re.compile(r"{(\w+),[^{}]*}")


def complaint(target: str, patterns: Iterable[str], names: Iterable[str]) -> str:
    """A sentence on a target that no rule makes, with the target that was probably meant.

    Args:
        target: as it was given.
        patterns: outputs of the rules, with wildcards in braces, constrained or not.
        names: names of the rules.
    """
    symbol = target.rstrip("/").rpartition("/")[2].partition(".")[0]
    if symbol in BRAVAIS:
        system = BRAVAIS[symbol].system.name
        meant = target.replace(symbol, system)
        return (
            f"{target}: no rule makes it. {symbol} is a Bravais lattice, and files are kept for "
            f"lattice systems; did you mean {meant!r}?"
        )
    bare = [_CONSTRAINED.sub(r"{\1}", pattern) for pattern in patterns]
    known = {pattern.replace(_SYSTEM, system) for pattern in bare for system in SYSTEMS}
    plain = sorted(name for name in {*known, *names} if "{" not in name)
    close = difflib.get_close_matches(target.rstrip("/"), plain, n=1, cutoff=0.75)
    if close:
        return f"{target}: no rule makes it; did you mean {close[0]!r}?"
    return f"{target}: no rule makes it and no such file is there; 'snakemake --list' names rules"
