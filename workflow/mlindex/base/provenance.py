"""Where a result comes from: digests of inputs, package versions, derived seeds."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

_PACKAGES = (
    "gemmi",
    "keras",
    "mlindex",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "spglib",
    "tensorflow",
    "tensorflow-cpu",
)
_BLOCK_BYTES = 1 << 20
#: How the digest of a file begins that could not be read; the reason follows.
UNREADABLE = "unreadable:"


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file, or of every file below a directory with its relative path."""
    path = Path(path)
    digest = hashlib.sha256()
    if path.is_dir():
        for child in sorted(p for p in path.rglob("*") if p.is_file()):
            digest.update(f"{child.relative_to(path).as_posix()}:{file_digest(child)}\n".encode())
        return digest.hexdigest()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def package_versions() -> dict[str, str]:
    """Versions of the packages that shape results, of those installed."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def derive_seed(master: int, *names: str | int) -> int:
    """A 63-bit seed for one job, from the master seed and the names that tell it apart."""
    text = "/".join(str(n) for n in (master, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(master: int, *names: str | int) -> np.random.Generator:
    """The random generator of one job."""
    return np.random.Generator(np.random.PCG64(derive_seed(master, *names)))
