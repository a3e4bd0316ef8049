"""What is sure of the symmetry of a pattern and what is not, in one sentence."""

from __future__ import annotations

import numpy as np

from mlindex.classification.answer import SURE, Answer
from mlindex.crystal.lattice import BRAVAIS
from mlindex.crystal.symmetry_classes import classes_of, lattice_and_symbol
from mlindex.reports.result.notation import percent

#: Levels as people name them.
LEVEL_WORDS = {
    "crystal_system": "crystal system",
    "bravais": "Bravais lattice",
    "extinction_symbol": "extinction symbol",
    "space_group": "space group",
}


def lattice_words(symbol: str) -> str:
    """A Bravais lattice with its system, e.g. ``mC monoclinic``."""
    return f"{symbol} {BRAVAIS[symbol].system.name}"


def headline(answer: Answer) -> str:
    """The sentence on what is sure and what is not."""
    best, share = answer.best("bravais")
    if not answer.above_equal_shares:
        return (
            f"No class stands out: {best}, the best of 14 Bravais lattices, has {percent(share)}, "
            "less than twice an equal share."
        )
    if not answer.above_chance:
        return (
            f"No class stands out: {best}, the best of 14 Bravais lattices, has {percent(share)}, "
            f"but lines at random places reach {percent(answer.by_chance)}."
        )
    return f"{_sure(answer)}; {_groups(answer)}."


def _sure(answer: Answer) -> str:
    """Which classes are sure."""
    sure, open_levels = answer.sure, _open(answer)
    if not sure:
        best, share = answer.best("bravais")
        return (
            f"{best} is the most probable Bravais lattice ({percent(share)}), but no class is sure "
            f"({percent(SURE)} or more)"
        )
    named = _listed(
        [f"the {LEVEL_WORDS[level]} ({_name(level, one.name)})" for level, one in sure.items()]
    )
    text = f"{named[0].upper()}{named[1:]} {'is' if len(sure) == 1 else 'are'} sure"
    if not open_levels:
        return text
    others = _listed([f"the {LEVEL_WORDS[level]}" for level in open_levels])
    return f"{text}, {others} {'is' if len(open_levels) == 1 else 'are'} not"


def _name(level: str, name: str) -> str:
    """A class; the lattice of a symbol is said before, for it is as sure at least."""
    return lattice_and_symbol(name)[1] if level == "extinction_symbol" else name


def _open(answer: Answer) -> list[str]:
    """Levels above that of the space groups whose class is not sure."""
    return [level for level in list(LEVEL_WORDS)[:-1] if level not in answer.sure]


def _groups(answer: Answer) -> str:
    """What can be said of space groups."""
    symbol = answer.sure.get("extinction_symbol")
    if symbol is not None:
        names = _groups_of(symbol.name)
        if len(names) == 1:
            return f"{names[0]} is the only space group of this symbol"
    return "space groups of one extinction symbol can't be told apart by the positions of lines"


def _groups_of(symbol: str) -> list[str]:
    symbols = classes_of("extinction_symbol")
    numbers = np.flatnonzero(symbols.of_group == symbols.names.index(symbol))
    return [classes_of("space_group").names[number] for number in numbers]


def _listed(words: list[str]) -> str:
    """Words with commas, and with "and" before the last."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
