"""Names of files as text that can be shown, stored and sent, whatever bytes they hold."""

from __future__ import annotations

import os

#: Bytes that are not UTF-8 reach Python as these characters.
_LONE_BYTES = range(0xDC80, 0xDD00)


def shown(path: str | os.PathLike[str]) -> str:
    r"""The name of a file as printable text: other bytes and characters as ``\xe9`` or ``\n``.

    Names are bytes to the system. Those that are not UTF-8 reach Python as lone surrogates, which
    no table, page or terminal takes.
    """
    return printable(os.fsencode(path).decode("utf-8", errors="backslashreplace"))


def printable(text: str, keep: str = "") -> str:
    r"""Text that changes nothing on a terminal: characters that can't be printed as ``\x1b``.

    Args:
        text: what a file or a user may have written.
        keep: characters that stay, such as ends of lines.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if code in _LONE_BYTES:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
