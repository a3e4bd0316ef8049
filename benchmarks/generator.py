"""Crystals generated a second on one core, by lattice system.

python benchmarks/generator.py [crystals per system]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mlindex.crystal.lattice import SYSTEMS
from mlindex.structures.generator.source import write_shard
from mlindex.structures.sources import GeneratorSource

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
TARGET = 200


def main() -> None:
    """Time a shard of each lattice system after a small one that compiles the inner loop."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    source = GeneratorSource()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shard.cif.gz"
        write_shard(path, "cubic", 0, 5, source, RESOURCES, np.random.default_rng(0))
        for name in SYSTEMS:
            start = time.process_time()
            write_shard(path, name, 0, count, source, RESOURCES, np.random.default_rng(1))
            rate = count / (time.process_time() - start)
            print(f"{name:13s} {rate:7.0f} crystals/s  ({rate / TARGET:.1f} times the target)")


if __name__ == "__main__":
    main()
