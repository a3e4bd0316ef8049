"""Calculated lists of real crystals whose close lines were merged, as programs and peak pickers do.

    python benchmarks/merged.py CIFS --crystals 140 --within 0.05

CIFS holds CIF files. Of so many structures, lattice systems in turn, the lines of Cu K-alpha1 with
at least ``--least`` of the strongest intensity are merged: a line within so many degrees of 2theta
of the one before joins it at their centroid. The first 40 are indexed, without intensities
(``--intensities``: with them). Counted are lists whose true lattice is first; first, or named as a
partner of the first; among the first 20; called convincing; convincing but wrong. The same lattice
is one whose reduced cell agrees within 1 % and 0.5 degrees. ``--out`` writes the counts as JSON.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import record
from mixed import Crystal, Structures

from mlindex.base.errors import MlindexError
from mlindex.crystal.bragg import q2_from_two_theta, two_theta_from_q2
from mlindex.indexing.looks import index_list
from mlindex.indexing.options import Options
from mlindex.indexing.rates.judge import Judged, Truth, judge
from mlindex.patterns.peaklist import PeakList

_WAVELENGTH_A, _LINES, _FEWEST = 1.540593, 40, 20


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--crystals", type=int, default=140)
    parser.add_argument("--within", type=float, default=0.05, help="degrees of 2theta")
    parser.add_argument("--least", type=float, default=0.001, help="intensity, of the strongest")
    parser.add_argument("--intensities", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2, help="threads")
    record.add_out(parser)
    options = parser.parse_args()
    counts = dict.fromkeys(("lists", "first", "or partner", "in 20", "convincing", "wrong"), 0)
    for peaks, truth in _lists(options):
        found = _judged(peaks, truth, options)
        outcome = (True, found.first, found.solved, found.listed, found.convincing, found.wrong)
        counts = {name: n + bool(o) for (name, n), o in zip(counts.items(), outcome, strict=True)}
        if not found.first or found.wrong:
            print(f"{peaks.name}: rank {found.rank}, named {found.named}, wrong {found.wrong}")
    print("\n".join(f"{name}: {number}" for name, number in counts.items()))
    record.write(options.out, _what(options), {"totals": [counts]})


def _what(options: argparse.Namespace) -> str:
    return (
        f"Lines within {options.within:g} degrees merged: {options.crystals} real crystals, seed "
        f"{options.seed}, {'with' if options.intensities else 'without'} intensities."
    )


def _lists(options: argparse.Namespace) -> list[tuple[PeakList, Truth]]:
    crystals = Structures.of(options.folder, 2 * options.crystals, options.seed).crystals
    lists = [(_merged(crystal, options), crystal.truth) for crystal in crystals]
    return [pair for pair in lists if len(pair[0]) >= _FEWEST][: options.crystals]


def _merged(crystal: Crystal, options: argparse.Namespace) -> PeakList:
    """The first lines of a crystal, those near one another at their centroid."""
    intensity, two_theta = crystal.intensity, two_theta_from_q2(crystal.q2_inv_A2, _WAVELENGTH_A)
    strong = np.isfinite(two_theta) & (intensity >= options.least * intensity.max())
    two_theta, intensity = two_theta[strong], intensity[strong]
    group = np.cumsum(np.diff(two_theta, prepend=-1.0) > options.within) - 1
    total = np.bincount(group, intensity)
    centre = (np.bincount(group, intensity * two_theta) / total)[:_LINES]
    heights = total[:_LINES] if options.intensities else None
    return PeakList(crystal.name, q2_from_two_theta(centre, _WAVELENGTH_A), heights, _WAVELENGTH_A)


def _judged(peaks: PeakList, truth: Truth, options: argparse.Namespace) -> Judged:
    try:
        result = index_list(peaks, Options(time_limit_s=options.time_limit), options.workers)
    except MlindexError:
        return Judged(0, False, False, 0, "", None)
    return judge(result, truth)


if __name__ == "__main__":
    main()
