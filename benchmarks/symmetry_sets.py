"""Lists of lines with their true symmetry, for ``symmetry.py``: examples, measured patterns."""

from __future__ import annotations

import csv
import re
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mlindex.base.errors import MlindexError
from mlindex.base.schema import read_table
from mlindex.classification.tables import SYMMETRY_EXAMPLES
from mlindex.crystal.bragg import q2_from_two_theta
from mlindex.crystal.symmetry_classes import LEVELS, classes_of
from mlindex.files import read
from mlindex.patterns.measured import MeasuredPattern
from mlindex.patterns.peaklist import PeakList
from mlindex.patterns.peaksearch import find_peaks

#: Crystal families: trigonal and hexagonal crystals are told apart by no lattice of hP.
FAMILY = "crystal_family"
FAMILY_OF = {"trigonal": "hexagonal", "rhombohedral": "hexagonal"}
#: Of RRUFF's tubes, whose two lines its files hold as one.
_CU_MEAN_A, _CU_A = 1.541838, 1.5406
#: Space groups by the names of the folders of thin films, as they are spelt there.
_FILMS = {
    **{"Fm-3m": 225, "I4Imcm": 140, "P21a": 14, "P3m1": 156},
    **{"P61mmc": 194, "Pc": 7, "pm-3m": 221},
}


@dataclass
class Lists:
    """Lists of one kind: q² in 1/A², intensities, ends of the patterns, and the true classes.

    ``truth`` holds for each level the class of each list; levels that are not known are missing.
    """

    name: str
    q2: list[np.ndarray] = field(default_factory=list)
    intensity: list[np.ndarray | None] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    truth: dict[str, list[str]] = field(default_factory=dict)

    def add(self, peaks: PeakList, last: float, truth: dict[str, str]) -> None:
        """Add the list of a pattern; one without lines is added too, as it can't be answered."""
        self.q2.append(peaks.q2_inv_A2)
        self.intensity.append(peaks.intensity)
        self.last.append(last)
        for level, name in truth.items():
            self.truth.setdefault(level, []).append(name)


def classes_of_group(number: int) -> dict[str, str]:
    """The class of a space group at each level, and its crystal family."""
    found = {
        level: classes_of(level).names[classes_of(level).of_group[number - 1]] for level in LEVELS
    }
    system = found["crystal_system"]
    return {FAMILY: FAMILY_OF.get(system, system), **found}


def examples(results: Path) -> Iterator[Lists]:
    """Lists of the workflow's symmetry_examples: as calculated, and drawn measurements."""
    columns = ("q2_inv_A2", "intensity", "last_q2_inv_A2", "spacegroup_number", "measurement")
    tables = sorted((results / "symmetry_examples").glob("*.parquet"))
    frames = [read_table(path, SYMMETRY_EXAMPLES, columns) for path in tables]
    for name, drawn in (("calculated", False), ("drawn measurements", True)):
        lists = Lists(name)
        for frame in frames:
            own = frame[(frame["measurement"] > 0) == drawn]
            for values, column in zip(
                (lists.q2, lists.intensity, lists.last), columns[:3], strict=True
            ):
                values += own[column].tolist()
            for number in own["spacegroup_number"]:
                for level, name_of in classes_of_group(int(number)).items():
                    lists.truth.setdefault(level, []).append(name_of)
        yield lists


def measured(folder: Path) -> Iterator[Lists]:
    """Patterns of an ``index.csv`` with ``sg_number``: all, and those of each radiation."""
    every = Lists("measured patterns")
    by_radiation: dict[str, Lists] = {}
    with (folder / "index.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if not (row["a"] and row["sg_number"].isdigit()):
                continue
            number = re.match(r"[\d.]+", row["wavelength_A"])
            found = _lines(folder / row["file"], float(number[0]) if number else None)
            if found is None:
                continue
            truth = classes_of_group(int(row["sg_number"]))
            kind = f"measured, {row['radiation']}"
            for lists in (every, by_radiation.setdefault(kind, Lists(kind))):
                lists.add(*found, truth)
    yield every
    yield from by_radiation.values()


def rruff(folder: Path) -> Iterator[Lists]:
    """Patterns of RRUFF as XRED has them, of which the crystal family is known."""
    lists = Lists("RRUFF")
    with (folder / "xred_rruff90_labels.csv").open(encoding="utf-8") as stream:
        system_of = {
            row["rruff_id"]: row["crystal_system_hexagonal_family"]
            for row in csv.DictReader(stream)
        }
    with np.load(folder / "xred_rruff90.npz") as patterns:
        for name, system in system_of.items():
            two_theta, counts = np.asarray(patterns[name], dtype=float).reshape(-1, 2).T
            pattern = MeasuredPattern(name, two_theta, counts, wavelength_A=_CU_MEAN_A)
            found = _peaks_of(pattern)
            if found is not None:
                lists.add(*found, {FAMILY: FAMILY_OF.get(system, system)})
    yield lists


def films(folder: Path) -> Iterator[Lists]:
    """Textured thin films of halide perovskites, a folder for each space group."""
    lists = Lists("thin films")
    with tempfile.TemporaryDirectory() as unpacked:
        with tarfile.open(folder / "autoxrd_experimental.tar.gz") as archive:
            archive.extractall(unpacked, filter="data")
        for path in sorted(Path(unpacked).rglob("*.xy")):
            found = _lines(path, _CU_A)
            if found is not None:
                lists.add(*found, classes_of_group(_FILMS[path.parent.name]))
    yield lists


def _lines(path: Path, wavelength_A: float | None) -> tuple[PeakList, float] | None:
    """The lines of a file and q² of its end; None, told, where there are none."""
    try:
        content = read(path, wavelength_A)
    except MlindexError as problem:
        print(f"left out: {problem}")
        return None
    if isinstance(content, MeasuredPattern):
        return _peaks_of(content)
    return content, float(content.q2_inv_A2[-1])


def _peaks_of(pattern: MeasuredPattern) -> tuple[PeakList, float] | None:
    try:
        peaks = find_peaks(pattern).peaks
        if not len(peaks):
            raise MlindexError(f"{pattern.name}: no peaks were found")
    except MlindexError as problem:
        print(f"left out: {problem}")
        return None
    end = np.array([pattern.two_theta_deg[-1]])
    return peaks, float(q2_from_two_theta(end, pattern.scale_A)[0])
