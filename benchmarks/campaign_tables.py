"""The public tables of experiments as pools, and private ones where their folder is named."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from mlindex.campaigns import autosherlock
from mlindex.campaigns.methods.contract import Past
from mlindex.campaigns.replay import Pool

_FOLDER = Path(__file__).parents[1] / "resources" / "campaigns"
#: Classes of crystals by vapour diffusion, as scores.
_CRYSTALS = {
    "clear_solution": 0,
    "fine_powder": 1,
    "small_crystallites": 2,
    "large_crystallites": 3,
}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_numbers(path: Path) -> np.ndarray:
    """The numbers (rows, columns) of a table."""
    return np.array([[float(cell) for cell in row.values()] for row in _rows(path)])


def _scaled(columns: np.ndarray) -> np.ndarray:
    low, high = columns.min(axis=0), columns.max(axis=0)
    return (columns - low) / np.where(high > low, high - low, 1.0)


def _numbers(rows: list[dict[str, str]], names: list[str]) -> np.ndarray:
    return _scaled(np.array([[float(row[name]) for name in names] for row in rows]))


def _one_hot(values: list[str]) -> np.ndarray:
    """Columns of a category, such that two different ones are 1 apart."""
    names = sorted(set(values))
    return np.array([[value == name for name in names] for value in values]) / np.sqrt(2)


def _described(values: list[str], table: str) -> np.ndarray:
    """Columns of what describes a category, such that together they count as one."""
    rows = _rows(_FOLDER / f"{table}.csv")
    names = [name for name in rows[0] if name != "name"]
    numbers = _numbers(rows, names)
    place = {row["name"]: number for number, row in enumerate(rows)}
    columns = numbers[[place[value] for value in values]]
    columns = columns[:, np.ptp(columns, axis=0) > 0]
    return columns / np.sqrt(columns.shape[1])


def _joined(parts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Features, and to which part each column belongs."""
    groups = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
    return np.hstack(parts), groups


def _numeric(
    table: str, objective: str, score: Callable[[np.ndarray], np.ndarray] = np.positive
) -> Pool:
    """A table of numbers; replicates are averaged before the score is taken of them."""
    rows = _rows(_FOLDER / f"{table}.csv")
    names = [name for name in rows[0] if name not in (objective, "replicates")]
    values = np.array([float(row[objective]) for row in rows])
    averaged = Pool.of(_numbers(rows, names), values)
    return Pool.of(averaged.features, score(averaged.scores))


def _coupling(table: str) -> Pool:
    rows = _rows(_FOLDER / f"{table}.csv")
    time = np.log([[float(row["residence_time_s"])] for row in rows])
    others = [_numbers(rows, [name]) for name in ("temperature_C", "catalyst_mol_pct")]
    features, groups = _joined([_one_hot([row["ligand"] for row in rows]), _scaled(time), *others])
    return Pool.of(features, np.array([float(row["yield_pct"]) for row in rows]), groups)


def _gaps() -> Pool:
    rows = _rows(_FOLDER / "perovskite_gaps.csv")
    parts = [_one_hot([row[name] for row in rows]) for name in ("organic", "cation", "anion")]
    features, groups = _joined(parts)
    return Pool.of(features, -np.array([float(row["band_gap_eV"]) for row in rows]), groups)


TABLES: Mapping[str, Callable[[], Pool]] = {
    "crossed_barrel": lambda: _numeric("crossed_barrel", "toughness_J"),
    "p3ht_cnt": lambda: _numeric("p3ht_cnt", "conductivity_S_cm"),
    "silver_nanoparticles": lambda: _numeric("silver_nanoparticles", "loss", np.negative),
    "printed_lines": lambda: _numeric("printed_lines", "shape_score"),
    "perovskite_stability": lambda: _numeric(
        "perovskite_stability", "instability_index", lambda index: -np.log(index)
    ),
    "suzuki": lambda: _numeric("suzuki", "yield_pct"),
    **{f"suzuki_{n}": (lambda n=n: _coupling(f"suzuki_{n}")) for n in ("i", "ii", "iii", "iv")},
    "perovskite_gaps": _gaps,
    "hplc": lambda: _numeric("hplc", "peak_area"),
}


def amines() -> Iterator[tuple[str, Pool, Past]]:
    """Each amine with 24 experiments or more of which at most half gave large crystals.

    Of others no method could find half in 1.5 times fewer experiments, or by a hair.

    Yields:
        amine: its name.
        pool: its experiments; the best are all large crystals.
        past: the experiments with the other amines.
    """
    rows = _rows(_FOLDER / "vapour_diffusion.csv")
    names = np.array([row["amine"] for row in rows])
    ours = ("amine", "solvent", "crystals")
    parts = [
        _described(list(names), "vapour_diffusion_amines"),
        _described([row["solvent"] for row in rows], "vapour_diffusion_solvents"),
    ]
    for name in rows[0]:
        column = _numbers(rows, [name]) if name not in ours else np.zeros((1, 1))
        if np.ptp(column) > 0:
            parts.append(column)
    features, groups = _joined(parts)
    scores = np.array([float(_CRYSTALS[row["crystals"]]) for row in rows])
    for amine in dict.fromkeys(names.tolist()):
        own = names == amine
        large = scores[own] == max(_CRYSTALS.values())
        if own.sum() >= 24 and 2 <= large.sum() <= own.sum() / 2:
            pool = Pool(features[own], scores[own], groups, large)
            yield amine, pool, (features[~own], scores[~own])


def screens(folder: Path) -> dict[str, Pool]:
    """The screens by name, cocktails as in the one that is there in AutoSherlock's own format."""
    (path,) = sorted(folder.glob("*.mso"))
    wells = autosherlock.read_screen(path)
    composition = autosherlock.features(wells)
    _, groups = np.unique(composition.kinds, return_inverse=True)
    at = {well.name: number for number, well in enumerate(wells)}
    (table,) = sorted(folder.glob("*screens.csv"))
    rows = [row for row in _rows(table) if row["cocktail"] in at]
    found = {}
    for name in sorted({row["screen"] for row in rows}):
        own = [row for row in rows if row["screen"] == name]
        features = _scaled(composition.values)[[at[row["cocktail"]] for row in own]]
        scores = np.array([float(row["score_max"]) for row in own])
        found[name] = Pool(features, scores, groups, scores == scores.max())
    return found
