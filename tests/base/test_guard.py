"""Work that hangs, eats memory or dies costs its own item only."""

import faulthandler
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlindex.base import guard
from mlindex.base.errors import MlindexError
from mlindex.base.guard import CRASH, MEMORY, TIME, Limits, guarded

LIMITS = Limits(cpu_s=0.2, memory_MB=200)


def busy(_):
    while True:
        pass


def asleep(_):
    time.sleep(1000)


def greedy(_):
    return len(bytearray(400_000_000))


def dead(_):
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


def gone(_):
    os._exit(3)


def run(items, evil, limits=LIMITS, parts=None):
    """What comes out: for each item its name and, by part, the kind and sight of its stop.

    ``evil`` names functions for some items; they are called in the part that ``parts`` says.
    """

    def work(item, stops, begin):
        if 0 not in stops:
            for part in range(4):
                if part:
                    begin(part)
                if item in evil and part == (parts or {}).get(item, 0) and part not in stops:
                    evil[item](item)
        return [item, {part: [stop.kind, stop.seen] for part, stop in stops.items()}]

    def pack(results):
        return [json.dumps(results).encode()]

    found = []
    for count, (packed,) in guarded(items, work, pack, limits):
        block = json.loads(packed)
        assert len(block) == count
        found += [(name, {int(k): v for k, v in stops.items()}) for name, stops in block]
    assert [name for name, _ in found] == list(items)
    return {name: stops for name, stops in found if stops}


def test_all_items_come_out_in_order():
    assert run([str(n) for n in range(257)], {}) == {}
    assert run([], {}) == {}


@pytest.mark.parametrize(
    ("evil", "kind", "seen"),
    [
        (busy, TIME, "more than 0.2 s of processor time"),
        (asleep, TIME, "no end after 2 s"),
        (greedy, MEMORY, "more than 200 MB"),
        (dead, CRASH, "the process that read it ended with SIGSEGV"),
        (gone, CRASH, "the process that read it ended with exit status 3"),
    ],
)
@pytest.mark.parametrize("place", [0, 130, 256])
def test_one_bad_item_is_stopped_and_the_others_survive(evil, kind, seen, place):
    items = [str(n) for n in range(257)]
    assert run(items, {str(place): evil}) == {str(place): {0: [kind, seen]}}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_a_child_that_wants_to_run_is_judged_by_its_processor_time(monkeypatch):
    monkeypatch.setattr(guard, "_PATIENCE", 0.5)
    seen = {"a": {0: [TIME, "more than 0.2 s of processor time"]}}
    assert run(["a"], {"a": busy}) == seen


def test_neighbours_are_stopped_one_by_one():
    evil = {"3": dead, "4": greedy, "5": gone, "99": dead, "100": dead}
    stops = run([str(n) for n in range(120)], evil)
    assert {name: found[0][0] for name, found in stops.items()} == {
        "3": CRASH,
        "4": MEMORY,
        "5": CRASH,
        "99": CRASH,
        "100": CRASH,
    }


def test_a_part_is_stopped_and_the_rest_of_its_item_survives():
    stops = run(["a", "b", "c"], {"b": dead}, parts={"b": 2})
    assert list(stops) == ["b"]
    assert list(stops["b"]) == [2]


def test_an_item_of_bad_parts_is_given_up(monkeypatch):
    monkeypatch.setattr(guard, "_MOST_STOPS", 2)

    def work(item, stops, begin):
        for part in range(1, 50):
            if 0 not in stops and part not in stops:
                begin(part)
                os._exit(3)
        return sorted(stops)

    (count, packed), *rest = guarded(
        ["a"], work, lambda results: [json.dumps(results).encode()], LIMITS
    )
    assert (count, rest) == (1, [])
    assert json.loads(packed[0]) == [[0, 1]]


def test_parts_that_are_slow_together_end_their_item(monkeypatch):
    monkeypatch.setattr(guard, "_WHOLE", 2)

    def slow(item, stops, begin):
        if 0 in stops:
            return [stops[0].kind, stops[0].seen]
        for part in range(1, 1000):
            begin(part)
            end = time.process_time() + 0.1
            while time.process_time() < end:
                pass
        return []

    ((_, packed),) = guarded(["a"], slow, lambda r: [json.dumps(r).encode()], LIMITS)
    assert json.loads(packed[0]) == [[TIME, "more than 0.4 s of processor time in all"]]


def test_a_kill_from_outside_is_not_the_file_s_fault():
    def killed(_):
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(MlindexError, match=r"works on 7 was killed from outside \(SIGKILL\)"):
        run([str(n) for n in range(20)], {"7": killed})


def test_a_fault_of_the_work_itself_is_told_with_its_place():
    def faulty(_):
        raise KeyError("made for the test")

    with pytest.raises(RuntimeError, match=r"in faulty(.|\n)*made for the test"):
        run(["a", "b"], {"b": faulty})


def test_no_child_is_left_behind():
    blocks = guarded([str(n) for n in range(500)], lambda *_: 0, lambda _: [b""], LIMITS)
    next(blocks)
    blocks.close()
    assert multiprocessing.active_children() == []


def test_a_child_can_send_more_than_a_pipe_holds():
    ((_, packed),) = guarded(["a"], lambda *_: 0, lambda _: [b"x" * 5_000_000], LIMITS)
    assert len(packed[0]) == 5_000_000


ORPHAN = """
import multiprocessing, time
from mlindex.base.guard import Limits, guarded

blocks = guarded(["a"] * 10**7, lambda *_: 0, lambda _: [b"x" * 200_000], Limits(60, 200))
next(blocks)
print(multiprocessing.active_children()[0].pid, flush=True)
time.sleep(1000)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_a_child_ends_with_its_parent():
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True)
    child = Path("/proc") / parent.stdout.readline().strip() / "stat"
    assert child.exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(200):
        # A dead process that nobody waited for stays listed as Z.
        if not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("the child is still at work")
