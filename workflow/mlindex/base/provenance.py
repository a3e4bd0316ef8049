"""Where a result comes from: digests of code and inputs, package versions, derived seeds."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

_PACKAGE_ROOT = Path(__file__).parents[1]
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


def code_digest(script: str | Path) -> str:
    """Digest of a script and of every module of this package that it imports, transitively.

    Comments, docstrings and layout do not count: only what can change a result does.
    """
    digest = hashlib.sha256()
    for module in sorted(imported_modules(script)):
        digest.update(f"{module}:{_source_digest(_module_file(module))}\n".encode())
    digest.update(_source_digest(Path(script)).encode())
    return digest.hexdigest()


def imported_modules(script: str | Path) -> set[str]:
    """Names of the package's modules that a script imports, directly or through another."""
    found: set[str] = set()
    waiting = list(_direct_imports(Path(script)))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _direct_imports(_module_file(name))
    return found


@cache
def _syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """The module and all its statements: a tenth of what :func:`ast.walk` goes through."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, name, ())


@cache
def _source_digest(path: Path) -> str:
    tree = _syntax(path)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in list(_statements(tree)):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


@cache
def _direct_imports(path: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in _statements(_syntax(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(_with_parents(n for n in names if n.split(".")[0] == "mlindex"))


def _with_parents(names: Iterable[str]) -> set[str]:
    # Importing mlindex.a.b runs mlindex and mlindex.a first; names that are no module drop out.
    found = set()
    for name in names:
        parts = name.split(".")
        prefixes = (".".join(parts[:n]) for n in range(1, len(parts) + 1))
        found.update(p for p in prefixes if _module_file(p).exists())
    return found


def _module_file(name: str) -> Path:
    base = _PACKAGE_ROOT.joinpath(*name.split(".")[1:])
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
