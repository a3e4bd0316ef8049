"""Found peaks as a text file that people edit and that is read as a peak list again."""

from __future__ import annotations

from pathlib import Path

from mlindex.base.atomic import atomic_path
from mlindex.patterns.peaksearch.found import FoundPeaks

_HEAD = "two_theta_deg", "two_theta_error_deg", "intensity", "fwhm_deg"


def write_peak_file(found: FoundPeaks, path: str | Path) -> None:
    """Write position, its error, area and width of each peak; lines may be deleted or added.

    Another list that is there may hold someone's edits: it is kept, ``peaks.txt`` as
    ``peaks.before.txt``.
    """
    path, content = Path(path), _text(found).encode()
    set_aside(path, content)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def set_aside(path: Path, content: bytes) -> None:
    """Keep a list that is to be written over with other content, under the name ``before``."""
    if path.exists() and path.read_bytes() != content:
        path.replace(path.with_name(f"{path.stem}.before{path.suffix}"))


def _text(found: FoundPeaks) -> str:
    lines = [
        # Before the name, which may hold anything that looks like a wavelength.
        f"# wavelength: {found.peaks.wavelength_A!r}",
        f"# peaks of {' '.join(found.peaks.name.splitlines())}",
        "# Delete a line or put # before it to leave a peak out; add lines for peaks missed.",
        *(f"# note: {note}" for note in found.notes if "wavelength" not in note),
        " ".join(_HEAD),
    ]
    columns = (found.two_theta_deg, found.error_deg, found.area, found.fwhm_deg)
    lines += [
        f"{position:12.5f} {error:9.5f} {area:14.6g} {fwhm:9.5f}"
        for position, error, area, fwhm in zip(*columns, strict=True)
    ]
    return "\n".join(lines) + "\n"
