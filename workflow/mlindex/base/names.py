"""Names of files as text that can be shown, stored and sent, whatever bytes they hold."""

from __future__ import annotations

import os


def shown(path: str | os.PathLike[str]) -> str:
    r"""The name of a file as printable text: other bytes and characters as ``\xe9`` or ``\n``.

    Names are bytes to the system. Those that are not UTF-8 reach Python as lone surrogates, which
    no table, page or terminal takes.
    """
    text = os.fsencode(path).decode("utf-8", errors="backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
