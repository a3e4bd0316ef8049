"""What a project's results are at a moment: which are finished, and whether any is half a file."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from pathlib import Path

from mlindex.base.provenance import file_digest

#: What differs from run to run: logs, and all that tells of seconds.
_TIMED = ("logs/", "benchmarks/", "report.html")
_TIMED_ENDS = (".seconds.csv",)


def comparable(project: Path) -> dict[str, str]:
    """Digest of every file below results/ that must be the same in every run."""
    root = project / "results"
    names = (p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
    return {name: file_digest(root / name) for name in names if _is_compared(name)}


def _is_compared(name: str) -> bool:
    hidden = any(part.startswith(".") for part in name.split("/"))
    return not (hidden or name.startswith(_TIMED) or name.endswith(_TIMED_ENDS))


def left_behind(project: Path) -> list[str]:
    """Hidden files and folders that writers which were killed have left."""
    root = project / "results"
    known = (".state.parquet", ".snakemake_timestamp")
    return [
        path.relative_to(root).as_posix()
        for path in root.rglob(".*")
        if path.name not in known and path.name.startswith(".")
    ]


def finished(project: Path) -> dict[str, tuple[int, int]]:
    """Inode and date of every result file that Snakemake has recorded as finished."""
    records = project / ".snakemake"
    done = _recorded(records / "metadata") - _recorded(records / "incomplete")
    found = {}
    for output in done:
        path = project / output
        for file in [path] if path.is_file() else path.rglob("*"):
            if file.is_file():
                status = file.stat()
                found[file.relative_to(project).as_posix()] = (status.st_ino, status.st_mtime_ns)
    return found


def _recorded(folder: Path) -> set[str]:
    # Snakemake names its records after the outputs, and cuts long names into folders.
    names = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return {urlsafe_b64decode(name.replace("@", "").replace("/", "")).decode() for name in names}


def locked(project: Path) -> bool:
    """Whether a lock is left."""
    return any((project / ".snakemake/locks").glob("*.lock"))
