"""The order of the searches, and when to stop.

A stage is a search of every lattice with errors of one size and one zero shift. Sharp stages come
first: exact lists are settled there at once. Each lattice system has a strategy, named in the one
table; a strategy fills the pools of its Bravais lattices.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from mlindex.crystal.lattice import BRAVAIS, BravaisLattice, LatticeSystem
from mlindex.indexing.search import exhaustive, monoclinic, triclinic
from mlindex.indexing.search.dominant import is_exact, is_open, rests_on_one_zone
from mlindex.indexing.search.lines import Lines
from mlindex.indexing.search.observed import Observed
from mlindex.indexing.search.open_trials import Pooled, pooled
from mlindex.indexing.search.pool import Pool
from mlindex.indexing.search.revision import revised
from mlindex.indexing.search.run import Run
from mlindex.indexing.search.supercells import with_supercells
from mlindex.indexing.search.trials import Trial, different, trials_of, with_higher_symmetry
from mlindex.indexing.search.walked import walk_of

Strategy = Callable[[Lines, LatticeSystem, dict[str, Pool], Callable[[], bool]], bool]


def _zones(
    lines: Lines, system: LatticeSystem, pools: dict[str, Pool], stop: Callable[[], bool]
) -> bool:
    (pool,) = pools.values()
    return triclinic.search(lines, pool, stop)


STRATEGIES: dict[str, Strategy] = {
    "exhaustive": exhaustive.search,
    "zones and unique axis": monoclinic.search,
    "zones": _zones,
}
#: Log-evidence at which no further stage is run: of a sharp stage, where only exact lists reach
#: it, and of any other that tried no zero shift. The shifted ones are for lists that need them.
_ENOUGH_SHARP, _ENOUGH = 45.0, 15.0
#: And so much more than the next lattice has.
_AHEAD = 3.0
#: A trial that leaves no more than this share of the lines, farther off than so many errors,
#: explains the list as a whole: what sharper windows and shifts are for is not there. It has
#: _ENOUGH, or the first of these two and is ahead by the second. Of 110 lists (noise of 0.01 and
#: 0.02 degrees, shifts, impurities, few lines) 50 ended earlier by this, with the same first
#: cell, two right ones more convincing; another right one was not any more (0.88 instead of 0.91).
_MOST_LEFT, _ERRORS = 0.05, 3.0
_ENOUGH_ALONE, _ALONE = 8.0, 6.0
_KEPT = 40


@dataclass(frozen=True)
class SearchStage:
    """Errors times ``sharpness``, a zero shift of ``shift_deg`` taken off; ``effort`` as Lines."""

    sharpness: float
    shift_deg: float = 0.0
    effort: int = 0


#: The sharpest windows are for exact lists with many impurities, which drown in wider ones; the
#: last of them takes longest and is for what nothing else explains. Zero shifts are tried in steps
#: that windows bridge.
PLAIN = (SearchStage(0.3), SearchStage(0.1), SearchStage(1.0, effort=1))
LONG = (
    SearchStage(0.03, effort=2),
    SearchStage(1.0, 0.05),
    SearchStage(1.0, -0.05),
    SearchStage(1.0, 0.1),
    SearchStage(1.0, -0.1),
)
STAGES = PLAIN + LONG
#: For lists that rest on one zone: few lines tell the other parameters, and the true lattice may be
#: among those that the quick search leaves out. The sharp windows tell them from chance; the wide
#: ones find what comes from lines a little off. Also where the axis found has so many orders among
#: the lines: rows of high orders are what the quick search does without.
#: Free parameters of the lattices searched, at least, stand beside the stages.
CLOSER = ((SearchStage(0.03, effort=1), 1), (SearchStage(0.3, effort=1), 4))
_MANY_ORDERS = 12
#: Free parameters of the lattices that are quick.
_FEW_FREE = 2


@dataclass
class Progress:
    """Trials and seconds spent on each Bravais lattice, how its search ended, and the best trials
    of every pool."""

    trials: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    pools: list[Pooled] = field(default_factory=list)

    def cut_off(self, names: Sequence[str]) -> None:
        """A search of these lattices that was due is not done: those begun are not complete."""
        for name in names:
            if self.status.get(name) == "complete":
                self.status[name] = "cut off"


def search(
    observed: Observed,
    wanted: Sequence[str],
    run: Run,
    stages: Sequence[SearchStage] = STAGES,
    elsewhere: Callable[[], bool] = lambda: False,
) -> tuple[list[Trial], Progress]:
    """Search all wanted Bravais lattices (symbols); trials over all stages, best first.

    ``elsewhere`` is asked once, before the stages that take long, whether other lines have given
    what makes them needless.
    """
    progress = Progress(status=dict.fromkeys(wanted, "not reached"))

    def look(stage: SearchStage, names: Sequence[str], why: str = "") -> list[Trial] | None:
        if run.out_of_time():
            progress.cut_off(names)
            return None
        run.report(_label(stage) + why)
        return run_stage(observed, stage, names, run, progress)

    best: list[Trial] = []
    for stage in stages:
        if stage == LONG[0] and elsewhere():
            break
        if not _makes_sense(stage, observed) or (stage.sharpness < 1 and _whole(best, observed)):
            continue
        found = look(stage, wanted)
        if found is None:
            break
        best = _joined(best, found, observed, wanted)
        if _settled(best, stage, observed):
            break
    best = _looked_closer(best, observed, wanted, look)
    larger = [t for t in with_supercells(best, observed) if t.bravais.symbol in wanted]
    return different(sorted(larger, key=lambda t: -t.evidence), _KEPT), progress


def _makes_sense(stage: SearchStage, observed: Observed) -> bool:
    """Whether a shift can be determined, and windows are no narrower than the lines' rounding."""
    if stage.shift_deg and not observed.shiftable:
        return False
    return stage.sharpness >= 1 or observed.resolves(stage.sharpness)


def _looked_closer(
    best: list[Trial],
    observed: Observed,
    wanted: Sequence[str],
    look: Callable[[SearchStage, Sequence[str], str], list[Trial] | None],
) -> list[Trial]:
    """The best trials after the closer stages, where the first of them calls for it."""
    for stage, least in CLOSER:
        if not _calls_for_more(best, observed):
            break
        names = [name for name in wanted if BRAVAIS[name].system.n_free >= least]
        if not names:
            continue
        found = look(stage, names, ", for zones and long axes")
        if found is None:
            break
        # A zone with any third axis has more evidence than a cell, and is none.
        found = [trial for trial in found if not is_open(trial, observed)]
        best = _joined(best, found, observed, wanted)
    return best


def _calls_for_more(best: list[Trial], observed: Observed) -> bool:
    """Whether the best trial of an exact list rests on one zone, or has a long axis and is not
    ahead."""
    if not best or not is_exact(best[0], observed):
        return False
    if rests_on_one_zone(best[0], observed):
        return True
    orders = max(best[0].lattice().reduced[:3]) * math.sqrt(observed.q2[-1])
    return orders >= _MANY_ORDERS and _lead(best) < _AHEAD


def _joined(
    best: list[Trial], found: list[Trial], observed: Observed, wanted: Sequence[str]
) -> list[Trial]:
    """The best of all trials and of what comes of them, best first, each lattice once."""
    pooled = sorted(best + found, key=lambda t: -t.evidence)
    pooled = with_higher_symmetry(revised(different(pooled, _KEPT), observed), observed)
    pooled = [t for t in pooled if t.bravais.symbol in wanted]
    return different(sorted(pooled, key=lambda t: -t.evidence), _KEPT)


def _settled(best: list[Trial], stage: SearchStage, observed: Observed) -> bool:
    """Whether what was found makes further stages needless."""
    if not best:
        return False
    evidence, lead, whole = best[0].evidence, _lead(best), _whole(best, observed)
    if stage.sharpness < 1:
        return evidence >= _ENOUGH_SHARP or (whole and lead >= _AHEAD)
    return evidence >= _ENOUGH_SHARP or whole or (evidence >= _ENOUGH and lead >= _AHEAD)


def stands_out(best: list[Trial]) -> bool:
    """Whether one lattice explains much and is far ahead of the next, whatever it leaves."""
    return bool(best) and best[0].evidence >= _ENOUGH_ALONE and _lead(best) >= _ALONE


def _lead(best: list[Trial]) -> float:
    """How much more log-evidence than the next lattice the best has."""
    return best[0].evidence - best[1].evidence if len(best) > 1 else math.inf


def _whole(best: list[Trial], observed: Observed) -> bool:
    """Whether the best trial explains the list as a whole."""
    if not best or best[0].evidence < (_ENOUGH_ALONE if _lead(best) >= _ALONE else _ENOUGH):
        return False
    left = np.abs(best[0].difference) > _ERRORS * observed.sigma
    return bool(left.mean() <= _MOST_LEFT)


def _label(stage: SearchStage) -> str:
    shift = f", zero shift {stage.shift_deg:+.2f} degrees" if stage.shift_deg else ""
    return f"errors times {stage.sharpness:g}{shift}"


def run_stage(
    observed: Observed,
    stage: SearchStage,
    wanted: Sequence[str],
    run: Run,
    progress: Progress,
) -> list[Trial]:
    """Trials of one stage, of all wanted Bravais lattices; what it took is added to progress."""
    lines = observed.lines(stage.sharpness, stage.shift_deg, stage.effort)

    def one(bravais: BravaisLattice) -> tuple[list[Trial], list[Pooled]]:
        name, system = bravais.symbol, bravais.system
        if run.out_of_time():
            progress.cut_off([name])
            return [], []
        started = time.perf_counter()
        pool = Pool()
        strategy = STRATEGIES[walk_of(system).strategy]
        complete = strategy(lines, system, {name: pool}, run.out_of_time)
        found = trials_of(bravais, pool, observed, stage.shift_deg)
        spent = time.perf_counter() - started
        progress.trials[name] = progress.trials.get(name, 0) + int(pool.count[1])
        progress.seconds[name] = progress.seconds.get(name, 0.0) + spent
        progress.status[name] = "complete" if complete else "cut off"
        return found, pooled(bravais, pool, stage.shift_deg)

    order = in_order(wanted)
    with ThreadPoolExecutor(max(1, run.workers)) as threads:
        parts = dict(zip(order, threads.map(one, [BRAVAIS[name] for name in order]), strict=True))
    progress.pools.extend(one for name in wanted for one in parts[name][1])
    return [trial for name in wanted for trial in parts[name][0]]


def in_order(wanted: Sequence[str]) -> list[str]:
    """Bravais lattices with few free parameters first, for which little time is enough; then those
    that take longest, so that threads end together."""
    quick = [name for name in wanted if BRAVAIS[name].system.n_free <= _FEW_FREE]
    return quick + [name for name in reversed(wanted) if name not in quick]
