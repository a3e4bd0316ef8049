"""Imports within a package, read from the syntax of its modules; nothing is run.

The one walker: stale stages (:func:`code_digest`), stale compiled code (:mod:`.stale`), the test
of the wings and ``benchmarks/house.py`` all ask it what a module depends on. An import counts
wherever it stands, in a function as well; those under ``if TYPE_CHECKING:`` never run and are
told apart. A module imported by a computed name isn't seen.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from functools import cache, cached_property
from pathlib import Path

from mlindex.base.errors import MlindexError
from mlindex.base.remembered import Remembered

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_COMPILERS = frozenset({"jit", "njit", "vectorize", "guvectorize", "cfunc"})
_NAMES_ONE = re.compile("|".join(sorted(_COMPILERS)).encode())
_DECLARES_DATA = "mlindex.base.packaged"
#: Reading syntax takes seconds for all files; what was read once is known by their content.
_READ = Remembered(Path(__file__), "sources")


@dataclass(frozen=True)
class Import:
    """One import of a module of the package.

    Attributes:
        module: name of the imported module; of a package, where a name is taken from it.
        line: line of the statement.
        for_types: whether it stands under ``if TYPE_CHECKING:``.
    """

    module: str
    line: int
    for_types: bool


@dataclass(frozen=True)
class _Source:
    """What is read from one file.

    ``named`` are (line, for types, module, name or "") of every import statement; ``digest`` is
    the SHA-256 of the code without comments, docstrings and layout.
    """

    named: tuple[tuple[int, bool, str, str], ...]
    data: tuple[str, ...]
    compiles: bool
    digest: str


@dataclass(frozen=True)
class Package:
    """The Python package in the folder ``root``, whose name is that of the folder."""

    root: Path

    @cached_property
    def modules(self) -> dict[str, Path]:
        """Every module by its dotted name; a package is its ``__init__``."""
        files = sorted(self.root.rglob("*.py"))
        return {self._name(path): path for path in files}

    def _name(self, path: Path) -> str:
        parts = (self.root.name, *path.relative_to(self.root).with_suffix("").parts)
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def file(self, module: str) -> Path:
        """The file of a module."""
        return self.modules[module]

    def imports(self, path: Path) -> tuple[Import, ...]:
        """Imports of the package's modules by a file, by a script outside the package too."""
        found = {}
        for line, for_types, module, name in _source(path).named:
            inner = f"{module}.{name}"
            target = inner if name and inner in self.modules else module
            if target in self.modules:
                found[target, line, for_types] = Import(target, line, for_types)
        return tuple(found.values())

    def reached(self, path: Path) -> set[str]:
        """Names of the modules that run once a file does: imported, directly or through others.

        Importing a.b.c runs a and a.b first, so these are among them.
        """
        found: set[str] = set()
        waiting = self._run_by(path)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self._run_by(self.modules[name])
        return found

    def _run_by(self, path: Path) -> list[str]:
        direct = (item.module for item in self.imports(path) if not item.for_types)
        return [name for module in direct for name in _with_parents(module) if name in self.modules]

    def compiling(self) -> set[str]:
        """Modules with functions that numba compiles; one whose syntax is wrong may have some."""
        # Most files name no compiler, and reading their syntax takes most of the time.
        named = (n for n, p in self.modules.items() if _NAMES_ONE.search(p.read_bytes()))
        found = {name for name in named if _compiles(self.modules[name])}
        _READ.keep()
        return found

    def data(self, module: str) -> tuple[Path, ...]:
        """Data files that a module declares with :func:`.packaged.packaged`."""
        path = self.modules[module]
        return tuple(path.parent / name for name in _source(path).data)

    def digest(self, modules: Iterable[str]) -> str:
        """SHA-256 of what can change a result: the code of modules and their data files.

        Comments, docstrings and layout of code do not count; each byte of the data does.

        Raises:
            MlindexError: a data file is missing.
        """
        digest = hashlib.sha256()
        for module in sorted(modules):
            digest.update(f"{module}:{_source(self.modules[module]).digest}\n".encode())
            for path in sorted(self.data(module)):
                content = hashlib.sha256(self._bytes(path)).hexdigest()
                digest.update(f"{path.relative_to(self.root).as_posix()}:{content}\n".encode())
        return digest.hexdigest()

    def _bytes(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise MlindexError(
                f"{path}: a data file of {self.root.name} is missing; install it again"
            ) from None


#: mlindex itself.
PACKAGE = Package(Path(__file__).parents[1])


def imported_modules(script: str | Path, package: Package = PACKAGE) -> set[str]:
    """Names of the package's modules that a script imports, directly or through another."""
    return package.reached(Path(script))


def code_digest(script: str | Path, package: Package = PACKAGE) -> str:
    """SHA-256 of a script and of all that it imports of the package, directly or not.

    It is what a stage depends on besides its inputs and settings: :meth:`Package.digest` says
    what counts.
    """
    script = Path(script)
    parts = (package.digest(package.reached(script)), _source(script).digest)
    _READ.keep()
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def forget() -> None:
    """Read every file again when it is asked for next; for tests that change files."""
    _source.cache_clear()


def _with_parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts) + 1)]


@cache
def _source(path: Path) -> _Source:
    content = path.read_bytes()
    known = _READ.get(content)
    if known is not None:
        named = tuple((line, bool(types), module, name) for line, types, module, name in known[0])
        return _Source(named, tuple(known[1]), known[2], known[3])
    source, elsewhere = _parsed(content, path)
    if not elsewhere:
        _READ.put(content, astuple(source))
    return source


def _parsed(content: bytes, path: Path) -> tuple[_Source, bool]:
    """What is read from the syntax of a file, and whether it depends on where the file lies."""
    tree = ast.parse(content, filename=str(path))
    named, compiles, elsewhere = [], False, False
    for node, for_types in _statements(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        if isinstance(node, ast.Import):
            named += [(node.lineno, for_types, alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module, elsewhere = _absolute(node, path), elsewhere or node.level > 0
            named += [(node.lineno, for_types, module, alias.name) for alias in node.names]
        elif isinstance(node, ast.FunctionDef):
            compiles = compiles or any(map(_is_compiler, node.decorator_list))
    data = _declared(tree, path) if any(n[2] == _DECLARES_DATA for n in named) else ()
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    return _Source(tuple(named), data, compiles, digest), elsewhere


def _statements(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """The module and all its statements, a tenth of what :func:`ast.walk` goes through.

    Each with whether it runs for type checkers only.
    """
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, for_types = waiting.pop()
        yield node, for_types
        checking = isinstance(node, ast.If) and _called(node.test) == "TYPE_CHECKING"
        for name in _BLOCKS:
            inside = for_types or (checking and name == "body")
            waiting += [(child, inside) for child in getattr(node, name, ())]


def _absolute(node: ast.ImportFrom, path: Path) -> str:
    """The module that an import names; a relative one counts from the file's package."""
    if not node.level:
        return node.module or ""
    folder = path.parents[node.level - 1]
    parts = [node.module] if node.module else []
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts)


def _called(node: ast.AST) -> str:
    """The last name of a dotted one, "" for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _compiles(path: Path) -> bool:
    try:
        return _source(path).compiles
    except SyntaxError:
        return True


def _is_compiler(decorator: ast.AST) -> bool:
    return _called(decorator.func if isinstance(decorator, ast.Call) else decorator) in _COMPILERS


def _declared(tree: ast.Module, path: Path) -> tuple[str, ...]:
    """Names in the calls of :func:`.packaged.packaged`."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node.func) == "packaged":
            match node.args:
                case [ast.Name(id="__file__"), ast.Constant(value=str(name))]:
                    names.append(name)
                case _:
                    raise MlindexError(
                        f'{path}:{node.lineno}: write packaged(__file__, "name") with the name '
                        "of the data file as it is, or a change of the file goes unseen"
                    )
    return tuple(names)
