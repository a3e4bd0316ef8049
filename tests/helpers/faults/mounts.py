"""Commands in a mount namespace of their own: what they mount goes with them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

#: With the rights of the superuser, or with those that some systems give everybody.
_WAYS = (("--mount",), ("--mount", "--user", "--map-root-user"))


@cache
def unshare() -> tuple[str, ...]:
    """The command that begins such a namespace; empty where the system has or allows none."""
    if shutil.which("unshare") is None or shutil.which("mount") is None:
        return ()
    for way in _WAYS:
        command = ("unshare", *way)
        tried = subprocess.run([*command, "mount", "-t", "tmpfs", "x", "/mnt"], capture_output=True)
        if tried.returncode == 0:
            return command
    return ()


def script(project: Path, *lines: str) -> list[str]:
    """Run lines of shell in a project, in such a namespace; what each line said.

    ``$SNAKEMAKE`` in a line runs Snakemake on two cores.
    """
    marked = [f"{line}\necho '<<end>>'" for line in lines]
    snakemake = f"SNAKEMAKE='{sys.executable} -m snakemake --cores 2'"
    command = [*unshare(), "sh", "-c", "\n".join(["exec 2>&1", snakemake, *marked])]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    return done.stdout.split("<<end>>\n")[: len(lines)]
