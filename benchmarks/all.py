"""All benchmarks, one after the other.

python benchmarks/all.py FOLDER    (a folder of CIF files; without one, those that need it are
left out)
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
WITH_FOLDER = ("quality_control.py", "simulation.py")
WITHOUT = ("generator.py", "deduplication.py", "training_memory.py")


def main(arguments: list[str]) -> int:
    """Run them; the number of those that failed."""
    commands = [[name, *arguments] for name in WITH_FOLDER if arguments]
    commands += [[name] for name in WITHOUT]
    failed = 0
    for name, *rest in commands:
        print(f"\n== {name}", flush=True)
        failed += subprocess.run([sys.executable, HERE / name, *rest], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
