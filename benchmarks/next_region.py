"""How many degrees decide between candidate cells: where ``mlindex next`` says, or scanning on.

    python benchmarks/next_region.py results --lists 40

``results`` is a folder that the workflow made (its entries are used, triclinic ones left out: their
short lists leave everything open). The first scan of a crystal ends with its 8th to 20th line;
lines weaker than ``--weakest`` of the strongest are not seen, those nearer than ``--resolution``
are one, and positions have normal errors (``--noise``). Lists are taken that leave the cell open:
the true lattice and another one each have 5 % or more, and no cell, or group of cells that no
position tells apart, has 95 %. Then more is measured, of the crystal's calculated lines with their
intensities, until one has 95 %: the regions that are proposed, one after the other, each chosen
with what was seen before; or on from the end of the scan. Counted are degrees times counting time;
longer counting shows weaker lines, with the root of the time. Both ways end, undecided, when they
have cost what all degrees up to 140 would; that much they count then. The factor is the sum of
degrees of scanning on over that of the regions proposed, with an interval of 95 % by resampling the
lists; the plain factor leaves the counting time out. ``--out`` writes the figures as JSON.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
import record
from mixed import truth_of

from mlindex.base.columns import cell_names
from mlindex.base.errors import MlindexError
from mlindex.base.provenance import derive_seed
from mlindex.base.schema import read_table
from mlindex.base.statistics import wilson_interval
from mlindex.crystal.bragg import q2_from_two_theta
from mlindex.indexing.looks import index_list
from mlindex.indexing.next.asking import question_of
from mlindex.indexing.next.offer import DECIDED, Offer
from mlindex.indexing.next.question import Question
from mlindex.indexing.options import Options
from mlindex.indexing.rates.judge import Truth, given_error_deg
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.seen import merged
from mlindex.patterns.settings import Simulation
from mlindex.patterns.simulation import CrystalStructure, UnusableError, calculate_lines
from mlindex.patterns.spoil import WAVELENGTH_A
from mlindex.patterns.structure_factors import Scatterers
from mlindex.structures.tables import ENTRIES

_FIRST_DEG, _END_DEG = 5.0, 140.0
#: Lines of the first scan, from and to.
_LINES = (8, 20)
#: A candidate from this probability on is one of several.
_SEVERAL = 0.05
#: Steps of scanning on, degrees.
_STEP_DEG = 0.5
_DRAWS = 2000
_CUBIC_ANGSTROMS = (20.0, 3000.0)


@dataclass(frozen=True)
class Sample:
    """A crystal on the diffractometer: 2theta (n,) of its lines and intensities over that of the
    strongest, and how they are measured."""

    two_theta_deg: np.ndarray
    intensity: np.ndarray
    weakest: float
    resolution_deg: float
    noise_deg: float
    rng: np.random.Generator

    def seen(self, first_deg: float, last_deg: float, time: float = 1.0) -> np.ndarray:
        """2theta (k,) of the lines that are found in a region at a counting time."""
        second = np.zeros(len(self.intensity), dtype=bool)
        at, strength, _ = merged(self.two_theta_deg, self.intensity, second, self.resolution_deg)
        used = (strength >= self.weakest / np.sqrt(time)) & (at >= first_deg) & (at <= last_deg)
        return np.sort(at[used] + self.noise_deg * self.rng.normal(size=int(used.sum())))


@dataclass(frozen=True)
class Open:
    """A list that leaves the cell open: the sample, the last 2theta of the scan, the question, and
    the answers that are right: refined in two ways, a lattice may be two of them."""

    name: str
    bravais: str
    sample: Sample
    end_deg: float
    question: Question
    right: tuple[int, ...]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--lists", type=int, default=40)
    parser.add_argument("--noise", type=float, default=0.01, help="of positions, degrees")
    parser.add_argument("--weakest", type=float, default=0.02, help="over the strongest line")
    parser.add_argument("--resolution", type=float, default=0.1, help="degrees")
    parser.add_argument("--time-limit", type=float, default=20.0, help="seconds for each list")
    parser.add_argument("--seed", type=int, default=1)
    record.add_out(parser)
    options = parser.parse_args()
    began, counts = process_time(), {"crystals": 0, "not_among": 0, "decided": 0, "alike": 0}
    rows = []
    for one in open_lists(options, counts):
        rows.append(compared(one))
        row = rows[-1]
        print(
            f"{len(rows):3} {row['bravais']} {row['cells']} cells: {row['next']} after "
            f"{row['next_deg']:.1f}, scan {row['scan']} after {row['scan_deg']:.1f} degrees",
            flush=True,
        )
        if len(rows) == options.lists:
            break
    table = pd.DataFrame(rows)
    summary = summarised(table, options.seed) | counts
    for name, value in summary.items():
        print(f"{name}: {value}")
    print(f"{process_time() - began:.0f} s")
    record.write(options.out, _what(options), {"summary": [summary], "lists": rows})


def open_lists(options: argparse.Namespace, counts: dict[str, int]) -> Iterator[Open]:
    """Lists that leave the cell open; ``counts`` counts those that are not."""
    for entry in _entries(options):
        rng = np.random.default_rng(derive_seed(options.seed, "next", entry["entry_id"]))
        sample = _sample(entry, options, rng)
        if sample is None:
            continue
        counts["crystals"] += 1
        found = _open(entry, sample, options, counts)
        if found is not None:
            yield found


def _entries(options: argparse.Namespace) -> Iterator[pd.Series]:
    tables = [
        read_table(p, ENTRIES) for p in sorted((options.results / "entries").rglob("*.parquet"))
    ]
    found = pd.concat(tables)
    found = found[(found["spacegroup_number"] > 2) & found["volume_A3"].between(*_CUBIC_ANGSTROMS)]
    # Lattice systems in turn.
    order = np.random.default_rng(options.seed).permutation(len(found))
    found = found.iloc[order]
    turn = found.groupby("lattice_system").cumcount()
    found = found.assign(turn=turn).sort_values(["turn", "lattice_system"], kind="stable")
    for place in range(len(found)):
        yield found.iloc[place]


def _sample(
    entry: pd.Series, options: argparse.Namespace, rng: np.random.Generator
) -> Sample | None:
    sites = Scatterers(
        tuple(entry["site_element"]),
        np.stack([np.asarray(entry[f"site_{axis}"], dtype=float) for axis in "xyz"], axis=1),
        np.asarray(entry["site_occupancy"], dtype=float),
        np.asarray(entry["site_u_iso_A2"], dtype=float),
    )
    cell = entry[cell_names("")].to_numpy(dtype=float)
    crystal = CrystalStructure.from_cell(entry["hall_symbol"], cell, sites)
    try:
        lines = calculate_lines(crystal, Simulation(two_theta_max_deg=_END_DEG))
    except UnusableError:
        return None
    used = np.isfinite(lines.two_theta_deg) & (lines.intensity > 0)
    used &= lines.two_theta_deg >= _FIRST_DEG
    if used.sum() < _LINES[0]:
        return None
    strength = lines.intensity[used] / lines.intensity[used].max()
    how = (options.weakest, options.resolution, options.noise)
    return Sample(lines.two_theta_deg[used], strength, *how, rng)


def _open(
    entry: Mapping[str, Any], sample: Sample, options: argparse.Namespace, counts: dict[str, int]
) -> Open | None:
    lines = sample.seen(_FIRST_DEG, _END_DEG)
    n = int(sample.rng.integers(_LINES[0], _LINES[1] + 1))
    if len(lines) < n:
        return None
    peaks = PeakList(
        entry["entry_id"], q2_from_two_theta(lines[:n], WAVELENGTH_A), None, WAVELENGTH_A
    )
    asked = Options(
        time_limit_s=options.time_limit, two_theta_error_deg=given_error_deg(options.noise)
    )
    try:
        result = index_list(peaks, asked, workers=1)
        offer = Offer(range_deg=(_FIRST_DEG, _END_DEG), resolution_deg=options.resolution)
        question = question_of(result, offer)
    except MlindexError:
        return None
    truth = truth_of(entry)
    right = _right(question, truth)
    shares = question.prior.of_answers
    if shares[:-1].max() >= DECIDED:
        alone = np.bincount(question.groups) == 1
        counts["decided" if alone[shares[:-1].argmax()] else "alike"] += 1
        return None
    if shares[list(right)].max(initial=0.0) < _SEVERAL:
        counts["not_among"] += 1
        return None
    if np.sum(shares[:-1] >= _SEVERAL) < 2:
        return None
    return Open(
        entry["entry_id"], entry["bravais_lattice"], sample, float(lines[n - 1]), question, right
    )


def _right(question: Question, truth: Truth) -> tuple[int, ...]:
    """The numbers of the answers that are right."""
    pairs = zip(question.rivals, question.groups.tolist(), strict=True)
    return tuple({group for rival, group in pairs if truth.is_(rival.cell, rival.centring)})


def compared(one: Open) -> dict[str, Any]:
    """What both ways come to."""
    again = replace(one.sample, rng=np.random.default_rng(derive_seed(1, "scan", one.name)))
    proposed, cost, plain, regions = proposals(one)
    scan, scan_cost = scanned_on(replace(one, sample=again))
    return {
        "entry_id": one.name,
        "bravais": one.bravais,
        "cells": len(one.question.rivals),
        "before": round(float(one.question.prior.of_answers[list(one.right)].sum()), 3),
        "next": proposed,
        "next_deg": round(cost, 2),
        "next_plain_deg": round(plain, 2),
        "regions": regions,
        "scan": scan,
        "scan_deg": round(scan_cost, 2),
    }


def proposals(one: Open) -> tuple[str, float, float, int]:
    """Measure what is proposed: the outcome, degrees times counting time, degrees, regions."""
    question, cost, plain, n = one.question, 0.0, 0.0, 0
    budget = _END_DEG - one.end_deg
    while not (outcome := _outcome(question, one.right)):
        found = question.regions(1)
        if not found or cost + found[0].cost_deg > budget:
            return "open", budget, budget, n
        region, n = found[0], n + 1
        cost, plain = cost + region.cost_deg, plain + region.last_deg - region.first_deg
        lines = one.sample.seen(region.first_deg, region.last_deg, region.setting.time)
        question = question.after(region.setting, region.first_deg, region.last_deg, lines)
    return outcome, cost, plain, n


def scanned_on(one: Open) -> tuple[str, float]:
    """Measure on from the end of the scan: the outcome, and degrees."""
    setting = one.question.setting(WAVELENGTH_A, 1.0)
    lines = one.sample.seen(one.end_deg, _END_DEG)
    for last in np.arange(one.end_deg + _STEP_DEG, _END_DEG, _STEP_DEG):
        question = one.question.after(setting, one.end_deg, float(last), lines)
        if outcome := _outcome(question, one.right):
            return outcome, float(last) - one.end_deg
    return "open", _END_DEG - one.end_deg


def _outcome(question: Question, right: tuple[int, ...]) -> str:
    """Whether the right cell is decided, or a wrong one; empty where none is."""
    shares = question.prior.of_answers
    if shares.max() < DECIDED:
        return ""
    return "right" if int(shares.argmax()) in right else "wrong"


def summarised(table: pd.DataFrame, seed: int) -> dict[str, Any]:
    """The figures of all lists."""
    n = len(table)
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, n, (_DRAWS, n))
    scan, own = table["scan_deg"].to_numpy(), table["next_deg"].to_numpy()
    plain = table["next_plain_deg"].to_numpy()
    both = ((table["next"] == "right") & (table["scan"] == "right")).to_numpy()
    counted = {
        f"{way}_{outcome}": int((table[way] == outcome).sum())
        for way in ("next", "scan")
        for outcome in ("right", "wrong", "open")
    }
    ends = wilson_interval(counted["next_right"], n)
    return {
        "lists": n,
        **counted,
        "next_right_low": round(float(ends[0]), 3),
        "next_right_high": round(float(ends[1]), 3),
        "next_mean_deg": round(float(own.mean()), 2),
        "next_mean_plain_deg": round(float(plain.mean()), 2),
        "scan_mean_deg": round(float(scan.mean()), 2),
        "next_median_deg": round(float(np.median(own)), 2),
        "scan_median_deg": round(float(np.median(scan)), 2),
        **_factor("factor", scan, own, draws),
        **_factor("plain_factor", scan, plain, draws),
        "both_right": int(both.sum()),
        "both_right_factor": round(float(scan[both].sum() / max(own[both].sum(), 1e-9)), 2),
        "both_right_plain_factor": round(float(scan[both].sum() / max(plain[both].sum(), 1e-9)), 2),
    }


def _factor(name: str, scan: np.ndarray, own: np.ndarray, draws: np.ndarray) -> dict[str, float]:
    """The sum of degrees of scanning on over that of our own, with its interval."""
    drawn = scan[draws].sum(axis=1) / np.maximum(own[draws].sum(axis=1), 1e-9)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        name: round(float(scan.sum() / own.sum()), 2),
        f"{name}_low": round(float(low), 2),
        f"{name}_high": round(float(high), 2),
    }


def _what(options: argparse.Namespace) -> str:
    return (
        f"{options.lists} lists of 8 to 20 lines that leave the cell open, positions off by "
        f"{options.noise:g} degrees, lines from {100 * options.weakest:g} % of the strongest on, "
        f"resolution {options.resolution:g} degrees, seed {options.seed}."
    )


if __name__ == "__main__":
    main()
