"""The bytes of a file, read once with a limit, and what a format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlindex.base.errors import MlindexError
from mlindex.base.names import shown
from mlindex.files.opening import PIPE_LIMIT_S, first_bytes

if TYPE_CHECKING:
    from mlindex.crystal.wavelengths import Given
    from mlindex.patterns.measured import MeasuredPattern
    from mlindex.patterns.peaklist import PeakList

#: Larger than any powder pattern; images and other things are larger.
MAX_BYTES = 100_000_000
#: Points or lines; even 180 degrees in steps of 0.0004 are fewer.
MAX_POINTS = 500_000
#: Numbers and words of a text; each takes about hundred bytes of memory while it is read.
MAX_WORDS = 2_500_000
_MAX_LINE = 5_000_000
_BLOCK = 1_000_000
_HEAD_BYTES = 10_000
_SEPARATORS = bytes(1 if c <= 32 else 0 for c in range(256))
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
            MlindexError: they are more, or longer, or hold more than any list or pattern.
        """
        self.check_words()
        text = self.text.replace("\r\n", "\n").replace("\r", "\n")
        if text.count("\n") > MAX_POINTS:
            raise MlindexError(
                f"{self.name}: has more than {MAX_POINTS} lines; give a file with a single scan"
            )
        lines = text.split("\n")
        if max(map(len, lines)) > _MAX_LINE:
            raise MlindexError(f"{self.name}: has a line of more than {_MAX_LINE} characters")
        return lines if lines[-1] else lines[:-1]

    def head(self, count: int) -> list[str]:
        """The first whole lines, at most so many, of the first bytes: to see what a text is."""
        lines = Source(self.name, self.suffix, self.data[:_HEAD_BYTES]).lines
        return (lines[:-1] if len(self.data) > _HEAD_BYTES else lines)[:count]

    def check_words(self) -> None:
        """Raise MlindexError if the text holds more numbers and words than any pattern."""
        if len(self.data) <= MAX_WORDS:
            return
        count = sum(map(self.data.count, (b",", b";", b"\t")))
        for start in range(0, len(self.data), _BLOCK):
            # A word ends where a blank follows another character.
            count += self.data[start : start + _BLOCK].translate(_SEPARATORS).count(b"\0\1")
        if count > MAX_WORDS:
            raise MlindexError(
                f"{self.name}: holds more than {MAX_WORDS / 1e6:g} million numbers or words, "
                "which no peak list or pattern does"
            )


@dataclass(frozen=True)
class Format:
    """A file format: ``sniff`` looks at the content only, ``read`` gets the wavelength given."""

    what: str
    suffixes: tuple[str, ...]
    sniff: Callable[[Source], bool]
    read: Callable[[Source, Given], PeakList | MeasuredPattern]


def load(path: str | Path, time_limit_s: float = PIPE_LIMIT_S) -> Source:
    """Read a file.

    Args:
        path: the file; a pipe, such as standard input, too.
        time_limit_s: for a pipe to come to its end.

    Raises:
        MlindexError: it can't be read, is empty, or too large to be a pattern.
    """
    path, name = Path(path), shown(path)
    try:
        data = first_bytes(path, MAX_BYTES + 1, time_limit_s)
    except FileNotFoundError as error:
        raise MlindexError(f"{name}: there is no such file; check its name and folder") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MlindexError(
            f"{name}: can't be read ({reason}); check its name and permissions"
        ) from error
    if len(data) > MAX_BYTES:
        raise MlindexError(
            f"{name}: is larger than {MAX_BYTES // 10**6} MB, which no peak list or pattern is"
        )
    if not data.strip():
        raise MlindexError(f"{name}: the file is empty; there is no line with numbers in it")
    return Source(name, path.suffix.lower(), data)
