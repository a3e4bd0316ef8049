"""Mutated CIF files through quality control and what follows: `python tests/helpers/fuzz_cif.py`.

Crystals of the built-in generator, and CIF files of a folder where one is given, are changed at
random (bytes flipped, files cut, lines swapped, numbers replaced, loops made huge, ...) and read.
No file may stop the others, hang, or be lost: each gives entries, rejects, or both. What is kept
must go through reduction and simulation.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from mlindex.crystal.lattice import SYSTEMS
from mlindex.patterns.settings import Simulation
from mlindex.patterns.simulation import simulate
from mlindex.structures.generator.source import write_shard
from mlindex.structures.quality import check_shard
from mlindex.structures.reduction import reduce_entries
from mlindex.structures.settings import Quality, Reduction
from mlindex.structures.sources import FolderSource, GeneratorSource
from mlindex.structures.tables import ENTRIES, REJECTS

RESOURCES = Path(__file__).parents[2] / "resources"
FILES_PER_SHARD = 250
QUALITY = Quality(max_entry_s=20, max_file_MB=5)
_NUMBERS = (
    b"0",
    b"-1",
    b"1e308",
    b"-1e-308",
    b"nan",
    b"inf",
    b"?",
    b".",
    b"''",
    b"1/0",
    b"1_0e9999",
    b"99999999999999999999",
    b"0x10",
    b"1.2.3",
    b"5(",
    b"90",
    b"60",
    b"120",
    b"179.999",
    b"1e6",
    b"'a b'",
    b"\xe2\x88\x921",
)
_LINES = (
    b"loop_",
    b"data_",
    b"data_again",
    b"save_",
    b";",
    b"_cell_length_a 5",
    b"_chemical_formula_sum 'X9'",
    b"_symmetry_space_group_name_H-M 'Q 1'",
    b"_space_group_IT_number 231",
    b"_cell_formula_units_Z 1e9",
    b"loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,2y,z+1/0",
    b"'unclosed",
    b"#\\#CIF_2.0",
    b"global_",
    b"stop_",
    b"\x00\x00",
    b"\xff\xfe",
)
_NUMBER = re.compile(rb"(?<=\s)[-+]?\d[\d.]*(?:\(\d*\))?(?=\s)")
_PAIR = re.compile(rb"(?m)^(_\S+)[ \t]+(\S.*)$")


@dataclass
class Tally:
    """What a run came to."""

    files: int = 0
    entries: int = 0
    rejects: int = 0
    lost: list[str] = field(default_factory=list)
    unforeseen: Counter = field(default_factory=Counter)
    reasons: Counter = field(default_factory=Counter)
    reduced: int = 0
    simulated: int = 0

    @property
    def clean(self) -> bool:
        """Whether every file is accounted for and nothing happened that no rule foresees."""
        return not self.lost and not self.unforeseen


def flip_bytes(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """A few bytes become others, one bit at a time or wholly."""
    found = bytearray(data)
    for place in rng.integers(len(found), size=rng.integers(1, 6)):
        near = found[place] ^ (1 << int(rng.integers(5)))
        found[place] = near if rng.random() < 0.7 else int(rng.integers(256))
    return bytes(found)


def cut(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """The file ends early, begins late, or lacks a middle part."""
    low, high = sorted(rng.integers(len(data) + 1, size=2))
    return (data[:low], data[low:], data[:low] + data[high:])[rng.integers(3)]


def swap_lines(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Lines change places, are repeated, or go."""
    lines = data.split(b"\n")
    for _ in range(rng.integers(1, 6)):
        first, second = rng.integers(len(lines), size=2)
        kind = rng.integers(3)
        if kind == 0:
            lines[first], lines[second] = lines[second], lines[first]
        elif kind == 1:
            lines.insert(first, lines[second])
        elif len(lines) > 1:
            del lines[first]
    return b"\n".join(lines)


def replace_numbers(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Numbers become other numbers, or nothing that could be one."""
    places = [match.span() for match in _NUMBER.finditer(data)]
    if not places:
        return data
    count = min(len(places), int(rng.integers(1, 6)))
    for place in sorted(rng.choice(len(places), count, replace=False))[::-1]:
        low, high = places[place]
        new = _NUMBERS[rng.integers(len(_NUMBERS))]
        if rng.random() < 0.6:
            # Near enough to pass a rule or two, or far beyond all of them.
            power = rng.choice([0.01, 0.3, 3.0]) * rng.standard_normal()
            new = b"%.6g" % (_value(data[low:high]) * 10**power)
        data = data[:low] + new + data[high:]
    return data


def _value(token: bytes) -> float:
    try:
        return float(token.partition(b"(")[0])
    except ValueError:
        return 1.0


def swap_values(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """The value of a tag becomes the one that it has in another file."""
    pairs = list(_PAIR.finditer(data))
    other = {m.group(1): m.group(2) for m in _PAIR.finditer(others[rng.integers(len(others))])}
    pairs = [match for match in pairs if match.group(1) in other]
    if not pairs:
        return data
    match = pairs[rng.integers(len(pairs))]
    low, high = match.span(2)
    return data[:low] + other[match.group(1)] + data[high:]


def insert_lines(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Lines that mean something come where they should not."""
    lines = data.split(b"\n")
    for _ in range(rng.integers(1, 4)):
        lines.insert(rng.integers(len(lines) + 1), _LINES[rng.integers(len(_LINES))])
    return b"\n".join(lines)


def huge_loop(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """A line, or a new loop, a great many times."""
    times = int(10 ** rng.uniform(2, 4.7))
    if rng.random() < 0.5:
        lines = data.split(b"\n")
        place = rng.integers(len(lines))
        return b"\n".join([*lines[:place], *[lines[place]] * times, *lines[place:]])
    return data + b"\nloop_\n_x_a\n_x_b\n" + b"1 'b c'\n" * times


def long_token(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """A word grows a great deal."""
    words = data.split(b" ")
    place = rng.integers(len(words))
    words[place] = words[place] * int(10 ** rng.uniform(1, 4))
    return b" ".join(words)


def splice(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """The beginning of one file and the end of another."""
    other = others[rng.integers(len(others))]
    return data[: rng.integers(len(data) + 1)] + other[rng.integers(len(other) + 1) :]


def recode(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Another encoding, or other line ends."""
    text = data.decode("latin-1")
    kind = rng.integers(4)
    if kind == 0:
        return text.encode("utf-16")
    if kind == 1:
        return b"\xef\xbb\xbf" + data
    return data.replace(b"\n", b"\r" if kind == 2 else b"\r\n")


MUTATIONS: tuple[Callable[[bytes, Sequence[bytes], np.random.Generator], bytes], ...] = (
    flip_bytes,
    cut,
    swap_lines,
    replace_numbers,
    replace_numbers,
    replace_numbers,
    swap_values,
    swap_values,
    insert_lines,
    huge_loop,
    long_token,
    splice,
    recode,
)


def mutated(originals: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """One of the originals after one to three mutations."""
    data = originals[rng.integers(len(originals))]
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if data:
            data = MUTATIONS[rng.integers(len(MUTATIONS))](data, originals, rng)
    return data


def generated(seed: int, count: int = 20) -> list[bytes]:
    """Crystals of every lattice system, a file each."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.cif"
        for system in SYSTEMS:
            rng = np.random.default_rng([seed, len(found)])
            write_shard(path, system, 0, count, GeneratorSource(), RESOURCES, rng)
            blocks = path.read_bytes().split(b"\ndata_")
            found += [block if b == 0 else b"data_" + block for b, block in enumerate(blocks)]
    return [data for data in found if b"_cell" in data]


def run(originals: Sequence[bytes], files: int, seed: int, told: Callable = print) -> Tally:
    """Mutate and read so many files, a shard at a time, with symmetry given and found by turns."""
    tally = Tally()
    for number, first in enumerate(range(0, files, FILES_PER_SHARD)):
        rng = np.random.default_rng([seed, number])
        count = min(FILES_PER_SHARD, files - first)
        with tempfile.TemporaryDirectory() as name:
            paths = [f"{first + i:06d}.cif" for i in range(count)]
            for path in paths:
                (Path(name) / path).write_bytes(mutated(originals, rng))
            symmetry = ("given", "found")[number % 2]
            _read(Path(name), paths, symmetry, tally)
        told(f"{tally.files} files: {tally.entries} kept, {tally.rejects} rejected")
    return tally


def _read(folder: Path, paths: list[str], symmetry: str, tally: Tally) -> None:
    source = FolderSource(name="fuzz", path=str(folder), symmetry=symmetry)
    checked = check_shard(pd.DataFrame({"path": paths}), folder, source, QUALITY)
    ENTRIES.arrow(checked.entries)
    REJECTS.arrow(checked.rejects)
    tally.files += len(paths)
    tally.entries += len(checked.entries)
    tally.rejects += len(checked.rejects)
    met = {*checked.entries["path"], *checked.rejects["path"]}
    tally.lost += [path for path in paths if path not in met]
    for row in checked.rejects.itertuples():
        tally.reasons[f"{row.rule} {row.rule_name}"] += 1
        if "unforeseen" in row.reason or row.rule_name == "crash":
            tally.unforeseen[f"{row.seen}: {row.reason}"] += 1
    cells, unreduced = reduce_entries(checked.entries, Reduction())
    simulated = simulate(checked.entries, Simulation())
    through = (len(cells) + len(unreduced), len(simulated.patterns) + len(simulated.rejects))
    if through != (len(checked.entries),) * 2:
        tally.lost.append(f"{through} of {len(checked.entries)} entries, from {paths[0]} on")
    tally.reduced += len(cells)
    tally.simulated += len(simulated.patterns)


def main() -> int:
    """Run the fuzzer; 1 where a file was lost or something happened that no rule foresees."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="CIF files to mutate, too")
    options = parser.parse_args()
    originals = generated(options.seed)
    if options.folder:
        paths = sorted(options.folder.rglob("*.cif"))
        originals += [p.read_bytes() for p in paths if p.stat().st_size < 100_000]
    start = time.perf_counter()
    tally = run(originals, options.files, options.seed)
    print(f"originals   {len(originals)}")
    print(f"files       {tally.files} in {time.perf_counter() - start:.0f} s")
    print(f"kept        {tally.entries} entries")
    print(f"rejected    {tally.rejects}")
    print(f"then        {tally.reduced} reduced, {tally.simulated} simulated")
    for reason, count in sorted(tally.reasons.items()):
        print(f"  {count:7d}  {reason}")
    print(f"lost        {len(tally.lost)} {tally.lost[:5]}")
    print(f"unforeseen  {tally.unforeseen.total()}")
    for reason, count in tally.unforeseen.most_common(20):
        print(f"  {count:7d}  {reason}")
    return 0 if tally.clean else 1


if __name__ == "__main__":
    sys.exit(main())
