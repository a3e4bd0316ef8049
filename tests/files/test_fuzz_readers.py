"""A short run of the readers' fuzzer, and that it would see what it looks for."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import fuzz_readers
from helpers.fuzz_readers import (
    FINE,
    LIST,
    MUTATIONS,
    PATTERN,
    REFUSED,
    WRITERS,
    flaw,
    mutated,
    run,
)
from mlindex import files as readers


def quiet(_):
    pass


def test_every_mutated_file_ends_in_content_or_a_clear_refusal():
    tally = run(620, 5, quiet)
    assert tally.problems == {}
    assert tally.clean
    assert tally.files == 620
    assert {len(counter) > 0 for counter in tally.outcomes.values()} == {True}
    assert set(tally.outcomes) == set(WRITERS)
    total = {kind: sum(c[kind] for c in tally.outcomes.values()) for kind in FINE}
    assert total[LIST] > 10
    assert total[PATTERN] > 100
    assert total[REFUSED] > 200


def test_a_seed_fixes_the_files():
    originals = [writer() for _, writer in WRITERS.values()]
    first, again, other = (
        [mutated(data, originals, rng) for data in originals]
        for rng in (np.random.default_rng(seed) for seed in (1, 1, 2))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("mutation", dict.fromkeys(MUTATIONS), ids=lambda m: m.__name__)
def test_each_mutation_changes_files_and_takes_any(mutation):
    rng = np.random.default_rng(4)
    originals = [writer() for _, writer in WRITERS.values()]
    changed = [mutation(data, originals, rng) != data for data in originals]
    assert sum(changed) > len(changed) / 2
    for data in (b"x", b"\n", b"\x00\xff", b"1 2\n"):
        assert isinstance(mutation(data, originals, rng), bytes)


def fails(_path, _wavelength):
    raise KeyError("made for the test")


def warns(_path, _wavelength):
    return np.float64(1) / np.float64(0)


def hangs(_path, _wavelength):
    while True:
        pass


def hungry(_path, _wavelength):
    return bytearray(10**11)


@pytest.mark.parametrize(
    ("reader", "outcome"),
    [
        (fails, "traceback: KeyError"),
        (warns, "traceback: RuntimeWarning"),
        (hangs, "time limit"),
        (hungry, "memory limit"),
    ],
)
def test_the_fuzzer_sees_what_it_looks_for(monkeypatch, reader, outcome):
    monkeypatch.setattr(readers, "read", reader)
    monkeypatch.setattr(fuzz_readers, "LIMITS", replace(fuzz_readers.LIMITS, cpu_s=0.2))
    tally = run(2, 1, quiet)
    assert not tally.clean
    assert tally.problems.total() == 2
    assert all(f": {outcome}" in problem for problem in tally.problems)


def test_content_that_can_not_be_is_seen(tmp_path):
    suffix, writer, _ = fuzz_readers.files.PATTERNS["xye"]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(writer())
    pattern = readers.read(path)
    assert flaw(pattern) == ""
    falling = replace(pattern, two_theta_deg=pattern.two_theta_deg[::-1])
    assert flaw(falling) == "positions"
    assert flaw(replace(pattern, intensity=pattern.intensity * np.nan)) == "intensities"
    assert flaw(replace(pattern, wavelength_A=0.0)) == "wavelength"
