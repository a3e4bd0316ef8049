"""One sample to index, as it travels to a worker process: plain data, never a pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Lines:
    """A peak list from rows of a table; ``columns`` as of :func:`mlindex.patterns.peaklist`.

    ``quantity`` is d, 2theta, q, Q or q2 and ``positions`` (n,) are of it; ``wavelength_A`` is
    what the table states; ``rows`` (n,) are row numbers for messages.
    """

    quantity: str
    positions: list[float]
    wavelength_A: float | None
    rows: list[int]
    intensity: list[float] | None = None
    fwhm: list[float] | None = None
    two_theta_error: list[float] | None = None


@dataclass(frozen=True)
class Task:
    """A sample: a file at ``path``, ``lines`` of a table, or an ``error`` met in looking for it."""

    sample: str
    path: str | None = None
    lines: Lines | None = None
    error: str | None = None

    def packed(self) -> bytes:
        """As bytes."""
        return json.dumps(asdict(self)).encode()

    @staticmethod
    def unpacked(data: bytes) -> Task:
        """The inverse of :meth:`packed`."""
        plain = json.loads(data)
        lines = plain.pop("lines")
        return Task(**plain, lines=Lines(**lines) if lines else None)
