"""What to measure next in words: which line speaks for which cell, and where none can."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase

import numpy as np

from mlindex.indexing.next.asking import NextRegions
from mlindex.indexing.next.information import (
    alone_bits,
    belonging,
    most_telling_numbers,
    outcomes,
)
from mlindex.indexing.next.places import Places
from mlindex.indexing.next.regions import LEAST_BITS, Prior, Region
from mlindex.reports.result.notation import lattice_name, percent, plain_cell

#: Lines of a region that are named, and outcomes of it.
_MOST_LINES, _MOST_OUTCOMES = 3, 4
#: Tells so little against the most telling line of its region that it isn't worth a sentence.
_LITTLE = 0.1
#: What tells cells apart that have all lines in common.
OTHERWISE = (
    "intensities (solve or refine the structure in each cell and compare the fits), a single "
    "crystal, or electron diffraction"
)


@dataclass(frozen=True)
class LineWords:
    """A place where a line may show, and what that would mean.

    ``two_theta_deg`` is where; ``chance`` how probable a line is there; ``predicted_by`` are the
    letters of the cells that have a line there; ``if_seen``, ``if_not`` the probabilities of all
    answers then, by name.
    """

    two_theta_deg: float
    chance: float
    predicted_by: str
    if_seen: dict[str, float]
    if_not: dict[str, float]


@dataclass(frozen=True)
class OutcomeWords:
    """One outcome of measuring a region: 2theta of the lines seen and not seen, how probable it is,
    and the probabilities of all answers then, by name."""

    seen_deg: tuple[float, ...]
    not_seen_deg: tuple[float, ...]
    chance: float
    then: dict[str, float]


def letters(found: NextRegions) -> list[str]:
    """The letter of each cell."""
    return list(ascii_uppercase[: len(found.rivals)])


def answer_names(found: NextRegions) -> list[str]:
    """Names of the answers: ``A``, ``B or C``, and ``none``."""
    own = letters(found)
    return [" or ".join(own[n] for n in group) for group in found.groups] + ["none"]


def cell_words(found: NextRegions, number: int) -> str:
    """A cell in words."""
    one = found.rivals[number].found
    return f"{lattice_name(one)}, {plain_cell(one.settings[0].cell)}"


def line_words(found: NextRegions, region: Region) -> list[LineWords]:
    """The lines of a region that tell most, by rising 2theta."""
    prior, places, names = found.question.prior, region.places, answer_names(found)
    alone = _told_alone(prior.if_one_is_right, places)
    if alone.max(initial=0.0) < LEAST_BITS:
        alone = _told_alone(prior, places)
    order = np.argsort(-alone, kind="stable")[:_MOST_LINES]
    order = order[alone[order] >= max(_LITTLE * alone.max(initial=0.0), LEAST_BITS / 10)]
    member, own = belonging(prior.answers), letters(found)
    told = []
    for place in np.sort(order):
        yes = (prior.shares * places.seen[:, place]) @ member
        no = (prior.shares * (1 - places.seen[:, place])) @ member
        by = {
            found.question.hypotheses[h].answer for h in np.flatnonzero(places.predicted[:, place])
        }
        told.append(
            LineWords(
                float(places.low_deg[place] + places.high_deg[place]) / 2,
                float(yes.sum()),
                "".join(own[n] for n in sorted(by)),
                _named(names, yes),
                _named(names, no),
            )
        )
    return told


def _told_alone(prior: Prior, places: Places) -> np.ndarray:
    return alone_bits(prior.shares, prior.answers, places.seen)


def outcome_words(found: NextRegions, region: Region) -> list[OutcomeWords]:
    """The most probable outcomes of measuring a region."""
    prior, names = found.question.prior, answer_names(found)
    which = most_telling_numbers(prior.shares, prior.answers, region.places.seen)
    every = outcomes(prior.shares, prior.answers, region.places.seen[:, which])
    at = np.round((region.places.low_deg + region.places.high_deg)[which] / 2, 3)
    chance = every.joint.sum(axis=1)
    return [
        OutcomeWords(
            tuple(at[every.seen[one]].tolist()),
            tuple(at[~every.seen[one]].tolist()),
            float(chance[one]),
            _named(names, every.joint[one]),
        )
        for one in np.argsort(-chance, kind="stable")[:_MOST_OUTCOMES]
        if chance[one] > 0
    ]


def _named(names: list[str], joint: np.ndarray) -> dict[str, float]:
    return dict(zip(names, (joint / joint.sum()).tolist(), strict=True))


def how_words(found: NextRegions, region: Region) -> str:
    """What to measure, e.g. ``62 to 66 degrees with 4 times the counting time``."""
    time, own = region.setting.time, found.wavelength_A
    how = (
        "with the counting time of your scan"
        if time == 1
        else (f"with {time:g} times the counting time of your scan")
    )
    wave = region.setting.wavelength_A
    other = own is None or abs(wave / own - 1) > 1e-6
    return f"{region.first_deg:g} to {region.last_deg:g} degrees {how}" + (
        f", at {wave:g} A" if other else ""
    )


def meaning_words(found: NextRegions, line: LineWords) -> str:
    """What a line, and none, would mean: a sentence."""
    now = dict(zip(answer_names(found), found.question.prior.of_answers.tolist(), strict=True))
    seen, missing = _speaks(now, line.if_seen), _speaks(now, line.if_not)
    return f"a line at {line.two_theta_deg:.2f} speaks for {seen}; none there, for {missing}"


def _speaks(now: dict[str, float], then: dict[str, float]) -> str:
    """The answer that gains most, and its probability before and after."""
    name = max(then, key=lambda one: then[one] - now[one])
    who = "none of these cells" if name == "none" else f"cell {name}"
    return f"{who} (from {percent(now[name])} to {percent(then[name])})"


def alike_words(found: NextRegions) -> list[str]:
    """Sentences on cells that no position tells apart."""
    own = letters(found)
    return [
        f"No position of a line tells the cells {_and([own[n] for n in group])} apart: all their "
        f"lines coincide. What tells them apart: {OTHERWISE}."
        for group in found.groups
        if len(group) > 1
    ]


def summary_words(found: NextRegions) -> str:
    """What is expected of measuring all regions, or why there are none."""
    if found.regions:
        last = found.regions[-1]
        n, cost = len(found.regions), sum(one.cost_deg for one in found.regions)
        what = "this region" if n == 1 else f"these {n} regions"
        return (
            f"After {what} ({cost:.1f} degrees at the counting time of your scan) the most "
            f"probable cell is expected to be right with a chance of {percent(last.chance_right)}; "
            f"{last.left_bits:.2f} of {found.entropy_bits:.2f} bits stay open. Measure the first, "
            "add what you see to the list, and ask again."
        )
    return _why_none(found)


def _why_none(found: NextRegions) -> str:
    names, shares = answer_names(found)[:-1], found.question.prior.of_answers[:-1]
    best = int(np.argmax(shares)) if len(shares) else 0
    if found.decided:
        cells = "the cells" if " or " in names[best] else "cell"
        return (
            f"Nothing needs to be measured to tell these cells apart: {cells} {names[best]} "
            f"has {percent(float(shares[best]))}."
        )
    first, last = found.question.offer.range_deg
    longest = found.question.offer.longest_time
    return (
        f"No region from {first:g} to {last:g} degrees tells these cells apart, even with "
        f"{longest:g} times the counting time: their lines differ by less than your errors of "
        f"{found.question.error_deg:.3f} degrees, or are too weak. What may: better positions (a "
        f"standard in the sample, narrower lines, a longer wavelength), {OTHERWISE}."
    )


def _and(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
