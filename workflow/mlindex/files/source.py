"""The bytes of a file, read once with a limit, and what a format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlindex.base.errors import MlindexError

if TYPE_CHECKING:
    from mlindex.patterns.measured import MeasuredPattern
    from mlindex.patterns.peaklist import PeakList

#: Larger than any powder pattern; images and other things are larger.
MAX_BYTES = 100_000_000
#: Points or lines; even 180 degrees in steps of 0.0004 are fewer.
MAX_POINTS = 500_000
_MAX_LINE = 5_000_000
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1a"))


@dataclass(frozen=True)
class Source:
    """A file: ``name`` for messages, ``suffix`` lower case with the dot, ``data`` its bytes."""

    name: str
    suffix: str
    data: bytes

    @cached_property
    def is_text(self) -> bool:
        """Whether the bytes can be text; a few control characters do occur in titles."""
        if self.data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return True
        control = len(self.data) - len(self.data.translate(None, _CONTROL))
        return b"\0" not in self.data and control <= 8 + len(self.data) // 1000

    @cached_property
    def text(self) -> str:
        """The text, whatever its encoding; titles may hold any byte."""
        if self.data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return self.data.decode("utf-16", errors="replace")
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self.data.decode("latin-1")

    @cached_property
    def lines(self) -> list[str]:
        """The lines, without their ends.

        Raises:
            MlindexError: if they are more, or longer, than those of any list or pattern.
        """
        text = self.text.replace("\r\n", "\n").replace("\r", "\n")
        if text.count("\n") > MAX_POINTS:
            raise MlindexError(f"{self.name}: has more than {MAX_POINTS} lines, too many")
        lines = text.split("\n")
        if max(map(len, lines)) > _MAX_LINE:
            raise MlindexError(f"{self.name}: has a line of more than {_MAX_LINE} characters")
        return lines if lines[-1] else lines[:-1]


@dataclass(frozen=True)
class Format:
    """A file format: ``sniff`` looks at the content only, ``read`` gets the wavelength given."""

    what: str
    suffixes: tuple[str, ...]
    sniff: Callable[[Source], bool]
    read: Callable[[Source, float | None], PeakList | MeasuredPattern]


def load(path: str | Path) -> Source:
    """Read a file.

    Raises:
        MlindexError: if it can't be read, is empty, or too large to be a pattern.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise MlindexError(f"{path}: is a directory; give a file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise MlindexError(f"{path}: there is no such file; see its name and folder") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MlindexError(f"{path}: can't be read ({reason}); see its name and rights") from error
    if len(data) > MAX_BYTES:
        raise MlindexError(
            f"{path}: is larger than {MAX_BYTES // 10**6} MB, which no peak list or pattern is"
        )
    if not data.strip():
        raise MlindexError(f"{path}: the file is empty; there is no line with numbers in it")
    return Source(str(path), path.suffix.lower(), data)
