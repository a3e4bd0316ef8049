"""The model directory of a lattice system: writing it, loading it, asking it.

Layout: ``model.json`` (what there is, and digests of every other file), ``scaling.parquet``,
``reference.parquet``, ``groups.parquet``, ``regression/{group}.npz``, ``forest/{group}.npz`` and
``assignment/{noise level}.npz``. No file is a pickle and nothing here needs TensorFlow.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlindex.base.atomic import atomic_path
from mlindex.base.errors import MlindexError
from mlindex.base.provenance import file_digest
from mlindex.base.schema import read_table, write_table
from mlindex.crystal.cell import reciprocal_from_cell
from mlindex.crystal.lattice import LatticeSystem, system_of
from mlindex.crystal.reindexed import cell_to_standard, reindexed_from_free
from mlindex.learning.lattices import n_peaks_of
from mlindex.learning.tables import GROUPS
from mlindex.learning.trees import Trees
from mlindex.method.draws import draw_from_network, draw_from_trees, possible_cells
from mlindex.method.networks import AssignmentNetwork, VarianceNetwork
from mlindex.method.scaling import Scaling
from mlindex.method.tables import REFERENCE, SCALING, TEMPLATES

#: Layout of the directory; a directory of another one is refused.
FORMAT = 1
NETWORK, FOREST = 0, 1
_MANIFEST = "model.json"
_TABLES = ("scaling.parquet", "reference.parquet", "groups.parquet", "templates.parquet")
_DECLARED = (SCALING, REFERENCE, GROUPS, TEMPLATES)
_ASSIGNED_ROWS = 256
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class GroupModel:
    """The models of one group; ``network`` or ``forest`` is None where not trained."""

    name: str
    bravais: str
    unique_axis: str
    network: VarianceNetwork | None
    forest: Trees | None


@dataclass(frozen=True)
class Drawn:
    """Candidate cells.

    ``cells`` (n, 6) in A and degrees, standard setting; ``group_index`` (n,) into the model set's
    groups; ``origin`` (n,) 0 for networks, 1 for forests.
    """

    cells: np.ndarray
    group_index: np.ndarray
    origin: np.ndarray


@dataclass(frozen=True)
class ModelSet:
    """All trained models of a lattice system.

    ``reference_hkl`` (n_ref, 3) is in the standard setting, its last row (0, 0, 0) for "none".
    ``templates`` is the table TEMPLATES of the lattice system.
    """

    system: LatticeSystem
    scaling: Scaling
    reference_hkl: np.ndarray
    groups: tuple[GroupModel, ...]
    assignment: Mapping[float, AssignmentNetwork]
    templates: pd.DataFrame

    @classmethod
    def load(cls, directory: str | Path) -> ModelSet:
        """Load a model directory after checking the digest of every file in it.

        Raises:
            MlindexError: there is no model, a file is missing or was changed, or nothing could
                be trained (with the reasons that training gave).
        """
        directory = Path(directory)
        manifest = _read_manifest(directory)
        _check_digests(directory, manifest["sha256"])
        if not manifest["trained"]:
            raise MlindexError(f"{directory}: {manifest['statement']}")
        reference = read_table(directory / "reference.parquet", REFERENCE)
        system = system_of(manifest["lattice_system"])
        return cls(
            system,
            Scaling.from_table(read_table(directory / "scaling.parquet", SCALING)),
            reference[["h", "k", "l"]].to_numpy(dtype=np.int64),
            tuple(_load_group(directory, group, system) for group in manifest["groups"]),
            {
                float(item["noise_level"]): _load_assignment(
                    directory / item["file"], system, len(reference)
                )
                for item in manifest["assignment"]
            },
            read_table(directory / "templates.parquet", TEMPLATES),
        )

    @property
    def assignment_levels(self) -> tuple[float, ...]:
        """Noise levels for which there is an assignment network, the largest first."""
        return tuple(sorted(self.assignment, reverse=True))

    def draw_candidates(
        self, q2_inv_A2: np.ndarray, n_network: int, n_forest: int, rng: np.random.Generator
    ) -> Drawn:
        """Random cells from every group's network and forest (Moreau 2.4.2).

        Draws that are no cell (a length not positive, impossible angles) are left out, so that
        fewer than asked for may come back.

        Args:
            q2_inv_A2: q² of the pattern's first peaks, rising, shape (n_peaks,), in 1/A².
            n_network: draws from each group's network.
            n_forest: draws from single trees of each group's forest.

        Raises:
            MlindexError: the number of peaks is not what the models need.
        """
        q2_scaled = self.scaling.q2(self._checked(q2_inv_A2)).astype(np.float32)
        empty = np.empty(0, dtype=int)
        cells, indices, origins = [np.empty((0, 6))], [empty], [empty]
        for index, group in enumerate(self.groups):
            models = (
                (NETWORK, group.network, n_network, draw_from_network),
                (FOREST, group.forest, n_forest, draw_from_trees),
            )
            for origin, model, count, draw in models:
                if model is None or count == 0:
                    continue
                found = self._standard_cells(draw(model, q2_scaled, count, rng), group)
                cells.append(found)
                indices.append(np.full(len(found), index))
                origins.append(np.full(len(found), origin))
        return Drawn(np.concatenate(cells), np.concatenate(indices), np.concatenate(origins))

    def _standard_cells(self, free_scaled: np.ndarray, group: GroupModel) -> np.ndarray:
        free = self.scaling.free_inverse(free_scaled, self.system)
        cells = reindexed_from_free(free, self.system, group.unique_axis)
        cells = cell_to_standard(cells, self.system, group.unique_axis)
        return cells[possible_cells(cells)]

    def assign_probabilities(
        self, q2_inv_A2: np.ndarray, cells: np.ndarray, level: float
    ) -> np.ndarray:
        """Probability of each reference reflection for each peak, by an assignment network.

        Args:
            q2_inv_A2: q² of the pattern's first peaks, shape (n_peaks,), in 1/A².
            cells: candidate cells (n, 6) in A and degrees, standard setting.
            level: one of ``assignment_levels``.

        Returns:
            float32, shape (n, n_peaks, n_ref).

        Raises:
            MlindexError: there is no network of that level, or the number of peaks is wrong.
        """
        if level not in self.assignment:
            raise MlindexError(
                f"no assignment network of noise level {level:g} for {self.system.name}: there "
                f"are {', '.join(f'{v:g}' for v in self.assignment_levels) or 'none'}"
            )
        network = self.assignment[level]
        q2_scaled = self.scaling.q2(self._checked(q2_inv_A2))
        design = self.system.design_matrix(self.reference_hkl)
        x = reciprocal_from_cell(cells)[..., list(self.system.pick)]
        found = np.empty((len(x), q2_scaled.size, len(design)), dtype=np.float32)
        for start in range(0, len(x), _ASSIGNED_ROWS):
            rows = slice(start, start + _ASSIGNED_ROWS)
            found[rows] = network.predict_proba(q2_scaled, self.scaling.q2(x[rows] @ design.T))
        return found

    def _checked(self, q2_inv_A2: np.ndarray) -> np.ndarray:
        q2 = np.asarray(q2_inv_A2, dtype=float)
        if q2.shape != (n_peaks_of(self.system),):
            raise MlindexError(
                f"the {self.system.name} models need {n_peaks_of(self.system)} peaks, got {q2.size}"
            )
        return q2


def write_model_set(
    directory: str | Path,
    system: LatticeSystem,
    scaling: pd.DataFrame,
    reference: pd.DataFrame,
    groups: pd.DataFrame,
    templates: pd.DataFrame,
    regression_directories: Sequence[str | Path],
    forest_directory: str | Path,
    assignment_paths: Mapping[float, str | Path],
    provenance: Mapping[str, Any],
) -> None:
    """Gather everything of a lattice system into a model directory.

    Whatever was in the directory is replaced. Groups and levels that have no file, because they
    could not be trained, are stated in ``model.json``; so is a lattice system without any.

    Args:
        scaling: SCALING.
        reference: REFERENCE.
        groups: GROUPS.
        templates: TEMPLATES.
        regression_directories: directories with ``{group}.npz`` of the variance networks.
        forest_directory: directory with ``{group}.npz`` of the forests.
        assignment_paths: weights by noise level; those that do not exist count as not trained.
        provenance: of the job that writes, as plain data.
    """
    directory = Path(directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    frames = (scaling, reference, groups, templates)
    for name, table, frame in zip(_TABLES, _DECLARED, frames, strict=True):
        write_table(directory / name, table, frame, provenance)
    listed = _copy_groups(directory, groups, regression_directories, forest_directory)
    levels = [
        {"noise_level": float(v), "file": _copy([Path(p)], directory, f"assignment/{v:g}.npz")}
        for v, p in sorted(assignment_paths.items(), reverse=True)
    ]
    _write_manifest(directory, system, listed, levels, provenance)


def _write_manifest(
    directory: Path,
    system: LatticeSystem,
    groups: list[dict[str, Any]],
    levels: list[dict[str, Any]],
    provenance: Mapping[str, Any],
) -> None:
    manifest = {
        "format": FORMAT,
        "lattice_system": system.name,
        "n_peaks": n_peaks_of(system),
        "trained": any(group["network"] or group["forest"] for group in groups),
        "statement": _statement(system, groups, levels),
        "groups": groups,
        "assignment": _with_epsilons([v for v in levels if v["file"]], directory),
        "sha256": _digests(directory),
        "provenance": dict(provenance),
    }
    with atomic_path(directory / _MANIFEST) as temporary:
        temporary.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", "utf-8")


def _copy_groups(
    directory: Path,
    groups: pd.DataFrame,
    regression_directories: Sequence[str | Path],
    forest_directory: str | Path,
) -> list[dict[str, Any]]:
    listed = []
    for row in groups.drop_duplicates("group").sort_values("group").itertuples():
        networks = [Path(d) / f"{row.group}.npz" for d in regression_directories]
        forest = [Path(forest_directory) / f"{row.group}.npz"]
        listed.append(
            {
                "name": row.group,
                "bravais": row.bravais_lattice,
                "unique_axis": row.unique_axis,
                "network": _copy(networks, directory, f"regression/{row.group}.npz"),
                "forest": _copy(forest, directory, f"forest/{row.group}.npz"),
            }
        )
    return listed


def _with_epsilons(levels: list[dict], directory: Path) -> list[dict]:
    return [
        {**level, "epsilon": AssignmentNetwork.load(directory / level["file"]).epsilon}
        for level in levels
    ]


def _copy(sources: Sequence[Path], directory: Path, name: str) -> str:
    for source in sources:
        if source.is_file():
            (directory / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(source, directory / name)
            return name
    return ""


def _statement(system: LatticeSystem, groups: list[dict], levels: list[dict]) -> str:
    if not any(group["network"] or group["forest"] for group in groups):
        return (
            f"nothing was trained for {system.name}: the sources hold too few entries of it "
            f"({len(groups)} groups); add sources, or lower min_train in the config"
        )
    missing = [
        *(f"network of {group['name']}" for group in groups if not group["network"]),
        *(f"forest of {group['name']}" for group in groups if not group["forest"]),
        *(f"assignment network {v['noise_level']:g}" for v in levels if not v["file"]),
    ]
    return f"not trained, too few entries: {', '.join(missing)}" if missing else "complete"


def _digests(directory: Path) -> dict[str, str]:
    files = sorted(p for p in directory.rglob("*") if p.is_file() and p.name != _MANIFEST)
    return {p.relative_to(directory).as_posix(): file_digest(p) for p in files}


def load_trained(directory: str | Path) -> ModelSet | None:
    """Like :meth:`ModelSet.load`, but None, with the reason logged, where nothing was trained."""
    manifest = _read_manifest(Path(directory))
    if manifest["trained"]:
        return ModelSet.load(directory)
    _LOG.warning("%s: %s", directory, manifest["statement"])
    return None


def _read_manifest(directory: Path) -> dict[str, Any]:
    path = directory / _MANIFEST
    if not path.is_file():
        raise MlindexError(
            f"{directory}: no models here ({_MANIFEST} is missing); train them with "
            f"'snakemake results/models/{directory.name}'"
        )
    try:
        manifest = json.loads(path.read_text("utf-8"))
        version = manifest["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise MlindexError(
            f"{path}: not readable ({error}); remove {directory} and train again"
        ) from error
    if version != FORMAT:
        raise MlindexError(
            f"{path}: written by another version of mlindex (format {version}, this one reads "
            f"{FORMAT}); remove {directory} and train again"
        )
    _check_manifest(path, manifest)
    return manifest


def _check_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    """Every file that the manifest names lies below its directory and has a digest."""
    try:
        listed = dict(manifest["sha256"])
        named = [g[kind] for g in manifest["groups"] for kind in ("network", "forest") if g[kind]]
        named += [level["file"] for level in manifest["assignment"]]
        used = {*named, *(_TABLES if manifest["trained"] else ())}
        outside = [n for n in (*listed, *used) if n.startswith("/") or ".." in n.split("/")]
        system_of(manifest["lattice_system"])
        [(g["name"], g["bravais"], g["unique_axis"]) for g in manifest["groups"]]
        [float(level["noise_level"]) for level in manifest["assignment"]]
        str(manifest["statement"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MlindexError(
            f"{path}: not the list of a model directory ({error!r}); train again"
        ) from error
    if wrong := outside or sorted(used - set(listed)):
        what = "lies outside the directory" if outside else "has no digest"
        raise MlindexError(f"{path}: {wrong[0]} {what}; it was tampered with, train again")


def _check_digests(directory: Path, expected: Mapping[str, str]) -> None:
    found = _digests(directory)
    wrong = sorted(name for name, digest in expected.items() if found.get(name) != digest)
    if wrong:
        raise MlindexError(
            f"{directory}: {', '.join(wrong)} missing or changed since training; remove "
            "the directory and train again"
        )


def _load_group(directory: Path, group: Mapping[str, Any], system: LatticeSystem) -> GroupModel:
    network, forest = group["network"], group["forest"]
    loaded = GroupModel(
        group["name"],
        group["bravais"],
        group["unique_axis"],
        VarianceNetwork.load(directory / network) if network else None,
        Trees.load(directory / forest) if forest else None,
    )
    lines = np.zeros((1, n_peaks_of(system)), dtype=np.float32)
    if loaded.network is not None:
        shapes = [(1, system.n_free)] * 3
        _try(directory / network, lambda: [v.shape for v in loaded.network.predict(lines)], shapes)
    if loaded.forest is not None:
        shape = (1, loaded.forest.root.size, system.n_free)
        _try(directory / forest, lambda: loaded.forest.predict(lines).shape, shape)
    return loaded


def _load_assignment(path: Path, system: LatticeSystem, n_reference: int) -> AssignmentNetwork:
    network = AssignmentNetwork.load(path)
    lines = np.zeros((1, n_peaks_of(system)), dtype=np.float32)
    reference = np.ones((1, n_reference), dtype=np.float32)
    shape = (1, n_peaks_of(system), n_reference)
    _try(path, lambda: network.predict_proba(lines, reference).shape, shape)
    return network


def _try(path: Path, use: Callable[[], Any], expected: Any) -> None:
    """Use a model once: arrays that don't fit each other must not stop an indexing half-way."""
    try:
        found = use()
    except (ValueError, IndexError, TypeError) as error:
        found = error
    if found != expected:
        raise MlindexError(
            f"{path}: its arrays do not fit this lattice system ({found}, expected {expected}); "
            "remove the directory and train again"
        )
