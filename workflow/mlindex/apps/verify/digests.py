"""Every digest that a result's provenance records, against the files as they are now."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from mlindex.apps.verify.findings import WARNING
from mlindex.apps.verify.tree import Tree, some
from mlindex.base.errors import MlindexError
from mlindex.base.imports import code_digest
from mlindex.base.provenance import file_digest
from mlindex.base.schema import read_table
from mlindex.structures.tables import FILES

_SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
_MODEL = "model.json"
#: Snakemake goes by dates and ignores a file that only finished jobs needed: name it to rerun it.
_REMAKE = (
    "run 'snakemake --cores 2 --forcerun {name}': it makes the file and all that follows again"
)
_REMAKE_FROM = "remove what was made from it and run snakemake again"
#: Of input and recorded digest: the files that record it.
Recorded = dict[tuple[str, str], list[Path]]


def check_digests(tree: Tree, progress: Callable[[Iterable], Iterable]) -> None:
    """Compare the digests of inputs that every table and model directory records."""
    recorded: Recorded = defaultdict(list)
    codes: dict[str, set[str]] = defaultdict(set)
    for path, provenance in _provenances(tree):
        for name, digest in provenance.get("inputs", {}).items():
            recorded[name, digest].append(path)
        if provenance.get("rule") and provenance.get("code"):
            codes[provenance["rule"]].add(provenance["code"])
    elsewhere = 0
    for (name, digest), users in progress(sorted(recorded.items())):
        path = _locate(tree, name)
        if path is None:
            elsewhere += 1
        elif path not in tree.bad:
            tree.checked["digests of inputs"] += 1
            _check_input(tree, path, digest, users)
    if elsewhere:
        tree.notes.append(f"{elsewhere} inputs lie outside the project, digests not checked")
    _note_code(tree, codes)


def _provenances(tree: Tree) -> Iterator[tuple[Path, Mapping]]:
    for path in tree.files:
        if path in tree.bad:
            continue
        if path.suffix == ".parquet":
            yield path, tree.provenance(path)
        elif path.name == _MODEL:
            try:
                found = json.loads(path.read_text("utf-8"))["provenance"]
                yield path, {**found, "inputs": dict(found["inputs"])}
            except (OSError, ValueError, KeyError, TypeError) as error:
                tree.break_(path, f"not readable as the list of a model directory ({error!r})")


def _locate(tree: Tree, name: str) -> Path | None:
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts:
        return None
    if inside.parts[0] == "results":
        return tree.root.joinpath(*inside.parts[1:])
    if len(inside.parts) == 1:
        # Of a file outside the working directory only its name is recorded.
        places = list((tree.root.parent / "resources").rglob(name))
        return places[0] if len(places) == 1 else None
    beside = tree.root.parent / name
    return beside if beside.is_file() else None


def _check_input(tree: Tree, path: Path, digest: str, users: list[Path]) -> None:
    made = some([tree.name(user) for user in users])
    # What lies beside the results is the user's: nothing can make it again.
    remake = _REMAKE.format(name=tree.name(path))
    advice = remake if path.is_relative_to(tree.root) else _REMAKE_FROM
    if not path.exists():
        tree.break_(path, f"is missing; {made} came from it", advice)
    elif tree.digest(path) != digest:
        tree.add(path, f"was changed after {made} came from it", advice)


def _note_code(tree: Tree, codes: Mapping[str, set[str]]) -> None:
    """Results of other code are no error: a newer mlindex may look at them."""
    older = []
    for rule, digests in sorted(codes.items()):
        script = _SCRIPTS / f"{rule}.py"
        if script.is_file() and digests != {code_digest(script)}:
            older.append(rule)
    if older:
        tree.notes.append(
            f"made by other versions of the code: {', '.join(older)}; snakemake would redo them"
        )


def check_sources(tree: Tree, progress: Callable[[Iterable], Iterable]) -> None:
    """Compare the CIF files of the sources with the digests in the shard lists."""
    for path in progress(tree.matching("sources/*/*.files.parquet")):
        if path in tree.bad:
            continue
        files = read_table(path, FILES)
        folder = _folder(tree, path)
        if folder is None:
            tree.notes.append(f"{tree.name(path)} does not say where its source is: not checked")
        elif not folder.is_dir():
            tree.add(
                path,
                f"the source's folder {folder} is not there, {len(files)} files not checked",
                "bring it back, or leave the sources out of the check",
                WARNING,
            )
        else:
            _check_files(tree, path, folder, dict(zip(files["path"], files["digest"], strict=True)))


def _folder(tree: Tree, path: Path) -> Path | None:
    """Where the files of a shard list lie; generated ones lie beside it."""
    provenance = tree.provenance(path)
    if provenance.get("rule") == "generate":
        return path.parent
    shard = path.name.removesuffix(".files.parquet")
    settings = provenance.get("settings", {})
    if "path" not in settings:
        # The job that read the files says it, too.
        entries = tree.path(f"entries/{path.parent.name}/{shard}.parquet")
        if not entries.exists() or entries in tree.bad:
            return None
        settings = tree.provenance(entries).get("settings", {}).get("source", {})
    if settings.get("kind") == "generator":
        return path.parent
    return tree.root.parent / Path(settings["path"]).expanduser() if "path" in settings else None


def _check_files(tree: Tree, shard: Path, folder: Path, digests: Mapping[str, str]) -> None:
    changed, missing = [], []
    for name, digest in digests.items():
        tree.checked["source files"] += 1
        try:
            if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
                raise MlindexError("outside")
            if file_digest(folder / name) != digest and not digest.startswith("unreadable"):
                changed.append(name)
        except (OSError, ValueError, MlindexError):
            if not digest.startswith("unreadable"):
                missing.append(name)
    for names, what in ((changed, "changed"), (missing, "missing or not readable")):
        if names:
            tree.add(
                shard,
                f"{len(names)} files of {folder} are {what} since they were read: {some(names)}",
                "touch them and run snakemake again: it reads files again whose size or date has "
                "changed, and updates what depends on them",
            )
