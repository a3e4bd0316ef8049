"""Mutated peak lists and patterns through every reader: `python tests/helpers/fuzz_readers.py`.

Valid files of every format (tests/helpers/reader_files.py) are changed at random: bytes flipped,
files cut or joined, lines swapped, numbers replaced, loops made huge, members of archives changed
inside. Each must end in a peak list, a pattern, or a MlindexError that names the file, within
limits of time and memory, and without a warning.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from helpers import reader_files as files
from helpers.fuzz_cif import (
    cut,
    flip_bytes,
    insert_lines,
    recode,
    splice,
    swap_lines,
)
from mlindex import files as readers
from mlindex.base.errors import MlindexError
from mlindex.base.guard import Limits, guarded
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList

WRITERS: dict[str, tuple[str, Callable[[], bytes]]] = {
    **{name: (suffix, writer) for name, (suffix, writer, _) in files.PATTERNS.items()},
    **files.PEAK_LISTS,
    "gsas alt": (".gsas", files.gsas_alt),
    "chi q": (".chi", files.chi_q),
}
LIMITS = Limits(cpu_s=10, memory_MB=1500)
FILES_PER_ROUND = 500
LIST, PATTERN, REFUSED = "peak list", "pattern", "refused"
FINE = (LIST, PATTERN, REFUSED)
_LONGEST_MESSAGE = 2500
#: Of what is repeated; what happens beyond the readers' limits has tests of its own.
_MOST_BYTES = 2_000_000
_NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
_NUMBERS = (
    *(b"0", b"-1", b"nan", b"inf", b"-inf", b"1e308", b"-1e999", b"1e-320", b"180", b"90"),
    *(b"99999999999999999999", b"0x10", b"1.2.3", b"1_0", b"5(", b"''", b"", b"\xb2", b"1,5"),
    "١٢".encode(),
)
_WORDS = np.array([0, 1, 255, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1], "<u4")

Mutation = Callable[[bytes, Sequence[bytes], np.random.Generator], bytes]


@dataclass
class Tally:
    """What a run came to: outcomes by format, and what should not have happened."""

    outcomes: dict[str, Counter] = field(default_factory=lambda: defaultdict(Counter))
    problems: Counter = field(default_factory=Counter)
    files: int = 0

    @property
    def clean(self) -> bool:
        """Whether every file ended well."""
        counted = sum(counter.total() for counter in self.outcomes.values())
        return not self.problems and counted == self.files

    def table(self) -> str:
        """Counts by format and outcome, as Markdown."""
        others = {outcome for counter in self.outcomes.values() for outcome in counter}
        columns = [*FINE, *sorted(others - set(FINE))]
        rows = [["format", "files", *columns], ["---"] * (2 + len(columns))]
        rows += [
            [name, str(counter.total()), *(str(counter[c]) for c in columns)]
            for name, counter in sorted(self.outcomes.items())
        ]
        total = sum(self.outcomes.values(), Counter())
        rows.append(["all", str(total.total()), *(str(total[c]) for c in columns)])
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def replace_numbers(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Numbers become other numbers, or nothing that could be one."""
    places = [match.span() for match in _NUMBER.finditer(data[:200_000])]
    if not places:
        return data
    count = min(len(places), int(rng.integers(1, 6)))
    for place in sorted(rng.choice(len(places), count, replace=False))[::-1]:
        low, high = places[place]
        new = _NUMBERS[rng.integers(len(_NUMBERS))]
        if rng.random() < 0.4:
            new = b"%.6g" % (rng.standard_normal() * 10 ** rng.uniform(-3, 5))
        data = data[:low] + new + data[high:]
    return data


def replace_words(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Four bytes become a number that a binary header would not hold, near its beginning mostly."""
    found = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        reach = len(found) if rng.random() < 0.3 else min(len(found), 900)
        place = int(rng.integers(reach))
        new = rng.bytes(4) if rng.random() < 0.3 else rng.choice(_WORDS).tobytes()
        found[place : place + 4] = new[: len(found) - place]
    return bytes(found)


def many_lines(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """A line a great many times."""
    lines = data.split(b"\n")
    place = rng.integers(len(lines))
    return b"\n".join([*lines[:place], _many(lines[place] + b"\n", rng), *lines[place:]])


def long_word(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """A word grows a great deal."""
    words = data.split(b" ")
    place = rng.integers(len(words))
    words[place] = _many(words[place] or b" ", rng)
    return b" ".join(words)


def _many(piece: bytes, rng: np.random.Generator) -> bytes:
    times = int(10 ** rng.uniform(1, 5))
    return piece * max(2, min(times, _MOST_BYTES // len(piece)))


MUTATIONS: tuple[Mutation, ...] = (
    flip_bytes,
    cut,
    swap_lines,
    insert_lines,
    replace_numbers,
    replace_numbers,
    replace_numbers,
    replace_words,
    many_lines,
    long_word,
    splice,
    recode,
)


def changed(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Data after one to three mutations."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if 0 < len(data) < _MOST_BYTES:
            data = MUTATIONS[rng.integers(len(MUTATIONS))](data, others, rng)
    return data


def mutated(data: bytes, others: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """A changed file; of an archive mostly a member, since its sums would tell of any other."""
    if not data.startswith(b"PK") or rng.random() < 0.3:
        return changed(data, others, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = list(members)[rng.integers(len(members))]
    members[name] = changed(members[name], [*others, *members.values()], rng)
    return files.zipped(members)


def outcome(path: Path, wavelength_A: float | None) -> tuple[str, str]:
    """What reading a file comes to, and what was said or went wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = readers.read(path, wavelength_A)
        except MlindexError as error:
            said = str(error)
            if str(path) not in said or len(said) > _LONGEST_MESSAGE:
                return "unclear message", said[:200]
            if " looks like " in said and "but is damaged (" in said:
                return "unforeseen", _seen(error.__cause__)
            return REFUSED, said
        except MemoryError:
            raise
        except Exception as error:
            return "traceback", _seen(error)
    wrong = flaw(found)
    return ("wrong content", wrong) if wrong else (_kind(found), "")


def _seen(error: BaseException) -> str:
    places = [f for f in traceback.extract_tb(error.__traceback__) if "mlindex" in f.filename]
    where = f"{Path(places[-1].filename).name}:{places[-1].lineno}" if places else "elsewhere"
    return f"{type(error).__name__}: {str(error)[:200]} ({where})"


def _kind(found: PeakList | MeasuredPattern) -> str:
    return LIST if isinstance(found, PeakList) else PATTERN


def flaw(found: PeakList | MeasuredPattern) -> str:
    """What a peak list or pattern holds that none may hold; empty if all is well."""
    wavelength = found.wavelength_A
    checks = {"wavelength": wavelength is None or 0.01 < wavelength < 100}
    if isinstance(found, PeakList):
        q2 = found.q2_inv_A2
        checks["positions"] = bool(np.all(np.isfinite(q2) & (q2 > 0)) and np.all(np.diff(q2) > 0))
    else:
        x, error = found.two_theta_deg, found.error
        checks["positions"] = bool(np.all((x > 0) & (x < 180)) and np.all(np.diff(x) > 0))
        checks["intensities"] = bool(np.all(np.isfinite(found.intensity)))
        checks["errors"] = error is None or bool(np.all(np.isfinite(error) & (error > 0)))
    return ", ".join(name for name, good in checks.items() if not good)


def run(count: int, seed: int, told: Callable = print) -> Tally:
    """Mutate and read so many files, all formats by turns."""
    originals = {name: writer() for name, (_, writer) in WRITERS.items()}
    others = list(originals.values())
    tally = Tally()
    for number, first in enumerate(range(0, count, FILES_PER_ROUND)):
        rng = np.random.default_rng([seed, number])
        with tempfile.TemporaryDirectory() as folder:
            names = []
            for index in range(first, min(first + FILES_PER_ROUND, count)):
                name = list(WRITERS)[index % len(WRITERS)]
                path = Path(folder) / f"{index:06d}{WRITERS[name][0]}"
                path.write_bytes(mutated(originals[name], others, rng))
                names.append((name, path))
            _read(names, tally)
        told(f"{tally.files} files: {tally.problems.total()} problems")
    return tally


def _read(names: list[tuple[str, Path]], tally: Tally) -> None:
    def work(path: str, stops: dict, begin: Callable) -> tuple[str, str]:
        if 0 in stops:
            return stops[0].kind, stops[0].seen
        return outcome(Path(path), 1.5406 if int(Path(path).stem) % 3 else None)

    def pack(results: list[tuple[str, str]]) -> list[bytes]:
        return [json.dumps(results).encode()]

    results = []
    for _, (packed,) in guarded([str(path) for _, path in names], work, pack, LIMITS):
        results += json.loads(packed)
    tally.files += len(names)
    for (name, _), (kind, said) in zip(names, results, strict=True):
        tally.outcomes[name][kind] += 1
        if kind not in FINE:
            tally.problems[f"{name}: {kind}: {said}"] += 1


def main() -> int:
    """Run the fuzzer; 1 where a file ended in anything but content or a clear refusal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start = time.perf_counter()
    tally = run(options.files, options.seed, lambda text: print(text, file=sys.stderr, flush=True))
    print(tally.table())
    print(f"{tally.files} files in {time.perf_counter() - start:.0f} s")
    for problem, times in tally.problems.most_common(40):
        print(f"  {times:5d}  {problem}")
    return 0 if tally.clean else 1


if __name__ == "__main__":
    sys.exit(main())
