"""The memory that is free for this process, on the machine and in its control group."""

from __future__ import annotations

import re
from pathlib import Path

_MACHINE = Path("/proc/meminfo")
_OWN_GROUPS = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def free_bytes() -> int | None:
    """Bytes of memory that can still be used; None where the system does not say."""
    known = [free for free in (_of_machine(), *_of_groups()) if free is not None]
    return max(0, min(known)) if known else None


def _of_machine() -> int | None:
    match = re.search(r"^MemAvailable:\s*(\d+) kB", _text(_MACHINE), re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def _of_groups() -> list[int | None]:
    """Bytes left below the limits of this process's control group and of those above it."""
    found: list[int | None] = []
    for line in _text(_OWN_GROUPS).splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root = _GROUPS / "memory" if controllers else _GROUPS
        inside = root / name.lstrip("/")
        # In a container the name is that of the machine, and its own group is the root.
        groups = [inside, *inside.parents] if inside.is_dir() else [root]
        found += [_of_group(group) for group in groups if group.is_relative_to(root)]
    return found


def _of_group(group: Path) -> int | None:
    for most, used in (
        ("memory.max", "memory.current"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        limit, taken = _text(group / most).strip(), _text(group / used).strip()
        if limit.isdigit() and taken.isdigit():
            # Pages of files that were read count as used, and are given back when needed.
            stat = _text(group / "memory.stat")
            cached = re.search(r"^(?:total_)?inactive_file (\d+)$", stat, re.MULTILINE)
            return int(limit) - int(taken) + (int(cached[1]) if cached else 0)
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
